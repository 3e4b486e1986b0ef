"""What is known of all members together for one expression: a column of values, and what is kept up to date of them.

A member's old value is taken out and its new one put in, so a message costs the same however many members there are.
"""

from array import array
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import islice
from math import ceil, isnan, nan, sqrt

from hub.errors import EvaluationError
from hub.limits import MEMBER_NAMES
from hub.rules.members.ranking import Ranking
from hub.rules.samples.sums import ExactSum

__all__ = ["HeldTally", "NumberTally", "Tally"]


class Tally:
    """The values of one expression; nan stands for none. `values` are those that count now, at the members' rows.

    `spare` is what counts instead when the member goes stale, or comes back; None where the expression does not ask
    `absent`: then a stale member does not count.
    """

    __slots__ = ("spare", "values")

    def __init__(self, *, asks_absent: bool) -> None:
        """Begin with nothing."""
        self.values = array("d")
        self.spare: array[float] | None = array("d") if asks_absent else None

    def grow(self) -> None:
        """Make room for one member more."""
        self.values.append(nan)
        if self.spare is not None:
            self.spare.append(nan)

    def put(self, row: int, fresh: float, gone: float, *, stale: bool) -> None:
        """Take the values of a message: `fresh` while the member is heard, `gone` when it is stale; nan: no news."""
        if self.spare is None:
            if fresh == fresh:  # noqa: PLR0124 - not nan, and no call
                self._set(row, fresh, counts=not stale)
            return
        here, there = (gone, fresh) if stale else (fresh, gone)
        if not isnan(there):
            self.spare[row] = there
        if not isnan(here):
            self._set(row, here, counts=True)

    def _set(self, row: int, value: float, *, counts: bool) -> None:
        before = self.values[row]
        if before != value:
            self.values[row] = value
            if counts:
                self.replace(before, value, row)

    def turn(self, row: int, *, stale: bool) -> None:
        """Follow a member that is stale from now on, or is heard again."""
        value = self.values[row]
        if self.spare is not None:
            self.values[row], self.spare[row] = self.spare[row], value
            self.replace(value, self.values[row], row)
        else:
            self.replace(value if stale else nan, nan if stale else value, row)

    def drop(self, row: int, *, stale: bool) -> None:
        """Forget a member."""
        if not stale or self.spare is not None:
            self.replace(self.values[row], nan, row)
        self.values[row] = nan
        if self.spare is not None:
            self.spare[row] = nan

    def stored(self, row: int, *, stale: bool) -> list[float | None]:
        """Return the values of a member for the store: while it is heard, then when it is stale; None for none."""
        kept = [self.values[row]] if self.spare is None else [self.values[row], self.spare[row]]
        return [None if isnan(value) else value for value in (kept[::-1] if stale else kept)]

    def load(self, row: int, kept: Sequence[float | None], *, stale: bool) -> None:
        """Take what `stored` returned."""
        fresh, gone = [nan if value is None else value for value in (*kept, None)[:2]]
        self.put(row, fresh, gone, stale=stale)

    def replace(self, before: float, after: float, row: int) -> None:
        """Take out a value of a member and put in another; nan is none."""
        raise NotImplementedError


