"""unit: what ends one state's work, and that the node it runs on hears which end that was."""

import asyncio
import contextlib

import pytest

from hub.errors import SessionTakenOver, StoreError
from hub.node.unit import Unit
from hub.spine import crew


class Part:
    """Any part of a unit: works until it is told to end, or fails, and notes what it was told."""

    def __init__(self, name, log, error=None):
        self.name, self.log, self.error = name, log, error
        self.end, self.closed = asyncio.Event(), asyncio.Event()
        self.timers = self

    async def run(self, *_):
        self.log.append(f"{self.name} begins")
        try:
            if self.error is not None:
                await asyncio.sleep(0)
                raise self.error
            await self.end.wait()
        finally:
            self.log.append(f"{self.name} ends")

    ingest = checkpoints = ended = run

    def stopping(self):
        self.log.append("stopping")

    async def idle(self):
        self.log.append("idle")

    async def drain(self, _seconds):
        self.log.append("drained")
        self.end.set()


class Closing(Part):
    async def close(self):
        self.log.append(f"{self.name} closes")
        self.end.set()


class Committing(Part):
    def close(self):
        self.log.append("last commit")
        self.end.set()
        self.closed.set()


def unit(log, **errors):
    made = {
        name: kind(name, log, errors.get(name))
        for name, kind in {
            "store": Closing, "custody": Part, "source": Closing, "publisher": Part,
            "pipeline": Committing, "dispatcher": Part, "receivers": Closing, "service": Part,
            "channel": Closing,
        }.items()
    }  # fmt: skip
    made["custody"].end = made["store"].end
    return Unit(**made)


async def test_a_session_that_another_took_ends_the_unit_and_is_what_its_node_is_told():
    log, lost = [], SessionTakenOver("another has our client id")
    made = unit(log, source=lost)
    neighbour = asyncio.create_task(asyncio.sleep(3600))
    async with asyncio.timeout(5):
        assert await made.run(["a/#"], []) is lost
    begun = [line.removesuffix(" begins") for line in log if line.endswith(" begins")]
    assert sorted(line.removesuffix(" ends") for line in log if line.endswith(" ends")) == sorted(begun)
    assert not neighbour.done(), "what else runs on the node goes on"
    assert "receivers closes" in log
    neighbour.cancel()


async def test_any_other_failure_is_raised_as_it_is():
    with pytest.raises(StoreError, match="disk gone"):
        await unit([], custody=StoreError("disk gone")).run([], [])


async def test_draining_lets_all_end_in_order_and_the_unit_says_that_it_was_drained():
    log = []
    made = unit(log)
    running = asyncio.create_task(made.run([], []))
    await asyncio.sleep(0.01)
    del log[:]

    async def goodbye():
        log.append("goodbye")

    async with asyncio.timeout(5):
        await made.drain(goodbye)
        assert await running is None
    assert log.index("dispatcher ends") < log.index("receivers closes"), "nobody sends with them any more"
    told = [line for line in log if not line.endswith((" ends", "receivers closes"))]
    assert told == [
        "stopping", "channel closes", "idle", "drained", "goodbye", "last commit", "source closes", "store closes",
    ]  # fmt: skip


async def test_a_broker_that_does_not_take_the_goodbye_does_not_keep_it():
    made = unit([])
    running = asyncio.create_task(made.run([], []))
    await asyncio.sleep(0.01)
    async with asyncio.timeout(8):
        await made.drain(asyncio.Event().wait)
        await running


async def test_a_node_that_ends_takes_the_unit_with_it():
    log = []
    running = asyncio.create_task(unit(log).run([], []))
    await asyncio.sleep(0.01)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert "source ends" in log


async def test_a_part_that_forgets_that_it_was_cancelled_is_told_again(monkeypatch):
    monkeypatch.setattr(crew, "_INSIST_SECONDS", 0.05)
    made, forgot = unit([]), asyncio.Event()

    async def forgetful():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:  # as a library may do
            forgot.set()
        await asyncio.Event().wait()

    made.pipeline.ingest = forgetful
    running = asyncio.create_task(made.run([], []))
    await asyncio.sleep(0.01)
    running.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await running
    assert forgot.is_set()
