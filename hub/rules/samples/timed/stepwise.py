"""A value as it was at each moment: held(cond, 24h), mean(x, 1h), integral(x, 1h), mkt(t, 30d).

A value holds until the next sample, also at the young end, up to now. So these functions change as time passes, and
`turn` says when they may pass a bound. The last sample before the window stays: it says what held at its beginning.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from math import exp, floor, fsum, inf, log

from hub.errors import EvaluationError, NotYet
from hub.expressions.sampled import HEAT, LEVEL, STATE, methods_missing
from hub.limits import CLOCK_STEP, WINDOW_ENTRIES, WINDOW_GRAINS
from hub.rules.samples.sums import ExactSum
from hub.rules.samples.timed.clock_watch import Watch, after, look_again
from hub.rules.samples.timed.strip import Strip

__all__ = ["Steps", "heat"]

_TIDY = 64
_ZERO = 273.15  # 0 °C in kelvin
_ENERGY = 10_000.0  # ΔH / R in kelvin: 83.144 kJ/mol by 8.3144 J/(mol K), as the USP has it
_COLDEST = -200.0  # °C; of what is colder, the exponential below would be 0
_NEAR = 1e-9


class Steps(Strip):
    """Each value with the time since which it holds.

    `area` is the sum of values times seconds from the first entry to the last; `low` and `high` are bounds of the
    values, `end` is now. `turned`: the last message changed what comes of time. Beyond WINDOW_ENTRIES, entries of the
    same grain become one that holds their mean.
    """

    __slots__ = ("area", "end", "high", "levels", "low", "turned")

    def __init__(self, seconds: float, _functions: Iterable[str] = ()) -> None:
        """Begin empty."""
        self.end = 0.0
        self.turned = False
        super().__init__(seconds)
        self._measure()

    def fit(self, functions: Iterable[str]) -> None:
        """Prepare for these functions: there is nothing to do, all are computed from the same sum."""

    def _columns(self) -> Sequence["array[float]"]:
        return self.times, self.levels

    def _take(self, columns: Sequence["array[float]"], base: int) -> None:
        self.base, self.head = base, 0
        self.times, self.levels = columns

    def _measure(self) -> None:
        self.area = ExactSum()
        levels = self.levels[self.head :]
        self.low, self.high = min(levels, default=inf), max(levels, default=-inf)
        for index in range(self.head, len(self.times) - 1):
            self.area.add(self._piece(index))

    def _piece(self, index: int) -> float:
        return self.levels[index] * (self.times[index + 1] - self.times[index])

    # samples

    def hear(self, at: float, end: float, value: float | None) -> None:
        """Take the sample of the time `at`, if any; the window ends at `end`."""
        self.end = end
        self.turned = False
        if value is not None:
            self._put(at, value)
        if self.times and self.times[self.head] < end - self.seconds:
            self._expire()

    def _put(self, at: float, value: float) -> None:
        times, levels, last = self.times, self.levels, len(self.times) - 1
        if last >= 0:
            if at < times[last]:
                self._insert(at, value)
                return
            level = levels[last]
            self.area.add(level * (at - times[last]))
            self.turned = value != level
        else:
            self.turned = True
        times.append(at)
        levels.append(value)
        if not self.low <= value <= self.high:
            self.low, self.high = min(self.low, value), max(self.high, value)
        if len(times) - self.head > WINDOW_ENTRIES:
            self._fold()

    def _insert(self, at: float, value: float) -> None:
        """Take a late sample: from its time on it holds, until the one that came before it and is newer."""
        self.turned = True
        place = bisect_right(self.times, at, self.head)
        columns = [column[self.head :] for column in self._columns()]
        for column, part in zip(columns, (at, value), strict=True):
            column.insert(place - self.head, part)
        self._renew(columns)

    def _expire(self) -> None:
        times, head, start = self.times, self.head, self.end - self.seconds
        last = len(times) - 1
        while head < last and times[head + 1] <= start:
            self.area.add(-self._piece(head))
            head += 1
        self.head = head
        if head >= _TIDY and 2 * head >= len(times):
            for column in self._columns():
                del column[:head]
            self.base, self.head = self.base + head, 0
            self.low, self.high = min(self.levels), max(self.levels)

    def _fold(self) -> None:
        """Make room: of the entries of each grain make one that holds their mean for as long as they did together."""
        grain, times = self.seconds / WINDOW_GRAINS, self.times
        made: list[tuple[float, float]] = []
        last = len(times) - 1
        for _, group in groupby(range(self.head, last), lambda index: floor(times[index] / grain)):
            indices = list(group)
            first, until = times[indices[0]], times[indices[-1] + 1]
            if until > first:
                made.append((first, fsum(map(self._piece, indices)) / (until - first)))
        made.append((times[last], self.levels[last]))
        self._renew([array("d", column) for column in zip(*made, strict=True)])

    # the clock

    def move(self, now: float, lag: float) -> None:
        """Let the window end now, by a clock that is `lag` seconds ahead of the samples' own."""
        if now - lag > self.end:
            self.hear(now - lag, now - lag, None)

    def set_back(self, at: float) -> None:
        """Follow a clock that was set back: all samples lie in its future, so begin anew."""
        self.end = at
        self._renew([array("d"), array("d")])

    def turn(self, watches: Iterable[Watch], _pace: float = 0.0) -> float:
        """Return when the clock must look next, so that no bound is passed unseen; inf for never."""
        if not self.times:
            return inf
        return min(self._turn(watch) for watch in watches)

    def _turn(self, watch: Watch) -> float:
        bound = watch.bound
        if bound is None:
            return look_again(self.end, self.seconds)
        if watch.function in ("mean", "mkt"):
            return self._turn_of_mean(heat(bound) if watch.function == "mkt" else bound)
        rate, until = self._rate()
        missing = bound - self._total()
        fastest = max(abs(self.low), abs(self.high), self.high - self.low)
        return self._next(missing, after(self.end, rate, _rounded(missing, bound)), fastest, until)

    def _turn_of_mean(self, bound: float | None) -> float:
        if bound is None:
            return inf  # no temperature
        rate, until = self._rate()
        seconds, total = self._length(), self._total()
        missing = bound * seconds - total
        if not self.low <= bound <= self.high:
            return inf  # no mean of these values is there
        if not self._is_full:  # while the window still grows, so does what the mean is taken of
            rate -= bound
        crossing = after(self.end, rate, _rounded(missing, bound * seconds))
        return self._next(missing, crossing, self.high - self.low, until)

    def _next(self, missing: float, crossing: float, fastest: float, until: float) -> float:
        """Return a crossing before the rate changes at `until`; else when at the earliest there could be one."""
        if crossing <= until:
            return crossing
        if until == inf:
            return inf
        earliest = self.end + abs(missing) / fastest if fastest else inf
        return max(until if earliest < inf else inf, earliest, self.end + CLOCK_STEP)

    @property
    def _is_full(self) -> bool:
        return self.times[self.head] <= self.end - self.seconds

    def _rate(self) -> tuple[float, float]:
        """Return how fast the area of the window grows, a second, and until when it does so."""
        head, times, levels = self.head, self.times, self.levels
        if not self._is_full:
            return levels[-1], times[head] + self.seconds
        if head + 1 == len(times):
            return 0.0, inf
        return levels[-1] - levels[head], times[head + 1] + self.seconds

    # functions

    def _length(self) -> float:
        """Return how long the window is, in seconds, as far as anything is known."""
        return min(self.seconds, self.end - self.times[self.head])

    def _total(self) -> float:
        """Return the sum of values times seconds, from the beginning of the window up to now."""
        times, levels, head = self.times, self.levels, self.head
        gone = max(0.0, self.end - self.seconds - times[head])
        return fsum([*self.area.parts, levels[-1] * (self.end - times[-1]), -levels[head] * gone])

    def _need(self) -> None:
        if not self.times:
            raise EvaluationError(NotYet("no sample in the window"))

    def held(self) -> timedelta:
        """How long the condition held."""
        return timedelta(seconds=max(0.0, self._total())) if self.times else timedelta()

    def integral(self) -> float:
        """The sum of the value over time, in its unit times seconds."""
        self._need()
        return self._total()

    def mean(self) -> float:
        """The mean, weighed by time."""
        self._need()
        seconds = self._length()
        return self._total() / seconds if seconds > 0 else self.levels[-1]

    def mkt(self) -> float:
        """The mean kinetic temperature, °C."""
        return _ENERGY / (_ENERGY / _ZERO - log(self.mean())) - _ZERO


if missing := methods_missing(Steps, STATE, LEVEL, HEAT):
    raise NotImplementedError(f"steps have no method for {', '.join(missing)}")


def heat(celsius: float) -> float | None:
    """Return how fast goods age at a temperature, 0 °C being 1; None where it is no temperature that goods have."""
    return exp(_ENERGY * (1 / _ZERO - 1 / (celsius + _ZERO))) if celsius > _COLDEST else None


def _rounded(missing: float, bound: float) -> float:
    """Return what is missing to a bound, 0 where only rounding is."""
    return 0.0 if abs(missing) <= _NEAR * max(1.0, abs(bound)) else missing
