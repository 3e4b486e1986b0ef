"""Whether a device is there, as far as the hub can know: by its last message, its usual interval, its absence alert.

Where the hub cannot know, it says `unknown`: of a device that was heard once only, that was forgotten for want of
memory, or that spoke last before the hub lost its broker. A device with a firing absence alert is never `online`.
"""

from hub.commands.seams import Ask
from hub.operate.api.gathered.recent import Recent

__all__ = ["Attendance"]

LATE, SILENT = 2.5, 5.0
"""After so many intervals without a message a device is late, and then silent."""
SHORTEST_SECONDS = 5.0
"""Messages are looked at once a second, so shorter intervals than this cannot be told apart."""
JUST_NOW_SECONDS = 60.0
"""A device that was heard within this time is there, though its interval is not known."""


class Attendance:
    """The devices at one moment. `listening` is since when the hub has heard its broker; None while it does not."""

    def __init__(self, ask: Ask, recent: Recent, listening: float | None, now: float) -> None:
        """Look at the absence alerts once, for all devices of one answer."""
        self._ask, self._recent, self._listening, self._now = ask, recent, listening, now
        self._is_absent = ask.absent()

    def of(self, topic: str, at: float | None) -> str:
        """Return online, late, silent or unknown; `at` is when the topic was last heard."""
        if self._is_absent(topic):
            return "silent"
        if at is None:  # it was never heard, or it was and is forgotten
            return "unknown" if self._ask.has_forgotten else "silent"
        if self._recent.is_full and self._recent.of(topic) is None:  # there was no room to learn its interval
            return "unknown"
        interval = self._ask.interval(topic)
        if not interval:  # it was heard once only
            return "online" if self._now - at < JUST_NOW_SECONDS else "unknown"
        return self._by(max(interval, SHORTEST_SECONDS), at)

    def _by(self, interval: float, at: float) -> str:
        """Go by the interval. The time in which the hub did not hear its broker is no device's silence."""
        if self._now - at < LATE * interval:
            return "online"
        if self._listening is None:
            return "unknown"
        missed = (self._now - max(at, self._listening)) / interval
        if missed < LATE:
            return "unknown"
        return "late" if missed < SILENT else "silent"
