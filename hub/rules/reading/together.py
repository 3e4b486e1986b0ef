"""Mistakes that only all rules together show: loops, and names of rules that do not exist. Part of every load."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hub.documents.document import Node, Problems
from hub.errors import Problem
from hub.fields import did_you_mean
from hub.ingest.itself import Itself
from hub.ingest.sparkplug import EXTRA, missing
from hub.rules.listening import alert_topics, circles
from hub.rules.reading.rule import Rule
from hub.rules.reading.subjects import reads_sparkplug
from hub.rules.topics.topic_pattern import TopicPattern

__all__ = ["check_together"]


def check_together(
    rules: Mapping[str, Rule],
    nodes: Mapping[str, Node],
    receivers: Mapping[str, Any],
    prefix: str,
    problems: Problems,
    unread: Collection[str] | None = (),
) -> None:
    """Report what makes a set of rules unusable; `nodes` says where each rule is written.

    `unread` are rules that have problems of their own; None: a file could not be read, so any name may be one.
    """
    _check_loops(rules, receivers, prefix, problems)
    for name, rule in rules.items():
        if rule.unless:
            _check_unless(rule, rules, nodes[name], problems, unread)
    _check_circles(rules, nodes, problems)
    _check_listening(rules, nodes, problems)
    _check_sparkplug(rules, nodes, problems)


def _check_sparkplug(rules: Mapping[str, Rule], nodes: Mapping[str, Node], problems: Problems) -> None:
    """Report rules that read Sparkplug metrics where the package for these is not installed."""
    readers = [rule.name for rule in rules.values() if rule.enabled and reads_sparkplug(rule)]
    if readers and (why := missing()):
        message = f"rule {readers[0]!r} reads Sparkplug B, which this installation cannot: {why}"
        problems.append(nodes[readers[0]].key_problem("topic", message, EXTRA))


def _check_loops(rules: Mapping[str, Rule], receivers: Mapping[str, Any], prefix: str, problems: Problems) -> None:
    """Refuse rules that could hear what the hub itself publishes: one event would become an endless stream."""
    topics = {name: topic for name, each in receivers.items() if (topic := each.publishes()) is not None}
    itself = Itself(prefix)
    for rule in rules.values():
        for pattern in rule.patterns:
            if itself.named_by(pattern.filter):
                # a wildcard in place of the prefix never matches what the hub says
                _report(problems, rule, pattern, f"{prefix}/# (the hub's own topics): a loop", _elsewhere(prefix))
            for name, topic in topics.items():
                if pattern.overlaps(topic):
                    way = _way(rule, name, rules, receivers)
                    _report(problems, rule, pattern, f"{topic} (receiver {name!r}): {way}", "make the topic narrower")


def _report(problems: Problems, rule: Rule, pattern: TopicPattern, what: str, hint: str) -> None:
    message = f"rule {rule.name!r} listens to {pattern.text}, which can match {what}"
    problems.append(Problem(rule.path, rule.line, 1, message, hint))


def _elsewhere(prefix: str) -> str:
    return f"listen outside {prefix}/; where devices publish below it, set another publish_prefix in hub.yaml"


def _way(rule: Rule, receiver: str, rules: Mapping[str, Rule], receivers: Mapping[str, Any]) -> str:
    """Say how one event would go round: from a rule to whom it tells, to who listens there, back to the rule."""
    ways = {rule.name: rule.name}
    waiting = [rule]
    while waiting:
        teller = waiting.pop(0)
        for name in _told(teller, receivers):
            if name == receiver:
                return f"a loop, {ways[teller.name]} → {receiver} → {rule.name}"
            for hearer in _hearers(rules, receivers[name].publishes()):
                if hearer.name not in ways:
                    ways[hearer.name] = f"{ways[teller.name]} → {name} → {hearer.name}"
                    waiting.append(hearer)
    return "one rule more would make it a loop"


def _told(rule: Rule, receivers: Mapping[str, Any]) -> list[str]:
    """Return the receivers that a rule tells, and those that these fall back to."""
    told = [*rule.notify, *(name for step in rule.escalate for name in step.to)]
    for name in told:  # it grows meanwhile: a fallback may have a fallback
        fallback = receivers[name].fallback
        if fallback is not None and fallback.to in receivers and fallback.to not in told:
            told.append(fallback.to)
    return told


def _hearers(rules: Mapping[str, Rule], topic: str | None) -> Iterator[Rule]:
    if topic is not None:
        yield from (rule for rule in rules.values() if any(pattern.overlaps(topic) for pattern in rule.patterns))


def _check_unless(
    rule: Rule, rules: Mapping[str, Rule], node: Node, problems: Problems, unread: Collection[str] | None
) -> None:
    for name in rule.unless:
        if name == rule.name:
            problems.append(node.key_problem("unless", f"rule {name!r} cannot hold itself back"))
        elif name not in rules:
            if unread is None or name in unread:
                continue  # the rule exists, and its own problem is told at its place
            alerts = [other.name for other in rules.values() if other.alert]
            problems.append(node.key_problem("unless", f"no alert rule {name!r}", did_you_mean(name, alerts)))
        elif not rules[name].alert:
            problems.append(node.key_problem("unless", f"{name!r} is an event, which never fires", "name an alert"))


def _check_circles(rules: Mapping[str, Rule], nodes: Mapping[str, Node], problems: Problems) -> None:
    """Refuse rules that suppress each other: while all of them fire, nobody would be told of any."""
    for circle in _circles(rules):
        way = " → ".join([*circle, circle[0]])
        message = f"rules hold each other back: {way}; while they fire, nobody would be told"
        problems.append(nodes[circle[0]].key_problem("unless", message, "only a consequence names its cause"))


def _circles(rules: Mapping[str, Rule]) -> Iterator[list[str]]:
    """Follow `unless` from every rule, each rule once, and yield each circle that this finds."""
    done: set[str] = set()
    for root in rules:
        path = {} if root in done else {root: iter(rules[root].unless)}
        while path:
            here = next(reversed(path))
            other = next(path[here], None)
            if other is None:
                done.add(here)
                del path[here]
            elif other in path:
                names = list(path)
                if other != here:
                    yield names[names.index(other) :]
            elif other in rules and other not in done:
                path[other] = iter(rules[other].unless)


def _check_listening(rules: Mapping[str, Rule], nodes: Mapping[str, Node], problems: Problems) -> None:
    """Refuse rules that can hear their own alerts, directly or through others: each would be the cause of the next."""
    for circle in circles(rules.values()):
        first = circle[0]
        if len(circle) == 1:
            pattern = next(each for each in first.patterns if any(map(each.overlaps, alert_topics(first))))
            message = f"rule {first.name!r} listens to {pattern.text}, which can match its own alerts: a circle"
        else:
            way = " → ".join(f"{each.name} ({each.place})" for each in [*circle, first])
            message = f"rules listen to each other's alerts in a circle: {way}"
        hint = "name the alerts that it listens to, or make it an event, which has none"
        problems.append(nodes[first.name].key_problem("topic", message, hint))
