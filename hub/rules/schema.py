"""The keys of a rule: one YAML mapping into one Rule, every problem with its place.

To add a key: read it in `read_rule`, give it to Rule, use it in the engine (or the alert book), document it in docs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from hub.document import Node, Problems
from hub.errors import CompileError
from hub.expressions import (
    Program,
    Scope,
    Template,
    caret,
    compile_condition,
    compile_expression,
    compile_template,
    literal,
)
from hub.expressions.asked import asks_label
from hub.fields import Bad, Section, boolean, did_you_mean, duration, list_of, one_of, text
from hub.limits import ABSENT_LEARNED_SECONDS, GROUP_INTERVAL_SECONDS, GROUP_WAIT_SECONDS
from hub.printable import first_odd, odd, plain
from hub.rules.compiled import compiled
from hub.rules.foreign import RULE_KEYS, automation
from hub.rules.keys import (
    Gate,
    Known,
    Limit,
    Repeat,
    causes,
    gate,
    group_interval,
    group_wait,
    limit,
    names_of,
    repeat,
    steps,
)
from hub.rules.pattern import Pattern, parse_pattern
from hub.rules.rule import LABEL_NAMES, TEXT_NAMES, Rule, Texts
from hub.schedules import read_zone

__all__ = ["NO_DEFAULTS", "Defaults", "read_defaults", "read_rule"]

SEVERITIES = ("info", "warning", "critical")
_ALERT_ONLY = ("for", "clear", "clear_for", "absent", "repeat", "escalate")
_OWN_LABELS = {
    "alertname": "the rule's name is this label",
    "severity": "use the key severity",
    "reason": "the hub's own",
}


@dataclass(frozen=True, slots=True)
class Defaults:
    """`defaults` of a file: what its rules have where they say nothing."""

    notify: tuple[str, ...] = ()
    severity: str = "warning"
    labels: Node | None = None
    repeat: Repeat | None = None
    group_by: tuple[str, ...] | None = None
    group_wait: float = GROUP_WAIT_SECONDS
    group_interval: float = GROUP_INTERVAL_SECONDS
    limit: Limit | None = None
    tz: tzinfo | None = None


NO_DEFAULTS = Defaults()
_UNWRITTEN = Texts((), literal(""), None, None)
"""Of a rule whose texts are read when all other keys are: these say what names mean there."""


def read_defaults(node: Node, problems: Problems, base: Defaults, known: Known) -> Defaults:
    """Read a file's `defaults`; what it does not say is taken from `base`."""
    section = Section(node, problems, "defaults")
    made = Defaults(
        section.take("notify", names_of("receiver", known.receivers, whole=known.whole), base.notify),
        section.take("severity", one_of(*SEVERITIES), base.severity),
        section.get("labels") or base.labels,
        section.take("repeat", repeat, base.repeat),
        section.take("group_by", _names, base.group_by),
        section.take("group_wait", group_wait, base.group_wait),
        section.take("group_interval", group_interval, base.group_interval),
        section.take("limit", limit, base.limit),
        section.take("tz", read_zone, base.tz),
    )
    section.finish()
    return made


def read_rule(node: Node, problems: Problems, defaults: Defaults, known: Known) -> Rule | None:
    """Read one rule, also a disabled one; None, and at least one more problem, where it cannot be used."""
    before = len(problems)
    section = Section(node, problems, "a rule")
    if meant := automation(node):
        problems.append(node.problem("this is an automation of Home Assistant, no rule", meant))
        return None
    section.foreign = RULE_KEYS
    name, alert = _name(section)
    section.what = f"rule {name!r}" if name else "a rule"
    patterns = _patterns(section)
    captures = patterns[0].captures if patterns else ()
    written = section.take("by", _ways, captures)
    by = tuple(way.rpartition(".")[2] for way in written)
    _check_labels(section, captures, by)
    scope = Scope(captures, history=True, schedules=known.unread.union(known.schedules))
    condition: Callable[[Node], Any] = lambda item: compiled(item, compile_condition, scope)  # noqa: E731
    timestamp = lambda item: compiled(item, compile_expression, replace(scope, history=False))  # noqa: E731
    severity = section.take("severity", one_of(*SEVERITIES), defaults.severity)
    own = (("alertname", name), ("severity", severity))
    gated: Callable[[Node], Gate] = gate(known, defaults.tz, replace(scope, own=own))
    rule = Rule(
        name=name,
        alert=alert,
        patterns=patterns,
        captures=captures,
        by=by,
        when=section.take("when", condition, None),
        hold=section.take("for", duration, 0.0),
        clear=section.take("clear", condition, None),
        clear_hold=section.take("clear_for", duration, 0.0),
        absent=section.take("absent", _absent, None),
        learns=_learns(section),
        pause=section.take("pause", gated, None),
        mute=section.take("mute", gated, None),
        causes=section.take("unless", causes(problems), ()),
        notify=section.take("notify", names_of("receiver", known.receivers, whole=known.whole), defaults.notify),
        repeat=section.take("repeat", repeat, defaults.repeat if alert else None),
        escalate=section.take("escalate", steps(problems, known), ()),
        group_by=section.take("group_by", _names, None),
        group_wait=section.take("group_wait", group_wait, defaults.group_wait),
        group_interval=section.take("group_interval", group_interval, defaults.group_interval),
        limit=section.take("limit", limit, defaults.limit),
        timestamp=section.take("timestamp", timestamp, None),
        shadow=section.take("shadow", boolean, default=False),
        severity=severity,
        texts=_UNWRITTEN,
        enabled=section.take("enabled", boolean, default=True),
        path=node.path,
        line=node.line,
        tz=defaults.tz,
        by_written=() if written == by else written,
    )
    rule = replace(rule, texts=_texts(section, defaults, rule, scope))
    section.finish()
    _check_together(section, alert)
    rule = _timed(_grouped(section, rule, defaults), known)
    if len(problems) == before:
        _check_used(section, rule)
    return rule if len(problems) == before else None


