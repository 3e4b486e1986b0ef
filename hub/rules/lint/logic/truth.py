"""Finds when a condition can be true or false, as far as its comparisons tell: enough to see that it never is.

A condition becomes clauses, one of which must be true. A part that is no comparison with a constant is an unknown that
is true or false, the same wherever the same text stands. An expression without a value is neither, so it is certain
that a condition whose clauses are all impossible is never true. With too many clauses, nothing is said.
"""

import functools
from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

from hub.expressions import Program, Scope
from hub.expressions.names import BUILTINS, HISTORY
from hub.expressions.syntax.ast import (
    Bind,
    Call,
    Comprehension,
    Conditional,
    Index,
    ListOf,
    Literal,
    Logic,
    Name,
    Operation,
    Select,
    SyntaxNode,
)
from hub.expressions.syntax.parser import parse
from hub.rules.lint.logic.atoms import Atom, Clause, KnownValue, constant, possible

__all__ = ["MOST", "clauses", "never", "subjects"]

MOST = 64  # clauses of one question; conditions that people write have a handful
_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_NOT_NEGATIVE = ("size", "count", "distinct", "changes", "stddev")
_TRUE, _FALSE = KnownValue("bool", True), KnownValue("bool", False)
_ZERO = KnownValue("number", 0)
_NO_TIME = KnownValue("duration", 0.0)


class _TooMany(Exception):
    """More clauses than are worth looking at."""


def never(*wanted: tuple[Program, bool]) -> bool:
    """Tell whether these conditions can never be true (or false, as each says) for one and the same message."""
    try:
        parts = [_of(program.text, program.scope, want) for program, want in wanted]
    except _TooMany:
        return False
    if prod(map(len, parts)) > MOST:
        return False
    return not any(possible(frozenset().union(*choice)) for choice in product(*parts))


def clauses(*wanted: tuple[Program, bool]) -> list[Clause] | None:
    """Return the clauses by which all conditions have the wanted values; None where there are too many."""
    try:
        return _all([_of(program.text, program.scope, want) for program, want in wanted])
    except _TooMany:
        return None


def subjects(found: Sequence[Clause]) -> set[object]:
    """Return the subjects of all atoms of the clauses."""
    return {atom.subject for clause in found for atom in clause}


@functools.lru_cache(maxsize=65_536)
def _of(text: str, scope: Scope, want: bool) -> tuple[Clause, ...]:
    return tuple(_Reader(scope).clauses(parse(text), want))


def _all(parts: Sequence[Sequence[Clause]]) -> list[Clause]:
    """Return every choice of one clause of each part that is possible."""
    found: list[Clause] = [frozenset()]
    for part in parts:
        if len(found) * len(part) > MOST:
            raise _TooMany
        joined = [one | other for one, other in product(found, part)]
        found = [clause for clause in dict.fromkeys(joined) if possible(clause)]
    return found


