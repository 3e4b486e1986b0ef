"""The bodies of notifications, as users see them in JSON: of an alert, of an event, of a group. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.alerts.alert import Alert
from hub.alerts.telling.conversation import Conversation
from hub.clock import rfc3339
from hub.limits import GROUP_ALERTS, HELD_BACK_SHOWN, TEMPLATE_BYTES
from hub.model import Labels, Phase, Reason

__all__ = [
    "ended_summary",
    "group_body",
    "holding_back",
    "member",
    "notification_body",
    "reminder",
    "with_flaps",
    "with_held_back",
]

_MEMBER = ("id", "state", "labels", "summary", "details", "since", "until", "runbook", "event")
_HEADS = 3  # summaries in that of the group
_SEVERITIES = ("info", "warning", "critical")


def notification_body(alert: Alert, phase: Phase, identity: str, hub: Mapping[str, str]) -> dict[str, Any]:
    """Build the notification that docs/receivers.md describes; fields are only ever added."""
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
    """Return the body with how many notifications `limit` held back since the last one, also in its summary."""
    if not count:
        return body
    return body | {"held_back": count, "summary": f"{body['summary']} ({count} more held back)"}


def holding_back(alerts: Sequence[Alert]) -> dict[str, Any]:
    """Return the fields that tell which alerts this one holds back (`unless`): how many, and the first of them."""
    if not alerts:
        return {}
    shown = alerts[:HELD_BACK_SHOWN]
    named = [{"alertname": each.alertname, "labels": each.labels, "summary": each.summary} for each in shown]
    return {"holds_back": {"count": len(alerts), "alerts": named}}


def with_flaps(body: dict[str, Any], count: int) -> dict[str, Any]:
    """Return the body with how often the alert has fired in this episode, also in its summary; 0: it does not flap."""
    if not count:
        return body
    return body | {"flapping": count, "summary": f"{body['summary']} (flapping: fired {count} times)"}


def ended_summary(alertname: str, instance: Labels, reason: Reason) -> str:
    """Return the summary of an alert that ended because its rule did.

    It names no value: the trouble may go on, and the last value would read as if it were over.
    """
    values = ", ".join(f"{name}={value}" for name, value in instance if value)
    return f"{alertname}{f' ({values})' if values else ''} ended: {reason.value}"


def reminder(alert: Alert, silence: Mapping[str, Any] | None, now: float) -> dict[str, Any]:
    """Build the event `silence_hides_critical`; `silence` is the body of the silence, None where it is unknown."""
    return {
        "event": "silence_hides_critical",
        "time": rfc3339(now),
        "alertname": alert.alertname,
        "labels": alert.labels,
        "since": rfc3339(alert.hidden),
        "silence": silence,
    }


# groups


def member(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an alert's or event's notification that the message of its group shows."""
    late = {"late": True} if body.get("late") else {}
    return {name: body[name] for name in _MEMBER} | late


def group_body(
    group: Conversation,
    identity: str,
    firing: Sequence[Mapping[str, Any]],
    news: Sequence[Mapping[str, Any]],
    count: int,
    hub: Mapping[str, str],
) -> dict[str, Any]:
    """Build the notification of a group: what fires now, then what ended or happened since the last message.

    `firing` and `news` are the members to show, at most GROUP_ALERTS of each; `count` is how many there are in all.
    """
    shown = [*firing, *news][:GROUP_ALERTS]
    alone = shown[0] if count == 1 and shown else None
    severity = max((each["labels"].get("severity", "") for each in shown), key=_rank, default="warning")
    return {
        "id": identity,
        "alertname": group.rule,
        "state": "firing" if firing else (shown[-1]["state"] if shown else "resolved"),
        "severity": severity,
        "labels": {"alertname": group.rule, "severity": severity} | _of(group),
        "summary": alone["summary"] if alone else _summary(group, shown, count),
        "details": _details(shown),
        "runbook": shown[0]["runbook"] if shown else "",
        "reason": "",
        "since": min((each["since"] for each in shown), default=None),
        "until": None if firing or not shown else shown[-1]["until"],
        "episode": group.episode,
        "acknowledged": None,
        "event": alone["event"] if alone else None,
        "count": count,
        "alerts": shown,
        "hub": hub,
    }


def _of(group: Conversation) -> dict[str, str]:
    """Return the labels that all members share, without those that have no value."""
    return {name: value for name, value in group.labels.items() if value}


def _rank(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else -1


def _summary(group: Conversation, shown: Sequence[Mapping[str, Any]], count: int) -> str:
    of = ", ".join(f"{name}={value}" for name, value in _of(group).items())
    heads = "; ".join(each["summary"] for each in shown[:_HEADS])
    more = f"; and {count - _HEADS} more" if count > _HEADS else ""
    return f"{count} {group.rule}{f' ({of})' if of else ''}: {heads}{more}"


def _details(shown: Sequence[Mapping[str, Any]]) -> str:
    """Join the details of the shown members, each text once, as many as fit into TEMPLATE_BYTES."""
    texts: list[str] = []
    left = TEMPLATE_BYTES
    for text in dict.fromkeys(each.get("details", "") for each in shown):
        left -= len(text.encode()) + 2
        if left < 0:
            break
        if text:
            texts.append(text)
    return "\n\n".join(texts)