def _timed(rule: Rule, known: Known) -> Rule:
    """Give the rule the schedules that it names."""
    programs = [*rule.conditions, *([rule.timestamp] if rule.timestamp else [])]
    names = rule.texts.schedules.union(*(program.schedules for program in programs)) - known.unread
    return replace(rule, schedules=tuple((name, known.schedules[name]) for name in sorted(names))) if names else rule


def _grouped(section: Section, rule: Rule, defaults: Defaults) -> Rule:
    """Check that the rule has the labels it is grouped by; of those of `defaults` it takes the ones that it has."""
    node = section.get("group_by")
    if node is None:
        if defaults.group_by is None:
            for key in ("group_wait", "group_interval"):
                if section.get(key) is not None:
                    message = f"{key!r} needs 'group_by' beside it"
                    section.report(section.node.key_problem(key, message, "group_by: [] folds all alerts of the rule"))
            return rule
        return replace(rule, group_by=tuple(name for name in defaults.group_by if name in rule.label_names))
    for name in rule.group_by or ():
        if name not in rule.label_names:
            hint = did_you_mean(name, rule.label_names) or f"its labels: {', '.join(sorted(rule.label_names))}"
            section.report(node.problem(f"{section.what} has no label {name!r} to group by", hint))
    return rule


def _name(section: Section) -> tuple[str, bool]:
    kinds = [key for key in ("alert", "event") if section.get(key) is not None]
    if len(kinds) != 1:
        say = "is both 'alert' and 'event'" if kinds else "needs the key 'alert' or 'event'"
        section.report(section.node.problem(f"a rule {say}", "alert: a condition that lasts; event: a moment"))
    name = section.take(kinds[0], _rule_name, "") if kinds else ""
    return name, kinds == ["alert"]


def _rule_name(node: Node) -> str:
    name = text(node)
    if not 0 < len(name) <= 128 or "/" in name or not name.isprintable():
        raise Bad(node, "a rule's name is 1 to 128 printable characters without /")
    return name


def _patterns(section: Section) -> tuple[Pattern, ...]:
    """Read `topic`; all topics of a rule must have the same captures, because these make the instance."""
    patterns: tuple[Pattern, ...] = section.require("topic", list_of(_pattern), ())
    node = section.get("topic") or section.node
    if not patterns:
        if node.value == []:
            section.report(node.problem("'topic' names no topic"))
        return ()
    names = patterns[0].captures
    for pattern in patterns[1:]:
        if set(pattern.captures) != set(names):
            section.report(node.problem("the topics of one rule must have the same captures", "use + for the others"))
            return patterns[:1]
    return tuple(pattern.ordered(names) for pattern in patterns)


def _pattern(node: Node) -> Pattern:
    try:
        pattern = parse_pattern(text(node))
    except ValueError as error:
        at = first_odd(node.text)
        hint = f"it holds {odd(node.text[at])[0]}: write {plain(node.text).strip()}" if at >= 0 else ""
        raise Bad(node, f"not a topic: {error}", hint) from None
    for name in pattern.captures:
        if not _is_name(name):
            raise Bad(node, f"{{{name}}} is a word of the expression language", "give the capture another name")
    return pattern


def _is_name(word: str) -> bool:
    """Tell whether an expression can ask for a capture by this name: `in`, `true` or `if` are none."""
    try:
        return word in compile_expression(word, Scope((word,))).captures
    except CompileError:
        return False


def _check_labels(section: Section, captures: Sequence[str], by: Sequence[str]) -> None:
    """Refuse captures and parts of an instance that would take the place of a label of the hub's own."""
    for key, names in (("topic", captures), ("by", by)):
        for name in names:
            if name in _OWN_LABELS and (key == "topic" or name not in captures):
                message = f"{name!r} is a label of the hub's own ({_OWN_LABELS[name]})"
                section.report(section.node.key_problem(key, message, "give it another name"))


