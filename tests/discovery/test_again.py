"""Home Assistant says `online` again and again: all is announced anew, seldom, and the last time is never lost."""

import asyncio

import pytest

from hub.discovery import again as module
from hub.discovery.again import AnnounceAgain


class World:
    """`asked` is done; what is slept is told, and ends when the test lets it."""

    def __init__(self, monkeypatch, owed=""):
        self.announced, self.noted, self.slept = 0, 0, asyncio.Queue()
        monkeypatch.setattr(module.asyncio, "sleep", self.sleep)
        self.again = AnnounceAgain(self.announce, self.note, owed)
        self.running = asyncio.create_task(self.again.run())

    async def announce(self):
        self.announced += 1

    async def note(self):
        self.noted += 1

    async def sleep(self, seconds):
        assert seconds == module.DISCOVERY_AGAIN_SECONDS
        over = asyncio.get_running_loop().create_future()
        self.slept.put_nowait(over)
        await over

    async def rest(self):
        """Let one rest pass, and what follows it happen."""
        (await asyncio.wait_for(self.slept.get(), 10)).set_result(None)
        turn = asyncio.get_running_loop().create_future()
        for _ in range(5):
            asyncio.get_running_loop().call_soon(lambda: None)
            turn = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(turn.set_result, None)
            await turn


@pytest.fixture
async def world(monkeypatch):
    made = World(monkeypatch)
    yield made
    made.running.cancel()


async def test_the_first_is_heeded_at_once_and_of_a_flood_one_more(world):
    for _ in range(1000):
        await world.again.ask()
    assert (world.announced, world.noted) == (1, 1)
    await world.rest()
    assert world.announced == 2
    await world.rest()
    assert world.announced == 2


async def test_what_comes_while_it_rests_for_the_second_time_is_heeded_too(world):
    await world.again.ask()
    await world.again.ask()
    await world.rest()
    await world.again.ask()
    assert (world.announced, world.noted) == (2, 2)
    await world.rest()
    assert world.announced == 3


async def test_after_a_rest_without_any_the_next_is_heeded_at_once(world):
    await world.again.ask()
    await world.rest()
    await world.again.ask()
    assert (world.announced, world.noted) == (2, 0)


async def test_what_was_owed_when_the_hub_died_is_done_after_a_rest(monkeypatch):
    world = World(monkeypatch, owed="1")
    await world.rest()
    assert (world.announced, world.noted) == (1, 0)
    await world.rest()
    await world.again.ask()
    assert world.announced == 2
    world.running.cancel()
