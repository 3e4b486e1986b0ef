"""Since when nobody was heard before this start: told by the store's sense of time, in this one place.

A hub of its own has one machine's wall clock. It writes up to when it heard everybody, and at the next start compares
that with the clock; where the clock is behind it, somebody has set it back meanwhile. A store that several machines
share would compare two of them: it has a sense of time of its own, and brings a Downtime of its own.
"""

from typing import NamedTuple, Protocol

from hub.limits import ALIVE_SECONDS, CLOCK_STEP_SECONDS
from hub.store.changes import Snapshot

__all__ = ["ClockDowntime", "Downtime", "Gap"]

_ROW = "alive"


class Gap(NamedTuple):
    """The time before a start. All in seconds since 1970, by the clock as it is now."""

    since: float
    """Since when nobody was heard; for so long no device was silent."""
    step: float = 0.0
    """By how much every timer has to move, because the clock was set back meanwhile (negative); else 0."""


class Downtime(Protocol):
    """Notes with the commits up to when everybody was heard, and tells it at the next start."""

    @property
    def last_heard(self) -> float | None:
        """When an earlier process last heard everybody; None where there was none."""
        ...

    def gap(self, now: float) -> Gap:
        """Return what lies between the last process and `now`, its start."""
        ...

    def is_due(self, now: float) -> bool:
        """Tell whether it is time for a commit to note it."""
        ...

    def take_rows(self, now: float, quiet_since: float | None, *, last: bool) -> list[tuple[str, str]]:
        """Return what a commit has to note in the store's `meta`.

        `quiet_since` is since when nobody can be heard, None while everybody can; `last`: no commit follows.
        """
        ...

    def stepped(self) -> None:
        """Hear that the wall clock was set: what is noted by the clock as it was must be noted anew."""
        ...


class ClockDowntime:
    """A Downtime by the wall clock of this machine."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Begin with what the store held.

        Raises:
            ValueError: what it held there is no time.

        """
        self._noted = snapshot.meta_float(_ROW, 0.0) if _ROW in snapshot.meta else None
        self._until = 0.0

    @property
    def last_heard(self) -> float | None:
        """When an earlier process last heard everybody, by the clock as it was."""
        return self._noted

    def gap(self, now: float) -> Gap:
        """Compare what was noted with the clock."""
        noted = now if self._noted is None else self._noted
        # less than a step is how exactly a clock goes; a machine without a battery starts years back
        return Gap(min(now, noted), now - noted if now - noted <= -CLOCK_STEP_SECONDS else 0.0)

    def is_due(self, now: float) -> bool:
        """Tell whether ALIVE_SECONDS are over: a crash then costs no more of an `absent`."""
        return now >= self._until

    def take_rows(self, now: float, quiet_since: float | None, *, last: bool) -> list[tuple[str, str]]:
        """Note the time now and then, while everybody is heard; at the end, up to when that was so."""
        if not last and (quiet_since is not None or now < self._until):
            return []
        self._until = now + ALIVE_SECONDS
        return [(_ROW, repr(now if quiet_since is None else quiet_since))]

    def stepped(self) -> None:
        """Note the time with the next commit."""
        self._until = 0.0
