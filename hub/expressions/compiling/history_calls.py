"""Compiles functions over the samples of an instance, such as `avg(x, 10m)`: which values to keep, how to read them.

The compiler writes `S[key].avg()`; the rules keep, under that key, the value of the slot's expression for each event.
That expression is compiled separately: it is evaluated once for each event, even where `&&` skips the call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from typing import Any, NamedTuple, NoReturn, Protocol

from hub.expressions.compiling.emitter import UNKNOWN, Emitter, GeneratedCode
from hub.expressions.compiling.resolver import Resolver
from hub.expressions.names import HISTORY
from hub.expressions.runtime.functions import NUMBERS
from hub.expressions.sampled import NUMBER, SAMPLED, TRAIL, HistoryFunction
from hub.expressions.syntax.ast import Bind, Call, Comprehension, Name, SyntaxNode
from hub.expressions.values import an
from hub.limits import WINDOW_SECONDS

__all__ = ["Reading", "Slot", "history"]

Run = Callable[[Mapping[str, Any], tuple[str, ...], Any], Any]


@dataclass(frozen=True, slots=True)
class Slot:
    """An expression whose values are kept for each instance: those of the last `seconds`, or (0) the last two.

    `key` is the same for the same expression, window and mode, in every version of a rule. `mode` says what of a value
    is kept. `field` is the name of a payload's field, where the expression is only that.
    """

    key: str
    mode: str
    seconds: float
    run: Run = field(compare=False)
    needs_context: bool = field(compare=False)
    field: str | None = field(compare=False)


class Reading(NamedTuple):
    """A call of a history function: the slot it reads, and how."""

    slot: Slot
    function: str
    arguments: tuple[float, ...] = ()


class SlotCompiler(Protocol):
    """What this module asks of the Compiler in which a call stands."""

    names: Resolver
    emit: Emitter

    def code(self, node: SyntaxNode) -> GeneratedCode:
        """Write a node."""
        ...

    def alone(self, node: SyntaxNode) -> tuple[Run, str, Resolver]:
        """Compile a node as an expression of its own: the function, the kind of its value, its names."""
        ...

    def fail(self, message: str, node: SyntaxNode, hint: str = "") -> NoReturn:
        """Refuse the expression at a node."""
        ...


def history(compiler: SlotCompiler, node: Call) -> GeneratedCode:
    """Write a call of a history function."""
    name = node.function
    sampled, arguments = SAMPLED[name], node.arguments
    if len(arguments) != sampled.arguments:
        count = f"{len(arguments)} argument{'' if len(arguments) == 1 else 's'}"
        compiler.fail(f"{name}() does not take {count}", node, f"it is {sampled.form}")
    seconds = 0.0 if sampled.mode == TRAIL else _window(compiler, arguments[-1], sampled.form)
    extra = (_percent(compiler, arguments[1]),) if len(arguments) == 3 else ()
    slot = _slot(compiler, node, sampled, seconds)
    compiler.names.readings[Reading(slot, name, extra)] = None
    key = compiler.emit.constant(slot.key, "string").text
    more = ", ".join(compiler.emit.constant(each, "double").text for each in extra)
    return GeneratedCode(f"S[{key}].{name}({more})", sampled.kind)


def _window(compiler: SlotCompiler, node: SyntaxNode, form: str) -> float:
    span = compiler.code(node).constant
    if span is UNKNOWN or not isinstance(span, timedelta):
        compiler.fail("the window is a duration that is written out", node, f"it is {form}")
    seconds = span.total_seconds()
    if not 0 < seconds <= WINDOW_SECONDS:
        compiler.fail(f"a window is longer than 0 and at most {WINDOW_SECONDS / 86400:.0f}d", node)
    return seconds


def _percent(compiler: SlotCompiler, node: SyntaxNode) -> float:
    percent = compiler.code(node).constant
    if percent.__class__ not in (int, float) or not 0 <= percent <= 100:
        compiler.fail("the percentage is a number from 0 to 100 that is written out", node, "percentile(x, 95, 10m)")
    return float(percent)


def _slot(compiler: SlotCompiler, node: Call, sampled: HistoryFunction, seconds: float) -> Slot:
    argument = node.arguments[0]
    for inner in _all(argument):
        if isinstance(inner, Call) and inner.target is None and inner.function in HISTORY:
            compiler.fail("a history function cannot stand in another one", inner)
        if isinstance(inner, Name) and inner.name in compiler.names.variables and not inner.rooted:
            message = f"{node.function}() cannot look at {inner.name!r}, which is a name of the macro around it"
            compiler.fail(message, inner, "samples are taken once per event")
    run, kind, names = compiler.alone(argument)
    if sampled.mode == NUMBER and kind not in (*NUMBERS, "dyn"):
        compiler.fail(
            f"{node.function}() is about numbers, not {an(kind)}",
            argument,
            "count, changes and distinct take any value",
        )
    compiler.names.fields |= names.fields
    compiler.names.captures |= names.captures
    compiler.names.schedules |= names.schedules
    text = f"{sampled.mode} {seconds!r} {_spelled(argument)}"
    field = names.plain_field(argument)
    return Slot(
        blake2b(text.encode(), digest_size=9).hexdigest(), sampled.mode, seconds, run, names.needs_context, field
    )


def _all(node: SyntaxNode) -> list[SyntaxNode]:
    found = [node]
    for each in found:
        found += each.below()
    return found


def _spelled(node: SyntaxNode) -> str:
    """Write a tree as a text that is the same for the same expression, also after a restart: it keys stored samples."""
    own = node.own()
    if isinstance(node, Comprehension):
        own = [node.macro, *node.variables]
    elif isinstance(node, Bind):
        own = [node.variable]
    return f"{node.__class__.__name__}{own}({', '.join(map(_spelled, node.below()))})"
