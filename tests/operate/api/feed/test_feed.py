"""The feed is numbered, bounded and the same for all clients; a client that is too slow is dropped."""

import asyncio
from contextlib import ExitStack

import orjson
import pytest
from starlette.requests import HTTPConnection

from hub.clock import ManualClock
from hub.limits import (
    FEED_BATCH,
    FEED_CLIENTS,
    FEED_CLIENTS_EACH,
    FEED_EVENTS_A_SECOND,
    FEED_KEPT,
    FEED_PAYLOAD_BYTES,
    FEED_REPEATS_A_SECOND,
)
from hub.model import OWN, Delivered, Event, Rejected, Retry
from hub.operate.api.feed.audience import Audience, Seat
from hub.operate.api.feed.feed import Feed, payload_shown
from hub.operate.api.feed.stream import EventStream, TooSlow, messages
from hub.operate.api.front.actor import ADMIN, LOCAL, OPERATOR, VIEWER, Actor, Refused
from hub.operate.api.front.origin import Origin
from tests.operate.support import body, event, notification

HUB = {"client_id": "hub", "version": "1"}


@pytest.fixture
def clock():
    return ManualClock(1000.0)


@pytest.fixture
def feed(clock):
    made = Feed(clock)
    made.start = 3
    return made


def said(feed, kind=""):
    found = [orjson.loads(each.text) for each in feed.since(0, FEED_KEPT)]
    return [each for each in found if kind in ("", each["type"])]


async def piece(stream):
    return [orjson.loads(each.text) for each in await asyncio.wait_for(anext(stream), 5)]


async def test_each_message_has_a_number_a_type_and_a_time(feed):
    feed.trouble("store", "full")
    feed.session("connected", "")
    assert [each["id"] for each in said(feed)] == ["3-1", "3-2"]
    assert said(feed)[0] == {
        "id": "3-1",
        "type": "trouble",
        "time": "1970-01-01T00:16:40.000Z",
        "data": {"what": "store", "message": "full"},
    }


async def test_of_the_events_a_sample_is_shown_and_what_is_left_out_is_counted(feed, clock):
    feed.events([event()] * 100, clock.now())
    feed.events([event()] * 50, clock.now())
    clock.advance(1.0 / FEED_EVENTS_A_SECOND)
    feed.events([Event("t", b'{"temperature": 1}', {"temperature": 1}, {"temperature": 1}, 1.0, 1, False)], clock.now())
    shown = said(feed, "event")
    assert [each["data"]["skipped"] for each in shown] == [99, 50]
    assert shown[1]["data"]["payload"] == {"temperature": 1}


async def test_errors_that_repeat_are_bounded_a_second(feed, clock):
    for _ in range(1000):
        feed.rule_error("Warm", "t", "no field")
        feed.decode_error("t", b"\xff", "no JSON")
    assert len(said(feed)) == FEED_REPEATS_A_SECOND
    clock.advance(1.0)
    feed.rule_error("Warm", "t", "no field")
    assert len(said(feed)) == FEED_REPEATS_A_SECOND + 1


async def test_deliveries_name_receiver_outcome_and_alert_and_the_hubs_own_state_goes_without_saying(feed):
    for outcome in (Delivered(), Retry("busy"), Rejected("no")):
        feed.delivery(notification(), outcome, 2, 1001.0)
    feed.delivery(notification(receiver=OWN), Delivered(), 1, 1001.0)
    found = [each["data"] for each in said(feed, "delivery")]
    assert [each["outcome"] for each in found] == ["delivered", "retry", "rejected"]
    assert [each["reason"] for each in found] == ["", "busy", "no"]
    assert {"receiver", "notification", "alertname", "state", "attempt", "seconds"} <= set(found[0])


async def test_an_alert_is_told_with_its_fingerprint(feed):
    feed.alert(body(id="abcd-1-firing"))
    assert said(feed)[0]["data"]["fingerprint"] == "abcd"


def test_a_long_payload_is_cut_and_control_characters_are_visible():
    assert payload_shown(b'{"a": 1}', {"a": 1}) == {"a": 1}
    assert payload_shown(b"\x1b[31mred", "\x1b[31mred") == "\\x1b[31mred"
    long = b'{"a": "' + b"x" * FEED_PAYLOAD_BYTES + b'"}'
    assert payload_shown(long, {"a": "…"}).startswith('{"a": "xxx')
    assert len(payload_shown(long, {})) == FEED_PAYLOAD_BYTES + 1


# clients


