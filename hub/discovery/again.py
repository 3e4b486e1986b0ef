"""Home Assistant says that it has started: all that is announced is announced anew, but no more often than it helps.

Each `online` may cause ten thousand messages, and whoever may write where it says so can say it a thousand times a
second. The first is heeded at once; what comes within DISCOVERY_AGAIN_SECONDS of it is heeded once, at the end of that
time. That one is still to come is noted in the store, so that not even a crash loses it.
"""

import asyncio
from collections.abc import Awaitable, Callable

from hub.limits import DISCOVERY_AGAIN_SECONDS

__all__ = ["OWED", "AnnounceAgain"]

OWED = "discovery_owed"
"""In the store's `meta`: `1` while announcements are still to be made anew, else empty."""


class AnnounceAgain:
    """Announces at once, and once more where it was asked for meanwhile."""

    def __init__(self, announce: Callable[[], Awaitable[None]], note: Callable[[], Awaitable[None]], owed: str) -> None:
        """Take what announces all and strikes OWED out, and what only notes OWED; both return when that is on disk.

        `owed` is what the store held.
        """
        self._announce, self._note = announce, note
        self._owed = self._resting = bool(owed)
        self._begun = asyncio.Event()
        if owed:
            self._begun.set()

    async def ask(self) -> None:
        """Hear that it has started; return when that cannot be forgotten any more."""
        if not self._resting:
            self._resting = True
            self._begun.set()
            await self._announce()
        elif not self._owed:
            self._owed = True
            await self._note()

    async def run(self) -> None:
        """Do later what was asked for too often; for ever."""
        while True:
            await self._begun.wait()
            self._begun.clear()
            await asyncio.sleep(DISCOVERY_AGAIN_SECONDS)
            while self._owed:
                self._owed = False
                await self._announce()
                await asyncio.sleep(DISCOVERY_AGAIN_SECONDS)
            self._resting = False
