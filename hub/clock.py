"""The one place that knows what time it is; everything else is handed a Clock or a number.

Times are seconds since 1970 in UTC as float (`now`), or seconds of a clock that never steps (`monotonic`).
"""

import time
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple, Protocol

from hub.limits import CLOCK_STEP_SECONDS

__all__ = ["PEOPLE", "Clock", "ClockSteps", "Look", "ManualClock", "People", "SystemClock", "rfc3339"]


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
    """A clock that a test or a replay moves; both readings are the same until it is set."""

    def __init__(self, at: float = 0.0) -> None:
        """Start at `at`."""
        self.at = at
        self._ahead = 0.0

    def now(self) -> float:
        """Return the time it was set to."""
        return self.at

    def monotonic(self) -> float:
        """Return how far it has moved, whatever it was set to."""
        return self.at - self._ahead

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self.at += seconds

    def set(self, seconds: float) -> None:
        """Set the wall clock forward, or back where it is negative; no time passes."""
        self.at += seconds
        self._ahead += seconds


class Look(NamedTuple):
    """Both clocks at one moment, in seconds, and by how much the wall clock was set since the look before.

    The two belong together: a clock that is read once more may have been set in between.
    """

    now: float
    monotonic: float
    step: float
    """Negative where it was set back; 0 where nobody set it."""


class ClockSteps:
    """Tells when the wall clock was set: it and the clock that never steps no longer went alike.

    What a time service does slowly, less than CLOCK_STEP_SECONDS between two looks, is no step. A machine that slept
    has stepped forward: meanwhile the other clock stood still.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin with the clocks as they are."""
        self._clock = clock
        self._ahead = clock.now() - clock.monotonic()

    def look(self) -> Look:
        """Read both clocks, and tell by how much the wall clock was set since the last look."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        ahead = now - monotonic
        step, self._ahead = ahead - self._ahead, ahead
        return Look(now, monotonic, step if abs(step) >= CLOCK_STEP_SECONDS else 0.0)


@lru_cache(64)  # a notification says the same time in several places
def rfc3339(at: float) -> str:
    """Write a time as RFC 3339 in UTC with milliseconds: `2026-03-01T00:55:00.000Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class People:
    """How people are told times: in one zone, to the second. A process has one of them, `PEOPLE`.

    Programs are told RFC 3339 in UTC (`rfc3339`); nothing that is decided depends on this.
    """

    def __init__(self, zone: tzinfo = UTC) -> None:
        """Tell times in this zone."""
        self.zone = zone

    @property
    def tz(self) -> str:
        """The zone's name."""
        return str(self.zone)

    def local(self, at: float | str | datetime) -> datetime:
        """Return a time, also one that was written for programs, in the zone; one without any zone stays as it is.

        Raises:
            ValueError: the text is no time.

        """
        if isinstance(at, str):
            at = datetime.fromisoformat(at)
        moment = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
        return moment.astimezone(self.zone) if moment.tzinfo is not None else moment

    def told(self, at: float | str | datetime) -> str:
        """Write a time for people: `2026-03-01 01:55:00`; a text that is no time stays as it is."""
        try:
            return self.local(at).strftime("%Y-%m-%d %H:%M:%S")
        except (ValueError, OverflowError, OSError):
            return str(at)


PEOPLE = People()
"""The zone of this hub, or of the hub that a command asks: who starts the process says which (`people_of`)."""
