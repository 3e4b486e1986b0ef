"""The words for alerts, deliveries and sessions: terminal, log and live view all use these."""

from collections.abc import Mapping
from typing import Any

from hub.documents.duration import format_duration
from hub.model import OWN, Delivered, Notification, Outcome
from hub.operate.figures.summary import seconds_shown
from hub.printable import shown, shown_labels

__all__ = ["alert_phrase", "alert_severity", "clock_phrase", "delivery_phrase", "notification_phrase", "session_phrase"]

_SESSION = {
    "session_lost": "the broker had forgotten us and what it held for us; subscribed anew",
    "drained": "all that the broker held for us is in",
    "stopping": "finishing what is under way",
}


def alert_severity(body: Mapping[str, Any]) -> str:
    """Return the severity of an alert or notification; `warning`, the rules' default, if it has none."""
    return shown(body.get("severity") or _labels(body).get("severity") or "warning")


def alert_phrase(body: Mapping[str, Any]) -> str:
    """Return `critical FreezerTooWarm site=a device=7: 7 at a is -9.0 °C`."""
    parts = [alert_severity(body), _name(body), shown_labels(_labels(body))]
    text = " ".join(part for part in parts if part)
    summary = shown(body.get("summary") or "")
    return f"{text}: {summary}" if summary else text


def notification_phrase(notification: Notification, *, labels: bool = True) -> str:
    """Return `FreezerTooWarm firing site=a device=7`: no state for an event, the topic for the hub's own messages."""
    body = notification.body
    if notification.receiver == OWN:
        return shown(body.get("topic"))
    state = "" if body.get("state") == "event" else shown(body.get("state") or "")
    of = shown_labels(_labels(body)) if labels else ""
    return " ".join(part for part in (_name(body), state, of) if part)


def delivery_phrase(
    notification: Notification, outcome: Outcome, attempt: int, now: float, *, labels: bool = True
) -> str:
    """Return what came of an attempt, as in `chat: FreezerTooWarm firing site=a, 12 ms`."""
    text = f"{shown(notification.receiver)}: {notification_phrase(notification, labels=labels)}"
    if isinstance(outcome, Delivered):
        tries = f", attempt {attempt}" if attempt > 1 else ""
        return f"{text}, {seconds_shown(now - notification.created)}{tries}"
    return f"{text}, attempt {attempt}: {shown(outcome.reason)}"


def session_phrase(kind: str, detail: str) -> str:
    """Return what happened between the hub and its broker; `kind` and `detail` are of a Notice."""
    if kind == "connected":
        return f"{shown(detail)} session" if detail in ("new", "resumed") else shown(detail)
    return ": ".join(filter(None, (_SESSION.get(kind, ""), shown(detail))))


def clock_phrase(seconds: float) -> str:
    """Return by how much somebody set the wall clock, and what that means for timers."""
    return f"set {format_duration(abs(seconds))} {'forward' if seconds > 0 else 'back'}; timers go on as before"


def _labels(body: Mapping[str, Any]) -> Mapping[str, Any]:
    labels = body.get("labels")
    return labels if isinstance(labels, Mapping) else {}


def _name(body: Mapping[str, Any]) -> str:
    return shown(body.get("alertname") or _labels(body).get("alertname") or "?")
