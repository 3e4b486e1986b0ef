"""Why nobody is told: which part of a condition does not hold now, or what suppresses the alert, and the last values.

It asks the running core, which remembers the last message of each topic. There may be thousands, and each is decoded.
So it looks in steps, between which events are evaluated.
"""

from collections.abc import Generator, Iterator, Mapping
from heapq import nlargest
from typing import Any

from hub.alerts.alert import Alert, alert_fingerprint
from hub.alerts.telling.decision import Untold, alone, decide
from hub.clock import rfc3339
from hub.documents.duration import format_duration
from hub.errors import Code, EvaluationError, RequestError
from hub.expressions import Program
from hub.expressions.explain import parts
from hub.expressions.templates.format import json_safe
from hub.fields import did_you_mean
from hub.ingest.decode import decode_again, unreadable
from hub.limits import WHY_ALERTS
from hub.model import Event, Phase, Suppressed, Suppressor
from hub.rules.instances.instance import samples_of
from hub.rules.intake.element import Element
from hub.rules.intake.rule_intake import RuleIntake
from hub.rules.reading.rule import Rule
from hub.rules.reading.rule_values import Gate
from hub.rules.running.rule_runner import RuleRunner
from hub.spine.core import Core
from hub.spine.slices import at_once
from hub.why.crowd_words import about_members
from hub.why.readings import value_text

__all__ = ["looking", "why_not"]

Answer = dict[str, Any]
_Heard = tuple[Event, tuple[str, ...]]
"""The last message of an instance, and what the pattern captures of its topic."""


def why_not(core: Core, name: str, labels: Mapping[str, str], now: float) -> Answer:
    """Do as `looking` does, without pauses; for tests of rules, where no events wait."""
    return at_once(looking(core, name, labels, now))


def looking(core: Core, name: str, labels: Mapping[str, str], now: float) -> Generator[None, None, Answer]:
    """Return why nobody is told of the instances of a rule with these labels, WHY_ALERTS at most, latest heard first.

    It is a generator: it yields after each step, and its return value is the answer.

    Raises:
        RequestError: there is no such rule, or a label that it does not have.

    """
    state = core.engine.states.get(name)
    if state is None:
        known = core.engine.states
        hint = did_you_mean(name, known) or "`hub check` tells the rules; a disabled one is not at work"
        raise RequestError(f"no rule {name!r} is at work ({hint})", Code.MISSING)
    _check_labels(state.rule, labels)
    heard, left_out = yield from _heard(core, state, labels, now)
    found = []
    for key, (event, captures) in nlargest(WHY_ALERTS, heard.items(), key=lambda each: each[1][0].time):
        found.append(_instance(core, state, key, event, captures, now))
        yield
    answer: Answer = {"rule": name, "instances": found, "heard": len(heard)}
    if not found:
        answer["sentences"] = [_unheard(state.rule, labels), *left_out[:WHY_ALERTS]]
    return answer


def _check_labels(rule: Rule, labels: Mapping[str, str]) -> None:
    for name in labels:
        if name not in (*rule.by, *rule.captures):
            known = sorted({*rule.by, *rule.captures})
            hint = did_you_mean(name, known) or f"it has {', '.join(known) or 'none'}"
            raise RequestError(f"rule {rule.name!r} has no label {name!r} that makes its instances ({hint})")


def _unheard(rule: Rule, labels: Mapping[str, str]) -> str:
    topics = ", ".join(pattern.text for pattern in rule.patterns)
    of = f" with {', '.join(f'{key}={value}' for key, value in labels.items())}" if labels else ""
    return f"no message{of} has come on {topics}, as far as the hub remembers"


