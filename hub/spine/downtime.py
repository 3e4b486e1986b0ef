"""Since when no device could be heard before this start. This module alone compares times of two processes.

A single hub has the wall clock of one machine. It notes up to when it heard everybody, and at the next start compares
the note with the clock. Where the clock is behind the note, somebody has set it back meanwhile. On a store that several
machines share, this would compare the clocks of two machines; such a store brings a Downtime of its own.
"""

from typing import NamedTuple, Protocol

from hub.limits import ALIVE_SECONDS, CLOCK_STEP_SECONDS
from hub.store.changes import Snapshot

__all__ = ["ClockDowntime", "Downtime", "Gap"]

_ROW = "alive"


class Gap(NamedTuple):
    """The time before a start, in seconds since 1970, by the clock as it is now."""

    since: float
    """Since when nobody was heard. This time does not count as any device's absence."""
    step: float = 0.0
    """By how many seconds every timer has to move: negative where the clock was set back meanwhile, else 0."""


class Downtime(Protocol):
    """Notes with the commits up to when everybody was heard, and says so at the next start."""

    @property
    def last_heard(self) -> float | None:
        """When an earlier process last heard everybody; None where there was none."""
        ...

    def gap(self, now: float) -> Gap:
        """Return the time between the last process and `now`, the start of this one."""
        ...

    def is_due(self, now: float) -> bool:
        """Tell whether a commit should be made only to note the time."""
        ...

    def take_rows(self, now: float, quiet_since: float | None, *, last: bool) -> list[tuple[str, str]]:
        """Return what a commit has to note in the store's `meta`.

        `quiet_since` is the time since which nobody can be heard, None while everybody can. `last`: no commit follows.
        """
        ...

    def stepped(self) -> None:
        """Hear that the wall clock was set: the note is by the old clock, so the next commit has to write a new one."""
        ...


class ClockDowntime:
    """A Downtime by the wall clock of this machine."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Begin with what the store held.

        Raises:
            ValueError: the note that it held is no time.

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
        # a difference below a step is normal drift; a machine without a battery for its clock starts years back
        return Gap(min(now, noted), now - noted if now - noted <= -CLOCK_STEP_SECONDS else 0.0)

    def is_due(self, now: float) -> bool:
        """Tell whether ALIVE_SECONDS have passed: by at most so much a crash delays an `absent`."""
        return now >= self._until

    def take_rows(self, now: float, quiet_since: float | None, *, last: bool) -> list[tuple[str, str]]:
        """Note the time every ALIVE_SECONDS while everybody is heard; at the end, up to when everybody was."""
        if not last and (quiet_since is not None or now < self._until):  # while nobody is heard, the old note is right
            return []
        self._until = now + ALIVE_SECONDS
        return [(_ROW, repr(now if quiet_since is None else quiet_since))]

    def stepped(self) -> None:
        """Let the next commit note the time."""
        self._until = 0.0
