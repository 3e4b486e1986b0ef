"""Moments in order, each with whose it is: what comes next, and what came between two looks, without a walk over all.

A sorted list and not a heap as in `agenda`: nothing is taken out when its time has come, because the wall clock may be
set back, and then the same moment comes again.
"""

from bisect import bisect_left, bisect_right, insort
from operator import itemgetter

__all__ = ["Timeline"]

Entry = tuple[float, str]
_at = itemgetter(0)


class Timeline:
    """Times (seconds since 1970) with keys. A look costs a few comparisons, however many there are."""

    def __init__(self) -> None:
        """Begin empty."""
        self._entries: list[Entry] = []

    def add(self, at: float, key: str) -> None:
        """Put a moment in."""
        insort(self._entries, (at, key))

    def drop(self, at: float, key: str) -> None:
        """Take a moment out that was put in."""
        del self._entries[bisect_left(self._entries, (at, key))]

    def between(self, before: float, now: float) -> list[Entry]:
        """Return those behind `before` and up to `now`, in order."""
        return self._entries[bisect_right(self._entries, before, key=_at) : bisect_right(self._entries, now, key=_at)]

    def last(self, now: float) -> float | None:
        """Return the last moment up to `now`."""
        place = bisect_right(self._entries, now, key=_at)
        return self._entries[place - 1][0] if place else None

    def next(self, now: float) -> float | None:
        """Return the first moment behind `now`."""
        place = bisect_right(self._entries, now, key=_at)
        return self._entries[place][0] if place < len(self._entries) else None
