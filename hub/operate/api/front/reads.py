"""Answers that may be long: they are written in slices, one answer at a time, and only so many may be under way.

Events are evaluated between two slices. An answer waits in memory until its client has taken it; that is why it counts
until it is sent.
"""

import asyncio
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.limits import READ_SLICE_SECONDS, READS
from hub.operate.api.front.actor import Refused

__all__ = ["Reads", "SentAnswer"]


class Reads:
    """Counts long answers and writes them; `timer` is a clock in seconds."""

    def __init__(self, timer: Callable[[], float] = perf_counter) -> None:
        """Begin with no answer under way."""
        self._timer = timer
        self._lock = asyncio.Lock()
        self._under_way = 0

    def enter(self) -> None:
        """Count one more answer under way.

        Raises:
            Refused: 503, where READS are under way already.

        """
        if self._under_way >= READS:
            raise Refused(503, f"{READS} long answers are under way; try again", 1.0)
        self._under_way += 1

    def leave(self) -> None:
        """Count one answer less: it was sent, or could not be."""
        self._under_way -= 1

    async def write(self, items: Iterable[Any]) -> list[orjson.Fragment]:
        """Return each item as JSON, for an answer. The time of a slice includes what `items` does for the next item.

        None is left out. A generator yields it after work that came to nothing, so that the slice may end there.
        """
        texts: list[orjson.Fragment] = []
        async with self._lock:
            begun = self._timer()
            for item in items:
                if item is not None:
                    texts.append(orjson.Fragment(orjson.dumps(item)))
                if self._timer() - begun > READ_SLICE_SECONDS:
                    await asyncio.sleep(0)
                    begun = self._timer()
        return texts


class SentAnswer(Response):
    """A response that calls a function when it was sent, or could not be."""

    def __init__(self, response: Response, done: Callable[[], None]) -> None:
        """Wrap a response, which stays as it is."""
        self._response, self._done = response, done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; then call the function, whatever came of it."""
        try:
            await self._response(scope, receive, send)
        finally:
            self._done()
