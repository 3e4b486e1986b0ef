"""A connection that a receiver keeps: the first attempt that needs it opens it, all share it, a failure drops it.

The dispatcher's retry is the only one: an attempt that finds the connection broken drops it, the next one opens anew.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from hub.limits import CLOSE_SECONDS, QUEUE_CONNECT_SECONDS

__all__ = ["KeptConnection"]

T = TypeVar("T")


class KeptConnection(Generic[T]):
    """At most one connection at a time; attempts that come while it is being opened wait for the same one."""

    def __init__(self, open_one: Callable[[], Awaitable[T]], close_one: Callable[[T], Awaitable[Any]]) -> None:
        """Know how to open and how to close; nothing is opened yet."""
        self._open_one, self._close_one = open_one, close_one
        self._opening: asyncio.Task[T] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def get(self) -> T:
        """Return the connection, opened where there is none.

        Raises:
            Exception: what opening raised, to all who waited for it; the next call tries anew.

        """
        if self._opening is None:
            self._opening = asyncio.create_task(self._begin(), name="receiver connects")
            self._opening.add_done_callback(self._opened)
        return await asyncio.shield(self._opening)  # one attempt that runs out of time takes it from nobody else

    def drop(self, made: T) -> None:
        """Drop a connection that is broken."""
        opening = self._opening
        if opening is None or not opening.done() or opening.result() is not made:
            return  # another attempt has dropped it before, and there may be a new one already
        self._opening = None
        closing = asyncio.create_task(self._end(made), name="receiver disconnects")
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close the connection, and wait for those that are being closed."""
        opening, self._opening = self._opening, None
        if opening is not None:
            if not opening.done():
                opening.cancel()
                await asyncio.wait([opening])
            if not opening.cancelled() and opening.exception() is None:
                await self._end(opening.result())
        if self._closing:
            await asyncio.wait(self._closing)

    async def _begin(self) -> T:
        try:
            async with asyncio.timeout(QUEUE_CONNECT_SECONDS):
                return await self._open_one()
        except TimeoutError:
            raise ConnectionError(f"no connection within {QUEUE_CONNECT_SECONDS:g} s") from None

    def _opened(self, opening: "asyncio.Task[T]") -> None:
        failed = opening.cancelled() or opening.exception() is not None
        if failed and self._opening is opening:
            self._opening = None

    async def _end(self, made: T) -> None:
        """Close a connection and ignore errors: what a broken one still holds is of no use."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS / 2):
                await self._close_one(made)
