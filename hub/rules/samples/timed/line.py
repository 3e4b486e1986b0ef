"""The line through the samples of a window, by least squares: slope(x, 1h), predict(x, 1h, 6h), reaches(x, 0, 6h).

Four sums are kept up to date as samples come and go, so a sample costs the same however many there are. They count from
an origin near the samples, so that nothing cancels out; it is stored with them, so that a restart changes no bit.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from math import floor, fsum, inf
from typing import Any

from hub.errors import EvaluationError, NotYet
from hub.expressions.sampled import LINE, methods_missing
from hub.limits import REACH_SECONDS, WINDOW_ENTRIES, WINDOW_GRAINS
from hub.rules.samples.sums import PARTS, ExactSum
from hub.rules.samples.timed.clock_watch import Watch, after, look_again
from hub.rules.samples.timed.strip import Row, Strip

__all__ = ["TrendLine"]

_TIDY = 64
_FAR = 4  # windows from the origin to the oldest sample; then a nearer one is taken
_COLUMNS = 6
Entry = tuple[float, float, float, float, float, float]
"""Of samples that are folded: time of the last, number, and the sums of times, values, squared times, and times by
values, where times count from the last."""


class TrendLine(Strip):
    """Samples with time > end - seconds: times and values; where they are folded, the columns of an Entry."""

    __slots__ = ("end", "origin", "sums", "values", "wide")
    turned = True
    """Each sample changes the line, and so when it reaches a bound."""

    def __init__(self, seconds: float, _functions: Iterable[str] = ()) -> None:
        """Begin empty."""
        self.end = 0.0
        self.origin = (0.0, 0.0)
        super().__init__(seconds)
        self._measure()

    def fit(self, functions: Iterable[str]) -> None:
        """Prepare for these functions: there is nothing to do, all are computed from the same sums."""

    def _columns(self) -> Sequence["array[float]"]:
        return self.wide or (self.times, self.values)

    def _take(self, columns: Sequence["array[float]"], base: int) -> None:
        self.base, self.head = base, 0
        self.wide: Sequence[array[float]] | None = columns if len(columns) == _COLUMNS else None
        self.times, self.values = columns[:2]

    def _measure(self) -> None:
        self.sums = [ExactSum() for _ in range(5)]
        for index in range(self.head, len(self.times)):
            self._count(index, 1.0)

    def _count(self, index: int, sign: float) -> None:
        """Add an entry to the sums, or (-1) take it away."""
        time, level = self.origin
        at = self.times[index] - time
        if self.wide is None:
            value, signed = (self.values[index] - level) * sign, at * sign
            parts: tuple[float, ...] = (sign, signed, value, at * signed, at * value)
        else:
            _, number, shifts, values, squares, products = (column[index] for column in self.wide)
            times = shifts + number * at
            both = products + at * values - level * times
            parts = (number, times, values - number * level, squares + at * (shifts + times), both)
            parts = tuple(sign * part for part in parts)
        for kept, part in zip(self.sums, parts, strict=True):
            kept.parts.append(part)
            if len(kept.parts) > PARTS:
                kept.compress()

    # samples

    def hear(self, at: float, end: float, value: float | None) -> None:
        """Let go of samples older than the window, which ends at `end`; take the sample of the time `at`, if any."""
        self.end = end
        times, start = self.times, end - self.seconds
        if self.head < len(times) and times[self.head] <= start:
            self._expire(start)
        if value is None or at <= start:
            return
        times = self.times
        if len(times) == self.head:
            self.origin = (at, value)
        if not times or at >= times[-1]:
            for column, part in zip(self._columns(), self._entry(at, value), strict=True):
                column.append(part)
            self._count(len(times) - 1, 1.0)
        else:
            self._insert(at, value)
        if len(self.times) - self.head > WINDOW_ENTRIES:
            self._fold()

    def _entry(self, at: float, value: float) -> tuple[float, ...]:
        return (at, value) if self.wide is None else (at, 1.0, 0.0, value, 0.0, 0.0)

    def _insert(self, at: float, value: float) -> None:
        place = bisect_right(self.times, at, self.head)
        if place == self.head:
            self.origin = (at, value)  # as if it had come first: so the order of arrival changes no bit
        columns = [column[self.head :] for column in self._columns()]
        for column, part in zip(columns, self._entry(at, value), strict=True):
            column.insert(place - self.head, part)
        self._renew(columns)

    def _expire(self, start: float) -> None:
        times, head, behind = self.times, self.head, len(self.times)
        while head < behind and times[head] <= start:
            self._count(head, -1.0)
            head += 1
        self.head = head
        if head == behind:
            self._renew([array("d"), array("d")], base=self.base + head)
            return
        if head >= _TIDY and 2 * head >= behind:
            for column in self._columns():
                del column[:head]
            self.base, self.head = self.base + head, 0
        if times[self.head] - self.origin[0] > _FAR * self.seconds:
            self.origin = (times[self.head], self._mean_value(self.head))
            self._measure()

    def _mean_value(self, index: int) -> float:
        return self.values[index] if self.wide is None else self.wide[3][index] / self.wide[1][index]

    def _fold(self) -> None:
        """Make room: of the entries of each grain make one that keeps their sums."""
        grain = self.seconds / WINDOW_GRAINS
        columns = [column[self.head :] for column in self._columns()]
        if self.wide is None:
            entries = [(at, 1.0, 0.0, value, 0.0, 0.0) for at, value in zip(*columns, strict=True)]
        else:
            entries = list(zip(*columns, strict=True))
        groups = groupby(entries, lambda entry: floor(entry[0] / grain))
        self._renew([array("d", column) for column in zip(*(_folded(list(group)) for _, group in groups), strict=True)])

    # the clock

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.times) - self.head

    @property
    def oldest(self) -> float:
        """The time of the oldest entry, inf where there is none."""
        return self.times[self.head] if self.head < len(self.times) else inf

    def move(self, now: float, lag: float) -> None:
        """Let the window end now; what was due by now has left, to the last bit (as in windows.py)."""
        self.end = max(self.end, now - lag)
        while self.oldest + self.seconds + lag <= now:
            self._expire(max(self.oldest, self.end - self.seconds))

    def set_back(self, at: float) -> None:
        """Follow a clock that was set back: all samples lie in its future, so begin anew."""
        self.end = at
        self._renew([array("d"), array("d")])

    def turn(self, watches: Iterable[Watch], pace: float = 0.0) -> float:
        """Return when the clock must look next: a sample leaves (not before `pace`), or a bound is reached."""
        if self.oldest == inf:
            return inf
        leaves = max(self.oldest + self.seconds, pace)
        return min(leaves, *map(self._turn, watches))

    def _turn(self, watch: Watch) -> float:
        if watch.bound is None:
            return look_again(self.end, self.seconds)
        try:
            if watch.function == "predict":
                return after(self.end, self.slope(), watch.bound - self.predict(*watch.arguments))
            left = self.reaches(*watch.arguments).total_seconds()
        except EvaluationError:
            return inf
        return after(self.end, -1.0, watch.bound - left)

    # functions

    def _line(self) -> tuple[float, float, float]:
        """Return the mean time and value, from the origin, and the slope."""
        number, times, values, squares, products = (total.value() for total in self.sums)
        if number < 2:
            raise EvaluationError(NotYet("fewer than two samples in the window"))
        middle, mean = times / number, values / number
        spread = squares - times * middle
        if spread <= 0 or (self.wide is None and self.times[self.head] == self.times[-1]):
            raise EvaluationError(NotYet("all samples of the window are of one moment"))
        return middle, mean, (products - times * mean) / spread

    def slope(self) -> float:
        """How much it rises in a second."""
        return self._line()[2]

    def predict(self, ahead: float) -> float:
        """What it will be in `ahead` seconds."""
        middle, mean, slope = self._line()
        return self.origin[1] + mean + slope * (self.end + ahead - self.origin[0] - middle)

    def reaches(self, level: float) -> timedelta:
        """How long until it is at this level, at most REACH_SECONDS."""
        slope, missing = self.slope(), level - self.predict(0.0)
        if missing and (not slope or (missing < 0) is not (slope < 0)):
            raise EvaluationError(NotYet("it is not on its way there"))
        return timedelta(seconds=min(missing / slope, REACH_SECONDS) if missing else 0.0)

    # the store

    def dump(self) -> tuple[list[Any], list[Row]]:
        """Return what Strip.dump returns, with the origin."""
        tail, rows = super().dump()
        return [*tail, *self.origin], rows

    def load(self, tail: Sequence[Any], chunks: Mapping[int, str], end: float) -> None:
        """Bring in what `dump` returned."""
        self.origin = (tail[2], tail[3])
        super().load(tail, chunks, end)


if missing := methods_missing(TrendLine, LINE):
    raise NotImplementedError(f"a line has no method for {', '.join(missing)}")


def _folded(entries: Sequence[Entry]) -> Entry:
    """Return one entry for several that follow each other."""
    if len(entries) == 1:
        return entries[0]
    last = entries[-1][0]
    moved = [
        (number, shifts + number * by, values, squares + by * (2 * shifts + number * by), products + by * values)
        for at, number, shifts, values, squares, products in entries
        for by in (at - last,)
    ]
    number, shifts, values, squares, products = (fsum(column) for column in zip(*moved, strict=True))
    return last, number, shifts, values, squares, products
