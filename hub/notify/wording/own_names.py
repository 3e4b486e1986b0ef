"""What a rule calls like a key of its notifications (`{id}`, `{state}`): in templates of receivers that is the rule's.

Put on as a notification goes out, and only where there is such a name: `named` holds its labels of these names.
"""

from collections.abc import Callable, Collection
from dataclasses import replace

from hub.model import OWN, Notification
from hub.notify.wording.templating import NAMES

__all__ = ["named"]

_KEPT = frozenset({"alertname", "severity", "reason", "labels", "key"})
"""Labels of the hub's own, or what no rule can mean."""


def named(own_names: Callable[[str], Collection[str]]) -> Callable[[Notification], Notification]:
    """Return what puts them on; `own_names` tells the captures and parts of the instance of the rule of this name."""

    def dress(notification: Notification) -> Notification:
        body = notification.body
        if notification.receiver == OWN or "alertname" not in body:
            return notification
        taken = (NAMES - _KEPT).intersection(own_names(str(body["alertname"])))
        labels = body.get("labels") or {}
        found = {name: labels[name] for name in sorted(taken) if name in labels}
        return replace(notification, body={**body, "named": found}) if found else notification

    return dress
