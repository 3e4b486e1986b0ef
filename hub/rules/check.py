"""What only all rules together show: loops, and names of other rules that are not there. Part of every load."""

from collections.abc import Mapping
from typing import Any

from hub.document import Node, Problems
from hub.errors import Problem
from hub.fields import did_you_mean
from hub.rules.rule import Rule

__all__ = ["check_together"]


def check_together(
    rules: Mapping[str, Rule], nodes: Mapping[str, Node], receivers: Mapping[str, Any], prefix: str, problems: Problems
) -> None:
    """Report what makes a set of rules unusable; `nodes` is where each of them is written."""
    _check_loops(rules, receivers, prefix, problems)
    for name, rule in rules.items():
        _check_unless(rule, rules, nodes[name], problems)


def _check_loops(rules: Mapping[str, Rule], receivers: Mapping[str, Any], prefix: str, problems: Problems) -> None:
    """Refuse rules that could hear what the hub itself publishes: one event would become an endless stream."""
    ours = {f"{prefix}/#": "the hub's own topics"}
    for name, receiver in receivers.items():
        topic = receiver.publishes()
        if topic is not None:
            ours[topic] = f"receiver {name!r}"
    for rule in rules.values():
        for pattern in rule.patterns:
            for topic, whose in ours.items():
                if pattern.overlaps(topic):
                    message = f"rule {rule.name!r} listens to {pattern.text}, which can match {topic} ({whose}): a loop"
                    problems.append(Problem(rule.path, rule.line, 1, message, "make the topic narrower"))


def _check_unless(rule: Rule, rules: Mapping[str, Rule], node: Node, problems: Problems) -> None:
    alerts = {name for name, other in rules.items() if other.alert}
    for name in rule.unless:
        if name == rule.name:
            problems.append(node.key_problem("unless", f"rule {name!r} cannot hold itself back"))
        elif name not in rules:
            problems.append(node.key_problem("unless", f"no alert rule {name!r}", did_you_mean(name, alerts)))
        elif name not in alerts:
            problems.append(node.key_problem("unless", f"{name!r} is an event, which never fires", "name an alert"))
