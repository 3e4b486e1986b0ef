"""Finds names that mean a value of the hub in a text, but a field of the payload in the rule's conditions."""

from collections.abc import Iterator

from hub.documents.document import Node
from hub.errors import Problem
from hub.expressions import Program, Template, bare_names
from hub.expressions.templates.template import Filler
from hub.rules.reading.rule import Rule

__all__ = ["homonyms", "written_texts"]

_WHOLE = frozenset({"device", "labels", "topic", "now"})
"""What is the hub's own in conditions, too: told of where it is all that stands between the braces."""


def homonyms(rule: Rule, node: Node) -> Iterator[Problem]:
    """Find `{state}` that is the alert's where a condition reads `payload.state`."""
    read = {"timestamp": rule.timestamp, "when": rule.when, "clear": rule.clear}
    read |= {key: gate.condition for key, gate in (("pause", rule.pause), ("mute", rule.mute)) if gate is not None}
    for key, item, template in written_texts(rule, node):
        for part in template.parts:
            for name in sorted(_own(part.program)) if isinstance(part, Filler) else ():
                where = next((at for at, program in read.items() if program and name in program.fields), None)
                if where is not None and name not in rule.own_names:
                    found = item.text.find(f"{{{name}")
                    message = f"{{{name}}} in {key!r} is the hub's own, and {where!r} reads a payload field {name!r}"
                    hint = f"for the field write {{payload.{name}}}"
                    yield item.problem(message, hint, offset=None if found < 0 else found).as_note()  # may be meant


def _own(program: Program) -> frozenset[str]:
    """Return the names in a hole that mean a value of the hub."""
    names = bare_names(program.text)
    return names & (program.scope.extra | (_WHOLE if program.text.strip() in names else frozenset()))


def written_texts(rule: Rule, node: Node) -> Iterator[tuple[str, Node, Template]]:
    """Yield the texts that a rule has itself, each with its place."""
    labels = node.value.get("labels")
    for name, template in rule.texts.labels:
        if labels is not None and isinstance(labels.value, dict) and name in labels.value:
            yield f"labels.{name}", labels.value[name], template
    texts = rule.texts
    for key, text in (("summary", texts.summary), ("details", texts.details), ("runbook", texts.runbook)):
        if text is not None and node.value.get(key) is not None:
            yield key, node.value[key], text
