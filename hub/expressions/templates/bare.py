"""The names that stand alone in an expression; in a rule's texts they mean what they mean in its conditions."""

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
