"""Latencies in logarithmic buckets and rates per second: bounded memory whatever the traffic."""

import math

__all__ = ["Histogram", "RatePerSecond"]

_LOWEST = 1e-6  # a microsecond: nothing the hub measures is shorter
_GROWTH = 1.08  # width of a bucket: its geometric middle is at most 4 % from any value in it
_BUCKETS = 360  # up to 1e-6 * 1.08**360 s, about twelve days
_LOG_GROWTH = math.log(_GROWTH)
_SECONDS = 60  # how far back a rate remembers each second
_RING = _SECONDS + 1  # … and the one that is still going on


class Histogram:
    """Counts of latencies in seconds; a quantile is at most 4 % off, `longest` is exact."""

    __slots__ = ("_buckets", "count", "longest", "total")

    def __init__(self) -> None:
        """Begin empty; 360 counters are all it ever takes."""
        self._buckets = [0] * _BUCKETS
        self.count = 0
        self.total = 0.0
        self.longest = 0.0

    def add(self, seconds: float, count: int = 1) -> None:
        """Count `count` latencies of this length; below zero (a clock was set back) counts as zero."""
        seconds = max(seconds, 0.0)
        index = int(math.log(seconds / _LOWEST) / _LOG_GROWTH) if seconds > _LOWEST else 0
        self._buckets[min(index, _BUCKETS - 1)] += count
        self.count += count
        self.total += seconds * count
        self.longest = max(self.longest, seconds)

    def copy(self) -> "Histogram":
        """Return what it counts now."""
        made = Histogram()
        made._buckets = self._buckets.copy()
        made.count, made.total, made.longest = self.count, self.total, self.longest
        return made

    def since(self, before: "Histogram") -> "Histogram":
        """Return what was counted since `before`, an earlier copy; `longest` is that of all."""
        made = self.copy()
        made._buckets = [now - then for now, then in zip(self._buckets, before._buckets, strict=True)]  # noqa: SLF001
        made.count -= before.count
        made.total -= before.total
        return made

    def below(self, seconds: float) -> int:
        """Return how many are at most this long; those that are up to 4 % longer or shorter may be told wrongly."""
        if seconds <= _LOWEST:
            return 0
        return sum(self._buckets[: int(math.log(seconds / _LOWEST) / _LOG_GROWTH + 0.5)])

    def quantile(self, share: float) -> float:
        """Return the latency that this share of all stays below, in seconds; 0 when there are none."""
        rank = share * self.count
        passed = 0
        for index, held in enumerate(self._buckets):
            passed += held
            if held and passed >= rank:
                middle: float = _LOWEST * _GROWTH ** (index + 0.5)
                return min(middle, self.longest)
        return self.longest


class RatePerSecond:
    """Things per second: their total, the mean since the first, the best second, and each of the last 60 seconds."""

    __slots__ = ("_first", "_last", "_ring", "_second", "peak", "total")

    def __init__(self) -> None:
        """Begin at nothing."""
        self.total = 0
        self.peak = 0
        self._ring = [0] * _RING
        self._second = 0
        self._first = self._last = 0.0

    def add(self, count: int, now: float) -> None:
        """Count `count` things that happened at `now`, seconds since 1970."""
        if int(now) != self._second:
            self._roll(int(now))
        self._ring[self._second % _RING] += count
        if not self.total:
            self._first = now
        self._last = now
        self.total += count

    def mean(self) -> float:
        """Return things per second between the first and the last of them (of at least one second)."""
        return self.total / max(self._last - self._first, 1.0)

    def best(self) -> int:
        """Return the most in one second of the clock."""
        return max(self.peak, self._ring[self._second % _RING])

    def series(self, now: float) -> list[int]:
        """Return the count of each of the last 60 whole seconds before `now`, oldest first."""
        if int(now) != self._second:
            self._roll(int(now))
        return [self._ring[(self._second + 1 + at) % _RING] for at in range(_SECONDS)]

    def _roll(self, second: int) -> None:
        """Begin another second; those in between had nothing. A clock set back goes on in the second it was in."""
        if second < self._second:
            if self._second - second < _SECONDS:
                return
            self._ring = [0] * _RING
        else:
            self.peak = max(self.peak, self._ring[self._second % _RING])
            for past in range(self._second + 1, min(second, self._second + _RING) + 1):
                self._ring[past % _RING] = 0
        self._second = second
