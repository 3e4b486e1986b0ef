"""Notes what suppresses an alert, or that nothing does any more: in the alert, and in the trace."""

from hub.alerts import lifecycle
from hub.alerts.alert import Alert, changed
from hub.alerts.trace import Trace
from hub.model import Suppressed, Suppressor

__all__ = ["hold"]


def hold(trace: Trace, fingerprint: str, alert: Alert, suppressed: Suppressed | None, now: float) -> Alert:
    """Return an alert suppressed from now on, or no more; what `limit` holds back is counted, for its next message."""
    if suppressed == alert.held:
        return alert
    if suppressed is None:
        trace.released(now, fingerprint, alert.alertname, alert.held.by if alert.held else "")
        return lifecycle.held(alert, None)
    trace.held(now, fingerprint, alert.alertname, suppressed)
    if suppressed.by is Suppressor.LIMIT:
        alert = changed(alert, tally=alert.tally.held_back())
    return lifecycle.held(alert, suppressed, now)
