"""Finds rules about the hub itself that listen to a topic below `$hub/` on which the hub never says anything."""

from collections.abc import Iterator

from hub.contracts.own_voice import OWN_FIELDS
from hub.documents.document import Node
from hub.errors import Problem
from hub.fields import did_you_mean
from hub.ingest.topics import overlaps
from hub.model import OWN_TOPICS
from hub.rules.reading.rule import Rule

__all__ = ["own"]


def own(rule: Rule, node: Node) -> Iterator[Problem]:
    """Find topics below `$hub/` on which no event ever comes."""
    for pattern in rule.patterns:
        if pattern.filter.startswith(OWN_TOPICS) and not any(overlaps(pattern.filter, each) for each in OWN_FIELDS):
            message = f"rule {rule.name!r} listens to {pattern.text}, and the hub says nothing there"
            hint = did_you_mean(pattern.filter, OWN_FIELDS) or f"it does on {', '.join(OWN_FIELDS)}"
            yield node.value["topic"].problem(message, hint)
