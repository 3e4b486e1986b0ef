"""What rules hear of alerts: an event on `$hub/alerts/…` for each transition and each acknowledgement. Pure.

The topic is that of the alert's retained state, with `$hub` in place of the prefix; so is the payload. None of these
events comes from a broker or goes to one.
"""

import orjson

from hub.alerts.alert import Alert
from hub.model import OWN, Event

__all__ = ["is_other_news", "voice"]


def voice(alert: Alert, now: float, *, retain: bool = False) -> Event:
    """Return the event that says how an alert stands; `retain`: it has stood so before, so this is no moment."""
    raw = orjson.dumps(alert.body())
    fields = orjson.loads(raw)
    return Event(alert.topic(OWN), raw, fields, fields, now, 1, retain)


def is_other_news(before: Alert | None, alert: Alert) -> bool:
    """Tell whether rules hear of a change in which the alert's state is as it was: who cares for it, or its labels."""
    if before is None:
        return True
    return (before.ack, before.severity, before.labels) != (alert.ack, alert.severity, alert.labels)
