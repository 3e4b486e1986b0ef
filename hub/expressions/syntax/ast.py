"""An expression as a tree; the parser makes it, the compiler reads it. `at` is the offset in the text."""

from dataclasses import dataclass
from typing import Any

__all__ = [
    "Bind",
    "Call",
    "Comprehension",
    "Conditional",
    "Has",
    "Index",
    "Item",
    "ListOf",
    "Literal",
    "Logic",
    "MapEntry",
    "MapOf",
    "Name",
    "Operation",
    "Select",
    "SyntaxNode",
]


@dataclass(slots=True, eq=False)
class SyntaxNode:
    """What all have in common: the place, and how many nodes lie below on the longest way."""

    at: int
    depth: int

    def below(self) -> "list[SyntaxNode]":
        """Return the nodes directly below."""
        return []

    def own(self) -> list[object]:
        """Return what tells this node from others of its class, apart from what is below it."""
        return []


@dataclass(slots=True, eq=False)
class Literal(SyntaxNode):
    """A constant."""

    value: Any

    def own(self) -> list[object]:
        """Return what else it is."""
        return [self.value.__class__, repr(self.value)]


@dataclass(slots=True, eq=False)
class Name(SyntaxNode):
    """A bare name. `rooted`: written with a leading dot."""

    name: str
    rooted: bool = False

    def own(self) -> list[object]:
        """Return what else it is."""
        return [self.name, self.rooted]


@dataclass(slots=True, eq=False)
class Select(SyntaxNode):
    """`operand.field`, or `operand.?field`."""

    operand: SyntaxNode
    field: str
    optional: bool = False

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return [self.operand]

    def own(self) -> list[object]:
        """Return what else it is."""
        return [self.field, self.optional]


@dataclass(slots=True, eq=False)
class Index(SyntaxNode):
    """`operand[key]`, or `operand[?key]`."""

    operand: SyntaxNode
    key: SyntaxNode
    optional: bool = False

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return [self.operand, self.key]

    def own(self) -> list[object]:
        """Return what else it is."""
        return [self.optional]


@dataclass(slots=True, eq=False)
class Has(SyntaxNode):
    """`has(operand.field)`."""

    operand: SyntaxNode
    field: str

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return [self.operand]

    def own(self) -> list[object]:
        """Return what else it is."""
        return [self.field]


@dataclass(slots=True, eq=False)
class Operation(SyntaxNode):
    """A unary or binary operator that is neither `&&` nor `||`; unary minus is `-` with one operand."""

    operator: str
    operands: list[SyntaxNode]

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return self.operands

    def own(self) -> list[object]:
        """Return what else it is."""
        return [self.operator]


@dataclass(slots=True, eq=False)
class Logic(SyntaxNode):
    """A chain of `&&` or of `||`, flat however long. `open`: the parser may still add to it (no bracket closed it)."""

    operator: str
    operands: list[SyntaxNode]
    open: bool = False

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return self.operands

    def own(self) -> list[object]:
        """Return what else it is."""
        return [self.operator]


@dataclass(slots=True, eq=False)
class Conditional(SyntaxNode):
    """`test ? then : other`."""

    test: SyntaxNode
    then: SyntaxNode
    other: SyntaxNode

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return [self.test, self.then, self.other]


@dataclass(slots=True, eq=False)
class Call(SyntaxNode):
    """`function(arguments)`, or `target.function(arguments)`."""

    function: str
    target: SyntaxNode | None
    arguments: list[SyntaxNode]

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return [*([self.target] if self.target else []), *self.arguments]

    def own(self) -> list[object]:
        """Return what else it is."""
        return [self.function, self.target is None]


@dataclass(slots=True, eq=False)
class Item(SyntaxNode):
    """An element of a list literal; `optional`: written `?element`."""

    value: SyntaxNode
    optional: bool

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return [self.value]

    def own(self) -> list[object]:
        """Return what else it is."""
        return [self.optional]


@dataclass(slots=True, eq=False)
class ListOf(SyntaxNode):
    """`[a, b]`."""

    items: list[Item]

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return list(self.items)


@dataclass(slots=True, eq=False)
class MapEntry(SyntaxNode):
    """An entry of a map literal; `optional`: written `?key: value`."""

    key: SyntaxNode
    value: SyntaxNode
    optional: bool

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return [self.key, self.value]

    def own(self) -> list[object]:
        """Return what else it is."""
        return [self.optional]


@dataclass(slots=True, eq=False)
class MapOf(SyntaxNode):
    """`{a: b}`."""

    entries: list[MapEntry]

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return list(self.entries)


@dataclass(slots=True, eq=False)
class Comprehension(SyntaxNode):
    """A macro over the elements of a list or the keys of a map, or the value of an optional.

    `macro` is its name; `variables` are one or two names seen by `bodies`.
    """

    macro: str
    over: SyntaxNode
    variables: list[str]
    bodies: list[SyntaxNode]

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return [self.over, *self.bodies]

    def own(self) -> list[object]:
        """Return what else it is."""
        return [id(self)]


@dataclass(slots=True, eq=False)
class Bind(SyntaxNode):
    """`cel.bind(variable, value, body)`."""

    variable: str
    value: SyntaxNode
    body: SyntaxNode

    def below(self) -> list[SyntaxNode]:
        """Return the nodes directly below."""
        return [self.value, self.body]

    def own(self) -> list[object]:
        """Return what else it is."""
        return [id(self)]
