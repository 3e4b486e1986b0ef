"""What a transition makes of an alert: the state machine of one alert, as pure functions.

inactive → pending → firing → resolved → inactive …    each firing begins an episode, except where the alert flaps
"""

from math import inf
from typing import Any

from hub.alerts.alert import Ack, Alert, changed
from hub.alerts.telling.said import NOTHING_SAID, Said
from hub.alerts.telling.texts import Rendered
from hub.limits import RESOLVED_KEPT_SECONDS
from hub.model import Phase, Reason, Suppressed, Suppressor
from hub.rules.reading.rule_values import Limit

__all__ = ["acknowledge", "advance", "end", "forget", "over_at", "shifted", "speak", "suppressed_by", "told"]


def advance(alert: Alert, phase: Phase, reason: Reason, at: float, since: float, **more: Any) -> Alert:
    """Return the alert in its new phase; `speak` gives it its texts afterwards.

    Entering `firing` begins an episode, of which nobody was told. While the alert flaps its episode goes on, with all
    that was said in it. `more` are further fields that change. Times are seconds since 1970.
    """
    until = at if phase is Phase.RESOLVED else None
    if alert.calm and phase is not Phase.FIRING:
        until = until or alert.until  # its end is still to be told, with the time at which it ended
    anew: dict[str, Any] = {"over": at if phase is Phase.INACTIVE else 0.0}
    if phase is Phase.FIRING and not alert.calm:
        # a new episode owes nothing to the last one: all are told of it, and nobody has acknowledged it
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
    """Return the alert with its texts, and with `more` fields (`muted`, `shadow`) of the transition."""
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
    """Return the alert after a message that counts against `limit`; steps of `escalate` and ends do not count."""
    return changed(alert, said=said, tally=alert.tally.told(limit, now))


def suppressed_by(alert: Alert, suppressed: Suppressed | None, now: float = 0.0) -> Alert:
    """Return the alert suppressed from now on; None: it is suppressed no longer."""
    # a silence that hides a critical alert for long is reminded of: only for it the time counts
    hidden = now if suppressed is not None and suppressed.by is Suppressor.SILENCE else 0.0
    return changed(alert, held=suppressed, hidden=hidden)


def acknowledge(alert: Alert, ack: Ack | None) -> Alert:
    """Return the alert with this acknowledgement; None takes it back."""
    return changed(alert, ack=ack)


def end(alert: Alert, reason: Reason, at: float) -> Alert:
    """Return the alert ended because its rule is gone or was changed; its texts stay.

    One that was pending becomes inactive: nobody was told of it, so nobody hears of an end.
    """
    phase = Phase.RESOLVED if alert.state is Phase.FIRING else Phase.INACTIVE
    ended = advance(alert, phase, reason, at, alert.since)
    return changed(ended, calm=0.0) if alert.state is Phase.FIRING else ended


_TIMES = ("since", "until", "hidden", "fired", "calm", "ended", "over")


def shifted(alert: Alert, seconds: float) -> Alert:
    """Return the alert with its times moved by `seconds`, by which somebody has set the wall clock.

    The end of an acknowledgement stays: a person has named it by the clock on the wall.
    """
    names = [name for name in _TIMES if getattr(alert, name)]
    moved: dict[str, Any] = {name: getattr(alert, name) + seconds for name in names}
    return changed(alert, tally=alert.tally.shifted(seconds), said=alert.said.shifted(seconds), **moved)


def past(alert: Alert, reason: Reason, since: float, until: float, told: float, *, anew: bool) -> Alert:
    """Return the alert after an episode that was over before anybody knew of it; it is `told` at that time.

    `anew`: this is the last thing known of the alert, and an episode of its own.
    """
    number = alert.episode + 1 if anew else alert.episode
    return changed(
        alert,
        state=Phase.RESOLVED,
        version=alert.version + 1,
        episode=number,
        reason=reason.value,
        since=since,
        until=until,
        ended=told,
        over=0.0,
        said=NOTHING_SAID,
        told_in="",
        ack=None,
        held=None,
    )


def over_at(alert: Alert) -> float:
    """Return when a resolved alert becomes inactive and its retained topic is emptied; inf for any other state."""
    if alert.state is not Phase.RESOLVED or alert.until is None:
        return inf
    # what ended long before it was told is visible for as long as any other
    return (max(alert.until, alert.ended) if alert.reason == Reason.LATE else alert.until) + RESOLVED_KEPT_SECONDS


def forget(alert: Alert, now: float) -> Alert:
    """Return what is kept of an alert that is over: its identity and its counts."""
    return Alert(alert.alertname, alert.instance, alert.episode, alert.version + 1, tally=alert.tally, over=now)
