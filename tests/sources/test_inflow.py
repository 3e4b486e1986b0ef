"""The merging of positions: held against a model with Hypothesis; notices and marks by hand."""

import asyncio
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.redelivery.arrived import Arrived
from hub.ingest.source import Notice
from hub.model import BROKER, Position
from hub.sources.inflow import Inflow
from hub.sources.queue import QueueMessage
from hub.sources.queue_reader import Batch


class Session:
    def __init__(self):
        self.on_notice = None
        self.handed = self.acknowledged = 0
        self.batches = asyncio.Queue()

    async def receive(self):
        batch = await self.batches.get()
        self.handed += len(batch)
        return Arrived(len(batch), batch)

    def acknowledge(self, position):
        assert position >= self.acknowledged
        self.acknowledged = position

    def positions(self, position):
        return {BROKER: Position(str(position))}


class Shop:
    def __init__(self, name="shop"):
        self.name, self.marks, self.behind = name, {}, False
        self.waiting, self.acknowledged = deque(), []
        self.sent = 0

    def put(self, count):
        messages = [QueueMessage("in", b"", ("part", str(self.sent + each)), None) for each in range(count)]
        self.sent += count
        self.waiting.append(Batch(self, messages))

    def take(self):
        return self.waiting.popleft() if self.waiting else None

    def acknowledge(self, _, messages):
        self.acknowledged += [int(message.mark[1]) for message in messages]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=20), st.lists(st.integers(0, 20), max_size=8))
def test_each_gets_its_own_part_of_what_is_acknowledged_and_marks_never_run_ahead(batches, steps):
    async def play():
        session, shop = Session(), Shop()
        inflow = Inflow(session)
        inflow.add(shop)
        origins, position = [], 0
        for from_shop, count in batches:
            shop.put(count) if from_shop else session.batches.put_nowait([object()] * count)
            arrived = await inflow.receive()
            assert (arrived.count, len(arrived.packets) + len(arrived.dated)) == (count, count)
            origins += [from_shop] * count
        assert inflow.handed == len(origins)
        for step in [*steps, len(origins)]:
            position = min(position + step, len(origins))
            ours = sum(origins[:position])
            stored = dict(inflow.positions(position))
            assert stored.pop(BROKER).text == str(position - ours), "the session's own place, and no further"
            assert not stored or stored == {"shop": Position(f'{{"part":"{ours - 1}"}}')}
            assert shop.marks == ({"part": str(ours - 1)} if ours else {})
            inflow.acknowledge(position)
            assert shop.acknowledged == list(range(ours))
            assert session.acknowledged == position - ours
        if inflow._from_session:
            inflow._from_session.cancel()

    asyncio.run(play())


async def test_drained_is_told_when_the_broker_and_every_source_are_and_not_before():
    session, shop, told = Session(), Shop(), []
    session.on_notice = told.append
    inflow = Inflow(session)
    inflow.add(shop)
    shop.behind = True
    session.on_notice(Notice("connected", 0, "new"))
    session.on_notice(Notice("drained", 2))
    session.batches.put_nowait("ab")
    await inflow.receive()
    receiving = asyncio.create_task(inflow.receive())
    await asyncio.sleep(0)
    assert [notice.kind for notice in told] == ["connected"]
    shop.behind = False
    shop.put(1)
    inflow.wake()
    await receiving
    assert told[-1] == Notice("drained", 3)
    inflow._from_session.cancel()


async def test_an_answer_to_catch_up_does_not_hide_the_first_drained_that_waits_for_a_source():
    session, shop, told = Session(), Shop(), []
    session.on_notice = told.append
    inflow = Inflow(session)
    inflow.add(shop)
    shop.behind = True
    session.on_notice(Notice("drained", 0, "2 messages did not come again"))
    session.on_notice(Notice("drained", 0, "again"))
    shop.behind = False
    receiving = asyncio.create_task(inflow.receive())
    await asyncio.sleep(0)
    assert [notice.detail for notice in told] == ["2 messages did not come again"]
    receiving.cancel()
    inflow._from_session.cancel()


async def test_a_lost_connection_takes_back_a_drained_that_was_not_told_yet():
    session, shop, told = Session(), Shop(), []
    session.on_notice = told.append
    inflow = Inflow(session)
    inflow.add(shop)
    shop.behind = True
    session.on_notice(Notice("drained", 0))
    session.on_notice(Notice("disconnected", 0, "gone"))
    shop.behind = False
    shop.put(1)
    await inflow.receive()
    assert [notice.kind for notice in told] == ["disconnected"]
    inflow._from_session.cancel()


async def test_after_a_stall_the_broker_s_answer_is_told_at_once_by_the_position_of_all_that_waits():
    session, shop, told = Session(), Shop(), []
    inflow = Inflow(session)
    inflow.add(shop)
    inflow.on_notice = told.append
    session.received, shop.waiting = 5, 2
    session.on_notice(Notice("drained", 5, "again"))
    assert told == [Notice("drained", 7, "again")]
    shop.behind = True
    session.on_notice(Notice("drained", 5, "again"))
    assert len(told) == 1
