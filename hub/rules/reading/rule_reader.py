"""One YAML mapping into one Rule, every problem with its place; `defaults` of a file into what its rules have.

The keys are declared in vocabulary.py and read one after the other. This module has what concerns several keys, and
what is more than the value of a single key: name, topics, instance, texts. To add a key, see rule.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from math import inf
from typing import Any

from hub.documents.document import Node, Problems
from hub.errors import CompileError
from hub.expressions import Program, Scope, Template, caret, compile_template
from hub.expressions.templates.asked import asks_label
from hub.fields import KeyTable, Section, did_you_mean
from hub.rules.reading.compiled import compiled
from hub.rules.reading.foreign_keys import RULE_KEYS, automation
from hub.rules.reading.key_parts import KeyPart
from hub.rules.reading.rule import FIELDS, KEYS, LABEL_NAMES, RULE, TEXT_NAMES, Rule, Texts
from hub.rules.reading.rule_key import RuleKey, RulePlace, of, of_fields
from hub.rules.reading.rule_values import KnownNames, Limit, Repeat
from hub.rules.reading.vocabulary import (
    ABSENT,
    ACROSS,
    ALERT,
    BY,
    DETAILS,
    EACH,
    EVENT,
    GROUP_BY,
    GROUP_INTERVAL,
    GROUP_WAIT,
    LABELS,
    LIMIT,
    NOTIFY,
    REPEAT,
    RUNBOOK,
    SEVERITY,
    SUMMARY,
    TOPIC,
)
from hub.rules.topics.topic_pattern import TopicPattern
from hub.schedules import read_zone

__all__ = ["DEFAULTS", "NO_DEFAULTS", "Defaults", "read_defaults", "read_rule"]

_OWN_LABELS = {
    "alertname": "the rule's name is this label",
    "severity": "use the key severity",
    "reason": "the hub's own",
}


TZ = RuleKey(
    "tz",
    read_zone,
    None,
    "The time zone of schedules and times that name none, by its IANA name.",
    "Europe/Berlin",
    restarts=False,
)


@dataclass(frozen=True, slots=True)
class Defaults:
    """`defaults` of a file: the values that its rules have for keys that they leave out."""

    notify: tuple[str, ...] = of(NOTIFY)
    severity: str = of(SEVERITY)
    labels: Node | None = of(LABELS)
    repeat: Repeat | None = of(REPEAT)
    group_by: tuple[str, ...] | None = of(GROUP_BY)
    group_wait: float = of(GROUP_WAIT)
    group_interval: float = of(GROUP_INTERVAL)
    limit: Limit | None = of(LIMIT)
    tz: tzinfo | None = of(TZ)

    def of_rule(self, *, alert: bool) -> dict[str, Any]:
        """Return the fields of a rule that leaves all these keys out; an event gets no field that only alerts have."""
        values = {name: getattr(self, name) for name, (key,) in _FIELDS.items() if alert or not key.alert_only}
        return {name: value for name, value in values.items() if name in FIELDS}


NO_DEFAULTS = Defaults()
_FIELDS = of_fields(Defaults)
DEFAULTS = KeyTable("defaults", *(key for (key,) in _FIELDS.values()))


def read_defaults(node: Node, problems: Problems, base: Defaults, known: KnownNames) -> Defaults:
    """Read a file's `defaults`; `base` has the values of the keys that it leaves out."""
    section, place = Section(node, problems, "defaults", DEFAULTS), RulePlace(known, problems, base.tz, Scope())
    found = {name: section.take(key, key.reader(place), getattr(base, name)) for name, (key,) in _FIELDS.items()}
    section.finish()
    return Defaults(**found)


def read_rule(node: Node, problems: Problems, defaults: Defaults, known: KnownNames) -> Rule | None:
    """Read one rule, also a disabled one; return None, with at least one more problem, where it cannot be used."""
    before = len(problems)
    section = Section(node, problems, "a rule", RULE)
    if meant := automation(node):
        problems.append(node.problem("this is an automation of Home Assistant, no rule", meant))
        return None
    section.foreign = RULE_KEYS
    name, alert = _name(section)
    section.what = f"rule {name!r}" if name else "a rule"
    patterns = _patterns(section)
    captures = patterns[0].captures if patterns else ()
    names = tuple(pattern.name for pattern in patterns if pattern.name)
    across = section.get(ACROSS)
    schedules = known.unread.union(known.schedules)
    scope = Scope(captures, latest=names, history=True, schedules=schedules, across=across is not None)
    place = RulePlace(known, problems, defaults.tz, scope)
    members: tuple[KeyPart, ...] = section.take(ACROSS, ACROSS.reader(place), ())
    parts = section.take(BY, BY.reader(place), _others(captures, members))
    by, written = tuple(part.label for part in parts), tuple(part.written for part in parts)
    _check_labels(section, captures, by)
    _check_members(section, members, parts)
    rule = Rule(
        name=name,
        alert=alert,
        path=node.path,
        line=node.line,
        patterns=patterns,
        captures=captures,
        by=by,
        learns=_learns(section),
        tz=defaults.tz,
        across=members,
        by_written=() if written == by else written,
        by_programs=tuple((part.label, part.program) for part in parts if part.program is not None),
        **_values(section, place, defaults, name, alert=alert),
    )
    if rule.offline is not None and rule.absent is None:  # only the report counts, however long the device is silent
        rule = replace(rule, absent=inf)
    rule = replace(rule, texts=_texts(section, defaults, rule, scope))
    section.finish()
    _check_together(section, alert)
    rule = _timed(_grouped(section, rule, defaults), known)
    if len(problems) == before:
        _check_used(section, rule)
    return rule if len(problems) == before else None


