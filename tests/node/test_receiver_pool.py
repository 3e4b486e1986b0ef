"""receiver_pool: who is lent stays open as long as somebody sends with it, and is closed by who made it."""

import asyncio
import contextlib
import logging
from types import SimpleNamespace

import pytest

from hub.clock import SystemClock
from hub.model import OWN
from hub.node import receiver_pool
from hub.node.receiver_pool import ReceiverPool
from hub.notify.dispatcher import Dispatcher
from tests.notify.fakes import MemoryOutbox, Remembering, Scripted, notification, settings, toolbox

BOUND = 10.0


@pytest.fixture(autouse=True)
def made(monkeypatch):
    """All receivers that were made, in order; the first attempt with each hangs until its `gate` is set."""
    found = []

    def build(each, _tools):
        gate = asyncio.Event()
        found.append(Scripted(gate))
        found[-1].name, found[-1].gate = each.name, gate
        return found[-1]

    monkeypatch.setattr(receiver_pool, "build_receiver", build)
    return found


def pool(*names):
    return ReceiverPool(toolbox(), {name: settings(name) for name in names})


class Borrower:
    """A dispatcher at work with what a pool lends."""

    def __init__(self, of):
        self.outbox = MemoryOutbox()
        self.dispatcher = Dispatcher(of.lent, self.outbox, SystemClock(), Remembering())

    def offer(self, *notifications):
        self.dispatcher.offer(self.outbox.put(*notifications))

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.dispatcher.run())
        await asyncio.sleep(0)
        try:
            yield self
        finally:
            await self.dispatcher.drain(1.0)
            await task


async def until(what):
    async with asyncio.timeout(BOUND):
        while not what():
            await asyncio.sleep(0.001)


def test_a_receiver_whose_settings_did_not_change_stays_the_same_object(made):
    lent = pool("chat", "mail")
    lent.renew({"chat": settings("chat"), "mail": settings("mail", timeout=1.0), "sms": settings("sms")})
    assert [each.name for each in made] == ["chat", "mail", "mail", "sms"]
    assert [receiver for _, receiver in lent.lent.values()][1:] == [made[0], made[2], made[3]]
    assert next(iter(lent.lent)) == OWN


async def test_a_replaced_receiver_is_closed_when_the_attempt_with_it_has_ended(made):
    lent = pool("chat", "mail")
    async with Borrower(lent).running() as borrower:
        borrower.offer(notification(1))
        await until(lambda: made[0].sent)
        lent.renew({"chat": settings(timeout=1.0)})
        borrower.dispatcher.reload(lent.lent)
        lent.close_replaced(borrower.dispatcher.done_with)
        await until(lambda: made[1].closed)
        assert not made[0].closed, "the attempt under way has it"
        made[0].gate.set()
        await until(lambda: made[0].closed)
        assert borrower.outbox.states() == ["delivered"]
        assert not made[2].closed


async def test_a_unit_that_stops_and_starts_again_closes_only_what_it_made(made):
    first, second = pool("chat"), pool("chat")
    async with Borrower(second).running() as other:
        async with Borrower(first).running():
            pass
        await first.close()
        assert [each.closed for each in made] == [True, False]
        made[1].gate.set()
        other.offer(notification(1))
        await until(lambda: other.outbox.states() == ["delivered"])
    await second.close()
    assert made[1].closed


async def test_the_end_closes_what_is_lent_and_waits_for_what_is_being_closed(made):
    lent, done = pool("chat"), asyncio.Event()

    async def done_with(_receiver):
        await done.wait()

    lent.renew({"mail": settings("mail")})
    lent.close_replaced(done_with)
    ended = asyncio.create_task(lent.close())
    await until(lambda: made[1].closed)
    assert not ended.done()
    done.set()
    await asyncio.wait_for(ended, BOUND)
    assert made[0].closed


async def test_one_that_cannot_close_or_hangs_is_logged_and_left_behind(made, monkeypatch, caplog):
    monkeypatch.setattr(receiver_pool, "CLOSE_SECONDS", 0.05)
    lent = pool("broken", "stuck", "chat")

    async def broken():
        raise ValueError("https://user:secret@example.org")

    made[0].close, made[1].close = broken, asyncio.Event().wait
    with caplog.at_level(logging.WARNING):
        await asyncio.wait_for(lent.close(), BOUND)
    assert made[2].closed
    told = sorted(record.getMessage() for record in caplog.records)
    assert [line.split(" at ")[0] for line in told] == [
        "a receiver did not close: TimeoutError",
        "a receiver did not close: ValueError",
    ]
    assert "secret" not in caplog.text


async def test_the_hubs_own_publishes_with_the_session_of_the_toolbox():
    told = []

    async def publish(topic, *_rest):
        told.append(topic)

    lent = ReceiverPool(toolbox(publish=publish), {})
    _, own = lent.lent[OWN]
    await own.send(SimpleNamespace(body={"topic": "hub/alerts/x", "payload": None, "retain": True}))
    assert told == ["hub/alerts/x"]
