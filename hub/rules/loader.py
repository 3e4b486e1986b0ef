"""Rule files into a RuleSet: everything is read, then every problem of every file is known at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.document import Node, Problems, read_document, yaml_files
from hub.errors import Problem
from hub.fields import Section
from hub.ingest.topics import covers
from hub.limits import COVER_COMPARISONS
from hub.rules.rule import Rule
from hub.rules.schema import NO_DEFAULTS, Defaults, read_defaults, read_rule, refuse_later

__all__ = ["RuleSet", "load_rules"]

LATER_SECTIONS = ("schedules", "tests")


ReadReceivers = Callable[[Node, Problems], Mapping[str, Any]]
"""Reads a `receivers` mapping into settings by name (notify.receiver.ReceiverSettings, a later stage's)."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules that are enabled and all receivers, by name."""

    rules: Mapping[str, Rule] = field(default_factory=dict)
    receivers: Mapping[str, Any] = field(default_factory=dict)

    def filters(self) -> list[str]:
        """Return what must be subscribed, each once, without those that another one covers."""
        found = dict.fromkeys(pattern.filter for rule in self.rules.values() for pattern in rule.patterns)
        wild = [name for name in found if "+" in name or "#" in name]
        if len(found) * len(wild) > COVER_COMPARISONS:
            return list(found)
        return [name for name in found if not any(other != name and covers(other, name) for other in wild)]


@dataclass(slots=True)
class _File:
    section: Section
    receivers: Mapping[str, Any]


def load_rules(paths: Sequence[Path], problems: Problems, read_receivers: ReadReceivers, prefix: str) -> RuleSet:
    """Read rule files and folders.

    `read_receivers` reads a `receivers` mapping (a later stage's business); nothing may listen to what stands below
    `prefix`, the hub's own topics. Look into `problems` before using what comes back.
    """
    files = [_open(path, problems, read_receivers) for path in yaml_files(paths, problems)]
    found = [file for file in files if file is not None]
    receivers: dict[str, Any] = {}
    for file in found:
        _unite(receivers, file.receivers, file.section.get("receivers"), "receiver", problems)
    shared = NO_DEFAULTS
    for file in found:
        if file.section.get("rules") is None:
            shared = _defaults(file, shared, receivers)
    rules: dict[str, Rule] = {}
    for file in found:
        _rules(file, _defaults(file, shared, receivers), receivers, rules)
        file.section.finish()
    _check_loops(rules, receivers, prefix, problems)
    return RuleSet({name: rule for name, rule in rules.items() if rule.enabled}, receivers)


def _open(path: Path, problems: Problems, read_receivers: ReadReceivers) -> _File | None:
    node = read_document(path, problems)
    if node is None:
        return None
    section = Section(node, problems, "a rule file")
    refuse_later(section, LATER_SECTIONS)
    receivers = section.get("receivers")
    return _File(section, read_receivers(receivers, problems) if receivers is not None else {})


def _defaults(file: _File, base: Defaults, receivers: Mapping[str, Any]) -> Defaults:
    node = file.section.get("defaults")
    return base if node is None else read_defaults(node, file.section.problems, base, receivers)


def _unite(
    all_named: dict[str, Any], more: Mapping[str, Any], node: Node | None, what: str, problems: Problems
) -> None:
    for name, value in more.items():
        if name in all_named and node is not None:
            problems.append(node.key_problem(name, f"a {what} {name!r} is already in another file", "names are global"))
        else:
            all_named[name] = value


def _rules(file: _File, defaults: Defaults, receivers: Mapping[str, Any], rules: dict[str, Rule]) -> None:
    node, problems = file.section.get("rules"), file.section.problems
    if node is None:
        return
    if not isinstance(node.value, list):
        problems.append(node.problem("'rules' must be a list", "each rule begins with - alert: or - event:"))
        return
    for item in node.value:
        rule = read_rule(item, problems, defaults, receivers)
        if rule is None:
            continue
        if rule.name in rules:
            first = rules[rule.name].place
            problems.append(item.problem(f"a rule {rule.name!r} is already at {first}", "names are global"))
            continue
        rules[rule.name] = rule


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