class _Reader:
    """Reads one expression; the names of its scope tell fields of the payload from other names."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def clauses(self, node: SyntaxNode, want: bool) -> list[Clause]:
        """Return the ways in which the node is true, or false."""
        if isinstance(node, Literal) and isinstance(node.value, bool):
            return [frozenset()] if node.value is want else []
        if isinstance(node, Operation) and node.operator == "!":
            return self.clauses(node.operands[0], not want)
        if isinstance(node, Logic):
            parts = [self.clauses(each, want) for each in node.operands]
            return _all(parts) if (node.operator == "&&") is want else _any(parts)
        if isinstance(node, Conditional):
            ways = ((node.then, True), (node.other, False))
            parts = [_all([self.clauses(node.test, test), self.clauses(branch, want)]) for branch, test in ways]
            return _any(parts)
        if isinstance(node, Operation) and len(node.operands) == 2:
            return _all([self.comparison(node, want)])
        return [frozenset({self.plainly(node, want)})]

    def plainly(self, node: SyntaxNode, want: bool) -> Atom:
        """Return the atom of something that is true or false."""
        return Atom(self.key(node), "==", (_TRUE if want else _FALSE,))

    def comparison(self, node: Operation, want: bool) -> list[Clause]:
        """Return the clauses of a comparison; what else it may be is just true or false."""
        left, right = node.operands
        if node.operator == "in":
            return [frozenset(self.among(node, left, right, want))]
        if node.operator not in _MIRROR:
            return [frozenset({self.plainly(node, want)})]
        told = node.operator if want else _OPPOSITE[node.operator]
        first, second = _constant(left), _constant(right)
        if first is not None:
            left, second, told = right, first, _MIRROR[told]
        if second is None:
            return [frozenset(self.difference(node, left, right, told, want))]
        orders = told not in ("==", "!=")
        if (first and _constant(left)) or (orders and second.kind not in ("number", "duration", "string")):
            return [frozenset({self.plainly(node, want)})]
        if orders and _may_be_nan(left):
            return [frozenset({self.plainly(node, want)})]
        return [frozenset({Atom(self.key(left), told, (second,)), *self.natural(left)})]

    def difference(self, node: Operation, left: SyntaxNode, right: SyntaxNode, told: str, want: bool) -> set[Atom]:
        """Compare two expressions by the sign of their difference."""
        if any(isinstance(each, Literal) or _may_be_nan(each) for each in (left, right)):
            return {self.plainly(node, want)}
        one, other = self.key(left), self.key(right)
        if one == other:
            return {self.plainly(node, want)}
        if repr(other) < repr(one):
            one, other, told = other, one, _MIRROR[told]
        return {Atom(("difference", one, other), told, (_ZERO,))}

    def among(self, node: Operation, left: SyntaxNode, right: SyntaxNode, want: bool) -> set[Atom]:
        """Read `x in [a, b]`."""
        values = [_constant(item.value) for item in right.items] if isinstance(right, ListOf) else [None]
        known = tuple(value for value in values if value is not None)
        if len(known) < len(values) or not known or _constant(left) is not None:
            return {self.plainly(node, want)}
        if want:
            return {Atom(self.key(left), "in", known)}
        return {Atom(self.key(left), "!=", (value,)) for value in known}

    def natural(self, node: SyntaxNode) -> Iterator[Atom]:
        """Yield what always holds for some functions and members."""
        key = self.key(node)
        if isinstance(node, Call) and node.function in _NOT_NEGATIVE:
            yield Atom(key, ">=", (_ZERO,))
        if isinstance(node, Call) and node.function in ("held", "reaches", "unchanged") and node.target is None:
            yield Atom(key, ">=", (_NO_TIME,))
            window = _constant(node.arguments[-1])
            if node.function == "held" and window is not None:  # nothing can have held longer than its window
                yield Atom(key, "<=", (window,))
        if isinstance(node, Select) and key == ("Select", "qos", False, ("Name", "event", False)):
            yield Atom(key, "in", tuple(KnownValue("number", qos) for qos in range(3)))

    def key(self, node: SyntaxNode) -> object:
        """Return a key that is equal for the same expression in all conditions of a rule."""
        if isinstance(node, (Comprehension, Bind)):
            return node
        if isinstance(node, Select) and not node.optional and isinstance(node.operand, Name):
            field = Name(node.at, 1, node.field)
            taken = node.field in (*BUILTINS, *self.scope.captures, *self.scope.schedules, *dict(self.scope.own))
            if node.operand.name == "payload" and "payload" not in self.scope.captures and not taken:
                return self.key(field)
        if isinstance(node, Name) and node.name in (own := dict(self.scope.own)):
            return ("own", own[node.name])
        return (type(node).__name__, *node.own(), *map(self.key, node.below()))


def _may_be_nan(node: SyntaxNode) -> bool:
    """Tell whether a value may be no number at all, which is neither above nor below any: 0.0 / 0.0.

    No payload has such a value, and no history function makes one of payloads; only arithmetic may.
    """
    if isinstance(node, Operation):
        return node.operator in ("+", "-", "*", "/", "%")
    if isinstance(node, Call):
        return node.function not in (*HISTORY, "size")
    return not isinstance(node, (Name, Select, Index, Literal))


def _any(parts: Sequence[Sequence[Clause]]) -> list[Clause]:
    found = list(dict.fromkeys(clause for part in parts for clause in part))
    if len(found) > MOST:
        raise _TooMany
    return found


def _constant(node: SyntaxNode) -> KnownValue | None:
    return constant(node.value) if isinstance(node, Literal) else None
