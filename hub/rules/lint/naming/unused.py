"""Finds receivers and schedules that nothing names, and names without effect: nobody is told, nothing is suppressed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.documents.document import Node
from hub.errors import Problem
from hub.rules.reading.loader import RuleSet
from hub.rules.reading.rule import Rule

__all__ = ["listed", "names", "told", "unused"]


def unused(found: RuleSet) -> Iterator[Problem]:
    """Find receivers that no rule tells, and schedules that nothing follows; only where there are rules at all."""
    written = {**found.disabled, **found.rules}
    if not written.keys() - found.shipped:
        return
    working = [rule for rule in found.rules.values() if not rule.shadow]
    alive = {name for rule in working for name in told(rule, found.receivers)}
    alive |= set(with_fallbacks(found.defaults.notify, found.receivers))  # who is told of posted alerts
    idle = {name for rule in written.values() for name in told(rule, found.receivers)} - alive
    for mapping, name in listed(found, "receivers"):
        if name in idle:
            message = f"receiver {name!r} is never told: all rules that name it are disabled or in shadow"
            yield mapping.key_problem(name, message, "enable one of them, or remove the receiver").as_note()
        elif name not in alive:
            message = f"no rule names the receiver {name!r}"
            yield mapping.key_problem(name, message, "remove it, or name it in 'notify'").as_note()
    schedules = list(listed(found, "schedules"))
    named = _schedules(written, schedules)
    for mapping, name in schedules:
        if name not in named:
            hint = "remove it, or name it in 'pause', 'mute' or a condition"
            yield mapping.key_problem(name, f"nothing names the schedule {name!r}", hint).as_note()


def names(rule: Rule, node: Node, found: RuleSet) -> Iterator[Problem]:
    """Find keys of a rule that have no effect because of the rule or receiver that they name."""
    for name in rule.unless:
        other = found.rules.get(name)
        if other is None or other.shadow:
            state = "disabled" if other is None else "in shadow"
            message = f"'unless' holds nothing back: the rule {name!r} is {state}"
            yield node.key_problem("unless", message, "remove it, or enable that rule")
    if rule.repeat and "repeat" in node.value and not rule.notify and not rule.escalate and not rule.shadow:
        message = f"'repeat' of rule {rule.name!r} reaches nobody: neither 'notify' nor 'escalate' names a receiver"
        yield node.key_problem("repeat", message, "name somebody in 'notify'")


def listed(found: RuleSet, section: str) -> Iterator[tuple[Node, str]]:
    """Yield the mappings of a section in all files, and each name in them."""
    for document in found.documents:
        mapping = document.value.get(section)
        if mapping is not None and isinstance(mapping.value, dict):
            yield from ((mapping, name) for name in mapping.value)


def told(rule: Rule, receivers: Mapping[str, Any]) -> Iterator[str]:
    """Yield the receivers that a rule tells, and those that they fall back to."""
    return with_fallbacks((*rule.notify, *(name for step in rule.escalate for name in step.to)), receivers)


def with_fallbacks(names: Iterable[str], receivers: Mapping[str, Any]) -> Iterator[str]:
    """Yield receivers and those that they fall back to; the loader has refused circles of `fallback`."""
    for name in names:
        yield name
        fallback = receivers[name].fallback
        while fallback is not None:
            yield fallback.to
            fallback = receivers[fallback.to].fallback


def _schedules(rules: Mapping[str, Rule], mappings: Iterable[tuple[Node, str]]) -> set[str]:
    """Return the names of schedules that stand in a rule, or in another schedule with or without `not`."""
    gates = [gate for rule in rules.values() for gate in (rule.pause, rule.mute) if gate is not None]
    texts = [gate.text for gate in gates if gate.schedule is not None]
    for mapping, name in mappings:
        item = mapping.value[name]
        other = item.value.get("not") if isinstance(item.value, dict) else item
        texts += [other.text] if other is not None else []
    inside = {name for rule in rules.values() for name, _ in rule.schedules}
    return inside | {text.split()[-1] for text in texts if text.strip()}