def _heard(
    core: Core, state: RuleRunner, labels: Mapping[str, str], now: float
) -> Generator[None, None, tuple[dict[tuple[str, ...], _Heard], list[str]]]:
    """Return the last message of each instance with these labels, by the instance's key; each topic is a step.

    The second part says which messages and elements the rule did not hear, and why.
    """
    found: dict[tuple[str, ...], _Heard] = {}
    left_out: list[str] = []
    for topic, raw, at in list(core.engine.last_messages()):  # topics come and go between two steps
        yield
        pattern = next((each for each in state.rule.patterns if each.matches(topic) and not each.is_shared), None)
        if pattern is None:
            continue
        captures = pattern.values(topic.split("/"))
        event = decode_again(topic, raw, at, state.rule.decode)
        try:
            looked_at = RuleIntake(state).looked_at(event, captures, now)
        except EvaluationError as error:
            left_out.append(f"the last message on {topic} has no elements: {error}")
            continue
        for one, is_heard in looked_at:
            if not is_heard:
                left_out.append(_left_out(state, one, captures, now))
                continue
            key = _key(state, one, captures)
            known = dict(zip(state.rule.captures, captures, strict=True)) | dict(zip(state.rule.by, key, strict=False))
            agrees = all(known.get(name) == value for name, value in labels.items())
            if agrees and (key not in found or found[key][0].time <= one.time):
                found[key] = one, captures
    return found, left_out


