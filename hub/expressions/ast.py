"""An expression as a tree; the parser makes it, the compiler reads it. `at` is the offset in the text."""

from dataclasses import dataclass
from typing import Any

__all__ = [
    "Bind",
    "Call",
    "Comprehension",
    "Conditional",
    "Entry",
    "Has",
    "Index",
    "Item",
    "ListOf",
    "Literal",
    "Logic",
    "MapOf",
    "Name",
    "Node",
    "Operation",
    "Select",
]


@dataclass(slots=True, eq=False)
class Node:
    """What all have in common: the place, and how many nodes lie below on the longest way."""

    at: int
    depth: int


@dataclass(slots=True, eq=False)
class Literal(Node):
    """A constant."""

    value: Any


@dataclass(slots=True, eq=False)
class Name(Node):
    """A bare name. `rooted`: written with a leading dot."""

    name: str
    rooted: bool = False


@dataclass(slots=True, eq=False)
class Select(Node):
    """`operand.field`, or `operand.?field`."""

    operand: Node
    field: str
    optional: bool = False


@dataclass(slots=True, eq=False)
class Index(Node):
    """`operand[key]`, or `operand[?key]`."""

    operand: Node
    key: Node
    optional: bool = False


@dataclass(slots=True, eq=False)
class Has(Node):
    """`has(operand.field)`."""

    operand: Node
    field: str


@dataclass(slots=True, eq=False)
class Operation(Node):
    """A unary or binary operator that is neither `&&` nor `||`; unary minus is `-` with one operand."""

    operator: str
    operands: list[Node]


@dataclass(slots=True, eq=False)
class Logic(Node):
    """A chain of `&&` or of `||`, flat however long. `open`: the parser may still add to it (no bracket closed it)."""

    operator: str
    operands: list[Node]
    open: bool = False


@dataclass(slots=True, eq=False)
class Conditional(Node):
    """`test ? then : other`."""

    test: Node
    then: Node
    other: Node


@dataclass(slots=True, eq=False)
class Call(Node):
    """`function(arguments)`, or `target.function(arguments)`."""

    function: str
    target: Node | None
    arguments: list[Node]


@dataclass(slots=True, eq=False)
class Item(Node):
    """An element of a list literal; `optional`: written `?element`."""

    value: Node
    optional: bool


@dataclass(slots=True, eq=False)
class ListOf(Node):
    """`[a, b]`."""

    items: list[Item]


@dataclass(slots=True, eq=False)
class Entry(Node):
    """An entry of a map literal; `optional`: written `?key: value`."""

    key: Node
    value: Node
    optional: bool


@dataclass(slots=True, eq=False)
class MapOf(Node):
    """`{a: b}`."""

    entries: list[Entry]


@dataclass(slots=True, eq=False)
class Comprehension(Node):
    """A macro over the elements of a list or the keys of a map, or the value of an optional.

    `macro` is its name; `variables` are one or two names seen by `bodies`.
    """

    macro: str
    over: Node
    variables: list[str]
    bodies: list[Node]


@dataclass(slots=True, eq=False)
class Bind(Node):
    """`cel.bind(variable, value, body)`."""

    variable: str
    value: Node
    body: Node
