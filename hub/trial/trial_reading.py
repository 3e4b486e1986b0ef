"""`tests:` of rule files into Cases; every mistake with its place. Their keys are declared in case_keys.py."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from hub.alerts.matchers import NARROWER, Matcher, why_too_wide
from hub.documents.document import Node, Problems
from hub.documents.secret import Secret
from hub.fields import Bad, Key, Section, ToldElsewhere, did_you_mean, duration, list_of, text
from hub.limits import TRIAL_MESSAGES
from hub.rules.reading.loader import RuleSet
from hub.trial import case_keys as keys
from hub.trial.case import Case, Deed, Expectation, TrialMessage

__all__ = ["read_cases"]


def read_cases(rules: RuleSet, problems: Problems) -> list[Case]:
    """Read all tests of a rule set; look into `problems` before using what comes back."""
    found: list[Case] = []
    names: set[str] = set()
    for node in rules.tests:
        before = len(problems)
        case = _case(Section(node, problems, "a test", keys.TEST), rules)
        if case.name and case.name in names:
            problems.append(node.key_problem("name", f"a test {case.name!r} is already there", "give it another name"))
        names.add(case.name)
        if len(problems) == before:
            found.append(case)
    return found


def _case(section: Section, rules: RuleSet) -> Case:
    name = section.take(keys.NAME)
    section.what = f"test {name!r}"
    start = section.take(keys.START)
    topic = section.take(keys.TEST_TOPIC)
    messages = _messages(section, topic)
    deeds = [deed for key, read in _DEEDS.items() for deed in _items(section, key, read)]
    expectations = _items(section, keys.EXPECT, lambda item, problems: _expectation(item, problems, rules))
    if not expectations and keys.EXPECT not in section:
        section.report(section.node.problem(f"{section.what} expects nothing", "write expect: [{at: …, alert: …}]"))
    section.finish()
    zone: tzinfo = start.tzinfo or UTC
    return Case(name, start.timestamp(), zone, messages, deeds, expectations, section.node)


def _items(section: Section, key: Key[Any], read: Callable[[Node, Problems], Any]) -> list[Any]:
    """Read a list of mappings, or a single one."""
    node = section.get(key)
    if node is None:
        return []
    items = node.value if isinstance(node.value, list) else [node]
    return [made for item in items if (made := read(item, section.problems)) is not None]


# messages


def _messages(section: Section, topic: str) -> list[TrialMessage]:
    node = section.get(keys.SEND)
    if node is None:
        return []
    if isinstance(node.value, dict):
        return [made for key, item in node.value.items() if (made := _at_key(section, node, key, item, topic))]
    if not isinstance(node.value, list):
        section.report(node.problem("'send' is a mapping of times to payloads, or a list of {at, topic, payload}"))
        return []
    return [made for item in node.value if (made := _message(item, section.problems, topic)) is not None]


def _at_key(section: Section, mapping: Node, key: str, item: Node, topic: str) -> TrialMessage | None:
    line, column = mapping.keys[key]
    try:
        at = duration(Node(key, mapping.path, line, column, key) if key != "0" else Node(0, "", 0, 0, key))
    except Bad as error:
        section.report(error.problem)
        return None
    if not topic:
        section.report(item.problem(f"{section.what} sends, and has no 'topic'"))
        return None
    return TrialMessage(at, _topics(topic), _payload(item, section.problems))


def _message(node: Node, problems: Problems, topic: str) -> TrialMessage | None:
    before = len(problems)
    section = Section(node, problems, "a message", keys.MESSAGE)
    topics = section.take(keys.TOPIC, default=topic)
    payload = section.get(keys.PAYLOAD)
    sent = {} if payload is None else _payload(payload, problems)
    raw = [each for each in (section.take(keys.BASE64), section.take(keys.HEX)) if each is not None]
    if len(raw) + (payload is not None) > 1:
        section.report(node.problem("a message has one payload", "leave two of 'payload', 'base64' and 'hex' out"))
    sent = raw[0] if raw else sent
    content_type = section.take(keys.CONTENT_TYPE)
    every = section.take(keys.EVERY)
    first = section.take(keys.FROM if every else keys.AT)
    last = section.take(keys.TO, default=first)
    retain = section.take(keys.RETAIN)
    if not every and keys.AT not in section:
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
    return TrialMessage(first, names, sent, retain, every, count, content_type)


def _payload(node: Node, problems: Problems) -> Any:
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each.value, Secret):
            problems.append(each.problem("a test sends no secret", "write a value of its own"))
        inner = each.value
        waiting += inner if isinstance(inner, list) else inner.values() if isinstance(inner, dict) else ()
    return node.plain()


def _topics(written: str) -> tuple[str, ...]:
    """Expand {1..3}."""
    found = keys.RANGE.search(written)
    if found is None:
        return (written,)
    numbers = range(int(found[1]), int(found[2]) + 1)
    return tuple(
        each for number in numbers for each in _topics(f"{written[: found.start()]}{number}{written[found.end() :]}")
    )


# deeds


def _moment(kind: str) -> Callable[[Node, Problems], Deed | None]:
    """Make a reader of `restart: 20m` and `reload: [20m, 40m]`."""

    def read(node: Node, problems: Problems) -> Deed | None:
        wrapped = node if isinstance(node.value, dict) else Node({"at": node}, node.path, node.line, node.column)
        section = Section(wrapped, problems, f"'{kind}'", keys.MOMENT)
        at = section.take(keys.AT_NEEDED)
        section.finish()
        return Deed(at, kind)

    return read


def _deed(kind: str) -> Callable[[Node, Problems], Deed | None]:
    def read(node: Node, problems: Problems) -> Deed | None:
        before = len(problems)
        section = Section(node, problems, f"'{kind}'", keys.DEED)
        at = section.take(keys.AT_NEEDED)
        matchers = section.take(keys.MATCHERS)
        name = section.take(keys.DEED_ALERT)
        labels = _labels(section)
        by = section.take(keys.DEED_BY)
        lasting = section.take(keys.LASTING_FOR)
        section.finish()
        chosen = (*matchers, *(Matcher(key, "=", value) for key, value in labels.items()))
        chosen += (Matcher("alertname", "=", name),) if name else ()
        if not chosen and kind != "unsilence":
            section.report(node.problem(f"which alerts? write 'alert' or 'matchers' in '{kind}'"))
        if chosen and kind == "silence" and (wide := why_too_wide(chosen)):
            section.report(
                (section.get(keys.MATCHERS) or node).problem(wide, NARROWER)
            )  # a running hub refuses it, too
        return Deed(at, kind, chosen, by, lasting) if len(problems) == before else None

    return read


def _set(node: Node, problems: Problems) -> Deed | None:
    """Read `set: {at: 20m, device: freezer/7, limit: -16}`: what is no key of its own is an attribute."""
    before = len(problems)
    section = Section(node, problems, "'set'")
    at = section.take(keys.AT_NEEDED)
    section.need(keys.AT_NEEDED)
    device = section.take(keys.SET_DEVICE)
    section.need(keys.SET_DEVICE)
    by = section.take(keys.DEED_BY)
    own = {each.name for each in (keys.AT_NEEDED, keys.SET_DEVICE, keys.DEED_BY)}
    attributes = {name: each.plain() for name, each in section.values.items() if name not in own}
    if not attributes and len(problems) == before:
        section.report(node.problem("'set' sets nothing", "write set: {at: 20m, device: freezer/7, limit: -16}"))
    if len(problems) > before:
        return None
    return Deed(at, "set", by=by, device=device, attributes=attributes, node=node)


_DEEDS: Mapping[Key[Any], Callable[[Node, Problems], Deed | None]] = {
    **{key: _deed(key.name) for key in keys.DEEDS},
    keys.SET: _set,
    **{key: _moment(key.name) for key in keys.MOMENTS},
}


def _labels(section: Section) -> dict[str, str]:
    node = section.get(keys.LABELS)
    if node is None:
        return {}
    inner = Section(node, section.problems, "'labels'")
    return {key: inner.take(key, text, "") for key in inner.values}


# expectations


def _expectation(node: Node, problems: Problems, rules: RuleSet) -> Expectation | None:
    before = len(problems)
    section = Section(node, problems, "an expectation", keys.EXPECTATION)
    at = section.take(keys.AT_NEEDED)
    key = keys.EVENT if section.get(keys.EVENT) is not None else keys.ALERT
    alert = key is keys.ALERT
    section.need(key)
    name = section.take(key, _rule(rules, alert=alert))
    made = Expectation(
        at,
        name,
        alert,
        _labels(section),
        node,
        state=section.take(keys.STATE),
        acknowledged=section.take(keys.ACKNOWLEDGED),
        notified=section.take(keys.NOTIFIED, _names(rules.receivers, whole=rules.unread is not None)),
        not_notified=section.take(keys.NOT_NOTIFIED),
        text=section.take(keys.TEXT_SAID),
        times=section.take(keys.TIMES),
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
                raise ToldElsewhere(node)
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
                raise ToldElsewhere(node)
            raise Bad(node, f"no receiver {name!r}", did_you_mean(name, known))
        return name

    convert_all: Callable[[Node], Sequence[str]] = list_of(convert)
    return lambda node: tuple(sorted(set(convert_all(node))))
