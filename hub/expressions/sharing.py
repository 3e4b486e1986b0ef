"""Which parts of an expression are written more than once, so that they are computed once."""

from collections import Counter
from collections.abc import Iterator

from hub.expressions.ast import (
    Bind,
    Call,
    Comprehension,
    Conditional,
    Entry,
    Has,
    Index,
    Item,
    ListOf,
    Literal,
    Logic,
    MapOf,
    Name,
    Node,
    Operation,
    Select,
)

__all__ = ["children", "shared", "size"]

Key = tuple[object, ...]


def children(node: Node) -> list[Node]:
    """Return the nodes directly below."""
    match node:
        case Select() | Has():
            return [node.operand]
        case Index():
            return [node.operand, node.key]
        case Operation() | Logic():
            return node.operands
        case Conditional():
            return [node.test, node.then, node.other]
        case Call():
            return [*([node.target] if node.target else []), *node.arguments]
        case ListOf():
            return list(node.items)
        case MapOf():
            return list(node.entries)
        case Item():
            return [node.value]
        case Entry():
            return [node.key, node.value]
        case Comprehension():
            return [node.over, *node.bodies]
        case Bind():
            return [node.value, node.body]
    return []


def size(node: Node) -> int:
    """Count the nodes, itself included."""
    return 1 + sum(map(size, children(node)))


def shared(root: Node) -> dict[Node, int]:
    """Return a number for each node that stands, with the same meaning, in more than one place."""
    numbers: dict[Key, int] = {}
    where: dict[Node, int] = {}
    for node, key in _keys(root, numbers, {}):
        where[node] = numbers[key]
    counts = Counter(where.values())
    return {
        node: number
        for node, number in where.items()
        if counts[number] > 1 and not isinstance(node, (Literal, Item, Entry, ListOf, MapOf, Has))
    }


def _keys(node: Node, numbers: dict[Key, int], names: dict[str, int]) -> Iterator[tuple[Node, Key]]:
    """Number a tree from the leaves up; `names` tells apart variables of the same name."""
    below: list[object] = []
    inside = names
    for position, child in enumerate(children(node)):
        if isinstance(node, (Comprehension, Bind)) and position == 1:
            variables = node.variables if isinstance(node, Comprehension) else [node.variable]
            inside = names | {variable: id(node) for variable in variables}
        key: Key = ()
        for pair in _keys(child, numbers, inside):
            yield pair
            key = pair[1]
        below.append(numbers[key])
    key = (node.__class__, *_own(node, names), *below)
    numbers.setdefault(key, len(numbers))
    yield node, key


def _own(node: Node, names: dict[str, int]) -> list[object]:
    """Return what of a node is not below it."""
    match node:
        case Literal():
            return [node.value.__class__, repr(node.value)]
        case Name():
            return [node.name, node.rooted, names.get(node.name)]
        case Select() | Has():
            return [node.field, getattr(node, "optional", False)]
        case Index() | Item() | Entry():
            return [getattr(node, "optional", False)]
        case Operation() | Logic():
            return [node.operator]
        case Call():
            return [node.function, node.target is None]
        case Comprehension() | Bind():
            return [id(node)]
    return []
