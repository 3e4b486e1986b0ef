"""When a firing alert that was told is told again: `repeat` and `escalate`, as pure functions of alert and rule."""

from math import inf
from typing import Any

from hub.alerts.alert import Alert
from hub.alerts.silences import Silence
from hub.clock import rfc3339
from hub.limits import SILENCE_REMINDER_SECONDS
from hub.model import Phase
from hub.rules.rule import Rule

__all__ = ["due", "escalates_at", "hidden_too_long_at", "reminder", "repeats_at"]


def hidden_too_long_at(alert: Alert) -> float:
    """Return when a silence will have hidden a critical alert for so long that somebody must be reminded, else inf."""
    return alert.hidden + SILENCE_REMINDER_SECONDS if alert.hidden and alert.severity == "critical" else inf


def reminder(alert: Alert, silence: Silence | None, now: float) -> dict[str, Any]:
    """Build the event that says so."""
    return {
        "event": "silence_hides_critical",
        "time": rfc3339(now),
        "alertname": alert.alertname,
        "labels": alert.labels,
        "since": rfc3339(alert.hidden),
        "silence": None if silence is None else silence.body(now),
    }


def repeats_at(alert: Alert, rule: Rule) -> float:
    """Return when the next repeat is due, inf where none is: grouped alerts repeat with their group."""
    repeat = rule.repeat
    if repeat is None or not alert.tellings or rule.group_by is not None or alert.ack is not None:
        return inf
    return alert.last + repeat.interval(alert.tellings)


def escalates_at(alert: Alert, rule: Rule) -> float:
    """Return when the next step of `escalate` is due, inf where none is."""
    if not alert.notified or alert.ack is not None or alert.steps >= len(rule.escalate):
        return inf
    return alert.notified + rule.escalate[alert.steps].after


def due(alert: Alert, rule: Rule) -> float:
    """Return when somebody must look at a firing alert again for its own sake, inf where never."""
    if alert.state is not Phase.FIRING:
        return inf
    ends = inf if alert.ack is None or alert.ack.until is None else alert.ack.until
    if alert.held is not None:
        room = alert.tally.room_at(rule.limit) if alert.held[0] == "limit" and rule.limit else inf
        return min(room, ends, hidden_too_long_at(alert))
    return min(repeats_at(alert, rule), escalates_at(alert, rule), ends)
