"""Moments in order, each with a key: what comes next, and what came between two looks, without a walk over all.

It is a sorted list and not a heap as in hub.agenda, because nothing leaves when its time has come: somebody may set the
wall clock back, and then the same moment comes again.
"""

from bisect import bisect_left, bisect_right, insort
from operator import itemgetter

__all__ = ["Timeline"]

Entry = tuple[float, str]
_at = itemgetter(0)


class Timeline:
    """Times (seconds since 1970) with keys. A look costs a few comparisons, however many moments there are."""

    def __init__(self) -> None:
        """Begin empty."""
        self._entries: list[Entry] = []

    def add(self, at: float, key: str) -> None:
        """Enter a moment."""
        insort(self._entries, (at, key))

    def drop(self, at: float, key: str) -> None:
        """Take out a moment that was entered."""
        del self._entries[bisect_left(self._entries, (at, key))]

    def between(self, before: float, now: float) -> list[Entry]:
        """Return the moments after `before` and up to `now`, in order."""
        return self._entries[bisect_right(self._entries, before, key=_at) : bisect_right(self._entries, now, key=_at)]

    def last(self, now: float) -> float | None:
        """Return the last moment up to `now`; None where there is none."""
        place = bisect_right(self._entries, now, key=_at)
        return self._entries[place - 1][0] if place else None

    def next(self, now: float) -> float | None:
        """Return the first moment after `now`; None where there is none."""
        place = bisect_right(self._entries, now, key=_at)
        return self._entries[place][0] if place < len(self._entries) else None
