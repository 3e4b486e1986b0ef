"""Latencies in logarithmic buckets, and rates per second. Their memory is bounded whatever the traffic.

Figures holds them; the summary, /metrics and the feed's ticker read them.
"""

import math

__all__ = ["Histogram", "RatePerSecond"]

_LOWEST = 1e-6  # a microsecond: nothing the hub measures is shorter
_GROWTH = 1.08  # width of a bucket: its geometric middle is at most 4 % from any value in it
_BUCKETS = 360  # up to 1e-6 * 1.08**360 s, about twelve days
_LOG_GROWTH = math.log(_GROWTH)
_SECONDS = 60  # how far back a rate remembers each second
_RING = _SECONDS + 1  # those, and the second that is still going on


class Histogram:
    """Counts of latencies in seconds. A quantile is at most 4 % off; `longest` is exact."""

    __slots__ = ("_buckets", "count", "longest", "total")

    def __init__(self) -> None:
        """Begin empty, with the 360 counters that are all it ever needs."""
        self._buckets = [0] * _BUCKETS
        self.count = 0
        self.total = 0.0
        self.longest = 0.0

    def add(self, seconds: float, count: int = 1) -> None:
        """Count `count` latencies of this length. One below zero counts as zero: a clock was set back."""
        seconds = max(seconds, 0.0)
        index = int(math.log(seconds / _LOWEST) / _LOG_GROWTH) if seconds > _LOWEST else 0
        self._buckets[min(index, _BUCKETS - 1)] += count
        self.count += count
        self.total += seconds * count
        self.longest = max(self.longest, seconds)

    def copy(self) -> "Histogram":
        """Return a copy, for a later `since`."""
        made = Histogram()
        made._buckets = self._buckets.copy()
        made.count, made.total, made.longest = self.count, self.total, self.longest
        return made

    def since(self, before: "Histogram") -> "Histogram":
        """Return what was counted since `before`, an earlier copy. `longest` is of all: buckets do not know it."""
        made = self.copy()
        made._buckets = [now - then for now, then in zip(self._buckets, before._buckets, strict=True)]  # noqa: SLF001
        made.count -= before.count
        made.total -= before.total
        return made

    def below(self, seconds: float) -> int:
        """Return how many are at most this long. Latencies within 4 % of `seconds` may be on the wrong side."""
        if seconds <= _LOWEST:
            return 0
        return sum(self._buckets[: int(math.log(seconds / _LOWEST) / _LOG_GROWTH + 0.5)])

    def quantile(self, share: float) -> float:
        """Return the latency, in seconds, that `share` (0 to 1) of all are below; 0 where none was counted."""
        rank = share * self.count
        passed = 0
        for index, count in enumerate(self._buckets):
            passed += count
            if count and passed >= rank:
                middle: float = _LOWEST * _GROWTH ** (index + 0.5)
                return min(middle, self.longest)
        return self.longest


class RatePerSecond:
    """A count per second: the total, the mean since the first, the best second, and each of the last 60 seconds."""

    __slots__ = ("_first", "_last", "_ring", "_second", "peak", "total")

    def __init__(self) -> None:
        """Begin at zero."""
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
        """Return the mean per second between the first and the last of them, a time of one second at least."""
        return self.total / max(self._last - self._first, 1.0)

    def best(self) -> int:
        """Return the largest count within one second of the clock."""
        return max(self.peak, self._ring[self._second % _RING])

    def series(self, now: float) -> list[int]:
        """Return the count of each of the last 60 whole seconds before `now`, oldest first."""
        if int(now) != self._second:
            self._roll(int(now))
        return [self._ring[(self._second + 1 + at) % _RING] for at in range(_SECONDS)]

    def _roll(self, second: int) -> None:
        """Begin another second; those between the last one and this had nothing."""
        if second < self._second:  # the clock was set back
            if self._second - second < _SECONDS:  # a little: what comes counts in the second that it had reached
                return
            self._ring = [0] * _RING  # far: the seconds that are kept would lie in the future
        else:
            self.peak = max(self.peak, self._ring[self._second % _RING])
            for past in range(self._second + 1, min(second, self._second + _RING) + 1):
                self._ring[past % _RING] = 0
        self._second = second
