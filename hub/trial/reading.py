"""`tests:` of rule files into Cases; every mistake with its place."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from hub.alerts.matchers import NARROWER, Matcher, parse_matchers, why_too_wide
from hub.document import Node, Problems
from hub.fields import Bad, Section, Told, boolean, did_you_mean, duration, integer, list_of, one_of, text
from hub.ingest.topics import check_topic
from hub.limits import TRIAL_MESSAGES
from hub.model import OWN_TOPICS
from hub.rules.loader import RuleSet
from hub.secret import Secret
from hub.trial.case import Case, Deed, Expectation, Message

__all__ = ["STAGES", "read_cases"]

STAGES = ("pause", "shadow", "mute", "silence", "unless", "limit", "flapping", "group", "condition")
_STATES = ("inactive", "pending", "firing", "resolved")
_START = datetime(2026, 1, 1, tzinfo=UTC)
_RANGE = re.compile(r"\{([0-9]{1,6})\.\.([0-9]{1,6})\}")


def read_cases(rules: RuleSet, problems: Problems) -> list[Case]:
    """Read all tests of a rule set; look into `problems` before using what comes back."""
    found: list[Case] = []
    names: set[str] = set()
    for node in rules.tests:
        before = len(problems)
        case = _case(Section(node, problems, "a test"), rules)
        if case.name and case.name in names:
            problems.append(node.key_problem("name", f"a test {case.name!r} is already there", "give it another name"))
        names.add(case.name)
        if len(problems) == before:
            found.append(case)
    return found


def _case(section: Section, rules: RuleSet) -> Case:
    name = section.require("name", text, "")
    section.what = f"test {name!r}"
    start = section.take("start", _instant, _START)
    topic = section.take("topic", _topic, "")
    messages = _messages(section, topic)
    deeds = [deed for kind, read in _DEEDS.items() for deed in _items(section, kind, read)]
    expectations = _items(section, "expect", lambda item, problems: _expectation(item, problems, rules))
    if not expectations and "expect" not in section:
        section.report(section.node.problem(f"{section.what} expects nothing", "write expect: [{at: …, alert: …}]"))
    section.finish()
    zone: tzinfo = start.tzinfo or UTC
    return Case(name, start.timestamp(), zone, messages, deeds, expectations, section.node)


def _items(section: Section, key: str, read: Callable[[Node, Problems], Any]) -> list[Any]:
    """Read a list of mappings, or a single one."""
    node = section.get(key)
    if node is None:
        return []
    items = node.value if isinstance(node.value, list) else [node]
    return [made for item in items if (made := read(item, section.problems)) is not None]


# messages


def _messages(section: Section, topic: str) -> list[Message]:
    node = section.get("send")
    if node is None:
        return []
    if isinstance(node.value, dict):
        return [made for key, item in node.value.items() if (made := _at_key(section, node, key, item, topic))]
    if not isinstance(node.value, list):
        section.report(node.problem("'send' is a mapping of times to payloads, or a list of {at, topic, payload}"))
        return []
    return [made for item in node.value if (made := _message(item, section.problems, topic)) is not None]


def _at_key(section: Section, mapping: Node, key: str, item: Node, topic: str) -> Message | None:
    line, column = mapping.keys[key]
    try:
        at = duration(Node(key, mapping.path, line, column, key) if key != "0" else Node(0, "", 0, 0, key))
    except Bad as error:
        section.report(error.problem)
        return None
    if not topic:
        section.report(item.problem(f"{section.what} sends, and has no 'topic'"))
        return None
    return Message(at, _topics(topic), _payload(item, section.problems))


def _message(node: Node, problems: Problems, topic: str) -> Message | None:
    before = len(problems)
    section = Section(node, problems, "a message")
    topics = section.take("topic", _topic, topic)
    payload = section.get("payload")
    sent = {} if payload is None else _payload(payload, problems)
    every = section.take("every", duration, 0.0)
    first = section.take("from" if every else "at", duration, 0.0)
    last = section.take("to", duration, first)
    retain = section.take("retain", boolean, default=False)
    if not every and "at" not in section:
        section.report(node.problem("a message needs 'at', or 'every' with 'from' and 'to'"))
    if not topics:
        section.report(node.problem("a message needs 'topic', here or in its test"))
    section.finish()
    count = int((last - first) / every) + 1 if every else 1
    names = _topics(topics)
    if count * len(names) > TRIAL_MESSAGES:
        section.report(node.problem(f"over {TRIAL_MESSAGES:,} messages"))
    if len(problems) > before:
        return None
    return Message(first, names, sent, retain, every, count)


def _payload(node: Node, problems: Problems) -> Any:
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each.value, Secret):
            problems.append(each.problem("a test sends no secret", "write a value of its own"))
        inner = each.value
        waiting += inner if isinstance(inner, list) else inner.values() if isinstance(inner, dict) else ()
    return node.plain()


def _topic(node: Node) -> str:
    name = text(node)
    plain = _RANGE.sub("0", name)
    if why := check_topic(plain.removeprefix("$") if plain.startswith(OWN_TOPICS) else plain):
        raise Bad(node, f"not a topic: {why}", "a test sends to topics, {1..100} in one makes a hundred")
    return name


def _topics(written: str) -> tuple[str, ...]:
    """Expand {1..3}."""
    found = _RANGE.search(written)
    if found is None:
        return (written,)
    numbers = range(int(found[1]), int(found[2]) + 1)
    return tuple(
        each for number in numbers for each in _topics(f"{written[: found.start()]}{number}{written[found.end() :]}")
    )


def _instant(node: Node) -> datetime:
    try:
        found = datetime.fromisoformat(text(node))
    except ValueError:
        raise Bad(node, f"{node.text!r} is not a time", "write it as 2026-03-01T01:55:00+01:00") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


# deeds


def _moment(kind: str) -> Callable[[Node, Problems], Deed | None]:
    """Make a reader of `restart: 20m` and `reload: [20m, 40m]`."""

    def read(node: Node, problems: Problems) -> Deed | None:
        wrapped = node if isinstance(node.value, dict) else Node({"at": node}, node.path, node.line, node.column)
        section = Section(wrapped, problems, f"'{kind}'")
        at = section.require("at", duration, 0.0)
        section.finish()
        return Deed(at, kind)

    return read


def _deed(kind: str) -> Callable[[Node, Problems], Deed | None]:
    def read(node: Node, problems: Problems) -> Deed | None:
        before = len(problems)
        section = Section(node, problems, f"'{kind}'")
        at = section.require("at", duration, 0.0)
        nothing: tuple[Matcher, ...] = ()
        matchers = section.take("matchers", _matchers, nothing)
        name = section.take("alert", text, "")
        labels = _labels(section)
        by = section.take("by", text, "test")
        lasting = section.take("for", duration, None)
        section.finish()
        chosen = (*matchers, *(Matcher(key, "=", value) for key, value in labels.items()))
        chosen += (Matcher("alertname", "=", name),) if name else ()
        if not chosen and kind != "unsilence":
            section.report(node.problem(f"which alerts? write 'alert' or 'matchers' in '{kind}'"))
        if chosen and kind == "silence" and (wide := why_too_wide(chosen)):
            section.report((section.get("matchers") or node).problem(wide, NARROWER))  # a running hub refuses it, too
        return Deed(at, kind, chosen, by, lasting) if len(problems) == before else None

    return read


_DEEDS: Mapping[str, Callable[[Node, Problems], Deed | None]] = {
    **{kind: _deed(kind) for kind in ("ack", "unack", "silence", "unsilence")},
    **{kind: _moment(kind) for kind in ("restart", "reload")},
}


def _matchers(node: Node) -> tuple[Matcher, ...]:
    found: list[Matcher] = []
    for line in list_of(text)(node):
        try:
            found += parse_matchers(line)
        except ValueError as error:
            raise Bad(node, str(error)) from None
    return tuple(found)


def _labels(section: Section) -> dict[str, str]:
    node = section.get("labels")
    if node is None:
        return {}
    inner = Section(node, section.problems, "'labels'")
    return {key: inner.take(key, text, "") for key in inner.values}


# expectations


def _expectation(node: Node, problems: Problems, rules: RuleSet) -> Expectation | None:
    before = len(problems)
    section = Section(node, problems, "an expectation")
    at = section.require("at", duration, 0.0)
    kind = "event" if section.get("event") is not None else "alert"
    name = section.require(kind, _rule(rules, alert=kind == "alert"), "")
    made = Expectation(
        at,
        name,
        kind == "alert",
        _labels(section),
        node,
        state=section.take("state", one_of(*_STATES), None),
        acknowledged=section.take("acknowledged", boolean, None),
        notified=section.take("notified", _names(rules.receivers, whole=rules.unread is not None), None),
        not_notified=section.take("not_notified", one_of(*STAGES), None),
        text=section.take("text", text, None),
        times=section.take("times", integer(0, 1_000_000), None),
    )
    section.finish()
    said = (made.state, made.acknowledged, made.notified, made.not_notified, made.text, made.times)
    if all(each is None for each in said) and len(problems) == before:
        section.report(node.problem("it expects nothing", "write state, notified, not_notified, text or times"))
    return made if len(problems) == before else None


def _rule(rules: RuleSet, *, alert: bool) -> Callable[[Node], str]:
    def convert(node: Node) -> str:
        name, word = text(node), "alert" if alert else "event"
        rule = rules.rules.get(name)
        if rule is None:
            if rules.unread is None or name in rules.unread:
                raise Told(node)
            known = [each.name for each in rules.rules.values() if each.alert is alert]
            raise Bad(node, f"no {word} {name!r} that is enabled", did_you_mean(name, known))
        if rule.alert is not alert:
            raise Bad(
                node, f"{name!r} is an {'event' if alert else 'alert'}", f"write {'event' if alert else 'alert'}: "
            )
        return name

    return convert


def _names(known: Collection[str], *, whole: bool) -> Callable[[Node], tuple[str, ...]]:
    def convert(node: Node) -> str:
        name = text(node)
        if name not in known:
            if not whole:
                raise Told(node)
            raise Bad(node, f"no receiver {name!r}", did_you_mean(name, known))
        return name

    convert_all: Callable[[Node], Sequence[str]] = list_of(convert)
    return lambda node: tuple(sorted(set(convert_all(node))))
