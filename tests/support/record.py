"""What was seen so far, and a way to wait for more: every wait is for an event, and bounded."""

import asyncio
import time

PATIENCE = 60.0


class Record(list):
    """A list that can be waited for; `times` holds the wall clock of each item's arrival."""

    def __init__(self):
        super().__init__()
        self.times = []
        self._changed = asyncio.Event()

    def add(self, item):
        self.append(item)
        self.times.append(time.time())
        self._changed.set()

    def look(self):
        """Let those who wait look again."""
        self._changed.set()

    async def until(self, found, seconds=PATIENCE, what=""):
        """Wait until `found(self)` is true and return what it returned."""
        try:
            async with asyncio.timeout(seconds):
                while not (result := found(self)):
                    self._changed.clear()
                    await self._changed.wait()
                return result
        except TimeoutError:
            tail = "\n".join(map(str, self[-15:]))
            raise AssertionError(
                f"not within {seconds} s: {what}\n{len(self)} so far, the last of them:\n{tail}"
            ) from None

    async def first(self, matches, seconds=PATIENCE, what="", after=0):
        """Wait for the first item (behind the first `after`) that matches and return it."""
        return await self.until(lambda items: next(filter(matches, items[after:]), None), seconds, what)
