"""A receiver whose host an event names: what one host does costs the others nothing."""

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import ManualClock
from hub.documents.document import Problems, parse_document
from hub.limits import BREAKER_FAILURES
from hub.model import Delivered, Rejected, Retry
from hub.notify.lanes.breaker import Circuit
from hub.notify.lanes.retry import RetryPolicy
from hub.notify.outward.http import http_client
from hub.notify.receiver_settings import build_receiver, read_receivers
from tests.notify.fakes import Scripted, notification, settings, toolbox
from tests.notify.listener import Listener
from tests.notify.test_dispatcher import Stand

SOON = RetryPolicy(first=0.01, longest=0.01)


class ByHost(Scripted):
    """A receiver that does to a host what `moods` say of it, one by one."""

    def __init__(self, **moods):
        super().__init__()
        self.moods = moods

    def host_of(self, sent):
        return sent.body["labels"]["host"]

    async def send(self, sent):
        self.outcomes = self.moods.get(self.host_of(sent), [])
        return await super().send(sent)


def to(host, number, **more):
    return notification(number, order=f"{host}-{number}", labels={"host": host}, **more)


def queued(stand):
    return [
        stand.outbox.rows[row][1].notification.order
        for row, (state, _) in stand.outbox.rows.items()
        if state == "queued"
    ]


async def test_a_host_that_is_down_is_left_alone_while_all_others_are_told_at_once():
    clock = ManualClock(1_000_000.0)
    chat = ByHost(bad=[Retry("down")] * 100)
    stand = Stand(clock, RetryPolicy(first=1000.0), chat=chat)
    async with stand.running():
        stand.offer(*(to("bad", n, created=clock.now()) for n in range(BREAKER_FAILURES)))
        await stand.until(lambda: len(stand.observer.deliveries) == BREAKER_FAILURES)
        stand.offer(*(to("bad", n, created=clock.now()) for n in range(100, 110)))
        stand.offer(*(to("good", n, created=clock.now()) for n in range(20)))
        await stand.until(lambda: stand.outbox.states().count("delivered") == 20)
        assert len(chat.sent) == BREAKER_FAILURES + 20, "what waits for the bad host spends no attempt"
        assert stand.observer.circuits == []
        assert stand.dispatcher.standing(())["chat"].circuit is Circuit.CLOSED
        clock.advance(1.0)
        stand.dispatcher.look()
        await stand.until(lambda: len(chat.sent) == BREAKER_FAILURES + 21)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(chat.sent) == BREAKER_FAILURES + 21, "one probes, the others wait"
        chat.moods["bad"] = []
        clock.advance(2000.0)
        stand.dispatcher.look()
        await stand.until(lambda: len(chat.sent) > BREAKER_FAILURES + 21)
        await stand.until(lambda: clock.advance(1.0) or stand.dispatcher.look() or not queued(stand))
    assert stand.outbox.states() == ["delivered"] * (BREAKER_FAILURES + 30)


async def test_a_host_that_asks_to_wait_holds_back_itself_alone():
    clock = ManualClock(1_000_000.0)
    chat = ByHost(busy=[Retry("429", 600.0)])
    stand = Stand(clock, chat=chat)
    async with stand.running():
        stand.offer(to("busy", 1, created=clock.now()))
        await stand.until(lambda: stand.outbox.log[1])
        stand.offer(to("busy", 2, created=clock.now()), to("good", 3, created=clock.now()))
        await stand.until(lambda: stand.outbox.states() == ["queued", "queued", "delivered"])
        clock.advance(601.0)
        stand.dispatcher.look()
        await stand.idle()
    assert chat.sent == ["busy-1-1", "good-3-3", "busy-1-1", "busy-2-2"]


async def test_what_some_recipients_have_is_no_failure_of_the_receiver():
    chat = Scripted(*[Retry("1 of 2 browsers: down", 300.0, partly=True)] * 20)
    stand = Stand(ManualClock(1_000_000.0), RetryPolicy(first=1000.0), chat=chat)
    async with stand.running():
        stand.offer(*(notification(n, order=str(n), created=1_000_000.0) for n in range(20)))
        await stand.until(lambda: len(stand.observer.deliveries) == 20)
        assert stand.observer.circuits == []
        stand.offer(notification(99, order="99", created=1_000_000.0))
        await stand.until(lambda: stand.outbox.states()[-1] == "delivered")


