"""A compiled expression, and the ways to get one."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from hub.errors import CompileError, EvaluationError
from hub.expressions.compiling.bounds import TimeBound, bounds
from hub.expressions.compiling.compiler import Compiler
from hub.expressions.compiling.history_calls import Reading
from hub.expressions.names import BUILTINS, Context, Equality, Samples, Scope
from hub.expressions.syntax.ast import Item, ListOf, Literal, Logic, Name, Operation, Select, SyntaxNode
from hub.expressions.syntax.foreign import in_our_words
from hub.expressions.syntax.parser import parse

__all__ = ["Program", "RunAll", "compile_condition", "compile_expression", "compile_together", "evaluate", "is_word"]


class Run(Protocol):
    """The function that an expression is compiled to."""

    def __call__(
        self, fields: Mapping[str, Any], captures: tuple[str, ...], context: Context | None, samples: Samples = ..., /
    ) -> Any:
        """Return the value, or raise EvaluationError."""
        ...


RunAll = Callable[[Mapping[str, Any], tuple[str, ...], Context | None], list[Any]]


@dataclass(frozen=True, slots=True)
class Program:
    """An expression as one Python function.

    `run(fields, captures, context, samples)` returns the value or raises EvaluationError. `context` may be None unless
    `needs_context`; `samples` are needed only where there is `history`, the samples that it reads. `costly`: its work
    may grow with the payload. `fields`, `captures`, `schedules` and `event_members` are those that it names. With
    `asks_event`, the context must have more than schedules; with `asks_surroundings`, more than the event, with
    `asks_latest`, the latest messages; without `asks_message`, it looks at neither payload nor captures. It is true
    only if all `equalities` are. `bounds` are what it compares functions over time with. `kind` is the type of its
    value as far as it is known at load, or `dyn`.
    """

    run: Run
    text: str
    kind: str
    needs_context: bool
    asks_event: bool
    asks_surroundings: bool
    asks_latest: bool
    asks_message: bool
    costly: bool
    fields: frozenset[str]
    captures: frozenset[str]
    schedules: frozenset[str]
    event_members: frozenset[str]
    equalities: tuple[Equality, ...]
    history: tuple[Reading, ...] = field(repr=False)
    bounds: tuple[TimeBound, ...] = field(repr=False)
    scope: Scope = field(repr=False)
    condition: bool = field(repr=False)


def compile_expression(text: str, scope: Scope) -> Program:
    """Compile an expression.

    Raises:
        CompileError: it cannot be understood, or cannot have a value; `caret` shows where.

    """
    return _remembered(text, scope, condition=False)


def compile_condition(text: str, scope: Scope) -> Program:
    """Compile an expression that is true or false; at run time anything else is an EvaluationError.

    Raises:
        CompileError: as above, or it is known to be something else.

    """
    return _remembered(text, scope, condition=True)


@functools.lru_cache(maxsize=4096)
def _remembered(text: str, scope: Scope, *, condition: bool) -> Program:
    """Compile, or return what was compiled for the same text and scope: many rules share expressions."""
    return _compile(text, scope, condition=condition)


def is_word(name: str) -> bool:
    """Tell whether a name is a word of the language itself, so that no capture or schedule may have it."""
    if name in BUILTINS:
        return True
    try:
        return not isinstance(parse(name), Name)
    except CompileError:
        return True


def compile_together(programs: Sequence[Program]) -> RunAll:
    """Compile expressions that are evaluated for the same events into one function; all must have the same scope.

    Their common parts are computed once, and an event costs one call. The function takes what `Program.run` takes and
    returns a list with an outcome for each expression: its value, or the EvaluationError that it raised.
    """
    if any(program.scope != programs[0].scope for program in programs):
        raise ValueError("expressions that are compiled together have one scope")

    def separately(
        fields: Mapping[str, Any], captures: tuple[str, ...], context: Context | None, samples: Samples
    ) -> list[Any]:
        return [_outcome(program, fields, captures, context, samples) for program in programs]

    roots = [parse(program.text) for program in programs]
    items = [Item(root.at, root.depth, root, False) for root in roots]
    compiler = Compiler(ListOf(0, 1, items), "", programs[0].scope)
    return compiler.together([program.condition for program in programs], separately)


def _outcome(
    program: Program, fields: Mapping[str, Any], captures: tuple[str, ...], context: Context | None, samples: Samples
) -> Any:
    try:
        return program.run(fields, captures, context, samples)
    except EvaluationError as error:
        return error.with_traceback(None)  # a traceback would keep the event's frames alive


def _compile(text: str, scope: Scope, *, condition: bool) -> Program:
    try:
        root = _parsed(text)
        compiler, run, kind = _compiled(root, text, scope, condition=condition)
    except RecursionError:  # the bounds keep far from it, unless the caller stands deep already
        raise CompileError("nested too deep", 0, text, "split the rule") from None
    names = compiler.names
    return Program(
        run,
        text,
        kind,
        names.needs_context,
        names.asks_event,
        names.asks_surroundings,
        names.asks_latest,
        names.asks_message,
        compiler.emit.costly,
        frozenset(names.fields),
        frozenset(names.captures),
        frozenset(names.schedules),
        frozenset(names.event_members),
        () if scope.bindings is not None else tuple(_equalities(root, scope)),
        tuple(names.readings),
        bounds(root, names.asked, partial(_constant, scope=scope)),
        scope,
        condition,
    )


def _constant(node: SyntaxNode, scope: Scope) -> Any:
    """Return a node's value where it is known at load; else what is no value of the language."""
    try:
        return Compiler(node, "", scope).code(node).constant
    except CompileError:  # it can be understood only where it stands
        return None


