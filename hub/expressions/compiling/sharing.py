"""Finds the parts of an expression that are written more than once, so that they are computed only once."""

from collections import Counter
from collections.abc import Iterator

from hub.expressions.syntax.ast import (
    Bind,
    Comprehension,
    Has,
    Item,
    ListOf,
    Literal,
    MapEntry,
    MapOf,
    Name,
    SyntaxNode,
)

__all__ = ["shared", "size"]

Key = tuple[object, ...]


def size(node: SyntaxNode) -> int:
    """Count the nodes, itself included."""
    return 1 + sum(map(size, node.below()))


def shared(root: SyntaxNode) -> dict[SyntaxNode, int]:
    """Return a number for each node that stands, with the same meaning, in more than one place."""
    if not _names_twice(root):  # most expressions; what has no name is a constant
        return {}
    numbers: dict[Key, int] = {}
    where = {node: numbers[key] for node, key in _keys(root, numbers, {})}
    counts = Counter(where.values())
    return {
        node: number
        for node, number in where.items()
        if counts[number] > 1 and not isinstance(node, (Literal, Item, MapEntry, ListOf, MapOf, Has))
    }


def _names_twice(root: SyntaxNode) -> bool:
    names: set[str] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Name):
            if node.name in names:
                return True
            names.add(node.name)
        else:
            waiting += node.below()
    return False


def _keys(node: SyntaxNode, numbers: dict[Key, int], names: dict[str, int]) -> Iterator[tuple[SyntaxNode, Key]]:
    """Number a tree from the leaves up; `names` tells apart variables of the same name."""
    numbered: list[object] = []
    inside = names
    for position, child in enumerate(node.below()):
        if position == 1 and isinstance(node, (Comprehension, Bind)):
            variables = node.variables if isinstance(node, Comprehension) else [node.variable]
            inside = names | dict.fromkeys(variables, id(node))
        key: Key = ()
        for pair in _keys(child, numbers, inside):
            yield pair
            key = pair[1]
        numbered.append(numbers[key])
    variable = names.get(node.name) if isinstance(node, Name) else None
    key = (node.__class__, variable, *node.own(), *numbered)
    numbers.setdefault(key, len(numbers))
    yield node, key