def _key(state: RuleRunner, event: Event, captures: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return state.instances.key(event, captures)
    except EvaluationError:
        return ()


def _left_out(state: RuleRunner, event: Event, captures: tuple[str, ...], now: float) -> str:
    """Say which message, or which element of it, `where` leaves out, and what its parts were."""
    where = state.rule.where
    values = state.evaluator.values(where, None, event, captures, now)
    shown = ", ".join(f"{part} is {value_text(value)}" for part, value in values)
    of = f"element {event.index if event.key is None else event.key} of " if isinstance(event, Element) else ""
    return f"{of}the last message on {event.topic} is not heard: where: {'' if where is None else where.text} ({shown})"


def _instance(
    core: Core, state: RuleRunner, key: tuple[str, ...], event: Event, captures: tuple[str, ...], now: float
) -> Answer:
    rule, instance = state.rule, state.instances.get(key)
    alert = core.book.alerts.get(alert_fingerprint(rule.name, state.instances.labels(key)))
    phase = instance.phase if instance is not None else Phase.INACTIVE
    clause = rule.clear if phase is Phase.FIRING and rule.clear is not None else rule.when
    holds, values = _evaluated(state, clause, key, event, captures, now)
    made: Answer = {
        "labels": dict(state.instances.labels(key)),
        "state": phase.value,
        "event": {"topic": event.topic, "payload": _fit(event.value), "time": rfc3339(event.time)},
        "condition": None if clause is None else clause.text,
        "holds": holds,
        "values": [{"part": part, "value": value} for part, value in values],
    }
    sentences = [f"last heard {format_duration(max(0.0, now - event.time))} ago on {event.topic}"]
    if unread := "" if isinstance(event, Element) else unreadable(event.raw, rule.decode):
        sentences.append(f"that message could not be read ({unread}): it is a sign of life, and says nothing")
    sentences += _why_phase(rule, state, phase, holds, values, key, now)
    sentences += about_members(rule, instance, now)
    if rule.pause is not None and core.engine.is_paused(rule.name, key, now):
        made["stage"] = "pause"
        why = _gate(state, rule.pause, key, event, captures, now)
        sentences.append(f"the rule is paused ({why}): nothing is evaluated")
    if alert is not None and alert.state is Phase.FIRING:
        suppressed = alert.held
        if suppressed is not None and suppressed.by is Suppressor.MUTE and rule.mute is not None:
            suppressed = Suppressed(Suppressor.MUTE, _gate(state, rule.mute, key, event, captures, now))
        made["stage"] = suppressed.by if suppressed else made.get("stage")
        sentences.append(_why_told(core, rule, alert, suppressed, now))
    return made | {"sentences": sentences}


def _gate(
    state: RuleRunner, gate: Gate, key: tuple[str, ...], event: Event, captures: tuple[str, ...], now: float
) -> str:
    """Return a gate as the rule has it; where it is a condition, with the values of its parts now."""
    _, values = _evaluated(state, gate.condition, key, event, captures, now)
    shown = ", ".join(f"{part} is {value_text(value)}" for part, value in values)
    return f"{gate.text}: {shown}" if shown else gate.text


def _evaluated(
    state: RuleRunner, clause: Program | None, key: tuple[str, ...], event: Event, captures: tuple[str, ...], now: float
) -> tuple[Any, list[tuple[str, Any]]]:
    """Return the value of a condition for the last message, and the values of its parts."""
    if clause is None:
        return None, []
    instance = state.instances.get(key)
    samples = samples_of(instance)

    def value(program: Program) -> Any:
        context = state.evaluator.context(event, captures, now) if program.needs_context else None
        try:
            return _fit(program.run(event.fields, captures, context, samples))
        except EvaluationError as error:
            return {"error": str(error)}

    return value(clause), [(text, value(part)) for text, part in parts(clause)]


def _fit(value: Any) -> Any:
    """Return a value that JSON can hold: of bytes how many there are."""
    return json_safe(value)


def _why_phase(
    rule: Rule,
    state: RuleRunner,
    phase: Phase,
    holds: Any,
    values: list[tuple[str, Any]],
    key: tuple[str, ...],
    now: float,
) -> Iterator[str]:
    shown = ", ".join(f"{part} is {value_text(value)}" for part, value in values)
    with_values = f": {shown}" if shown else ""
    if phase is Phase.PENDING:
        since = state.instances[key].since
        left = max(0.0, since + rule.hold - now)
        held = format_duration(max(0.0, now - since))
        yield f"it holds for {held} and fires in {format_duration(left)}{with_values}"
    elif phase is Phase.FIRING:
        yield f"it fires{with_values}"
    elif rule.when is None:
        yield _about_absence(state, key, now)
    elif isinstance(holds, dict):
        yield f"`{rule.when.text}` has no value for this message ({holds['error']}), so nothing changes{with_values}"
    elif holds is False:
        yield f"`{rule.when.text}` does not hold{with_values}"
    elif rule.alert:
        yield f"`{rule.when.text}` holds{with_values}"
    else:
        yield f"the last message made an event{with_values}"


def _about_absence(state: RuleRunner, key: tuple[str, ...], now: float) -> str:
    instance, absence = state.instances.get(key), state.absence
    if absence is None or instance is None:
        return "it is not silent: it fires only where no message comes"
    if instance.absent_since:
        return f"it fires: no message has come for {format_duration(now - instance.seen)}"
    if absence.rests(instance):
        return "it sleeps, as it has said itself: it fires only where it dies, or is silent after it woke"
    return f"it is not silent yet: it fires where no message comes for {format_duration(absence.patience(instance))}"


def _why_told(core: Core, rule: Rule, alert: Alert, suppressed: Suppressed | None, now: float) -> str:
    """Say who was told of a firing alert, and why nobody is told now."""
    untold = core.book.untold(alert, now)
    if untold is Untold.LIMIT and rule.limit is not None:  # true also before the book has looked and noted it
        suppressed = Suppressed(Suppressor.LIMIT, rule.limit.text)
    if suppressed is not None:
        before = f"; told to {_names(alert)} before" if alert.said.tellings else ""
        return (
            f"nobody is told now: {suppressed.by}" + (f" ({suppressed.detail})" if suppressed.detail else "") + before
        )
    if rule.group_by is not None:
        return _why_grouped(rule, alert)
    if untold is None:  # what is due goes out with the next tick
        return "it is about to be told"
    if untold is Untold.NOT_DUE:
        left = format_duration(max(0.0, decide(alone(alert, rule), rule, now).again - now))
        return f"told to {_names(alert)}; the next repeat or step is due in {left}"
    return f"told to {_names(alert)}{_acknowledged(alert) or _ENDS.get(untold, '')}"


_ENDS = {Untold.TOLD: "; nothing more is to come before its end"}


def _why_grouped(rule: Rule, alert: Alert) -> str:
    values = ", ".join(f"{name}={alert.labels.get(name, '')}" for name in rule.group_by or ())
    group = f"its group ({values})" if values else "its group (all of the rule)"
    if not alert.said.tellings:
        wait, interval = format_duration(rule.group_wait), format_duration(rule.group_interval)
        return f"nobody is told yet: {group} waits {wait} for more, and speaks once in {interval}"
    return f"told to {_names(alert)} by {group}{_acknowledged(alert)}"


def _names(alert: Alert) -> str:
    return ", ".join(alert.told) or "nobody, its rule names no receiver"


def _acknowledged(alert: Alert) -> str:
    return "" if alert.ack is None else f"; {alert.ack.by} has acknowledged it, so it is not repeated"
