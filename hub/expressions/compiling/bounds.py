"""Which bounds an expression compares functions over time with: `held(t > 8, 24h) > 30m` passes its bound by the clock.

The rules compute from it when that will be, so that nobody has to look all the time.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from hub.expressions.compiling.history_calls import Reading, node_key
from hub.expressions.sampled import TIMED
from hub.expressions.syntax.ast import Call, Operation, SyntaxNode

__all__ = ["TimeBound", "bounds"]

_COMPARISONS = frozenset(("<", "<=", ">", ">=", "==", "!="))

TimedCalls = Mapping[str, Reading]
ConstantOf = Callable[[SyntaxNode], Any]


class TimeBound(NamedTuple):
    """A reading and what it is compared with: a number, or a duration in seconds; None where that is not known."""

    reading: Reading
    value: float | None


def bounds(root: SyntaxNode, asked: TimedCalls, constant: ConstantOf) -> tuple[TimeBound, ...]:
    """Return all bounds; `asked` are the readings by their calls, `constant` tells what a node is, if that is known."""
    timed = {key: reading for key, reading in asked.items() if reading.function in TIMED}
    return tuple(dict.fromkeys(_below(root, timed, constant))) if timed else ()


def _below(node: SyntaxNode, timed: TimedCalls, constant: ConstantOf) -> Iterable[TimeBound]:
    if isinstance(node, Operation) and node.operator in _COMPARISONS:
        left, right = node.operands
        for side, other in ((left, right), (right, left)):
            value = _seconds(constant(other))
            found = None if value is None else _solved(side, value, timed, constant)
            if found is not None:
                yield found
                return
    reading = _reading(node, timed)
    if reading is not None:
        yield TimeBound(reading, None)
    for each in node.below():
        yield from _below(each, timed, constant)


def _solved(node: SyntaxNode, value: float, timed: TimedCalls, constant: ConstantOf) -> TimeBound | None:
    """Return the bound of a reading where a node that is computed of it by constants alone has this value."""
    reading = _reading(node, timed)
    if reading is not None:
        return TimeBound(reading, value)
    if not isinstance(node, Operation) or len(node.operands) != 2:
        return None
    left, right = node.operands
    known = _seconds(constant(right))
    inside, inverse = (left, _OF_LEFT) if known is not None else (right, _OF_RIGHT)
    if known is None:
        known = _seconds(constant(left))
    if known is None or node.operator not in inverse:
        return None
    try:
        return _solved(inside, inverse[node.operator](value, known), timed, constant)
    except ZeroDivisionError:
        return None


_OF_LEFT: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda value, known: value - known,
    "-": lambda value, known: value + known,
    "*": lambda value, known: value / known,
    "/": lambda value, known: value * known,
}
_OF_RIGHT: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda value, known: value - known,
    "-": lambda value, known: known - value,
    "*": lambda value, known: value / known,
    "/": lambda value, known: known / value,
}
"""What x is where x + known, or known + x, is a value, and so on."""


def _reading(node: SyntaxNode, timed: Mapping[str, Reading]) -> Reading | None:
    return timed.get(node_key(node)) if isinstance(node, Call) else None


def _seconds(value: Any) -> float | None:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value) if value.__class__ in (int, float) else None
