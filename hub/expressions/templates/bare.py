"""The names that stand alone in an expression: what a condition calls so, its rule's texts call so, too."""

from hub.expressions.syntax.ast import Name
from hub.expressions.syntax.parser import parse

__all__ = ["bare_names"]


def bare_names(text: str) -> frozenset[str]:
    """Return the bare names of an expression, variables of macros among them."""
    found, waiting = set[str](), [parse(text)]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Name):
            found.add(each.name)
        waiting += each.below()
    return frozenset(found)
