"""A rule's templates, rendered for one transition or with the values of now."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from hub.alerts.telling.unheard import absence_summary
from hub.clock import PEOPLE, rfc3339
from hub.expressions import NO_SAMPLES, Context, Template
from hub.expressions.templates.format import bytes_text, json_safe
from hub.limits import DEAD_LETTER_HEAD_BYTES, NOTIFICATION_PAYLOAD_BYTES
from hub.model import Event
from hub.rules.instances.rule_instances import NOTHING, at_way
from hub.rules.running.transition import Transition, make_context

__all__ = [
    "OnError",
    "Rendered",
    "event_body",
    "render",
    "render_and_report",
]

_JSON = (b"{", b"[")
OnError = Callable[[str, str, str], None]
"""Takes rule, topic and message of a text that could not be filled in."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The texts of a rule at one time.

    `failures` are the messages about what could not be filled in; `unfilled` are the labels among that.
    """

    labels: Mapping[str, str]
    summary: str
    details: str
    runbook: str
    event: Mapping[str, Any] | None
    failures: tuple[str, ...]
    unfilled: tuple[str, ...] = ()


def render(transition: Transition, episode: int, identity: str) -> Rendered:
    """Render all texts of a rule. What cannot be filled in becomes `?`: a mistake never costs the notification."""
    rule, failures = transition.rule, list[str]()
    captures = dict(zip(rule.captures, transition.captures, strict=True))
    named = captures | dict(transition.instance)
    # a capture without a value makes no label, as with Prometheus: nothing is grouped, silenced or held back by it
    labels = {"alertname": rule.name, "severity": rule.severity} | {name: each for name, each in named.items() if each}
    fields = transition.event.fields if transition.event is not None else {}
    extra: dict[str, Any] = {"alertname": rule.name, "severity": rule.severity}
    mine = _parts(transition, fields)
    samples = NO_SAMPLES if transition.history is None else transition.history

    def seen(extra: Mapping[str, Any]) -> Context:
        event, device = transition.event, transition.device
        made = make_context(event, device, labels, transition.at, extra, transition.schedules)
        if transition.latest is not None:
            made.latest = transition.latest
        return made

    def fill(template: Template | None) -> str:
        if template is None:
            return ""
        if template.constant is not None:
            return template.constant
        context = seen(extra | mine) if template.needs_context else None
        rendered = template.render(fields, transition.captures, context, samples)
        failures.extend(rendered.failures)
        return rendered.text

    unfilled: list[str] = []
    filled: dict[str, str] = {}
    for name, template in rule.texts.labels:
        before = len(failures)
        filled[name] = fill(template)
        if len(failures) > before:
            unfilled.append(name)
    labels = labels | filled
    extra |= {"state": transition.phase.value, "episode": episode, "id": identity}
    extra["since"] = PEOPLE.local(transition.since)
    if transition.unheard is None or rule.texts.of_absence:
        summary = fill(rule.texts.summary)
    else:
        summary = absence_summary(transition, transition.unheard, labels, seen(extra))
    extra["summary"] = summary
    details, runbook = fill(rule.texts.details), fill(rule.texts.runbook)
    event = None if transition.event is None else event_body(transition.event)
    return Rendered(labels, summary, details, runbook, event, tuple(failures), tuple(unfilled))


def _parts(transition: Transition, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of the instance that come from the payload, with the payload's types.

    Where this message does not have one, its label stands in.
    """
    known, found = dict(transition.instance), dict[str, Any]()
    found |= {name: known.get(name, "") for name, _ in transition.rule.by_programs}
    for name, way in transition.rule.ways.items():
        value = at_way(fields, way)
        absent = value is NOTHING or isinstance(value, dict | list)
        found[name] = known.get(name, "") if absent else "" if value is None else value
    return found


def render_and_report(transition: Transition, episode: int, identity: str, on_error: OnError) -> Rendered:
    """Render as `render` does, and report what could not be filled in to `on_error`.

    An absent device may have sent no message that could fill a text in: that is no mistake of the rule.
    """
    texts = render(transition, episode, identity)
    if transition.unheard is not None:
        return texts
    topic = transition.event.topic if transition.event is not None else ""
    for failure in texts.failures:
        on_error(transition.rule.name, topic, failure)
    return texts


def event_body(event: Event) -> dict[str, Any]:
    """Return what a notification shows of the event that caused it.

    Of a payload over NOTIFICATION_PAYLOAD_BYTES it shows the head, as text; of bytes it shows how many, and base64.
    """
    body: dict[str, Any] = {"topic": event.topic, "payload": event.value, "time": rfc3339(event.time)}
    large = len(event.said) > NOTIFICATION_PAYLOAD_BYTES
    if isinstance(event.value, bytes):
        body["payload"] = bytes_text(event.value)
        if not large:  # as `hub record` writes it
            body["base64"] = base64.b64encode(event.value).decode()
    elif isinstance(event.value, dict | list):  # what a decoder made may hold bytes, and be larger than what came
        body["payload"] = json_safe(event.value)
        written = orjson.dumps(body["payload"])
        large = large or len(written) > NOTIFICATION_PAYLOAD_BYTES
        if large:
            head = event.raw if event.raw[:1] in _JSON else written
            body["payload"] = head[:DEAD_LETTER_HEAD_BYTES].decode("utf-8", "replace")
    elif large:
        body["payload"] = event.said[:DEAD_LETTER_HEAD_BYTES].decode("utf-8", "replace")
    if large:
        body["truncated"] = True
    if event.trace:
        body["traceparent"] = event.trace
    return body