def _values(section: Section, place: RulePlace, defaults: Defaults, name: str, *, alert: bool) -> dict[str, Any]:
    """Read every key that is the value of one field."""
    # `group_by` of `defaults` is taken later (_grouped), when the rule's labels are known: it may not have them all
    usual = defaults.of_rule(alert=alert) | {"group_by": None}
    severity = section.take(SEVERITY, default=defaults.severity)
    place = replace(place, own=(("alertname", name), ("severity", severity)))  # conditions of a gate may name it
    return {
        field: severity if key is SEVERITY else section.take(key, key.reader(place), usual.get(field, key.default))
        for field, (key,) in FIELDS.items()
    }


def _timed(rule: Rule, known: KnownNames) -> Rule:
    """Give the rule the schedules that it names."""
    programs = [*rule.conditions, *_event_programs(rule)]
    names = rule.texts.schedules.union(*(program.schedules for program in programs)) - known.unread
    return replace(rule, schedules=tuple((name, known.schedules[name]) for name in sorted(names))) if names else rule


def _event_programs(rule: Rule) -> list[Program]:
    """Return the expressions that look at an event alone, before the condition does."""
    made = [*(program for _, program in rule.by_programs), *(part.program for part in rule.across)]
    gone = None if rule.offline is None else rule.offline.when
    asked = (rule.timestamp, rule.where, rule.each, gone, *made)
    return [program for program in asked if program is not None]


def _grouped(section: Section, rule: Rule, defaults: Defaults) -> Rule:
    """Check that the rule has the labels of its own `group_by`; from `defaults` take only the labels that it has."""
    node = section.get(GROUP_BY)
    if node is None:
        if defaults.group_by is None:
            for key in (GROUP_WAIT, GROUP_INTERVAL):
                if section.get(key) is not None:
                    message = f"{key.name!r} needs 'group_by' beside it"
                    section.report(
                        section.node.key_problem(key.name, message, "group_by: [] folds all alerts of the rule")
                    )
            return rule
        return replace(rule, group_by=tuple(name for name in defaults.group_by if name in rule.label_names))
    for name in rule.group_by or ():
        if name not in rule.label_names:
            hint = did_you_mean(name, rule.label_names) or f"its labels: {', '.join(sorted(rule.label_names))}"
            section.report(node.problem(f"{section.what} has no label {name!r} to group by", hint))
    return rule


def _name(section: Section) -> tuple[str, bool]:
    kinds = [key for key in (ALERT, EVENT) if section.get(key) is not None]
    if len(kinds) != 1:
        say = "is both 'alert' and 'event'" if kinds else "needs the key 'alert' or 'event'"
        section.report(section.node.problem(f"a rule {say}", "alert: a condition that lasts; event: a moment"))
    name = section.take(kinds[0]) if kinds else ""
    return name, kinds == [ALERT]


def _patterns(section: Section) -> tuple[TopicPattern, ...]:
    """Read `topic`; all topics of a rule must have the same captures, because the captures make the instance."""
    patterns = section.take(TOPIC)
    node = section.get(TOPIC) or section.node
    if not patterns:
        if node.value == []:
            section.report(node.problem("'topic' names no topic"))
        return ()
    if patterns[0].name:
        return _named(section, patterns)
    names = patterns[0].captures
    for pattern in patterns[1:]:
        if set(pattern.captures) != set(names):
            section.report(node.problem("the topics of one rule must have the same captures", "use + for the others"))
            return patterns[:1]
    return tuple(pattern.ordered(names) for pattern in patterns)


def _named(section: Section, patterns: tuple[TopicPattern, ...]) -> tuple[TopicPattern, ...]:
    """Read a map of topics: one of them has all captures, so that it tells which instances there are."""
    names = max((pattern.captures for pattern in patterns), key=len)
    node = section.get(TOPIC) or section.node
    for pattern in patterns:
        if strange := [name for name in pattern.captures if name not in names]:
            message = f"no topic has all captures: {{{strange[0]}}} is not in that with {', '.join(names) or 'none'}"
            section.report(node.problem(message, "write + in its place, or add it to another topic"))
            return patterns[:1]
    for key, why in (
        (EACH, "its elements have no name"),
        (BY, "the captures make the instance"),
        (ACROSS, "it has no members"),
    ):
        if section.get(key) is not None:
            message = f"{key.name!r} does not go with a map of topics: {why}"
            section.report(section.node.key_problem(key.name, message, f"leave {key.name!r} out"))
    return tuple(pattern.ordered(names) for pattern in patterns)


