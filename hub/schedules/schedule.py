"""The kinds of schedules. Times are seconds since 1970; `local` is the zone of those that have none of their own.

Daily and weekly ranges go by the clock on the wall: they hold whenever it shows a time inside. On the day on which an
hour comes twice they hold in both; where all of a range falls into an hour that does not come, it holds for its length
from the moment behind that hour, so that a pause is not lost.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from math import inf

from cronsim import CronSim

__all__ = ["Cron", "Inverse", "Range", "Schedule", "Span", "Weekly"]

DAY = 86400
WEEK = 7 * DAY
_AHEAD_DAYS = 9  # a week, and a day on both sides: what does not change in it never does
_CRON_STEPS = 1000  # starts that follow each other without an end: it is always on


class Schedule(ABC):
    """When something holds; `text` is how the user wrote it."""

    text: str

    @abstractmethod
    def active(self, now: float, local: tzinfo) -> bool:
        """Tell whether it holds."""

    @abstractmethod
    def change(self, now: float, local: tzinfo) -> float:
        """Return the next time after `now` at which `active` changes; inf where it never does."""


@dataclass(frozen=True, slots=True)
class Range:
    """A part of the week in seconds from Monday 00:00; one over Sunday night ends beyond the week."""

    begin: int
    end: int

    def holds(self, second: float) -> bool:
        """Tell whether a second of the week is inside."""
        return self.begin <= second < self.end or self.begin <= second + WEEK < self.end


@dataclass(frozen=True, slots=True)
class Weekly(Schedule):
    """Ranges of each week, by the clock on the wall; `daily` is the same range on seven days."""

    text: str
    ranges: tuple[Range, ...]
    tz: tzinfo | None = None

    def active(self, now: float, local: tzinfo) -> bool:
        """Tell whether the clock on the wall shows a time inside, or makes up for a range that was skipped."""
        zone = self.tz or local
        second = _second_of_week(datetime.fromtimestamp(now, zone))
        if any(each.holds(second) for each in self.ranges):
            return True
        return any(begin <= now < end for begin, end in self._skipped(now, zone))

    def change(self, now: float, local: tzinfo) -> float:
        """Look at every moment of the next days at which it could change."""
        zone = self.tz or local
        before = self.active(now, local)
        for at in sorted({at for at in self._moments(now, zone) if at > now}):
            if self.active(at, local) is not before:
                return at
        return inf

    def _moments(self, now: float, zone: tzinfo) -> Iterator[float]:
        monday = _monday(now, zone)
        for week in (-1, 0, 1, 2):
            for each in self.ranges:
                for second in (each.begin, each.end):
                    wall = monday + timedelta(seconds=second + week * WEEK)
                    yield from (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
        for at, before, after in _jumps(now, zone):
            yield at
            yield from (end for _, end in self._made_up(at, before, after))

    def _skipped(self, now: float, zone: tzinfo) -> Iterator[tuple[float, float]]:
        """Yield what makes up for ranges that fell wholly into an hour that did not come."""
        if datetime.fromtimestamp(now, zone).utcoffset() == datetime.fromtimestamp(now - DAY, zone).utcoffset():
            return
        for at, before, after in _jumps(now, zone):
            yield from self._made_up(at, before, after)

    def _made_up(self, at: float, before: int, after: int) -> Iterator[tuple[float, float]]:
        """Yield begin and end for each range inside the jump of the clock at `at` from offset `before` to `after`."""
        gap = after - before
        if gap <= 0:
            return
        shown = _second_of_week(datetime.fromtimestamp(at + before, UTC))
        for each in self.ranges:
            for begin, end in ((each.begin, each.end), (each.begin - WEEK, each.end - WEEK)):
                if shown <= begin and end <= shown + gap:
                    yield at, at + (end - begin)


@dataclass(frozen=True, slots=True)
class Cron(Schedule):
    """From each time that a cron expression names, for `seconds`."""

    text: str
    expression: str
    seconds: float
    tz: tzinfo | None = None

    def active(self, now: float, local: tzinfo) -> bool:
        """Tell whether one began less than `seconds` ago."""
        return self._next(now - self.seconds, self.tz or local) <= now

    def change(self, now: float, local: tzinfo) -> float:
        """Return the next beginning, or the end of the one that holds."""
        zone = self.tz or local
        if not self.active(now, local):
            return self._next(now, zone)
        begun = self._next(now - self.seconds, zone)
        for _ in range(_CRON_STEPS):
            following = self._next(begun, zone)
            if following > begun + self.seconds:
                return begun + self.seconds
            begun = following
        return inf

    def _next(self, after: float, zone: tzinfo) -> float:
        try:
            return next(CronSim(self.expression, datetime.fromtimestamp(after, zone))).timestamp()
        except StopIteration:
            return inf


@dataclass(frozen=True, slots=True)
class Span(Schedule):
    """Once, from a time to another; `begin` and `end` are times of a wall clock where they have no zone."""

    text: str
    begin: datetime
    end: datetime
    tz: tzinfo | None = None

    def _instants(self, local: tzinfo) -> tuple[float, float]:
        zone = self.tz or local
        both = (each if each.tzinfo else each.replace(tzinfo=zone) for each in (self.begin, self.end))
        begin, end = (each.timestamp() for each in both)
        return begin, end

    def active(self, now: float, local: tzinfo) -> bool:
        """Tell whether it is now."""
        begin, end = self._instants(local)
        return begin <= now < end

    def change(self, now: float, local: tzinfo) -> float:
        """Return the beginning, or the end."""
        return next((at for at in self._instants(local) if at > now), inf)


@dataclass(frozen=True, slots=True)
class Inverse(Schedule):
    """Whenever another one does not hold."""

    text: str
    other: Schedule

    def active(self, now: float, local: tzinfo) -> bool:
        """Tell whether the other one does not hold."""
        return not self.other.active(now, local)

    def change(self, now: float, local: tzinfo) -> float:
        """Return when the other one changes."""
        return self.other.change(now, local)


def _second_of_week(wall: datetime) -> float:
    seconds = wall.weekday() * DAY + wall.hour * 3600 + wall.minute * 60 + wall.second
    return seconds + wall.microsecond / 1e6


def _monday(now: float, zone: tzinfo) -> datetime:
    """Return the wall clock's Monday 00:00 of this week, without a zone."""
    wall = datetime.fromtimestamp(now, zone).replace(tzinfo=None)
    return datetime(wall.year, wall.month, wall.day) - timedelta(days=wall.weekday())  # noqa: DTZ001 - a wall clock's


def _jumps(now: float, zone: tzinfo) -> Sequence[tuple[float, int, int]]:
    """Return when the wall clock jumps in the days around: the instant, the offset before and after, in seconds."""
    found = []
    for day in range(-2, _AHEAD_DAYS + 8):
        early, late = now + day * DAY, now + (day + 1) * DAY
        before, after = _offset(early, zone), _offset(late, zone)
        if before != after:
            found.append((_first(early, late, before, zone), before, after))
    return found


def _offset(at: float, zone: tzinfo) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _first(early: float, late: float, before: int, zone: tzinfo) -> float:
    """Find the second at which the offset is no longer `before`."""
    low, high = int(early), int(late) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return float(high)