async def test_a_circuit_that_was_open_before_the_host_became_a_template_holds_back_nobody():
    clock = ManualClock(1_000_000.0)
    stand = Stand(clock, RetryPolicy(first=1000.0), chat=Scripted(*[Retry("down")] * 9))
    async with stand.running():
        stand.offer(*(notification(n, order=str(n), created=clock.now()) for n in range(BREAKER_FAILURES)))
        await stand.until(lambda: stand.observer.circuits)
        stand.dispatcher.reload({"chat": (settings("chat"), ByHost())})
        stand.offer(to("good", 1, created=clock.now()))
        await stand.until(lambda: stand.outbox.states()[-1] == "delivered")


@pytest.fixture
async def http():
    async with http_client() as session:
        yield session


def receiver(http, url, more=", allow_private: true"):
    problems = Problems()
    text = f"ops: {{webhook: {{url: '{url}'{more}}}}}"
    found = read_receivers(parse_document(text, "r.yaml", problems), problems)
    assert problems == []
    return build_receiver(found["ops"], toolbox(http))


UNUSABLE = [
    "xn--",
    "xn--a.example",
    "a" * 64,
    "x." * 130 + "y",
    "a..b",
    "device.invalid",
    "nosuch.example",
    "a@b",
    "0x7f.1",
    "",
]


async def test_a_hundred_unusable_names_are_dead_letters_and_the_next_good_one_is_told(http, monkeypatch):
    def getaddrinfo(*_args, **_named):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with Listener().listening() as listener:
        made = receiver(http, f"http://{{host}}:{listener.port}/x")
        stand = Stand(chat=(settings("chat", retry=SOON), made))
        async with stand.running():
            monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
            stand.offer(*(to(host, n) for n, host in enumerate(UNUSABLE * 10)))
            await stand.idle()
            monkeypatch.undo()
            stand.offer(to("localhost", 999))
            await stand.idle()
        await made.close()
    assert stand.outbox.states() == ["dead"] * 100 + ["delivered"], stand.observer.dead_letters[-1]
    assert stand.observer.circuits == []
    assert all(
        reason.startswith("the host that the event names is refused: ") for _, reason in stand.observer.dead_letters
    )


@pytest.mark.parametrize(
    ("host", "code", "kind"),
    [
        ("nosuch.example", socket.EAI_NONAME, Rejected),
        ("nosuch.example", socket.EAI_NODATA, Rejected),
        ("nosuch.example", socket.EAI_AGAIN, Retry),
        ("nosuch.example", socket.EAI_FAIL, Retry),
        ("device.local", socket.EAI_NONAME, Retry),
    ],
)
async def test_only_a_certain_no_is_for_good_and_a_fixed_host_is_tried_again(http, monkeypatch, host, code, kind):
    def getaddrinfo(*_args, **_named):
        raise socket.gaierror(code, "told")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for more in ("", ", allow_private: true"):
        made = receiver(http, "http://{host}/x", more)
        assert isinstance(await made.send(to(host, 1)), kind)
        await made.close()
    assert isinstance(await receiver(http, f"http://{host}/x", "").send(to(host, 1)), Retry)


@pytest.mark.parametrize(
    "url",
    ["http://h:0/", "http://h:99999/", "http://h:x/", f"http://{'a' * 64}.example/", "http://a..b/", "http://{d}:0/"],
)
def test_a_url_that_can_never_be_asked_is_refused_at_load(url):
    problems = Problems()
    read_receivers(parse_document(f"ops: {{webhook: {{url: '{url}'}}}}", "r.yaml", problems), problems)
    assert [str(each) for each in problems] == ["r.yaml:1:23: is no HTTP URL (write it as https://host/path)"]


async def test_hosts_of_events_keep_no_connection(http):
    async with Listener().listening() as listener:
        made = receiver(http, f"http://{{host}}:{listener.port}/x")
        for number in range(3):
            assert await made.send(to("localhost", number)) == Delivered()
        assert not made._own.connector._conns
        await made.close()


