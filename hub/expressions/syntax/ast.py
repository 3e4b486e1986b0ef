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
    """The base of all nodes; `depth` is the number of nodes on the longest way down.

    `below` and `own` together say what a node means: sharing.py and history_calls.py compare nodes by them.
    """

    at: int
    depth: int

    def below(self) -> "list[SyntaxNode]":
        """Return the nodes directly below."""
        return []

    def own(self) -> list[object]:
        """Return what distinguishes this node from others of its class, apart from the nodes below it."""
        return []


@dataclass(slots=True, eq=False)
class Literal(SyntaxNode):
    """A constant."""

    value: Any

    def own(self) -> list[object]:
        """Return class and spelling of the value: 1, 1.0 and true differ."""
        return [self.value.__class__, repr(self.value)]


@dataclass(slots=True, eq=False)
class Name(SyntaxNode):
    """A bare name. `rooted`: written with a leading dot."""

    name: str
    rooted: bool = False

    def own(self) -> list[object]:
        """Return the name, and whether a dot leads it."""
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
        """Return the name of the field, and whether `.?` stands before it."""
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
        """Return whether it is written `[?key]`."""
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
        """Return the name of the field."""
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
        """Return the operator."""
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
        """Return the operator; `open` concerns only the parser."""
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
        """Return the name of the function, and whether it is called without a target."""
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
        """Return whether it is written `?element`."""
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
        """Return whether it is written `?key: value`."""
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
        """Return the identity of the node: its variables make it unlike any other."""
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
        """Return the identity of the node: its variable makes it unlike any other."""
        return [id(self)]
