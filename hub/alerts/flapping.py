"""Flapping: an alert that fires again within FLAPPING_SECONDS of its last firing is one episode until it is calm. Pure.

  fires ─▶ told    resolved ─▶ told    fires again soon ─▶ told, with how often: it flaps
  flaps: the book follows it and nobody is told, until it is calm; then its end is told, with how often it fired

So people hear of a chattering alarm (ISA-18.2) three times, and each of these messages is true.
"""

from typing import Any

from hub.alerts.alert import Alert, changed
from hub.documents.duration import format_duration
from hub.limits import FLAPPING_CALM_SECONDS, FLAPPING_SECONDS, FLAPPING_TRACED
from hub.model import Phase, Suppressed, Suppressor

__all__ = ["SUPPRESSED", "calmed", "is_traced", "noted", "owes_its_end"]

_FIRST = 2
"""Flapping begins with this firing of an episode."""
SUPPRESSED = Suppressed(Suppressor.FLAPPING, f"until it is calm for {format_duration(FLAPPING_CALM_SECONDS)}")
"""Why the end of an alert that flaps is not told yet."""


def noted(alert: Alert, phase: Phase, now: float) -> dict[str, Any]:
    """Return the fields of an alert that change when it enters `firing` or `resolved`, as `flaps` and `calm`."""
    if phase is Phase.RESOLVED:
        # only an alert that flaps already has to be calm; the first end is told at once
        return {"calm": now + FLAPPING_CALM_SECONDS} if alert.calm else {}
    if alert.calm:  # it goes on flapping: the time to be calm begins anew
        return {"fired": now, "flaps": alert.flaps + 1, "calm": now + FLAPPING_CALM_SECONDS}
    if alert.fired and now - alert.fired < FLAPPING_SECONDS:
        return {"fired": now, "flaps": _FIRST, "calm": now + FLAPPING_CALM_SECONDS}
    return {"fired": now, "flaps": 0}


def owes_its_end(alert: Alert) -> bool:
    """Tell whether an alert has ended and nobody is told yet, because it may fire again any moment."""
    return bool(alert.calm) and alert.state is not Phase.FIRING


def is_traced(alert: Alert) -> bool:
    """Tell whether the trace notes that the end of this firing is suppressed; every time would fill the trace."""
    return alert.flaps % FLAPPING_TRACED == _FIRST


def calmed(alert: Alert) -> Alert:
    """Return an alert that was calm for long enough: it is over, or it goes on firing as any other alert."""
    return changed(alert, calm=0.0, held=None if owes_its_end(alert) else alert.held)
