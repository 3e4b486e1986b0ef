"""Finds what a rule with `across` asks of its members in vain."""

from collections.abc import Iterator

from hub.documents.document import Node
from hub.errors import Problem
from hub.rules.reading.rule import Rule

__all__ = ["crowds"]


def crowds(rule: Rule, node: Node) -> Iterator[Problem]:
    """Find `absent` where no member can be stale, and `across` without a function that looks across members."""
    if not rule.across:
        return
    if rule.stale is None and any(reading.slot.gone is not None for reading in rule.readings):
        message = "'absent' never holds: without 'stale' a member counts for ever"
        yield node.key_problem("across", message, "stale: 15m, how long a member may say nothing")
    if not rule.readings:
        message = "'across' changes nothing: no condition or text looks at all members together"
        yield node.key_problem("across", message, "count(temperature > -15) >= 3; or leave 'across' out")
