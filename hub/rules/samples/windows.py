"""The samples of one window of one instance, `avg(x, 10m)` and its like, kept so that each new one costs the same.

Pure: the time comes with each sample. Up to WINDOW_ENTRIES samples are kept as they are; beyond that, those of the same
512th of the window (WINDOW_GRAINS) are folded into one entry that knows their number, sum, extremes, ends and changes.
An entry leaves when its last sample does, so that then a window is too long by a 512th at most.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import groupby, repeat
from math import floor, fsum, inf, sqrt
from typing import Any

from hub.errors import EvaluationError, NotYet
from hub.expressions.sampled import DISTINCT, HELD, NUMBER, VALUE, methods_missing
from hub.limits import WINDOW_ENTRIES, WINDOW_GRAINS
from hub.rules.samples.entries import WindowEntry, deviation, folded, single
from hub.rules.samples.measures import measures_for
from hub.rules.samples.timed.strip import Row, Strip

__all__ = ["Row", "Window"]

_TIDY = 64


class Window(Strip):
    """Samples with time > end - seconds, oldest first; `size` is how many.

    The columns are arrays of equal length. Where entries are folded, there is one for each field of a WindowEntry
    (`wide`); else there are two, `times` and `values`, and the other names stand for these.
    """

    __slots__ = (
        *("measures", "_hearing", "size", "wide"),
        *("values", "starts", "firsts", "sums", "lows", "highs"),
        *("counts", "drops", "turns"),
    )

    def __init__(self, seconds: float, functions: Iterable[str]) -> None:
        """Begin empty; only these functions will be asked for."""
        super().__init__(seconds)
        self.fit(functions)

    def fit(self, functions: Iterable[str]) -> None:
        """Keep up to date what these functions ask for, and nothing else."""
        self.measures: dict[str, Any] = measures_for(functions)
        self._measure()

    def _take(self, columns: Sequence["array[float]"], base: int) -> None:
        """Make these the window's entries, the first of them number `base`."""
        self.base, self.head = base, 0
        self.wide: Sequence[array[float]] | None = columns if len(columns) > 2 else None
        self.counts: array[float] | None
        self.drops: array[float] | None
        self.turns: array[float] | None
        if len(columns) > 2:
            self.times, self.values, self.starts, self.firsts, self.sums, self.lows, self.highs = columns[:7]
            self.counts, _, self.drops, self.turns = columns[7:]
            self.size = int(sum(columns[7]))
            return
        self.times, self.values = columns
        self.starts, self.firsts, self.sums, self.lows, self.highs = self.times, *(self.values,) * 4
        self.counts = self.drops = self.turns = None
        self.size = len(self.times)

    def _measure(self) -> None:
        """Measure all entries anew."""
        for name in self.measures:
            measure = self.measures[name] = self.measures[name].__class__()
            for index in range(self.head, len(self.times)):
                measure.enter(self, index)
        self._hearing = tuple(self.measures.values())

    # samples

    def hear(self, at: float, end: float, value: float | None) -> None:
        """Let go of entries older than the window, which ends at `end`; take the sample of the time `at`, if any.

        A sample that is earlier than the last one is put in its place.
        """
        start, head = end - self.seconds, self.head
        if head < len(self.times) and self.times[head] <= start:
            self._expire(start)
        if value is None or at <= start:
            return
        times = self.times
        index = len(times)
        if self.wide is None and (index == self.head or at >= times[-1]):
            times.append(at)
            self.values.append(value)
            self.size += 1
            for measure in self._hearing:
                measure.enter(self, index)
        else:
            self._insert(at, value)
        if index - self.head >= WINDOW_ENTRIES:
            self._fold()

    def _expire(self, start: float) -> None:
        times, head, counts = self.times, self.head, self.counts
        behind = len(times)
        while head < behind and times[head] <= start:
            for measure in self._hearing:
                measure.leave(self, head)
            self.size -= 1 if counts is None else int(counts[head])
            self.head = head = head + 1
        if head == behind:
            self._renew([array("d"), array("d")], base=self.base + head)
        elif head >= _TIDY and 2 * head >= behind:
            for column in self._columns():
                del column[:head]
            self.base, self.head = self.base + head, 0

    @property
    def oldest(self) -> float:
        """The time of the oldest entry, inf where there is none."""
        return self.times[self.head] if self.head < len(self.times) else inf

    def move(self, now: float, lag: float) -> None:
        """Let go of all entries that have left by now, by a clock that is `lag` seconds ahead of the samples' own.

        The time of leaving is computed as in Moving.due, `oldest + seconds + lag`, to the last bit: so each entry that
        was due has left, and the next due time is later than now.
        """
        while self.oldest + self.seconds + lag <= now:
            self._expire(max(self.oldest, now - lag - self.seconds))

    def set_back(self, _at: float, /) -> None:
        """Follow a clock that was set back: all samples lie in its future, so begin anew."""
        self._renew([array("d"), array("d")])

    def _columns(self) -> Sequence["array[float]"]:
        return self.wide or (self.times, self.values)

    def _entries(self) -> list[WindowEntry]:
        columns = [column[self.head :] for column in self._columns()]
        return list(map(WindowEntry, *columns) if self.wide else map(single, *columns))

    def _insert(self, at: float, value: float) -> None:
        """Take a sample that is earlier than the last one, or that joins folded entries."""
        parts = single(at, value) if self.wide else (at, value)
        place = bisect_right(self.times, at, self.head)
        if place == len(self.times):
            for column, part in zip(self._columns(), parts, strict=True):
                column.append(part)
            self.size += 1
            for measure in self._hearing:
                measure.enter(self, place)
            return
        columns = [column[self.head :] for column in self._columns()]
        for column, part in zip(columns, parts, strict=True):
            column.insert(place - self.head, part)
        self._renew(columns)

    def _fold(self) -> None:
        """Make room: fold the entries of each grain; where only distinct values count, keep the last of each."""
        if "kinds" in self.measures:
            self._forget_repeated()
            return
        grain = self.seconds / WINDOW_GRAINS
        groups = groupby(self._entries(), lambda entry: floor(entry.time / grain))
        entries = [folded(list(group)) for _, group in groups]
        self._renew([array("d", column) for column in zip(*entries, strict=True)])

    def _forget_repeated(self) -> None:
        last = {value: at for at, value in zip(self.times[self.head :], self.values[self.head :], strict=True)}
        kept = sorted((at, value) for value, at in last.items())[-WINDOW_GRAINS:]
        self._renew([array("d", column) for column in zip(*kept, strict=True)])

    # functions

    def _need(self, samples: int) -> None:
        if self.size < samples:
            few = "no sample in the window" if samples == 1 else "fewer than two samples in the window"
            raise EvaluationError(NotYet(few))

    def avg(self) -> float:
        """The mean."""
        if not self.size:
            self._need(1)
        mean: float = fsum(self.measures["total"].parts) / self.size
        return mean

    def sum(self) -> float:
        """The sum."""
        self._need(1)
        total: float = self.measures["total"].value()
        return total

    def stddev(self) -> float:
        """The standard deviation of the samples (of the population, as Prometheus' stddev_over_time)."""
        mean = self.avg()
        if self.wide:
            squares = deviation(self._entries(), mean)
        else:
            squares = fsum([(value - mean) ** 2 for value in self.values[self.head :]])
        return sqrt(squares / self.size)

    def min(self) -> float:
        """The lowest."""
        self._need(1)
        number: int = self.measures["lowest"].line[0]
        return self.lows[number - self.base]

    def max(self) -> float:
        """The highest."""
        self._need(1)
        number: int = self.measures["highest"].line[0]
        return self.highs[number - self.base]

    def count(self) -> int:
        """How many there are."""
        return self.size

    def distinct(self) -> int:
        """How many values there are."""
        return min(len(self.measures["kinds"].counts), WINDOW_GRAINS)

    def percentile(self, percent: float) -> float:
        """The value that so many percent lie below; between two samples as Prometheus' quantile_over_time has it."""
        self._need(1)
        place = percent / 100 * (self.size - 1)
        counts = self.counts[self.head :] if self.counts is not None else None
        low, high = _ranked(self.values[self.head :], counts, floor(place))
        return low + (high - low) * (place - floor(place))

    def zscore(self) -> float:
        """How many standard deviations the last one is from the mean; 0 where all are the same."""
        spread = self.stddev()
        return (self.values[-1] - self.avg()) / spread if spread else 0.0

    def cusum(self) -> float:
        """How many standard deviations the last ones lie above the mean, added up, or (negative) below it.

        Page's cumulative sum: half a standard deviation of each is forgiven, and it is never less than 0. The larger
        one of the two directions is told.
        """
        self._need(2)
        mean, spread = self.avg(), self.stddev()
        up = down = 0.0
        for total, count in zip(self.sums[self.head :], self._counted(), strict=True) if spread else ():
            away, slack = (total - count * mean) / spread, count / 2
            rise, fall = up + away - slack, down - away - slack
            up = rise if rise > 0.0 else 0.0  # noqa: FURB136 - `max` takes three times as long
            down = fall if fall > 0.0 else 0.0  # noqa: FURB136
        return up if up >= down else -down

    def _counted(self) -> Iterable[float]:
        return self.counts[self.head :] if self.counts is not None else repeat(1.0, len(self.times) - self.head)

    def delta(self) -> float:
        """The last minus the first."""
        self._need(2)
        return self.values[-1] - self.firsts[self.head]

    def rate(self) -> float:
        """What a counter grew by in a second, from the first sample to the last; where it fell it began anew at 0."""
        self._need(2)
        passed = self.times[-1] - self.starts[self.head]
        if passed <= 0:
            raise EvaluationError(NotYet("all samples of the window are of one moment"))
        grown: float = self.delta() + self.measures["resets"].value()
        return grown / passed

    def changes(self) -> int:
        """How often a sample differed from the one before it."""
        count: int = self.measures["turns"].count
        return count


if missing := methods_missing(Window, NUMBER, HELD, VALUE, DISTINCT):
    raise NotImplementedError(f"a window has no method for {', '.join(missing)}")


def _ranked(values: "array[float]", counts: "array[float] | None", rank: int) -> tuple[float, float]:
    """Return the samples of this rank (from 0, lowest first) and of the next."""
    if counts is None:
        ordered = sorted(values)
        return ordered[rank], ordered[min(rank + 1, len(ordered) - 1)]
    pairs = sorted(zip(values, counts, strict=True))
    found = []
    for wanted in (rank, rank + 1):
        passed = 0.0
        for value, count in pairs:
            passed += count
            if passed > wanted:
                found.append(value)
                break
    return found[0], found[-1]
