"""What a transition makes of an alert: pure functions, the state machine of one alert.

inactive → pending → firing → resolved → inactive …       an episode begins with each firing, unless it flaps
"""

from math import inf
from typing import Any

from hub.alerts.alert import Ack, Alert, changed
from hub.alerts.telling.said import NOTHING_SAID, Said
from hub.alerts.telling.texts import Rendered
from hub.limits import RESOLVED_KEPT_SECONDS
from hub.model import Phase, Reason, Suppressed, Suppressor
from hub.rules.reading.rule_values import Limit

__all__ = ["acknowledge", "advance", "end", "forget", "held", "over_at", "shifted", "speak", "told"]


def advance(alert: Alert, phase: Phase, reason: Reason, at: float, since: float, **more: Any) -> Alert:
    """Return the alert in its new phase, texts still to come; entering `firing` begins an episode, told to nobody.

    While it flaps the episode goes on, with all that was told and said in it. `more` are further fields that change.
    """
    until = at if phase is Phase.RESOLVED else None
    if alert.calm and phase is not Phase.FIRING:
        until = until or alert.until
    anew: dict[str, Any] = {"over": at if phase is Phase.INACTIVE else 0.0}
    if phase is Phase.FIRING and not alert.calm:
        anew |= {"episode": alert.episode + 1, "said": NOTHING_SAID, "told_in": "", "ack": None, "muted": False}
    return changed(
        alert,
        state=phase,
        version=alert.version + 1,
        reason=reason.value,
        since=since,
        until=until,
        held=None,
        ended=at if phase is Phase.RESOLVED else alert.ended,
        **anew,
        **more,
    )


def speak(alert: Alert, texts: Rendered, severity: str, **more: bool) -> Alert:
    """Give it its texts, and what `more` is to be known of it."""
    return changed(
        alert,
        labels=texts.labels,
        unfilled=texts.unfilled,
        summary=texts.summary,
        details=texts.details,
        runbook=texts.runbook,
        event=texts.event,
        severity=severity,
        **more,
    )


def told(alert: Alert, said: Said, limit: Limit | None, now: float) -> Alert:
    """Return it after a message that counts against `limit`; steps of `escalate` and ends do not."""
    return changed(alert, said=said, tally=alert.tally.told(limit, now))


def held(alert: Alert, suppressed: Suppressed | None, now: float = 0.0) -> Alert:
    """Return it suppressed from now on, or no more; since when a silence hides it is known, for `reminders`."""
    hidden = now if suppressed is not None and suppressed.by is Suppressor.SILENCE else 0.0
    return changed(alert, held=suppressed, hidden=hidden)


def acknowledge(alert: Alert, ack: Ack | None) -> Alert:
    """Return it acknowledged, or no longer."""
    return changed(alert, ack=ack)


def end(alert: Alert, reason: Reason, at: float) -> Alert:
    """Return the alert ended from outside, with the texts it had: its rule is gone or means something else."""
    phase = Phase.RESOLVED if alert.state is Phase.FIRING else Phase.INACTIVE
    ended = advance(alert, phase, reason, at, alert.since)
    return changed(ended, calm=0.0) if alert.state is Phase.FIRING else ended


_TIMES = ("since", "until", "hidden", "fired", "calm", "ended", "over")


def shifted(alert: Alert, seconds: float) -> Alert:
    """Return it after the wall clock was set by so many seconds; what a person has said in hours and minutes stays."""
    names = [name for name in _TIMES if getattr(alert, name)]
    moved: dict[str, Any] = {name: getattr(alert, name) + seconds for name in names}
    return changed(alert, tally=alert.tally.shifted(seconds), said=alert.said.shifted(seconds), **moved)


def over_at(alert: Alert) -> float:
    """Return when a resolved alert goes out of sight, inf for any other."""
    return alert.until + RESOLVED_KEPT_SECONDS if alert.state is Phase.RESOLVED and alert.until is not None else inf


def forget(alert: Alert, now: float) -> Alert:
    """Return what remains of an alert that is over: its identity and its counts."""
    return Alert(alert.alertname, alert.instance, alert.episode, alert.version + 1, tally=alert.tally, over=now)
