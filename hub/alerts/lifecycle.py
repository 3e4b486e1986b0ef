"""What a transition makes of an alert: pure functions, the state machine of one alert.

inactive → pending → firing → resolved → inactive …       an episode begins with each firing
"""

from dataclasses import replace

from hub.alerts.alert import Ack, Alert
from hub.alerts.texts import Rendered
from hub.model import Phase, Reason
from hub.rules.keys import Limit

__all__ = ["acknowledge", "advance", "end", "forget", "held", "speak", "told"]


def advance(alert: Alert, phase: Phase, reason: Reason, at: float, since: float) -> Alert:
    """Return the alert in its new phase, texts still to come; entering `firing` begins an episode, told to nobody."""
    changed = replace(
        alert,
        state=phase,
        version=alert.version + 1,
        reason=reason.value,
        since=since,
        until=at if phase is Phase.RESOLVED else None,
        held=None,
    )
    if phase is not Phase.FIRING:
        return changed
    return replace(
        changed, episode=alert.episode + 1, told=(), ack=None, tellings=0, notified=0.0, last=0.0, steps=0, muted=False
    )


def speak(alert: Alert, texts: Rendered, severity: str) -> Alert:
    """Give it its texts."""
    return replace(
        alert,
        labels=texts.labels,
        summary=texts.summary,
        details=texts.details,
        runbook=texts.runbook,
        event=texts.event,
        severity=severity,
    )


def told(alert: Alert, receivers: tuple[str, ...], limit: Limit | None, now: float, *, step: bool = False) -> Alert:
    """Return it after a message to these receivers: the firing one, a repeat, or a step of `escalate`."""
    return replace(
        alert,
        told=tuple(dict.fromkeys((*alert.told, *receivers))),
        tellings=alert.tellings + (not step),
        steps=alert.steps + step,
        notified=alert.notified or now,
        last=alert.last if step else now,
        tally=alert.tally.told(limit, now),
        held=None,
    )


def held(alert: Alert, stage: tuple[str, str] | None) -> Alert:
    """Return it held back by a stage, or by none."""
    return replace(alert, held=stage)


def acknowledge(alert: Alert, ack: Ack | None) -> Alert:
    """Return it acknowledged, or no longer."""
    return replace(alert, ack=ack)


def end(alert: Alert, reason: Reason, at: float) -> Alert:
    """Return the alert ended from outside, with the texts it had: its rule is gone or means something else."""
    phase = Phase.RESOLVED if alert.state is Phase.FIRING else Phase.INACTIVE
    return advance(alert, phase, reason, at, alert.since)


def forget(alert: Alert) -> Alert:
    """Return what remains of an alert that is over: its identity and its counts."""
    return Alert(alert.alertname, alert.instance, alert.episode, alert.version + 1, tally=alert.tally)
