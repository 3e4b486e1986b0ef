"""The kinds of schedules. Times are seconds since 1970; `local` is the zone of those that have none of their own.

All of them follow the clock on the wall. Where an hour comes twice, a range holds in both. Where an hour is skipped and
a whole range lies in it, the range holds for its length from the end of the gap, so that a pause is not lost. cronsim
is asked in wall time only, and its answers become instants here: asked at a time in the second of two equal hours,
cronsim 2.8 names starts that lie in the past.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from heapq import merge
from math import inf

from cronsim import CronSim

from hub.schedules.wall import DAY, WEEK, Jump, back, edges, instants, jump, jumps, naive, offset, shown

__all__ = ["DAY", "WEEK", "Cron", "Inverse", "OneTime", "Range", "Schedule", "Weekly"]

_AHEAD_DAYS = 16  # two weeks, as a jump may swallow the one change of the first, and a day on both sides
_CRON_STARTS = 100  # looked at for the end of a run of starts that follow each other; about 2 ms


@dataclass(frozen=True, slots=True)
class Schedule(ABC):
    """Tells when something holds; `text` is what the user wrote."""

    text: str

    @abstractmethod
    def active(self, now: float, local: tzinfo) -> bool:
        """Tell whether it holds."""

    @abstractmethod
    def change(self, now: float, local: tzinfo) -> float:
        """Return the next time after `now` at which `active` changes; inf where it never does.

        For a cron with a long run of starts it may be an earlier time, before which nothing changes for sure.
        """


@dataclass(frozen=True, slots=True)
class Range:
    """A part of the week in seconds from Monday 00:00; one over Sunday night ends beyond the week."""

    begin: int
    end: int

    def holds(self, second: int) -> bool:
        """Tell whether a second of the week is inside."""
        return self.begin <= second < self.end or self.begin <= second + WEEK < self.end

    def made_up(self, skipped: Jump) -> int:
        """Return when the range ends if this jump skipped it: then it begins at the jump; 0 for any other range."""
        first = shown(skipped.at, skipped.before)
        last = first + skipped.after - skipped.before
        inside = any(first <= self.begin + week and self.end + week <= last for week in (0, WEEK))
        return skipped.at + self.end - self.begin if inside else 0


@dataclass(frozen=True, slots=True)
class Weekly(Schedule):
    """Ranges of each week, by the clock on the wall; `daily` is the same range on seven days."""

    text: str
    ranges: tuple[Range, ...]
    tz: tzinfo | None = None

    def active(self, now: float, local: tzinfo) -> bool:
        """Tell whether the clock on the wall shows a time inside a range, or a skipped range is made up for."""
        zone = self.tz or local
        second = shown(now, offset(now, zone))
        if any(each.holds(second) for each in self.ranges):
            return True
        skipped = jump(now - DAY, now, zone)
        return skipped is not None and any(now < each.made_up(skipped) for each in self.ranges)

    def change(self, now: float, local: tzinfo) -> float:
        """Look at every moment of the next days at which it could change."""
        before = self.active(now, local)
        moments = self._moments(now, self.tz or local)
        return next((float(at) for at in moments if at > now and self.active(at, local) is not before), inf)

    def _moments(self, now: float, zone: tzinfo) -> Iterator[int]:
        """Yield in order when the clock shows a range's begin or end, when it jumps, and when a made-up range ends."""
        early = now - DAY
        marks = sorted({second % WEEK for each in self.ranges for second in (each.begin, each.end)})
        passed = jumps(early, _AHEAD_DAYS, zone)
        made_up = {each.made_up(skipped) for skipped in passed for each in self.ranges}
        return merge(edges(early, _AHEAD_DAYS, passed, marks, zone), sorted(made_up | {each.at for each in passed}))


@dataclass(frozen=True, slots=True)
class Cron(Schedule):
    """Holds for `seconds` from each time that a cron expression names."""

    text: str
    expression: str
    seconds: float
    tz: tzinfo | None = None

    def active(self, now: float, local: tzinfo) -> bool:
        """Tell whether one began less than `seconds` ago."""
        return self._next(now - self.seconds, self.tz or local) <= now

    def change(self, now: float, local: tzinfo) -> float:
        """Return the next beginning, or the end of the current span and of those that begin before it ends."""
        zone = self.tz or local
        begun = self._next(now - self.seconds, zone)
        if begun > now:
            return begun
        for _ in range(_CRON_STARTS):
            following = self._next(begun, zone)
            if following > begun + self.seconds:
                break
            begun = following
        return begun + self.seconds

    def _next(self, after: float, zone: tzinfo) -> float:
        """Return the first start after a time.

        In an hour that comes twice, only expressions with a `*` for minute or hour start twice, as in Debian's cron.
        """
        begin = naive(after, zone)
        start = self._scan(begin, after, zone, 0)
        repeats = any(field.startswith("*") for field in self.expression.split()[:2])
        if not repeats or offset(after - DAY, zone) <= offset(after + DAY, zone):
            return start
        return min(start, self._scan(begin - back(after, zone), after, zone, 1))

    def _scan(self, begin: datetime, after: float, zone: tzinfo, which: int) -> float:
        """Return the first start after an instant, from a wall time on; `which` of two equal hours counts."""
        starts = (instants(wall, zone)[which] for wall in CronSim(self.expression, begin))
        return next((at for at in starts if at > after), inf)


@dataclass(frozen=True, slots=True)
class OneTime(Schedule):
    """Once, from a time to another; `begin` and `end` are times of a wall clock where they have no zone.

    A time that comes twice means the first; a time that is skipped means the end of the gap.
    """

    text: str
    begin: datetime
    end: datetime
    tz: tzinfo | None = None

    def active(self, now: float, local: tzinfo) -> bool:
        """Tell whether it is now."""
        begin, end = self._instants(local)
        return begin <= now < end

    def change(self, now: float, local: tzinfo) -> float:
        """Return the beginning, or the end."""
        begin, end = self._instants(local)
        return next((at for at in (begin, end) if begin < end and at > now), inf)

    def _instants(self, local: tzinfo) -> tuple[float, float]:
        zone = self.tz or local
        begin, end = (each.timestamp() if each.tzinfo else instants(each, zone)[0] for each in (self.begin, self.end))
        return begin, end


@dataclass(frozen=True, slots=True)
class Inverse(Schedule):
    """Holds whenever another schedule does not; the other one is never an Inverse itself."""

    text: str
    other: Schedule

    def active(self, now: float, local: tzinfo) -> bool:
        """Tell whether the other one does not hold."""
        return not self.other.active(now, local)

    def change(self, now: float, local: tzinfo) -> float:
        """Return when the other one changes."""
        return self.other.change(now, local)
