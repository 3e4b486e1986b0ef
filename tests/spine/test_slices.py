"""Long looks at the core in slices: one at a time, and others have their turn between."""

import asyncio
from itertools import count

import pytest

from hub.errors import RequestError
from hub.spine.slices import Slices


async def test_a_long_look_lets_others_have_a_turn_after_each_slice_and_a_second_one_waits():
    turns, ticks = count(), count()
    slices = Slices(timer=lambda: next(ticks) * 0.002)  # each look at the clock takes 2 ms
    seen = []

    def look(name):
        for _ in range(6):
            seen.append((name, next(turns)))
            yield
        return name

    async def others():
        while True:
            next(turns)
            await asyncio.sleep(0)

    busy = asyncio.create_task(others())
    assert await asyncio.gather(slices.run(look("a")), slices.run(look("b"))) == ["a", "b"]
    busy.cancel()
    assert [name for name, _ in seen] == ["a"] * 6 + ["b"] * 6
    assert seen[5][1] - seen[0][1] >= 7, "somebody else had a turn within the look"


async def test_what_a_look_raises_is_raised_and_the_next_one_is_not_kept_waiting():
    def wrong():
        yield
        raise RequestError("no such rule")

    def right():
        yield
        return 1

    slices = Slices()
    with pytest.raises(RequestError):
        await slices.run(wrong())
    assert await slices.run(right()) == 1