def _parsed(text: str) -> SyntaxNode:
    try:
        return parse(text)
    except CompileError as error:
        raise in_our_words(error) from None


def _compiled(root: SyntaxNode, text: str, scope: Scope, *, condition: bool) -> tuple[Compiler, Run, str]:
    try:
        compiler = Compiler(root, text, scope)
        return compiler, *compiler.compile(condition)
    except CompileError as error:
        raise in_our_words(CompileError(error.message, error.offset, text, error.hint), is_read=True) from None


def evaluate(text: str, bindings: Mapping[str, Any] | None = None) -> Any:
    """Evaluate an expression that sees only these names; wrong types and names fail at run time, not before.

    Raises:
        CompileError: the text is not an expression.
        EvaluationError: it has no value.

    """
    names = dict(bindings or {})
    program = _compile(text, Scope(bindings=frozenset(names)), condition=False)
    return program.run(names, (), None)


def _equalities(root: SyntaxNode, scope: Scope) -> list[Equality]:
    operands = root.operands if isinstance(root, Logic) and root.operator == "&&" else [root]
    found = []
    for node in operands:
        if isinstance(node, Logic) and node.operator == "&&":
            found += _equalities(node, scope)
        elif isinstance(node, Operation) and node.operator == "==":
            left, right = node.operands
            left, right = (right, left) if isinstance(left, Literal) else (left, right)
            name = _subject(left, scope)
            if name and isinstance(right, Literal) and isinstance(right.value, str):
                found.append(Equality(*name, right.value))
    return found


def _subject(node: SyntaxNode, scope: Scope) -> tuple[str, str] | None:
    """Return kind and name, if a node is a capture or a field of the payload; else None."""
    if isinstance(node, Name) and node.name not in scope.extra and node.name not in dict(scope.own):
        if node.name in scope.captures:
            return "capture", node.name
        return None if node.name in BUILTINS or node.name in scope.schedules else ("field", node.name)
    if isinstance(node, Select) and not node.optional and isinstance(node.operand, Name):
        shadowed = "payload" in scope.captures or "payload" in scope.extra
        return ("field", node.field) if node.operand.name == "payload" and not shadowed else None
    return None