class NumberTally(Tally):
    """Numbers: `avg`, `sum`, `min`, `max`, `stddev` and `percentile` of those members that count."""

    __slots__ = ("_ranking", "_squares", "_total", "size")

    def __init__(self, functions: Iterable[str], *, asks_absent: bool) -> None:
        """Keep what these functions need."""
        super().__init__(asks_absent=asks_absent)
        asked = set(functions)
        self.size = 0
        self._total = ExactSum() if asked & {"avg", "sum", "stddev"} else None
        self._squares = ExactSum() if "stddev" in asked else None
        self._ranking = Ranking() if asked & {"min", "max", "percentile"} else None

    def replace(self, before: float, after: float, row: int) -> None:  # noqa: ARG002 - a name needs the row
        """Take a value out of the sums and the ranking, and put another in."""
        if not isnan(before):
            self.size -= 1
            if self._ranking is not None:
                self._ranking.take(before)
            self._sum(before, -1.0)
        if not isnan(after):
            self.size += 1
            if self._ranking is not None:
                self._ranking.add(after)
            self._sum(after, 1.0)

    def _sum(self, value: float, sign: float) -> None:
        if self._total is not None:
            self._total.add(sign * value)
        if self._squares is not None:
            high, low = _square(value)
            self._squares.add(sign * high)
            self._squares.add(sign * low)

    def _need(self) -> None:
        if not self.size:
            raise EvaluationError("no member has a number")

    def sum(self) -> float:
        """Add them up; of none it is 0."""
        return 0.0 if self._total is None else self._total.value()

    def avg(self) -> float:
        """Return the mean."""
        self._need()
        return self.sum() / self.size

    def stddev(self) -> float:
        """Return the standard deviation (of the population)."""
        self._need()
        squares = _exact(self._squares)
        variance = (self.size * squares - _exact(self._total) ** 2) / self.size**2  # as fractions: nothing cancels out
        return sqrt(variance)

    def min(self) -> float:
        """Return the lowest."""
        self._need()
        return self._ranking.lowest()  # type: ignore[union-attr, no-any-return]

    def max(self) -> float:
        """Return the highest."""
        self._need()
        return self._ranking.highest()  # type: ignore[union-attr, no-any-return]

    def percentile(self, percent: float) -> float:
        """Return the value below which `percent` % of them are, between the two nearest in proportion."""
        self._need()
        place = (self.size - 1) * percent / 100
        low: float = self._ranking.at(int(place))  # type: ignore[union-attr]
        high: float = self._ranking.at(ceil(place))  # type: ignore[union-attr]
        return low + (high - low) * (place - int(place))


def _exact(total: ExactSum | None) -> Fraction:
    return sum(map(Fraction, () if total is None else total.parts), Fraction())


def _square(value: float) -> tuple[float, float]:
    """Return a square as two doubles whose sum is exact, as far as doubles reach (Dekker's product)."""
    high = value * value
    if not 1e-140 < abs(value) < 1e140:
        return high, 0.0
    split = value * 134217729.0
    big = split - (split - value)
    small = value - big
    return high, ((big * big - high) + 2.0 * big * small) + small * small


class HeldTally(Tally):
    """Conditions: how many members there are for which one holds, and their names."""

    __slots__ = ("_crowd", "_names", "held")

    def __init__(self, functions: Iterable[str], crowd: "Named", *, asks_absent: bool) -> None:
        """Keep the names where they are asked; `crowd` knows how many members there are."""
        super().__init__(asks_absent=asks_absent)
        self._crowd, self.held = crowd, 0
        self._names = Ranking(texts=True) if "names" in functions else None

    def replace(self, before: float, after: float, row: int) -> None:
        """Count anew what holds."""
        change = (after == 1.0) - (before == 1.0)
        self.held += change
        if self._names is not None and change > 0:
            self._names.add(self._crowd.name(row))
        elif self._names is not None and change < 0:
            self._names.take(self._crowd.name(row))

    def holds(self, row: int, *, counts: bool) -> bool:
        """Tell whether it holds for a member; `counts`: the member is not stale."""
        return self.values[row] == 1.0 and (counts or self.spare is not None)

    def count(self) -> int:
        """For how many members it holds."""
        return self.held

    def any(self) -> bool:
        """Whether it holds for one."""
        return self.held > 0

    def every(self) -> bool:
        """Whether it holds for each, and there is one."""
        return 0 < self.held == (self._crowd.fresh if self.spare is None else self._crowd.size)

    def names(self) -> str:
        """Name the members for which it holds, in the order of their names: `a, b, c and 7 more`."""
        shown = [] if self._names is None else list(islice(self._names, MEMBER_NAMES))
        more = self.held - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")


class Named:
    """What a tally of conditions asks of the members: how many there are, how many count, what one is called."""

    __slots__ = ("fresh", "size")

    size: int
    fresh: int

    def name(self, row: int) -> str:
        """Return the name of a member."""
        raise NotImplementedError