def _others(captures: Sequence[str], members: Sequence[KeyPart]) -> tuple[KeyPart, ...]:
    """Return what makes an instance without `by`: all captures but those that name its members."""
    named = {part.written for part in members if part.program is None}
    named |= {name for part in members if part.program is not None for name in part.program.captures}
    return tuple(KeyPart(name, name) for name in captures if name not in named)


def _check_members(section: Section, members: Sequence[KeyPart], by: Sequence[KeyPart]) -> None:
    """Refuse members that `by` names too: each would be alone in its instance."""
    for part in members:
        if part.written in {other.written for other in by}:
            message = f"{part.written!r} is in `by` too, so each instance would have one member"
            section.report(section.node.key_problem("across", message, "leave it out of `by`"))


def _check_labels(section: Section, captures: Sequence[str], by: Sequence[str]) -> None:
    """Refuse captures and parts of an instance whose names are labels of the hub's own."""
    for key, names in (("topic", captures), ("by", by)):
        for name in names:
            if name in _OWN_LABELS and (key == "topic" or name not in captures):
                message = f"{name!r} is a label of the hub's own ({_OWN_LABELS[name]})"
                section.report(section.node.key_problem(key, message, "give it another name"))


def _check_used(section: Section, rule: Rule) -> None:
    """Report captures without any effect: `by` leaves them out, and no expression or text names them."""
    topic = section.get(TOPIC)
    if topic is None or section.get(BY) is None:
        return
    programs: list[Program | Template] = [
        *rule.conditions,
        *rule.texts.templates,
        *_event_programs(rule),
    ]
    named = {*rule.by, *(part.written for part in rule.across), *(rule.group_by or ())}
    used = named.union(*(each.captures for each in programs))
    for name in rule.captures:
        if name not in used:
            node = topic.value[0] if isinstance(topic.value, list) else topic
            message, hint = f"nothing uses the capture {{{name}}}", "write + in its place, or name it in `by` or a text"
            error = CompileError(
                message, node.text.index(f"{{{name}" + ("..." if f"{{{name}...}}" in node.text else "}")), node.text
            )
            section.report(node.problem(message, hint, caret(error), error.offset))


def _learns(section: Section) -> bool:
    node = section.get(ABSENT)
    return node is not None and node.text == "auto"


def _texts(section: Section, defaults: Defaults, rule: Rule, scope: Scope) -> Texts:
    """Read what a rule says. A name that the rule has means in texts what it means in its conditions."""
    captures, mine, parts = scope.captures, rule.own_names, {*rule.ways, *dict(rule.by_programs)}
    template: Callable[[frozenset[str]], Callable[[Node], Template]] = lambda extra: (  # noqa: E731
        lambda item: compiled(item, compile_template, replace(scope, extra=frozenset((extra - mine) | parts)))
    )
    values = ", ".join(f"{key}={{{key}}}" for key in captures)
    plain = compile_template(_braces(rule.name) + (f" ({values})" if values else ""), Scope(captures))
    summary = section.take(SUMMARY, template(TEXT_NAMES), plain)
    details = section.take(DETAILS, template(TEXT_NAMES | {"summary"}))
    runbook = section.take(RUNBOOK, template(TEXT_NAMES | {"summary"}))
    labels: dict[str, Template] = {}
    for node in (defaults.labels, section.get(LABELS)):
        if node is not None:
            labels |= _labels(Section(node, section.problems, "labels"), template(LABEL_NAMES), captures)
    asks = "when" not in section.values or asks_label(summary, "reason")
    of_absence = section.get(SUMMARY) is not None and asks
    return Texts(tuple(labels.items()), summary, details, runbook, of_absence)


def _labels(section: Section, template: Callable[[Node], Template], captures: Sequence[str]) -> dict[str, Template]:
    made: dict[str, Template] = {}
    for key in section.values:
        if key in _OWN_LABELS:
            section.report(section.node.key_problem(key, f"{key!r} is no label to set", _OWN_LABELS[key]))
        elif key in captures:
            section.report(section.node.key_problem(key, f"{key!r} is a capture, which is a label already"))
        elif not key.isidentifier():
            section.report(section.node.key_problem(key, f"{key!r} is no name for a label", "letters, digits and _"))
        else:
            found: Any = section.take(key, template, None)
            if found is not None:
                made[key] = found
    return made


def _braces(name: str) -> str:
    return name.replace("{", "{{").replace("}", "}}")


def _check_together(section: Section, alert: bool) -> None:
    """Report keys that make no sense beside each other, or alone. A key without a value counts as absent."""
    node = section.node
    given = {name for name, value in section.values.items() if value.value is not None}
    if alert and not given & {"when", "absent", "offline"}:
        section.report(node.problem(f"{section.what} needs 'when' or 'absent'"))
    for key in KEYS:
        if key.name not in given:
            continue
        if key.alert_only and not alert:
            hint = "an event is a moment; make it an alert"
            section.report(node.key_problem(key.name, f"{key.name!r} belongs to alert rules", hint))
        elif key.beside and key.beside not in given:
            section.report(node.key_problem(key.name, f"{key.name!r} needs {key.beside!r} beside it"))
