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


class TimeBound(NamedTuple):
    """A reading and what it is compared with: a number, or a duration in seconds; None where that is not known."""

    reading: Reading
    value: float | None


def bounds(
    root: SyntaxNode, asked: Mapping[str, Reading], constant: Callable[[SyntaxNode], Any]
) -> tuple[TimeBound, ...]:
    """Return all bounds; `asked` are the readings by their calls, `constant` tells what a node is, if that is known."""
    timed = {key: reading for key, reading in asked.items() if reading.function in TIMED}
    return tuple(dict.fromkeys(_below(root, timed, constant))) if timed else ()


def _below(
    node: SyntaxNode, timed: Mapping[str, Reading], constant: Callable[[SyntaxNode], Any]
) -> Iterable[TimeBound]:
    if isinstance(node, Operation) and node.operator in _COMPARISONS:
        left, right = (_reading(each, timed) for each in node.operands)
        if (left is None) is not (right is None):
            reading, other = (left, node.operands[1]) if left is not None else (right, node.operands[0])
            value = _seconds(constant(other))
            if reading is not None and value is not None:
                yield TimeBound(reading, value)
                return
    reading = _reading(node, timed)
    if reading is not None:
        yield TimeBound(reading, None)
    for each in node.below():
        yield from _below(each, timed, constant)


def _reading(node: SyntaxNode, timed: Mapping[str, Reading]) -> Reading | None:
    return timed.get(node_key(node)) if isinstance(node, Call) else None


def _seconds(value: Any) -> float | None:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value) if value.__class__ in (int, float) else None
