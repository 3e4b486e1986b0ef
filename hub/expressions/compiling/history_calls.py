"""Compiles functions over the samples of an instance, such as `avg(x, 10m)`: which values to keep, how to read them.

The compiler writes `S[key].avg()`; the rules keep, under that key, the value of the slot's expression for each event.
That expression is compiled separately: it is evaluated once for each event, even where `&&` skips the call.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from typing import Any, NamedTuple, NoReturn, Protocol

from hub.expressions.across import ACROSS
from hub.expressions.compiling.emitter import UNKNOWN, Emitter, GeneratedCode
from hub.expressions.compiling.resolver import Resolver
from hub.expressions.names import HISTORY
from hub.expressions.runtime.functions import NUMBERS
from hub.expressions.sampled import HEAT, HOURS, LEVEL, LINE, NUMBER, SAMPLED, SMOOTH, STATE, TRAIL, HistoryFunction
from hub.expressions.syntax.ast import Bind, Call, Comprehension, Name, SyntaxNode
from hub.expressions.values import an
from hub.limits import AHEAD_SECONDS, WINDOW_NUMBER, WINDOW_SECONDS

__all__ = ["Reading", "Slot", "SlotCompiler", "all_nodes", "history", "node_key"]

_OF_NUMBERS = (NUMBER, LEVEL, HEAT, LINE, SMOOTH, HOURS)

Run = Callable[[Mapping[str, Any], tuple[str, ...], Any], Any]


_FIELD: Any = field(compare=False)
_GONE: Any = field(default=None, compare=False)
_ASKS: Any = field(default=True, compare=False)
_TEXT: Any = field(default="", compare=False)


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
    field: str | None = _FIELD
    gone: Run | None = _GONE
    """Across members: what it gives for a stale one, where it asks `absent`."""
    asks_message: bool = _ASKS
    """Across members: whether it says nothing of a member that was never heard."""
    text: str = _TEXT
    """Across members: the expression as it is written."""


class Reading(NamedTuple):
    """A call of a history function: the slot it reads, and how."""

    slot: Slot
    function: str
    arguments: tuple[float, ...] = ()


class SlotCompiler(Protocol):
    """What this module asks of the Compiler in which a call stands."""

    text: str
    names: Resolver
    emit: Emitter

    def code(self, node: SyntaxNode) -> GeneratedCode:
        """Write a node."""
        ...

    def alone(self, node: SyntaxNode, absent: bool | None = None) -> tuple[Run, str, Resolver]:
        """Compile a node as an expression of its own: the function, the kind of its value, its names."""
        ...

    def branch(self) -> AbstractContextManager[None]:
        """Forget after the block what was computed in it."""
        ...

    def fail(self, message: str, node: SyntaxNode, hint: str = "") -> NoReturn:
        """Refuse the expression at a node."""
        ...


def history(compiler: SlotCompiler, node: Call) -> GeneratedCode:
    """Write a call of a history function."""
    name = node.function
    sampled, arguments = SAMPLED[name], node.arguments
    if not sampled.takes(len(arguments)):
        count = f"{len(arguments)} argument{'' if len(arguments) == 1 else 's'}"
        across = f", or with the key `across` {ACROSS[name].form}, without a window" if name in ACROSS else ""
        compiler.fail(f"{name}() does not take {count}", node, f"it is {sampled.form}{across}")
    seconds, extra = 0.0, list[float]()
    for what, each in zip(sampled.more, arguments[1:], strict=False):
        if what == "window":
            seconds = _window(compiler, each, sampled.form)
        elif what != "otherwise":
            extra.append(_MORE[what](compiler, each, sampled.form))
    slot = _slot(compiler, node, sampled, seconds)
    if sampled.mode == TRAIL and len(arguments) > 1:
        return _last_or(compiler, slot, arguments[1])
    reading = Reading(slot, name, tuple(extra))
    compiler.names.readings[reading] = None
    compiler.names.asked[node_key(node)] = reading
    key = compiler.emit.constant(slot.key, "string").text
    more = ", ".join(compiler.emit.constant(each, "double").text for each in extra)
    return GeneratedCode(f"S[{key}].{name}({more})", sampled.kind)


def _last_or(compiler: SlotCompiler, slot: Slot, otherwise: SyntaxNode) -> GeneratedCode:
    """Write `last(x, otherwise)`."""
    key = compiler.emit.constant(slot.key, "string").text
    for function in ("last", "has_last"):
        compiler.names.readings[Reading(slot, function)] = None
    with compiler.branch():
        code = compiler.code(otherwise)
    return GeneratedCode(f"(S[{key}].last() if S[{key}].has_last() else {code.text})")


def _window(compiler: SlotCompiler, node: SyntaxNode, form: str) -> float:
    span = compiler.code(node).constant
    if span is UNKNOWN or not isinstance(span, timedelta):
        compiler.fail("the window is a duration that is written out", node, f"it is {form}")
    seconds = span.total_seconds()
    if not 0 < seconds <= WINDOW_SECONDS:
        compiler.fail(f"a window is longer than 0 and at most {WINDOW_SECONDS / 86400:.0f}d", node)
    return seconds


def _percent(compiler: SlotCompiler, node: SyntaxNode, form: str) -> float:
    percent = compiler.code(node).constant
    if percent.__class__ not in (int, float) or not 0 <= percent <= 100:
        compiler.fail("the percentage is a number from 0 to 100 that is written out", node, form)
    return float(percent)


def _number(compiler: SlotCompiler, node: SyntaxNode, form: str) -> float:
    number = compiler.code(node).constant
    if number.__class__ not in (int, float) or not abs(number) < WINDOW_NUMBER:
        compiler.fail("the value to reach is a number that is written out", node, f"it is {form}")
    return float(number)


def _ahead(compiler: SlotCompiler, node: SyntaxNode, form: str) -> float:
    span = compiler.code(node).constant
    if span is UNKNOWN or not isinstance(span, timedelta) or not 0 <= span.total_seconds() <= AHEAD_SECONDS:
        most = f"at most {AHEAD_SECONDS / 86400:.0f}d"
        compiler.fail(f"the time ahead is a duration that is written out, {most}", node, f"it is {form}")
    return span.total_seconds()


_MORE: Mapping[str, Callable[[SlotCompiler, SyntaxNode, str], float]] = {
    "percent": _percent,
    "number": _number,
    "ahead": _ahead,
}
"""Reads the arguments that are neither the window nor an expression of its own."""


def _slot(compiler: SlotCompiler, node: Call, sampled: HistoryFunction, seconds: float) -> Slot:
    argument = node.arguments[0]
    for inner in all_nodes(argument):
        if isinstance(inner, Call) and inner.target is None and inner.function in HISTORY:
            compiler.fail("a history function cannot stand in another one", inner)
        if isinstance(inner, Name) and inner.name in compiler.names.variables and not inner.rooted:
            message = f"{node.function}() cannot look at {inner.name!r}, which is a name of the macro around it"
            compiler.fail(message, inner, "samples are taken once per event")
    run, kind, names = compiler.alone(argument)
    if sampled.mode == STATE and kind not in ("bool", "dyn"):
        hint = f"write what must hold: {sampled.form}"
        compiler.fail(f"{node.function}() is about a condition, not {an(kind)}", argument, hint)
    if sampled.mode in _OF_NUMBERS and kind not in (*NUMBERS, "dyn"):
        hint = "held takes a condition; count, changes and distinct take any value"
        compiler.fail(f"{node.function}() is about numbers, not {an(kind)}", argument, hint)
    compiler.names.fields |= names.fields
    compiler.names.captures |= names.captures
    compiler.names.schedules |= names.schedules
    text = f"{sampled.mode} {seconds!r} {node_key(argument)}"
    field = names.plain_field(argument)
    return Slot(
        blake2b(text.encode(), digest_size=9).hexdigest(), sampled.mode, seconds, run, names.needs_context, field
    )


def all_nodes(node: SyntaxNode) -> list[SyntaxNode]:
    """Return a node and all below it."""
    found = [node]
    for each in found:
        found += each.below()
    return found


def node_key(node: SyntaxNode) -> str:
    """Write a tree as a text that is the same for the same expression, also after a restart: it keys stored samples."""
    own = node.own()
    if isinstance(node, Comprehension):
        own = [node.macro, *node.variables]
    elif isinstance(node, Bind):
        own = [node.variable]
    return f"{node.__class__.__name__}{own}({', '.join(map(node_key, node.below()))})"
