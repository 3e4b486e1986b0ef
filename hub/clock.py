"""The one place that knows what time it is; everything else is handed a Clock or a number.

Times are seconds since 1970 in UTC as float (`now`), or seconds of a clock that never steps (`monotonic`).
"""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock", "rfc3339"]


class Clock(Protocol):
    """What the pipeline needs to know of time."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that is never set."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Return the wall clock."""
        return time.time()

    def monotonic(self) -> float:
        """Return the clock that never steps."""
        return time.monotonic()


class ManualClock:
    """A clock that a test or a replay moves; both readings are the same."""

    def __init__(self, at: float = 0.0) -> None:
        """Start at `at`."""
        self.at = at

    def now(self) -> float:
        """Return the time it was set to."""
        return self.at

    def monotonic(self) -> float:
        """Return the time it was set to."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self.at += seconds


@lru_cache(64)  # a notification says the same time in several places
def rfc3339(at: float) -> str:
    """Write a time as RFC 3339 in UTC with milliseconds: `2026-03-01T00:55:00.000Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
