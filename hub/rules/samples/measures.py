"""What is kept up to date beside a window's entries, so that a function of them costs the same however many there are.

A measure hears of each entry that enters at the window's young end and of each that leaves at its old end.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Protocol

from hub.expressions.sampled import SAMPLED
from hub.rules.samples.sums import PARTS, ExactSum

__all__ = ["MEASURES", "Columns", "Measure"]


class Columns(Protocol):
    """The window that a measure stands beside: entries `head` … of these columns."""

    head: int
    base: int
    values: "Series"
    firsts: "Series"
    sums: "Series"
    lows: "Series"
    highs: "Series"
    drops: "Series | None"
    turns: "Series | None"


class Series(Protocol):
    """An array of doubles."""

    def __getitem__(self, index: int, /) -> float:
        """Return one of them."""
        ...

    def __len__(self) -> int: ...


class Measure(Protocol):
    """What hears of every entry; `index` is its place in the columns."""

    def enter(self, window: Columns, index: int) -> None:
        """Take in the entry at the end of the columns."""
        ...

    def leave(self, window: Columns, index: int) -> None:
        """Let go of the oldest entry, which is still there."""
        ...


class Total(ExactSum):
    """The sum of all samples: avg, sum, stddev."""

    __slots__ = ()

    def enter(self, window: Columns, index: int) -> None:
        """Add an entry."""
        self.parts.append(window.sums[index])
        if len(self.parts) > PARTS:
            self.compress()

    def leave(self, window: Columns, index: int) -> None:
        """Subtract the entry."""
        self.parts.append(-window.sums[index])  # `enter` sees that they stay few


class Lowest:
    """Numbers of entries that can still become the lowest: each is lower than all before it, which come earlier."""

    __slots__ = ("line",)

    def __init__(self) -> None:
        """Begin with none."""
        self.line: deque[int] = deque()

    def enter(self, window: Columns, index: int) -> None:
        """Put the new entry in line; entries that are not lower can never become the lowest and leave."""
        line, lows, base = self.line, window.lows, window.base
        low = lows[index]
        while line and lows[line[-1] - base] >= low:
            line.pop()
        line.append(base + index)

    def leave(self, window: Columns, index: int) -> None:
        """Take the oldest entry out of the line, if it is still there."""
        if self.line[0] == window.base + index:
            self.line.popleft()


class Highest(Lowest):
    """The same for the highest."""

    __slots__ = ()

    def enter(self, window: Columns, index: int) -> None:
        """Put the new entry in line; entries that are not higher leave."""
        line, highs, base = self.line, window.highs, window.base
        high = highs[index]
        while line and highs[line[-1] - base] <= high:
            line.pop()
        line.append(base + index)


class Resets(ExactSum):
    """What a counter had reached each time it began anew: the sum of all values that a lower one follows."""

    __slots__ = ()

    def enter(self, window: Columns, index: int) -> None:
        """Look at the new entry and the one before it."""
        if window.drops is not None:
            self.add(window.drops[index])
        if index > window.head and window.firsts[index] < window.values[index - 1]:
            self.add(window.values[index - 1])

    def leave(self, window: Columns, index: int) -> None:
        """Look at the oldest entry and the one behind it."""
        if window.drops is not None:
            self.add(-window.drops[index])
        if index + 1 < len(window.values) and window.firsts[index + 1] < window.values[index]:
            self.add(-window.values[index])


class ChangeCount:
    """How often a sample differs from the one before it."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        """Begin with none."""
        self.count = 0

    def enter(self, window: Columns, index: int) -> None:
        """Look at the new entry and the one before it."""
        if window.turns is not None:
            self.count += int(window.turns[index])
        if index > window.head and window.firsts[index] != window.values[index - 1]:
            self.count += 1

    def leave(self, window: Columns, index: int) -> None:
        """Look at the oldest entry and the one behind it."""
        if window.turns is not None:
            self.count -= int(window.turns[index])
        if index + 1 < len(window.values) and window.firsts[index + 1] != window.values[index]:
            self.count -= 1


class Kinds:
    """How many samples there are of each value."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        """Begin with none."""
        self.counts: Counter[float] = Counter()

    def enter(self, window: Columns, index: int) -> None:
        """Count it."""
        self.counts[window.values[index]] += 1

    def leave(self, window: Columns, index: int) -> None:
        """Count it no longer."""
        value = window.values[index]
        self.counts[value] -= 1
        if not self.counts[value]:
            del self.counts[value]


MEASURES: dict[str, Callable[[], Measure]] = {
    "total": Total,
    "lowest": Lowest,
    "highest": Highest,
    "resets": Resets,
    "turns": ChangeCount,
    "kinds": Kinds,
}
"""By the names by which the functions of expressions/sampled.py ask for them."""
if unknown := {name for each in SAMPLED.values() for name in each.measures} - MEASURES.keys():
    raise NotImplementedError(f"no measure is called {', '.join(sorted(unknown))}")


def measures_for(functions: Iterable[str]) -> dict[str, Measure]:
    """Return what these functions ask, each measure once."""
    wanted = dict.fromkeys(name for function in functions for name in SAMPLED[function].measures)
    return {name: MEASURES[name]() for name in wanted}
