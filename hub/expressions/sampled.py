"""The functions over the samples of an instance, `avg(x, 10m)` and its like, each declared once. A leaf.

The compiler learns here how a function is called and what is kept for it. The rules' windows and trails, which have a
method of each function's name, learn what they must keep up to date; their import fails where a method is missing.

To add a function: declare it here, write the method of its name (rules/samples/windows.py, or rules/samples/trail.py
for one without a window), and a measure if it needs a new one (rules/samples/measures.py).
"""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = [
    "DISTINCT", "HEAT", "HELD", "HOURS", "LEVEL", "LINE", "NUMBER", "SAMPLED", "SMOOTH", "STATE", "TIMED", "TRAIL",
    "VALUE", "HistoryFunction", "methods_missing",
]  # fmt: skip

NUMBER, HELD, VALUE, DISTINCT, TRAIL = "number", "held", "value", "distinct", "trail"
"""What is kept of a value: the number, that there was one, what tells it from others (twice: how it is counted
differs), and the last values themselves, without a window."""
STATE, LEVEL, HEAT, LINE, SMOOTH, HOURS = "state", "level", "heat", "line", "smooth", "hours"
"""What is kept beside the samples of a window: steps in time of true and false, of numbers, and of what a temperature
does to goods; sums for a line; a smoothed value; sums of each hour."""


class HistoryFunction(NamedTuple):
    """A history function: what is kept of a value for it, its result's kind, how it is written, what it needs.

    `form` is an example; it has as many arguments as the function. `measures` are what a window keeps up to date for it
    (rules/samples/measures.py); none: the samples alone do. `more` are the arguments behind the first: the window,
    a percentage, a time ahead, a number, or any value `otherwise`, which may be left out.
    """

    name: str
    mode: str
    kind: str
    form: str
    measures: tuple[str, ...] = ()
    more: tuple[str, ...] = ("window",)

    def takes(self, arguments: int) -> bool:
        """Tell whether it takes so many arguments."""
        return arguments in (len(self.more) + 1, len(self.more) + 1 - self.more.count("otherwise"))


SAMPLED: Mapping[str, HistoryFunction] = {
    each.name: each
    for each in (
        HistoryFunction("avg", NUMBER, "double", "avg(x, 10m)", ("total",)),
        HistoryFunction("min", NUMBER, "double", "min(x, 10m)", ("lowest",)),
        HistoryFunction("max", NUMBER, "double", "max(x, 10m)", ("highest",)),
        HistoryFunction("sum", NUMBER, "double", "sum(x, 10m)", ("total",)),
        HistoryFunction("stddev", NUMBER, "double", "stddev(x, 10m)", ("total",)),
        HistoryFunction("rate", NUMBER, "double", "rate(x, 10m)", ("resets",)),
        HistoryFunction("delta", NUMBER, "double", "delta(x, 10m)"),
        HistoryFunction("percentile", NUMBER, "double", "percentile(x, 95, 10m)", (), ("percent", "window")),
        HistoryFunction("zscore", NUMBER, "double", "zscore(x, 1d)", ("total",)),
        HistoryFunction("cusum", NUMBER, "double", "cusum(x, 10m)", ("total",)),
        HistoryFunction("count", HELD, "int", "count(x, 10m)"),
        HistoryFunction("distinct", DISTINCT, "int", "distinct(x, 10m)", ("kinds",)),
        HistoryFunction("changes", VALUE, "int", "changes(x, 10m)", ("turns",)),
        HistoryFunction("held", STATE, "duration", "held(x > 8, 24h)"),
        HistoryFunction("mean", LEVEL, "double", "mean(x, 1h)"),
        HistoryFunction("integral", LEVEL, "double", "integral(x, 1h)"),
        HistoryFunction("mkt", HEAT, "double", "mkt(x, 30d)"),
        HistoryFunction("slope", LINE, "double", "slope(x, 1h)"),
        HistoryFunction("predict", LINE, "double", "predict(x, 1h, 6h)", (), ("window", "ahead")),
        HistoryFunction("reaches", LINE, "duration", "reaches(x, 0, 6h)", (), ("number", "window")),
        HistoryFunction("ewma", SMOOTH, "double", "ewma(x, 10m)"),
        HistoryFunction("baseline", HOURS, "double", "baseline(x, 4w)"),
        HistoryFunction("deviation", HOURS, "double", "deviation(x, 4w)"),
        HistoryFunction("previous", TRAIL, "dyn", "previous(x)", (), ()),
        HistoryFunction("last", TRAIL, "dyn", "last(x)", (), ("otherwise",)),
        HistoryFunction("changed", TRAIL, "bool", "changed(x)", (), ()),
        HistoryFunction("unchanged", TRAIL, "duration", "unchanged(x)", (), ()),
    )
}
"""All of them, by name."""
TIMED = frozenset(("held", "mean", "integral", "mkt", "predict", "reaches", "baseline", "deviation"))
"""Those that have another value as time passes, also where no sample leaves a window."""


def methods_missing(owner: type, *modes: str) -> list[str]:
    """Return the functions of these modes for which a class has no method."""
    names = [each.name for each in SAMPLED.values() if each.mode in modes]
    return [name for name in names if not callable(getattr(owner, name, None))]
