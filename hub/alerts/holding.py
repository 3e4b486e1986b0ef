"""Notes by which stage an alert is held back, or that it is no longer: in the alert, and in the trace."""

from hub.alerts import lifecycle
from hub.alerts.alert import Alert, changed
from hub.alerts.trace import Trace
from hub.model import Suppressor

__all__ = ["hold"]


def hold(trace: Trace, mark: str, alert: Alert, stage: tuple[Suppressor, str] | None, now: float) -> Alert:
    """Return an alert held back by this stage from now on, or by none; what `limit` holds back is counted."""
    if stage == alert.held:
        return alert
    if stage is None:
        trace.released(now, mark, alert.alertname, alert.held[0] if alert.held else "")
        return lifecycle.held(alert, None)
    trace.held(now, mark, alert.alertname, *stage)
    if stage[0] is Suppressor.LIMIT:
        alert = changed(alert, tally=alert.tally.held_back())
    return lifecycle.held(alert, stage, now)
