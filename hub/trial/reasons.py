"""Why a rule did not do in a test what was expected: as `hub why-not` says it, and what only a test can know."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hub.documents.duration import format_duration
from hub.fields import did_you_mean
from hub.rules.reading.rule import Rule
from hub.trial.case import Expectation
from hub.trial.heard_lines import Heard
from hub.trial.world import World
from hub.why.readings import value_text
from hub.why.why_not import why_not

__all__ = ["reasons"]

_INSTANCES = 3  # that are told of, those heard last
_ERRORS = 5  # different ones, the last
_DEVICE = re.compile(r"(?<![.\w])device\b")
_NUMBER = re.compile(r"\s*[-+]?[0-9]+(\.[0-9]+)?\s*")


def reasons(world: World, heard: Heard, start: float, wanted: Expectation, *, briefly: bool) -> list[str]:
    """Return what kept a rule from what was expected of it; `briefly`: only what its trace does not show."""
    return list(dict.fromkeys(_reasons(world, heard, start, wanted, briefly=briefly)))


def _reasons(world: World, heard: Heard, start: float, wanted: Expectation, *, briefly: bool) -> Iterator[str]:
    rule = world.rules.rules[wanted.rule]
    topics = heard.of(rule.patterns)
    yield from _unread(heard, topics, start)
    known = {*rule.by, *rule.captures}
    yield from _strange(rule, wanted.labels)
    labels = {name: value for name, value in wanted.labels.items() if name in known}
    answer = why_not(world.core, rule.name, labels, world.now)
    said = []
    for instance in answer["instances"][:_INSTANCES]:
        said += list(_instance(world, rule, instance, heard, briefly=briefly))
    yield from said
    if not topics and not briefly:
        yield from _unheard(world, rule, heard)
    elif not answer["instances"] and labels and not briefly:
        yield from _unlabelled(world, rule, labels)
    for error in _errors(world, rule, start):
        if not any(error.split(": ", 1)[1] in each for each in said):
            yield error


def _strange(rule: Rule, labels: Mapping[str, str]) -> Iterator[str]:
    """Name the labels of an expectation that the rule never has: no instance can match it."""
    known = {*rule.label_names, *rule.captures}
    for name in labels:
        if name not in known:
            hint = did_you_mean(name, known) or f"it has {', '.join(sorted(known))}"
            yield f"rule {rule.name!r} has no label {name!r} ({hint})"


def _unread(heard: Heard, topics: list[str], start: float) -> Iterator[str]:
    for topic in topics:
        if (unread := heard.unread.get(topic)) is not None:
            yield f"the message at {_after(unread.time - start)} on {topic} was not understood: {unread.reason}"


def _unheard(world: World, rule: Rule, heard: Heard) -> Iterator[str]:
    """Name the topic that was sent to and is most like those that the rule listens to."""
    wanted = ", ".join(pattern.text for pattern in rule.patterns)
    if not heard.topics:
        yield f"nothing was sent by then; rule {rule.name!r} listens to {wanted}"
    else:
        nearest = heard.nearest(rule.patterns[0])
        yield f"no message came on a topic of rule {rule.name!r}, which listens to {wanted}; nearest is {nearest}"
    if rule.absent is not None and not any(_registered(world, pattern.filter) for pattern in rule.patterns):
        yield f"no device of the registry is there, so that nobody is missed{_none(world)}"


def _unlabelled(world: World, rule: Rule, labels: Mapping[str, str]) -> Iterator[str]:
    there = [dict(zip(rule.by, key, strict=False)) for key in world.core.engine.states[rule.name].instances]
    shown = "; ".join(_written(each) for each in there[:_INSTANCES])
    yield f"no message came with {_written(labels)}" + (f"; there is {shown}" if shown else "")


def _written(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())


def _instance(world: World, rule: Rule, instance: Mapping[str, Any], heard: Heard, *, briefly: bool) -> Iterator[str]:
    """Say how one instance is; where its condition has no value, why, and what to write."""
    topic, holds = instance["event"]["topic"], instance["holds"]
    if isinstance(holds, dict):
        values = [each for each in instance["values"] if not isinstance(each["value"], dict)]
        shown = "; ".join(f"{each['part']} was {value_text(each['value'])}" for each in values)
        remedy = _remedy(world, rule, str(instance["condition"]), topic, values)
        yield f"`{instance['condition']}` had no value: {holds['error']}" + (f"; {shown}" if shown else "") + remedy
    if not rule.alert and topic not in heard.live:
        yield f"{topic}: only a retained message came: what a broker keeps is no moment, and makes no event"
        return
    if briefly:
        return
    for place, sentence in enumerate(instance["sentences"]):
        if not isinstance(holds, dict) or (place and "has no value for this message" not in sentence):
            yield f"{topic}: {sentence}"


def _remedy(world: World, rule: Rule, condition: str, topic: str, values: list[Mapping[str, Any]]) -> str:
    known = world.registry is not None and world.registry.attributes(topic)
    if not known and _DEVICE.search(condition) and "device" not in rule.captures:
        return f" (no device of the registry belongs to {topic}{_none(world)})"
    for each in values:
        if isinstance(each["value"], str) and _NUMBER.fullmatch(each["value"]):
            return f" (write double({each['part']}))"
    return ""


def _none(world: World) -> str:
    """Say where devices come from, where there are none at all."""
    return "" if _registered(world, "#") else "; none is known here: `hub test --devices PATH` reads them"


def _registered(world: World, topic_filter: str) -> bool:
    return world.registry is not None and any(True for _ in world.registry.topics(topic_filter))


def _errors(world: World, rule: Rule, start: float) -> Iterator[str]:
    """Yield the errors of a rule, each once, with the time of the last."""
    found: dict[tuple[str, str], float] = {}
    for (name, topic, message), at in zip(world.errors, world.error_times, strict=True):
        if name == rule.name:
            found.pop((topic, message), None)
            found[topic, message] = at
    for (topic, message), at in list(found.items())[-_ERRORS:]:
        yield f"at {_after(at - start)} on {topic}: {message}"


def _after(seconds: float) -> str:
    return format_duration(seconds) if seconds else "0m"
