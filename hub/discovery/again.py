"""When Home Assistant has started, everything is announced anew, but not more often than that helps.

Each `online` may cause ten thousand messages, and whoever may write to its topic can send it a thousand times a second.
The first is obeyed at once. All that come within DISCOVERY_AGAIN_SECONDS after it are obeyed once, at the end of that
time. The store notes that this is still to be done, so that a crash does not lose it.
"""

import asyncio
from collections.abc import Awaitable, Callable

from hub.limits import DISCOVERY_AGAIN_SECONDS

__all__ = ["OWED", "AnnounceAgain"]

OWED = "discovery_owed"
"""In the store's `meta`: `1` while announcements are still to be made anew, else empty."""


class AnnounceAgain:
    """Announces at once, and once more later where it was asked to meanwhile."""

    def __init__(self, announce: Callable[[], Awaitable[None]], note: Callable[[], Awaitable[None]], owed: str) -> None:
        """Take two functions that return when they are on disk, and what the store holds under OWED.

        `announce` announces everything and clears OWED; `note` sets OWED.
        """
        self._announce, self._note = announce, note
        self._owed = self._resting = bool(owed)
        self._begun = asyncio.Event()
        if owed:
            self._begun.set()

    async def ask(self) -> None:
        """Note that Home Assistant has started; return when that is on disk."""
        if not self._resting:
            self._resting = True
            self._begun.set()
            await self._announce()
        elif not self._owed:
            self._owed = True
            await self._note()

    async def run(self) -> None:
        """Announce later what was asked for too soon; runs until it is cancelled."""
        while True:
            await self._begun.wait()
            self._begun.clear()
            await asyncio.sleep(DISCOVERY_AGAIN_SECONDS)
            while self._owed:
                self._owed = False
                await self._announce()
                await asyncio.sleep(DISCOVERY_AGAIN_SECONDS)
            self._resting = False
