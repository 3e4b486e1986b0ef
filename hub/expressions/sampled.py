"""The functions over the samples of an instance, `avg(x, 10m)` and its like, each declared once. A leaf.

The compiler learns here how a function is called and what is kept for it. The rules' windows and trails, which have a
method of each function's name, learn what they must keep up to date; their import fails where a method is missing.

To add a function: declare it here, write the method of its name (rules/samples/windows.py, or rules/samples/trail.py
for one without a window), and a measure if it needs a new one (rules/samples/measures.py).
"""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["DISTINCT", "HELD", "NUMBER", "SAMPLED", "TRAIL", "VALUE", "HistoryFunction", "methods_missing"]

NUMBER, HELD, VALUE, DISTINCT, TRAIL = "number", "held", "value", "distinct", "trail"
"""What is kept of a value: the number, that there was one, what tells it from others (twice: how it is counted
differs), and the last values themselves, without a window."""


class HistoryFunction(NamedTuple):
    """A history function: what is kept of a value for it, its result's kind, how it is written, what it needs.

    `form` is an example; it has as many arguments as the function, the last of which is the window, where it has one.
    `measures` are what a window keeps up to date for it (rules/samples/measures.py); none: the samples alone do.
    """

    name: str
    mode: str
    kind: str
    form: str
    measures: tuple[str, ...] = ()

    @property
    def arguments(self) -> int:
        """How many it takes."""
        return self.form.count(",") + 1


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
        HistoryFunction("percentile", NUMBER, "double", "percentile(x, 95, 10m)"),
        HistoryFunction("count", HELD, "int", "count(x, 10m)"),
        HistoryFunction("distinct", DISTINCT, "int", "distinct(x, 10m)", ("kinds",)),
        HistoryFunction("changes", VALUE, "int", "changes(x, 10m)", ("turns",)),
        HistoryFunction("previous", TRAIL, "dyn", "previous(x)"),
        HistoryFunction("last", TRAIL, "dyn", "last(x)"),
        HistoryFunction("changed", TRAIL, "bool", "changed(x)"),
        HistoryFunction("unchanged", TRAIL, "duration", "unchanged(x)"),
    )
}
"""All of them, by name."""


def methods_missing(owner: type, *, windowed: bool) -> list[str]:
    """Return the functions, with a window or without, for which a class has no method."""
    names = [each.name for each in SAMPLED.values() if (each.mode != TRAIL) is windowed]
    return [name for name in names if not callable(getattr(owner, name, None))]
