"""A rule's templates rendered for one transition, and the notification as users see it in JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.alerts.alert import Alert
from hub.clock import rfc3339
from hub.expressions import Template
from hub.limits import DEAD_LETTER_HEAD_BYTES, HELD_BACK_SHOWN, NOTIFICATION_PAYLOAD_BYTES
from hub.model import Event, Phase
from hub.rules.transition import Transition, make_context

__all__ = [
    "OnError",
    "Rendered",
    "event_body",
    "holding_back",
    "notification_body",
    "render",
    "render_and_report",
    "with_flaps",
    "with_held_back",
]

OnError = Callable[[str, str, str], None]
"""Hears rule, topic and message of a text that could not be filled in."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a rule says at one transition; `failures` names what could not be filled in."""

    labels: Mapping[str, str]
    summary: str
    details: str
    runbook: str
    event: Mapping[str, Any] | None
    failures: tuple[str, ...]


def render(transition: Transition, episode: int, identity: str) -> Rendered:
    """Render all texts of a rule; what fails prints `?` and never loses the notification."""
    rule, failures = transition.rule, list[str]()
    captures = dict(zip(rule.captures, transition.captures, strict=True))
    labels = {"alertname": rule.name, "severity": rule.severity} | captures | dict(transition.instance)
    fields = transition.event.fields if transition.event is not None else {}
    extra: dict[str, Any] = {"alertname": rule.name, "severity": rule.severity}

    def fill(template: Template | None) -> str:
        if template is None:
            return ""
        if template.constant is not None:
            return template.constant
        context = None
        if template.needs_context:
            event, device = transition.event, transition.device
            context = make_context(event, device, labels, transition.at, extra, transition.history)
        rendered = template.render(fields, transition.captures, context)
        failures.extend(rendered.failures)
        return rendered.text

    labels = labels | {name: fill(template) for name, template in rule.texts.labels}
    extra |= {"state": transition.phase.value, "episode": episode, "id": identity}
    extra["since"] = datetime.fromtimestamp(transition.since, UTC)
    extra["summary"] = summary = fill(rule.texts.summary)
    details, runbook = fill(rule.texts.details), fill(rule.texts.runbook)
    event = None if transition.event is None else event_body(transition.event)
    return Rendered(labels, summary, details, runbook, event, tuple(failures))


def render_and_report(transition: Transition, episode: int, identity: str, on_error: OnError) -> Rendered:
    """Render as above, and say what could not be filled in."""
    texts = render(transition, episode, identity)
    topic = transition.event.topic if transition.event is not None else ""
    for failure in texts.failures:
        on_error(transition.rule.name, topic, failure)
    return texts


def notification_body(alert: Alert, phase: Phase, identity: str, hub: Mapping[str, str]) -> dict[str, Any]:
    """Build the notification of interfaces.md; fields are only ever added."""
    return {
        "id": identity,
        "alertname": alert.alertname,
        "state": phase.value,
        "severity": alert.severity,
        "labels": alert.labels,
        "summary": alert.summary,
        "details": alert.details,
        "runbook": alert.runbook,
        "reason": alert.reason,
        "since": rfc3339(alert.since),
        "until": None if alert.until is None else rfc3339(alert.until),
        "episode": alert.episode,
        "acknowledged": None if alert.ack is None else alert.ack.body(),
        "event": alert.event,
        "hub": hub,
    }


def with_held_back(body: dict[str, Any], count: int) -> dict[str, Any]:
    """Tell with a notification how many were held back since the one before it."""
    if not count:
        return body
    return body | {"held_back": count, "summary": f"{body['summary']} ({count} more held back)"}


def holding_back(alerts: Sequence[Alert]) -> dict[str, Any]:
    """Tell with a notification whom its alert holds back (`unless`): how many, and the first of them."""
    if not alerts:
        return {}
    shown = alerts[:HELD_BACK_SHOWN]
    named = [{"alertname": each.alertname, "labels": each.labels, "summary": each.summary} for each in shown]
    return {"holds_back": {"count": len(alerts), "alerts": named}}


def with_flaps(body: dict[str, Any], count: int) -> dict[str, Any]:
    """Tell with a notification how often its alert has fired in this episode, where it flaps."""
    if not count:
        return body
    return body | {"flapping": count, "summary": f"{body['summary']} (flapping: fired {count} times)"}


def event_body(event: Event) -> dict[str, Any]:
    """Return the event that caused it; of a large payload only its head, as text."""
    body: dict[str, Any] = {"topic": event.topic, "payload": event.value, "time": rfc3339(event.time)}
    if len(event.raw) > NOTIFICATION_PAYLOAD_BYTES:
        body["payload"] = event.raw[:DEAD_LETTER_HEAD_BYTES].decode("utf-8", "replace")
        body["truncated"] = True
    if event.trace:
        body["traceparent"] = event.trace
    return body
