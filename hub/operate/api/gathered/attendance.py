"""Whether a device is there, as far as the hub can know: by its last message, its usual interval, its alert of silence.

What is not known is said to be `unknown`: who was heard once, who had to leave the memory, who spoke last before nobody
listened. Nobody is `online` of whom an alert says that he is silent.
"""

from hub.commands.seams import Ask
from hub.operate.api.gathered.recent import Recent

__all__ = ["Attendance"]

LATE, SILENT = 2.5, 5.0
"""Intervals without a message, after which a device is late, and silent."""
SHORTEST_SECONDS = 5.0
"""Intervals are looked at once a second: what is shorter than this is not told apart."""
JUST_NOW_SECONDS = 60.0
"""Who was heard since then is there, though nothing is known of an interval."""


class Attendance:
    """The devices at one moment; `listening` is since when the hub has heard its broker, None while it is deaf."""

    def __init__(self, ask: Ask, recent: Recent, listening: float | None, now: float) -> None:
        """Look at the alerts that stand; for one answer."""
        self._ask, self._recent, self._listening, self._now = ask, recent, listening, now
        self._is_absent = ask.absent()

    def of(self, topic: str, at: float | None) -> str:
        """Return online, late, silent or unknown; `at` is when the topic was last heard."""
        if self._is_absent(topic):
            return "silent"
        if at is None:
            return "unknown" if self._ask.has_forgotten else "silent"
        if self._recent.is_full and self._recent.of(topic) is None:
            return "unknown"
        interval = self._ask.interval(topic)
        if not interval:
            return "online" if self._now - at < JUST_NOW_SECONDS else "unknown"
        return self._by(max(interval, SHORTEST_SECONDS), at)

    def _by(self, interval: float, at: float) -> str:
        """Go by the interval; while nobody listened, nobody was silent."""
        if self._now - at < LATE * interval:
            return "online"
        if self._listening is None:
            return "unknown"
        missed = (self._now - max(at, self._listening)) / interval
        if missed < LATE:
            return "unknown"
        return "late" if missed < SILENT else "silent"
