"""What a transition makes of an alert: pure functions, the state machine of one alert.

inactive → pending → firing → resolved → inactive …       an episode begins with each firing
"""

from dataclasses import replace

from hub.alerts.alert import Alert
from hub.alerts.texts import Rendered
from hub.model import Phase, Reason

__all__ = ["advance", "end", "forget", "speak"]


def advance(alert: Alert, phase: Phase, reason: Reason, at: float, since: float) -> Alert:
    """Return the alert in its new phase, texts still to come; entering `firing` begins an episode."""
    return replace(
        alert,
        state=phase,
        version=alert.version + 1,
        episode=alert.episode + (phase is Phase.FIRING),
        reason=reason.value,
        since=since,
        until=at if phase is Phase.RESOLVED else None,
    )


def speak(alert: Alert, texts: Rendered, severity: str, notify: tuple[str, ...]) -> Alert:
    """Give it its texts; a firing one is told to these receivers."""
    told = notify if alert.state is Phase.FIRING else alert.told
    return replace(
        alert, labels=texts.labels, summary=texts.summary, details=texts.details, severity=severity, told=told
    )


def end(alert: Alert, reason: Reason, at: float) -> Alert:
    """Return the alert ended from outside, with the texts it had: its rule is gone or means something else."""
    phase = Phase.RESOLVED if alert.state is Phase.FIRING else Phase.INACTIVE
    return advance(alert, phase, reason, at, alert.since)


def forget(alert: Alert) -> Alert:
    """Return what remains of an alert that is over: its identity and its counts."""
    return Alert(alert.alertname, alert.instance, alert.episode, alert.version + 1)
