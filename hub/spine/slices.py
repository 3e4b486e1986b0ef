"""Long answers, made in steps: a slice in each turn of the loop, or at once where nothing else needs the loop.

Only one answer is made in slices at a time, and events are evaluated between two slices.
"""

import asyncio
from collections.abc import Callable, Generator
from time import perf_counter
from typing import TypeVar

from hub.limits import READ_SLICE_SECONDS

__all__ = ["Slices", "at_once"]

T = TypeVar("T")


def at_once(steps: Generator[None, None, T]) -> T:
    """Run all steps and return their result: in a thread, or for a caller that has no loop."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: T = end.value
            return found


class Slices:
    """Runs a generator that yields between its steps; `timer` is a clock in seconds."""

    def __init__(self, timer: Callable[[], float] = perf_counter) -> None:
        """Begin with nothing under way."""
        self._timer = timer
        self._lock = asyncio.Lock()

    async def run(self, steps: Generator[None, None, T]) -> T:
        """Return what the generator returns, and raise what it raises; READ_SLICE_SECONDS in one turn at most."""
        async with self._lock:
            begun = self._timer()
            while True:
                try:
                    next(steps)
                except StopIteration as end:
                    found: T = end.value
                    return found
                if self._timer() - begun > READ_SLICE_SECONDS:
                    await asyncio.sleep(0)
                    begun = self._timer()
