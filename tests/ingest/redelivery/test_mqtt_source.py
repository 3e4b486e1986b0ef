"""The MQTT source: what comes out of it once, what a commit stores of its place, and how old the late ones are."""

import asyncio

import pytest

from hub.clock import ManualClock
from hub.ingest.redelivery.mqtt_source import MqttSource
from hub.ingest.source import Notice
from hub.limits import BATCH
from hub.model import BROKER, Kept
from tests.rules.making import Packet


class Session:
    """Hands out what a test puts in; positions count it."""

    def __init__(self):
        self.handed = self.received = self.confirmed = 0
        self.acknowledged, self.batches, self.on_notice = [], asyncio.Queue(), None

    def put(self, *packets):
        self.received += len(packets)
        self.batches.put_nowait(packets)

    async def receive(self):
        packets = await self.batches.get()
        self.handed += len(packets)
        return packets

    def acknowledge(self, position):
        self.acknowledged.append(position)


class OneFilter:
    overlaps = False

    def copies(self, _topic):
        return 1


@pytest.fixture
def made():
    def make(kept=None, last_heard=None, at=1000.0):
        session, told = Session(), []
        session.on_notice = told.append
        clock = ManualClock(at)
        source = MqttSource(session, OneFilter(), clock, kept or Kept(), last_heard)
        return source, session, clock, told

    return make


def ids(arrived):
    return [each.packet_id for each in arrived.packets]


async def test_a_backlog_comes_in_bites_in_order_and_says_that_it_is_one(made):
    source, session, _, _ = made()
    session.put(*[Packet("a", b"%d" % number, number) for number in range(1, BATCH + 3)])
    first, rest = await source.receive(), await source.receive()
    assert (first.count, rest.count, source.handed) == (BATCH, 2, BATCH + 2)
    assert ids(first) + ids(rest) == list(range(1, BATCH + 3))
    assert first.backlog
    session.put(Packet("a", b"x", 9_000))
    assert not (await source.receive()).backlog


async def test_a_closed_session_gives_nothing(made):
    source, session, _, _ = made()
    session.put()
    assert await source.receive() is None


async def test_a_commit_stores_receipts_of_what_it_covers_and_of_nothing_behind_it(made):
    source, session, _, _ = made()
    session.put(Packet("a", b"1", 1))
    session.put(Packet("a", b"2", 2), Packet("a", b"3", 3))
    await source.receive()
    await source.receive()  # handed out, and not evaluated when the commit is made
    assert source.positions(0) == {}
    (number, blob), following = source.positions(1)[BROKER].entry, source.positions(3)[BROKER].entry
    assert (len(blob) // 6, len(following[1]) // 6) == (1, 2)
    assert following[0] == number + 1
    assert source.positions(3) == {}


async def test_what_was_not_evaluated_before_a_crash_is_evaluated_by_the_next_process(made):
    source, session, _, _ = made()
    session.put(Packet("a", b"1", 1))
    session.put(Packet("a", b"2", 2))
    await source.receive()
    await source.receive()
    entry = source.positions(1)[BROKER].entry
    after, session, _, _ = made(Kept("", [entry]))
    session.put(Packet("a", b"1", 1, duplicate=True), Packet("a", b"2", 2, duplicate=True))
    arrived = await after.receive()
    assert (arrived.count, arrived.repeated, ids(arrived)) == (2, 1, [2])


async def test_acknowledging_goes_to_the_session_position_by_position(made):
    source, session, _, _ = made()
    session.put(Packet("a", b"1", 1), Packet("a", b"2", 2))
    await source.receive()
    source.acknowledge(2)
    assert session.acknowledged == [2]


async def test_a_late_message_is_as_old_as_the_connection_that_it_was_sent_on_whatever_was_done_to_the_clock(made):
    source, session, clock, told = made()
    session.on_notice(Notice("connected", 0, "new"))
    clock.advance(10)
    session.on_notice(Notice("disconnected", 0, "gone"))
    clock.advance(5)
    session.on_notice(Notice("disconnected", 0, "an attempt"))
    session.on_notice(Notice("connected", 0, "resumed"))
    session.put(Packet("a", b"new", 1))
    await source.receive()
    clock.set(3600)
    session.put(Packet("a", b"old", 2, duplicate=True, retain=True))
    arrived = await source.receive()
    (late,) = arrived.dated
    assert (late.payload, late.retain, late.time) == (b"old", True, 1010.0 + 3600)
    assert (arrived.count, arrived.packets) == (1, [])
    assert [notice.kind for notice in told] == ["connected", "disconnected", "disconnected", "connected"]


async def test_what_an_earlier_process_had_not_been_brought_is_no_newer_than_when_it_last_heard(made):
    source, session, _, _ = made(last_heard=400.0)
    session.put(Packet("a", b"new", 1), Packet("a", b"old", 2, duplicate=True))
    (late,) = (await source.receive()).dated
    assert late.time == 400.0


@pytest.mark.parametrize(("last_heard", "detail", "lost"), [(900.0, "new", 1), (900.0, "resumed", 0), (None, "new", 0)])
async def test_a_session_that_was_lost_while_the_hub_was_off_is_told_before_the_connection(
    made, last_heard, detail, lost
):
    _, session, _, told = made(last_heard=last_heard)
    for _ in range(2):
        session.on_notice(Notice("connected", 0, detail))
    assert [notice.kind for notice in told] == ["session_lost"] * lost + ["connected"] * 2


async def test_a_renewed_session_is_the_source_s_own_matter_and_makes_old_ids_say_nothing(made):
    source, session, _, told = made()
    session.put(Packet("a", b"1", 1))
    await source.receive()
    source.positions(1)
    session.on_notice(Notice("renewed", 1))
    session.put(Packet("a", b"1", 1, duplicate=True))
    assert (await source.receive()).repeated == 0
    assert told == []


async def test_a_wait_for_the_second_message_that_is_cancelled_loses_none(made):
    source, session, _, _ = made()
    session.put(Packet("a", b"1", 1), Packet("a", b"2", 2))
    await source.receive()
    source.positions(2)
    session.on_notice(Notice("disconnected", 2, "gone"))
    session.put(Packet("a", b"1", 1))  # without DUP: it may be a new one, or the broker's that has lost its last second
    waiting = asyncio.create_task(source.receive())
    for _ in range(3):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (await source.receive()).count == 1
