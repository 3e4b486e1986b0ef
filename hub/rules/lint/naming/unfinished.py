"""Finds topics and conditions that say TODO: an import leaves these to be written by hand."""

from collections.abc import Iterator

from hub.documents.document import Node
from hub.errors import Problem
from hub.rules.reading.rule import Rule

__all__ = ["unfinished"]

_TODO = "TODO"


def unfinished(rule: Rule, node: Node) -> Iterator[Problem]:
    """Find each TODO; it is a note, because an imported file must load before the user has finished it."""
    places = [key for key in ("when", "clear") if _asks(getattr(rule, key))]
    places += ["topic"] if any(_TODO in pattern.filter.split("/") for pattern in rule.patterns) else []
    for key in places:
        state = "says nothing until then" if rule.enabled else "is disabled until then"
        message = f"{key!r} of rule {rule.name!r} is still to be written: {_TODO}"
        yield node.key_problem(key, message, f"an import has left it; the rule {state}").as_note()


def _asks(program: object) -> bool:
    return _TODO in getattr(program, "fields", ())
