"""Finds labels in a receiver's templates that no rule which tells it has: its topics and texts would have a `?`."""

from collections.abc import Iterable, Iterator

from hub.documents.document import Node
from hub.errors import Problem
from hub.expressions import Template, TopicTemplate
from hub.expressions.syntax.ast import Name, Select
from hub.expressions.syntax.parser import parse
from hub.expressions.templates.template import Filler
from hub.fields import did_you_mean
from hub.rules.lint.naming.unused import listed, told
from hub.rules.reading.loader import RuleSet

__all__ = ["strangers"]


def strangers(found: RuleSet) -> Iterator[Problem]:
    """Find holes with only the name of a label that no rule telling the receiver has: they are never filled.

    It is a note where posted alerts go to the receiver too: their labels are unknown.
    """
    known: dict[str, set[str]] = {}
    for rule in found.rules.values():
        for name in () if rule.shadow else told(rule, found.receivers):
            known.setdefault(name, set()).update(rule.label_names)
    for mapping, name in listed(found, "receivers"):
        if name not in known:
            continue  # no rule tells the receiver, which is a finding of its own (unused.py)
        node = mapping.value[name]
        for text, label in _asked(found.receivers[name].options):
            if label in known[name]:
                continue
            message = f"no rule that tells receiver {name!r} has a label {label!r}, which its template names"
            hint = did_you_mean(label, known[name]) or f"they have {', '.join(sorted(known[name]))}"
            place = _place(node, text)
            problem = place.problem(message, hint) if place else mapping.key_problem(name, message, hint)
            yield problem.as_note() if name in found.defaults.notify else problem


def _asked(options: object) -> Iterator[tuple[str, str]]:
    """Yield the templates of a receiver's options as they are written, with each label that one names alone."""
    for field in getattr(options, "__slots__", ()):
        value = getattr(options, field)
        for template in (value, *getattr(value, "templates", ())):
            yield from ((str(template.text), label) for label in _labels(_parts(template)))


def _parts(value: object) -> Iterable[object]:
    return value.parts if isinstance(value, (Template, TopicTemplate)) else getattr(value, "parts", ())


def _labels(parts: Iterable[object]) -> Iterator[str]:
    for part in parts:
        program = part.program if isinstance(part, Filler) else None
        root = parse(program.text) if program is not None else None
        if program is not None and isinstance(root, Name) and root.name in program.fields:
            yield root.name
        elif isinstance(root, Select) and isinstance(root.operand, Name) and root.operand.name == "labels":
            yield from () if root.optional else (root.field,)


def _place(node: Node, text: str) -> Node | None:
    """Return the scalar below a receiver that has this text."""
    below = node.value.values() if isinstance(node.value, dict) else node.value if isinstance(node.value, list) else ()
    for child in below:
        if (found := _place(child, text)) is not None:
            return found
    return node if not below and isinstance(node.value, str) and node.text == text else None
