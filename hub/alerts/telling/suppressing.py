"""What suppresses an alert is noted in the alert and in the trace; both tellers use this."""

from hub.alerts import lifecycle
from hub.alerts.alert import Alert, changed
from hub.alerts.trace import Trace
from hub.model import Suppressed, Suppressor

__all__ = ["note_suppressed"]


def note_suppressed(trace: Trace, fingerprint: str, alert: Alert, suppressed: Suppressed | None, now: float) -> Alert:
    """Return the alert suppressed from now on (None: no longer), and note the change in the trace.

    What `limit` delays is counted: the next message tells how many it were.
    """
    if suppressed == alert.held:
        return alert  # nothing has changed, so the trace says nothing
    if suppressed is None:
        trace.released(now, fingerprint, alert.alertname, alert.held.by if alert.held else "")
        return lifecycle.suppressed_by(alert, None)
    trace.suppressed(now, fingerprint, alert.alertname, suppressed)
    if suppressed.by is Suppressor.LIMIT:
        alert = changed(alert, tally=alert.tally.held_back())
    return lifecycle.suppressed_by(alert, suppressed, now)