async def test_a_client_hears_hello_and_then_what_happens(feed):
    feed.trouble("a", "before")
    stream = messages(feed, HUB, {}, ADMIN)
    (hello,) = await piece(stream)
    assert (hello["type"], hello["id"], hello["data"]["latest"]) == ("hello", "3-1", "3-1")
    feed.trouble("b", "now")
    assert [each["data"]["what"] for each in await piece(stream)] == ["b"]


async def test_a_client_that_comes_back_hears_what_it_missed_and_nothing_twice(feed):
    for number in range(5):
        feed.trouble(str(number), "")
    stream = messages(feed, HUB, {"since": "3-2"}, ADMIN)
    assert [each["type"] for each in await piece(stream)] == ["hello"]
    assert [each["id"] for each in await piece(stream)] == ["3-3", "3-4", "3-5"]


@pytest.mark.parametrize("since", ["2-4", "3-1", "3-99999999", "x", "3-", "3--1", "3-\u0661"])
async def test_a_client_that_asks_for_what_is_not_kept_is_told_so(feed, since):
    for _ in range(FEED_KEPT + 10):
        feed.trouble("x", "")
    found = await piece(messages(feed, HUB, {"since": since}, ADMIN))
    assert [each["type"] for each in found] == ["hello", "gap"]
    assert found[1]["data"] == {"since": since, "oldest": "3-11"}


async def test_a_client_hears_only_the_types_that_it_wants(feed):
    stream = messages(feed, HUB, {"types": "alert,session"}, ADMIN)
    await piece(stream)
    feed.trouble("x", "")
    feed.session("connected", "")
    assert [each["type"] for each in await piece(stream)] == ["session"]


async def test_a_client_that_falls_behind_what_is_kept_is_dropped(feed):
    stream = messages(feed, HUB, {}, ADMIN)
    await piece(stream)
    for _ in range(FEED_BATCH + FEED_KEPT):
        feed.trouble("x", "")
    with pytest.raises(TooSlow):
        await piece(stream)


async def test_what_comes_within_a_moment_wakes_a_client_once(feed):
    stream = messages(feed, HUB, {}, ADMIN)
    await piece(stream)
    waiting = asyncio.create_task(piece(stream))
    await asyncio.sleep(0)
    for number in range(10):
        feed.trouble(str(number), "")
    assert len(await waiting) == 10


def stream_of(feed, seat=None):
    return EventStream(feed, HUB, {}, Audience(), seat or Seat("me", ADMIN))


class Listening:
    """The two ends of an ASGI response: what it sends, and when the client goes."""

    def __init__(self):
        self.sent, self.gone, self.stuck = asyncio.Queue(), asyncio.Event(), asyncio.Event()

    async def send(self, message):
        if self.stuck.is_set():
            await asyncio.Event().wait()
        await self.sent.put(message)

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def body(self):
        return (await asyncio.wait_for(self.sent.get(), 5)).get("body", b"")


@pytest.fixture
async def listening(feed):
    ends = Listening()
    task = asyncio.create_task(stream_of(feed)({"type": "http"}, ends.receive, ends.send))
    await ends.body()
    assert b"event: hello" in await ends.body()
    ends.task = task
    yield ends
    task.cancel()


async def test_server_sent_events_carry_id_type_and_message(feed, listening):
    feed.trouble("x", "two\nlines")
    lines = (await listening.body()).decode().split("\n")
    assert lines[:2] == ["id: 3-1", "event: trouble"]
    assert orjson.loads(lines[2].removeprefix("data: "))["data"]["message"] == "two\nlines"
    assert lines[3:] == ["", ""]


async def test_a_client_that_goes_is_fed_no_more(feed, listening):
    assert feed.clients == 1
    listening.gone.set()
    await asyncio.wait_for(listening.task, 5)
    assert feed.clients == 0


async def test_a_client_that_does_not_take_a_message_in_time_is_dropped(feed, listening, monkeypatch):
    monkeypatch.setattr("hub.operate.api.feed.stream.FEED_PATIENCE_SECONDS", 0.01)
    listening.stuck.set()
    feed.trouble("x", "")
    await asyncio.wait_for(listening.task, 5)
    assert feed.clients == 0


async def test_a_quiet_feed_says_now_and_then_that_it_is_there(feed, monkeypatch):
    monkeypatch.setattr("hub.operate.api.feed.stream.FEED_PING_SECONDS", 0.01)
    ends = Listening()
    task = asyncio.create_task(stream_of(feed)({"type": "http"}, ends.receive, ends.send))
    for _ in range(2):
        await ends.body()
    assert await ends.body() == b": still here\n\n"
    ends.gone.set()
    await task