def _check_used(section: Section, rule: Rule) -> None:
    """Report captures that make no difference: `by` leaves them out, and nothing names them."""
    topic = section.get("topic")
    if topic is None or section.get("by") is None:
        return
    programs: list[Program | Template] = [
        *rule.conditions,
        *rule.texts.templates,
        *([rule.timestamp] if rule.timestamp else []),
    ]
    used = {*rule.by, *(rule.group_by or ())}.union(*(each.captures for each in programs))
    for name in rule.captures:
        if name not in used:
            node = topic.value[0] if isinstance(topic.value, list) else topic
            message, hint = f"nothing uses the capture {{{name}}}", "write + in its place, or name it in `by` or a text"
            error = CompileError(
                message, node.text.index(f"{{{name}" + ("..." if f"{{{name}...}}" in node.text else "}")), node.text
            )
            section.report(node.problem(message, hint, caret(error), error.offset))


def _names(node: Node) -> tuple[str, ...]:
    names = list_of(text)(node)
    for name in names:
        if not name.isidentifier():
            raise Bad(node, f"{name!r} is not the name of a capture or payload field")
    if len(set(names)) < len(names):
        raise Bad(node, "a name stands twice")
    return names


def _ways(node: Node) -> tuple[str, ...]:
    """Read `by`: names, and ways to fields inside of objects, each of which has its last name for a label."""
    if isinstance(node.value, dict) and all(item.value is None for item in node.value.values()):
        raise Bad(node, "must be names, not a mapping", f"names stand without braces: [{', '.join(node.value)}]")
    ways = tuple(way.removeprefix("payload.") for way in list_of(text)(node))
    for way in ways:
        if not all(name.isidentifier() for name in way.split(".")):
            hint = "a name has letters, digits and _; a field inside: after.id"
            raise Bad(node, f"{way!r} is not the name of a capture or payload field", hint)
    labels = [way.rpartition(".")[2] for way in ways]
    for label in labels:
        same = [way for way, each in zip(ways, labels, strict=True) if each == label]
        if len(set(same)) < len(same):
            raise Bad(node, "a name stands twice")
        if len(same) > 1:
            message = f"{same[0]} and {same[1]} would both be the label {label!r}"
            raise Bad(node, message, "leave one of them out: an instance has one value for each label")
    return ways


def _learns(section: Section) -> bool:
    node = section.get("absent")
    return node is not None and node.text == "auto"


def _absent(node: Node) -> float:
    if node.text == "auto":
        return ABSENT_LEARNED_SECONDS
    if isinstance(node.value, bool) or node.text.isalpha():
        raise Bad(node, f"{node.text!r} is no time", "write 10m, or auto, which learns each device's interval")
    seconds = duration(node)
    if not seconds:
        raise Bad(node, "'absent' must be longer than 0", "or auto, which learns each device's interval")
    return seconds


def _texts(section: Section, defaults: Defaults, rule: Rule, scope: Scope) -> Texts:
    """Read what a rule says. A name that the rule has means what it does in `topic`, `by`, `when` and `clear`."""
    captures, mine, parts = scope.captures, rule.own_names, set(rule.ways)
    template: Callable[[frozenset[str]], Callable[[Node], Template]] = lambda extra: (  # noqa: E731
        lambda item: compiled(item, compile_template, replace(scope, extra=frozenset((extra - mine) | parts)))
    )
    values = ", ".join(f"{key}={{{key}}}" for key in captures)
    plain = compile_template(_braces(rule.name) + (f" ({values})" if values else ""), Scope(captures))
    summary = section.take("summary", template(TEXT_NAMES), plain)
    details = section.take("details", template(TEXT_NAMES | {"summary"}), None)
    runbook = section.take("runbook", template(TEXT_NAMES | {"summary"}), None)
    labels: dict[str, Template] = {}
    for node in (defaults.labels, section.get("labels")):
        if node is not None:
            labels |= _labels(Section(node, section.problems, "labels"), template(LABEL_NAMES), captures)
    asks = "when" not in section.values or asks_label(summary, "reason")
    of_silence = section.get("summary") is not None and asks
    return Texts(tuple(labels.items()), summary, details, runbook, of_silence)


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
    """Report keys that make no sense beside each other. A key without a value counts as not there."""
    node = section.node
    given = {key for key in ("when", *_ALERT_ONLY) if section.get(key) is not None}
    if alert and not given & {"when", "absent"}:
        section.report(node.problem(f"{section.what} needs 'when' or 'absent'"))
    for key in _ALERT_ONLY:
        if key not in given:
            continue
        if not alert:
            hint = "an event is a moment; make it an alert"
            section.report(node.key_problem(key, f"{key!r} belongs to alert rules", hint))
        elif key not in ("absent", "repeat", "escalate") and "when" not in given:
            section.report(node.key_problem(key, f"{key!r} needs 'when' beside it"))
