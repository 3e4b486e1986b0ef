"""Flapping: an alert that fires again within a minute of its last firing is one episode until it is calm. All pure.

  fires ─▶ told    resolved ─▶ told    fires again soon ─▶ told, with how often: it flaps
  flaps: whatever else it does is in the book and told to nobody, until it is calm; then its end is told, with how often

So a chattering alarm (ISA-18.2) is told three times while it chatters, and what is told of it is true.
"""

from typing import Any

from hub.alerts.alert import Alert, changed
from hub.documents.duration import format_duration
from hub.limits import FLAPPING_CALM_SECONDS, FLAPPING_SECONDS, FLAPPING_TRACED
from hub.model import Phase, Suppressed, Suppressor

__all__ = ["HELD", "calmed", "is_traced", "noted", "owes_its_end"]

_FIRST = 2
"""The firing with which it begins to flap."""
HELD = Suppressed(Suppressor.FLAPPING, f"until it is calm for {format_duration(FLAPPING_CALM_SECONDS)}")
"""What keeps the end of an alert that flaps from being told."""


def noted(alert: Alert, phase: Phase, now: float) -> dict[str, Any]:
    """Return what is to be known of its flapping when an alert enters `firing` or `resolved`: fields that change."""
    if phase is Phase.RESOLVED:
        return {"calm": now + FLAPPING_CALM_SECONDS} if alert.calm else {}
    if alert.calm:
        return {"fired": now, "flaps": alert.flaps + 1, "calm": now + FLAPPING_CALM_SECONDS}
    if alert.fired and now - alert.fired < FLAPPING_SECONDS:
        return {"fired": now, "flaps": _FIRST, "calm": now + FLAPPING_CALM_SECONDS}
    return {"fired": now, "flaps": 0}


def owes_its_end(alert: Alert) -> bool:
    """Tell whether it is over for now, and that is not told yet because it may fire again any moment."""
    return bool(alert.calm) and alert.state is not Phase.FIRING


def is_traced(alert: Alert) -> bool:
    """Tell whether the trace says of this firing that its end is held back: of each one would be most of the trace."""
    return alert.flaps % FLAPPING_TRACED == _FIRST


def calmed(alert: Alert) -> Alert:
    """Return it after it was calm for long enough: it has ended, or it fires in earnest."""
    return changed(alert, calm=0.0, held=None if owes_its_end(alert) else alert.held)