async def test_a_client_is_not_woken_for_what_it_does_not_want_and_hears_that_the_feed_is_there(feed, monkeypatch):
    monkeypatch.setattr("hub.operate.api.feed.stream.FEED_PING_SECONDS", 0.3)
    stream = messages(feed, HUB, {"types": "alert"}, ADMIN)
    await piece(stream)

    async def chatter():
        while True:
            feed.trouble("x", "")
            await asyncio.sleep(0.02)

    talking = asyncio.create_task(chatter())
    begun = asyncio.get_running_loop().time()
    assert await piece(stream) == []
    assert asyncio.get_running_loop().time() - begun >= 0.29
    talking.cancel()


async def test_what_is_kept_can_be_had_from_any_place_in_pieces(feed):
    for number in range(FEED_KEPT + 50):
        feed.trouble(str(number), "")
    for first in (0, 50, 60, FEED_KEPT // 2, FEED_KEPT + 49, FEED_KEPT + 50):
        numbers = [each.number for each in feed.since(first, 7)]
        begin = max(first, 50) + 1
        assert numbers == list(range(begin, min(begin + 7, FEED_KEPT + 51)))


# roles


@pytest.mark.parametrize(("role", "sees"), [(VIEWER, False), (OPERATOR, False), (ADMIN, True)])
async def test_only_who_may_read_the_audit_log_hears_of_commands(feed, role, sees):
    stream = messages(feed, HUB, {}, role)
    await piece(stream)
    feed.command("olga", "http", "silence", {"comment": "a secret"})
    feed.trouble("reload", "the old rules go on:\nrules.yaml:3:1: unknown key\n  url: https://chat/token-4711")
    found = await piece(stream)
    assert [each["type"] for each in found] == (["command", "trouble"] if sees else ["trouble"])
    assert ("token-4711" in str(found)) is sees
    assert found[-1]["data"]["message"].startswith("the old rules go on:")


async def test_what_a_client_may_not_see_is_no_gap_and_not_asked_back_either(feed):
    for _ in range(3):
        feed.command("olga", "http", "silence", {})
    feed.session("connected", "")
    stream = messages(feed, HUB, {"since": "3-0", "types": "command,session"}, VIEWER)
    assert [each["type"] for each in [*await piece(stream), *await piece(stream)]] == ["hello", "session"]


async def test_a_feed_ends_with_its_login(feed):
    ends, seat, audience = Listening(), Seat("olga", OPERATOR, "mark"), Audience()
    answer = EventStream(feed, HUB, {}, audience, seat)
    task = asyncio.create_task(answer({"type": "http"}, ends.receive, ends.send))
    await ends.body()
    audience.end("another")
    assert not seat.over.is_set()
    audience.end("mark")
    await asyncio.wait_for(task, 5)
    assert feed.clients == 0


def client(address):
    return HTTPConnection({"type": "http", "headers": [], "client": (address, 1)})


def test_the_feed_has_room_for_so_many_of_a_token_or_address_and_so_many_at_all():
    audience, origin = Audience(), Origin()
    with ExitStack() as stack:

        def sit(number, actor=LOCAL):
            seat = audience.room(client(f"192.0.2.{number}"), actor, origin)
            stack.enter_context(audience.taken(seat))

        def refused(*who):
            with pytest.raises(Refused) as found:
                sit(*who)
            return found.value.status

        wall = Actor("wall", VIEWER)
        for _ in range(FEED_CLIENTS_EACH):
            sit(1)
            sit(2, wall)
        assert (refused(1), refused(3, wall)) == (429, 429)
        for number in range(FEED_CLIENTS - 2 * FEED_CLIENTS_EACH):
            sit(10 + number // FEED_CLIENTS_EACH)
        assert refused(99) == 503
    sit_again = audience.room(client("192.0.2.1"), LOCAL, origin)
    assert sit_again.who == "192.0.2.1"


async def test_a_feed_ends_when_its_login_expires(feed):
    audience = Audience()
    short, long, token = Seat("olga", OPERATOR, "a", 2000), Seat("olga", OPERATOR, "b", 2001), Seat("root", ADMIN)
    with audience.taken(short), audience.taken(long), audience.taken(token):
        audience.expire(1999.0)
        assert not any(each.over.is_set() for each in (short, long, token))
        audience.expire(2000.0)
        assert [each.over.is_set() for each in (short, long, token)] == [True, False, False]
        assert short.why == (1008, "the login has expired")
