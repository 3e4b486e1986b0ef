"""When somebody must look at which alert again, or at which limit: an alarm clock, one entry that counts for each."""

import heapq
from math import inf

__all__ = ["Agenda"]

_TIDY = 4096  # entries


class Agenda:
    """The times to look at alerts; the earliest asked for counts, and is over once it was taken."""

    def __init__(self) -> None:
        """Begin empty."""
        self._due: list[tuple[float, str]] = []
        self._awaited: dict[str, float] = {}

    def wake(self, mark: str, at: float) -> None:
        """Look at an alert at this time, where nothing earlier is asked for; inf is never."""
        if at < self._awaited.get(mark, inf):
            self._awaited[mark] = at
            heapq.heappush(self._due, (at, mark))
            if len(self._due) > _TIDY + 2 * len(self._awaited):
                self._due = [(due, each) for each, due in self._awaited.items()]
                heapq.heapify(self._due)  # what was overtaken would stay until its own time comes

    def drop(self, mark: str) -> None:
        """Forget an alert."""
        self._awaited.pop(mark, None)

    def next_due(self) -> float | None:
        """Return the time of the first entry."""
        return self._due[0][0] if self._due else None

    def take(self, now: float) -> str | None:
        """Take one alert whose time has come; None where there is none (left)."""
        while self._due and self._due[0][0] <= now:
            at, mark = heapq.heappop(self._due)
            if self._awaited.get(mark) == at:
                del self._awaited[mark]
                return mark
        return None

    def clear(self) -> None:
        """Empty it."""
        self._due.clear()
        self._awaited.clear()
