"""What is usual at this hour of the week: baseline(x, 4w), deviation(x, 4w).

Of each hour by the clock on the wall it keeps number, mean and spread of the samples. What is usual is what the same
hour of the weeks before had; the hour that is under way does not count, because it is what is judged.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import groupby
from math import floor, fsum, inf, sqrt
from typing import Any

import orjson

from hub.errors import EvaluationError, NotYet
from hub.expressions.sampled import HOURS, methods_missing
from hub.rules.samples.timed.clock_watch import Watch
from hub.rules.samples.timed.strip import Row

__all__ = ["Hours"]

_HOUR, _DAY, _WEEK = 3600.0, 24, 168  # seconds; hours
_QUARTER = 900.0  # all zones are whole quarters of an hour from UTC


class Hours:
    """The samples of each hour of the last `seconds`, by the hour's number since 1970 in the zone.

    Each is [number, mean, sum of the squared distances to it]. In the store a day is a chunk; `touched` are the days
    that it does not have as they are, `kept` those that it has.
    """

    __slots__ = ("at", "end", "hours", "kept", "known", "seconds", "touched", "turned", "value", "zone")

    def __init__(self, seconds: float, zone: tzinfo = UTC) -> None:
        """Begin empty."""
        self.seconds, self.zone = seconds, zone
        self.at = self.end = self.value = 0.0
        self.known = self.turned = False
        """`turned`: with this message the first hour began, so that the next one must be looked for."""
        self.hours: dict[int, list[float]] = {}
        self.touched: set[int] = set()
        self.kept: set[int] = set()

    def fit(self, functions: Iterable[str]) -> None:
        """Prepare for these functions: there is nothing to do."""

    # samples

    def hear(self, at: float, end: float, value: float | None) -> None:
        """Take the sample of the time `at`, if any; now is `end`."""
        self.end = end
        self.turned = not self.hours
        if value is None or at <= end - self.seconds:
            return
        if not self.known or at >= self.at:
            self.known, self.at, self.value = True, at, value
        hour = _hour(self.zone, floor(at / _QUARTER))
        self.touched.add(hour // _DAY)
        found = self.hours.get(hour)
        if found is None:
            self.hours[hour] = [1.0, value, 0.0]
            self._expire()
            return
        found[0] += 1.0
        away = value - found[1]
        found[1] += away / found[0]
        found[2] += away * (value - found[1])

    def _expire(self) -> None:
        first = self._now() - floor(self.seconds / _HOUR)
        for hour in [each for each in self.hours if each < first]:
            del self.hours[hour]
            self.touched.add(hour // _DAY)

    def _now(self) -> int:
        return _hour(self.zone, floor(self.end / _QUARTER))

    # the clock

    def move(self, now: float, lag: float) -> None:
        """Follow the clock."""
        self.end = max(self.end, now - lag)

    def turn(self, _watches: Iterable[Watch], _pace: float = 0.0) -> float:
        """Return when the next hour begins; inf where nothing is known of any."""
        if not self.hours:
            return inf
        quarter = floor(self.end / _QUARTER) + 1
        while _hour(self.zone, quarter) == self._now():
            quarter += 1
        return quarter * _QUARTER

    def set_back(self, at: float) -> None:
        """Follow a clock that was set back: what is known lies in its future, so begin anew."""
        self.end, self.known = at, False
        self.touched |= {hour // _DAY for hour in self.hours}
        self.hours = {}

    # functions

    def _usual(self) -> tuple[float, float]:
        """Return mean and variance of all samples that this hour of the week had in the weeks before."""
        now, hours = self._now(), self.hours
        first = now - floor(self.seconds / _HOUR)
        past = [hours[hour] for hour in range(now - _WEEK, first - 1, -_WEEK) if hour in hours]
        if not past:
            raise EvaluationError(NotYet("nothing is known yet of this hour in the weeks before"))
        number, near = sum(each[0] for each in past), past[0][1]
        mean = near + fsum(each[0] * (each[1] - near) for each in past) / number
        return mean, fsum(each[2] + each[0] * (each[1] - mean) ** 2 for each in past) / number

    def baseline(self) -> float:
        """The mean of this hour of the week."""
        return self._usual()[0]

    def deviation(self) -> float:
        """How many standard deviations the latest value is from the baseline: below it where negative."""
        mean, variance = self._usual()
        if not self.known:
            raise EvaluationError(NotYet("no value yet"))
        away = self.value - mean
        if variance > 0:
            return away / sqrt(variance)
        return inf if away > 0 else -inf if away else 0.0

    # the store

    def chunks(self) -> Iterable[int]:
        """Return the numbers of its chunks in the store."""
        return self.kept

    def dump(self) -> tuple[list[Any], list[Row]]:
        """Return the youngest day, and the chunks of other days that are new, changed or gone since the last time."""
        by_day = {day: list(hours) for day, hours in groupby(sorted(self.hours), lambda hour: hour // _DAY)}
        youngest = max(by_day, default=None)
        rows: list[Row] = []
        for day in sorted(self.touched - {youngest}):
            if day in by_day:
                rows.append((day, orjson.dumps(self._part(by_day[day])).decode()))
                self.kept.add(day)
            elif day in self.kept:
                rows.append((day, None))
                self.kept.discard(day)
        self.touched &= {youngest} if youngest is not None else set()
        return [self.known, self.value, self.at, self._part(by_day[youngest] if youngest is not None else ())], rows

    def _part(self, hours: Iterable[int]) -> list[list[float]]:
        return [[hour, *self.hours[hour]] for hour in hours]

    def load(self, tail: Sequence[Any], chunks: Mapping[int, str], end: float) -> None:
        """Bring in what `dump` returned."""
        self.known, self.value, self.at, youngest = tail
        self.end, self.kept = end, set(chunks)
        parts = [each for number in sorted(chunks) for each in orjson.loads(chunks[number])] + youngest
        self.hours = {int(hour): found for hour, *found in parts}
        self.touched = {int(each[0]) // _DAY for each in youngest}


if missing := methods_missing(Hours, HOURS):
    raise NotImplementedError(f"hours have no method for {', '.join(missing)}")


@lru_cache(maxsize=4096)
def _hour(zone: tzinfo, quarter: int) -> int:
    """Return the number of the hour, on the clocks of a zone, in which a quarter of an hour since 1970 lies."""
    offset = datetime.fromtimestamp(quarter * _QUARTER, zone).utcoffset() or timedelta()
    return floor((quarter * _QUARTER + offset.total_seconds()) / _HOUR)
