import asyncio

import pytest

from hub.notify.outward import kept_connection
from hub.notify.outward.kept_connection import KeptConnection


class Doors:
    def __init__(self):
        self.opened, self.closed = 0, []
        self.gate = asyncio.Event()
        self.fault = None

    async def open(self):
        self.opened += 1
        mine = f"c{self.opened}"
        await self.gate.wait()
        if self.fault:
            raise self.fault
        return mine

    async def close(self, made):
        self.closed.append(made)


@pytest.fixture
def doors():
    return Doors()


async def test_all_who_come_while_it_is_opened_share_one_connection(doors):
    made = KeptConnection(doors.open, doors.close)
    waiting = [asyncio.create_task(made.get()) for _ in range(5)]
    await asyncio.sleep(0)
    doors.gate.set()
    assert await asyncio.gather(*waiting) == ["c1"] * 5
    assert await made.get() == "c1"


async def test_one_who_runs_out_of_time_takes_the_connection_from_nobody(doors):
    made = KeptConnection(doors.open, doors.close)
    first, second = asyncio.create_task(made.get()), asyncio.create_task(made.get())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    doors.gate.set()
    assert await second == "c1"


async def test_a_failure_is_told_to_all_who_waited_and_the_next_call_tries_anew(doors):
    doors.gate.set()
    doors.fault = OSError("refused")
    made = KeptConnection(doors.open, doors.close)
    told = await asyncio.gather(made.get(), made.get(), return_exceptions=True)
    assert [str(each) for each in told] == ["refused", "refused"]
    doors.fault = None
    assert await made.get() == "c2"


async def test_opening_ends_after_its_time_with_a_reason(doors, monkeypatch):
    monkeypatch.setattr(kept_connection, "QUEUE_CONNECT_SECONDS", 0.01)
    with pytest.raises(ConnectionError, match=r"no connection within 0\.01 s"):
        await KeptConnection(doors.open, doors.close).get()


async def test_what_is_dropped_is_closed_once_and_another_opened(doors):
    doors.gate.set()
    made = KeptConnection(doors.open, doors.close)
    first = await made.get()
    made.drop(first)
    made.drop(first)
    assert await made.get() == "c2"
    made.drop(first)
    assert await made.get() == "c2"
    await made.close()
    assert doors.closed == ["c1", "c2"]


async def test_close_ends_an_opening_and_survives_a_door_that_does_not_close(doors):
    made = KeptConnection(doors.open, doors.close)
    waiting = asyncio.create_task(made.get())
    await asyncio.sleep(0)
    await made.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    doors.gate.set()

    async def stuck(_):
        raise OSError("broken")

    made = KeptConnection(doors.open, stuck)
    await made.get()
    await made.close()
