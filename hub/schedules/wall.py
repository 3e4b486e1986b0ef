"""The clock on the wall of a zone: what it shows when, when it jumps, and at which instants it shows a given time."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from math import floor

__all__ = ["DAY", "WEEK", "Jump", "back", "edges", "instants", "jump", "jumps", "naive", "offset", "shown"]

DAY = 86400
WEEK = 7 * DAY
_MONDAY = 3 * DAY  # 1970 began on a Thursday


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock jumps at an instant, from one offset to another (seconds); forward leaves a gap of wall time."""

    at: int
    before: int
    after: int


def offset(at: float, zone: tzinfo) -> int:
    """Return by how many seconds the wall clock is ahead of UTC.

    The second is rounded down: near the end of one `fromtimestamp` would round up into the next.
    """
    ahead = datetime.fromtimestamp(floor(at), zone).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds())


def shown(at: float, ahead: int) -> int:
    """Return the second of the week, from Monday 00:00, on a wall clock that is `ahead` seconds ahead of UTC."""
    return (floor(at) + ahead + _MONDAY) % WEEK


def jump(early: float, late: float, zone: tzinfo) -> Jump | None:
    """Return the jump between two instants at most a day apart, if there is one."""
    before, after = offset(early, zone), offset(late, zone)
    if before == after:
        return None
    low, high = floor(early), floor(late)
    while high - low > 1:
        middle = (low + high) // 2
        if offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return Jump(high, before, after)


def jumps(early: float, days: int, zone: tzinfo) -> list[Jump]:
    """Return the jumps of the clock in the `days` days from `early` on."""
    found = (jump(early + day * DAY, early + (day + 1) * DAY, zone) for day in range(days))
    return [each for each in found if each is not None]


def edges(early: float, days: int, passed: Sequence[Jump], marks: Sequence[int], zone: tzinfo) -> Iterator[int]:
    """Yield in order when the clock shows one of the marks (sorted seconds of the week), over so many days.

    `passed` are the jumps of these days.
    """
    starts = [floor(early), *(each.at for each in passed)]
    ends = [*starts[1:], starts[0] + days * DAY]
    for start, end in zip(starts, ends, strict=True):
        second = shown(start, offset(start, zone))
        index = bisect_left(marks, second)
        while marks:
            weeks, place = divmod(index, len(marks))
            at = start - second + weeks * WEEK + marks[place]
            if at >= end:
                break
            yield at
            index += 1


def instants(wall: datetime, zone: tzinfo) -> tuple[float, float]:
    """Return when the clock shows a time first and last; for a time that it skips, the end of the gap twice."""
    first, last = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if first <= last:
        return first, last
    gap = jump(last, first, zone)  # in a gap the first is reckoned with the offset before it: the later one
    behind = first if gap is None else float(gap.at)
    return behind, behind


def naive(at: float, zone: tzinfo) -> datetime:
    """Return what the clock shows, to the second, without its zone."""
    return datetime.fromtimestamp(floor(at), zone).replace(tzinfo=None, fold=0)


def back(at: float, zone: tzinfo) -> timedelta:
    """Return by how many seconds the clock will be set back within a day; 0 on most days."""
    return timedelta(seconds=max(0, offset(at, zone) - offset(at + DAY, zone)))
