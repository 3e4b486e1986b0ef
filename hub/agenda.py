"""When somebody must look at what again: an alarm clock with one entry that counts for each. A leaf.

Rules wait by it for their instances, posted alerts for their end, alerts and conversations for what is to be told next,
limits for room. An entry that was overtaken stays in the heap until its time comes, or there are too many of them.
"""

import heapq
from math import inf
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["Agenda", "Awaited"]

_TIDY = 4096  # entries; below that a few overtaken ones cost less than to look for them
K = TypeVar("K")
K_contra = TypeVar("K_contra", contravariant=True)


class Awaited(Protocol[K_contra]):
    """Where the time that counts stands for each: a dict, or a field of whatever the entry is about."""

    def get(self, key: K_contra, default: float, /) -> float:
        """Return the time that counts, or the default."""
        ...

    def pop(self, key: K_contra, default: float, /) -> float:
        """Forget the time that counts."""
        ...

    def __setitem__(self, key: K_contra, at: float, /) -> None:
        """Let this time count."""
        ...


class Agenda(Generic[K]):
    """The times to look at things; the earliest asked for counts, and is over once it was taken.

    What is due at the same time comes in the order of the keys, or with `fifo` in the order in which it was asked for:
    keys without an order of their own need that.
    """

    def __init__(self, awaited: Awaited[K] | None = None, *, fifo: bool = False) -> None:
        """Begin empty; `awaited` remembers the times that count, where a dict would cost too much."""
        self._due: list[tuple[float, int, Any]] = []
        self._awaited: Awaited[K] = dict[K, float]() if awaited is None else awaited
        self._step, self._count = int(fifo), 0
        self._tidy_at = _TIDY

    def __len__(self) -> int:
        """Return how many entries there are, with those that were overtaken."""
        return len(self._due)

    def wake(self, key: K, at: float) -> None:
        """Look at something at this time, where nothing earlier is asked for; inf is never."""
        if at < self._awaited.get(key, inf):
            self._awaited[key] = at
            self._count += self._step
            heapq.heappush(self._due, (at, self._count, key))
            if len(self._due) >= self._tidy_at:
                self._tidy()

    def _tidy(self) -> None:
        """Drop what was overtaken: a flapping device leaves an entry for each time it became pending."""
        self._due = [entry for entry in self._due if self._awaited.get(entry[2], inf) == entry[0]]
        heapq.heapify(self._due)
        self._tidy_at = max(_TIDY, 2 * len(self._due))

    def drop(self, key: K) -> None:
        """Look at it no more."""
        self._awaited.pop(key, inf)

    def next_due(self) -> float | None:
        """Return the time of the first entry; it may turn out to be overtaken."""
        return self._due[0][0] if self._due else None

    def take(self, now: float) -> K | None:
        """Take one thing whose time has come; None where there is none (left)."""
        while self._due and self._due[0][0] <= now:
            at, _, key = heapq.heappop(self._due)
            if self._awaited.get(key, inf) == at:
                self._awaited.pop(key, inf)
                found: K = key
                return found
        return None

    def clear(self) -> None:
        """Empty it."""
        for _, _, key in self._due:
            self._awaited.pop(key, inf)
        self._due.clear()
        self._tidy_at = _TIDY