def test_only_a_host_of_events_has_a_circuit_of_its_own(http):
    assert receiver(http, "http://h/{host}", "").host_of is None
    made = receiver(http, "http://{host}:8080/x")
    assert made.host_of(to("a", 1)) == "a:8080"
    assert made.host_of(to("xn--", 1)) == ""


async def test_what_waits_for_a_host_that_is_down_never_keeps_out_what_can_be_sent():
    clock = ManualClock(1_000_000.0)
    chat = ByHost(bad=[Retry("down")] * 10_000)
    stand = Stand(clock, RetryPolicy(first=1000.0), chat=chat)
    stand.dispatcher._channels["chat"].lane.room = 40
    async with stand.running():
        for number in range(200):
            stand.offer(to("bad", number % 7, state="event", created=clock.now()))
        stand.offer(to("good", 1, state="event", created=clock.now()))
        await stand.until(
            lambda: clock.advance(1.0) or stand.dispatcher.look() or stand.outbox.states()[-1] == "delivered"
        )
    assert stand.outbox.states().count("queued") >= 10
    assert {reason for _, reason in stand.observer.dead_letters} == {"too much waits already for hosts that fail"}


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=40),
    st.dictionaries(st.sampled_from("abc"), st.lists(st.sampled_from([Retry("x"), Retry("x", 5.0), Rejected("no")]))),
)
def test_whatever_hosts_do_everything_is_settled_and_each_alert_in_its_order(sent, moods):
    async def go():
        clock = ManualClock(1_000_000.0)
        chat = ByHost(**{host: list(does) for host, does in moods.items()})
        stand = Stand(clock, chat=chat)
        async with stand.running():
            made = [
                notification(row, order=f"{host}{alert}", state="event", labels={"host": host}, created=clock.now())
                for row, (host, alert) in enumerate(sent)
            ]
            stand.offer(*made)
            await stand.until(lambda: not queued(stand) or clock.advance(30.0) or stand.dispatcher.look())
        assert set(stand.outbox.states()) <= {"delivered", "dead"}
        first = list(dict.fromkeys(chat.sent))
        for order in {each.order for each in made}:
            own = [each.id for each in made if each.order == order]
            assert [each for each in first if each in own] == own

    asyncio.run(go())


class Hanging(ByHost):
    """Never has an answer of hosts whose names begin with `new`, and hears of those that it asks."""

    def __init__(self):
        super().__init__()
        self.hangs, self.free = [], asyncio.Event()

    async def send(self, sent):
        if self.host_of(sent).startswith("new") and not self.free.is_set():
            self.hangs.append(self.host_of(sent))
            await self.free.wait()
        return await super().send(sent)


async def test_ever_new_hosts_that_hang_take_half_of_the_attempts_and_hosts_that_answered_are_told_at_once():
    chat = Hanging()
    stand = Stand(chat=chat)
    async with stand.running():
        stand.offer(to("good", 0))
        await stand.until(lambda: stand.outbox.states() == ["delivered"])
        stand.offer(*(to(f"new{number}", number) for number in range(100)))
        await stand.until(lambda: chat.hangs)
        stand.offer(*(to("good", number) for number in range(1000, 1050)))
        await stand.until(lambda: stand.outbox.states().count("delivered") == 51)
        assert len(chat.hangs) == settings().concurrency // 2
        chat.free.set()
        await stand.until(lambda: stand.outbox.states() == ["delivered"] * 151)


async def test_hosts_that_never_answered_are_tried_in_their_turn_also_where_one_of_them_has_a_circuit(tmp_path):
    clock = ManualClock(1_000_000.0)
    chat = ByHost(**{f"new{number}": [Retry("down")] * 3 for number in range(20)})
    stand = Stand(clock, RetryPolicy(first=1.0), chat=chat)
    async with stand.running():
        for number in range(20):
            stand.offer(*(to(f"new{number}", f"{number}{part}", created=clock.now()) for part in range(3)))
        stand.offer(to("good", 7))
        await stand.until(lambda: clock.advance(1.0) or stand.dispatcher.look() or not queued(stand))
    assert stand.outbox.states() == ["delivered"] * 61
