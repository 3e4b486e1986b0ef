"""Names of a rule that are also keys of notifications (`id`, `state`): in receivers' templates the rule's name wins.

The labels with such names are put into `named` of the body as a notification goes out, and only where there are any.
"""

from collections.abc import Callable, Collection
from dataclasses import replace

from hub.model import OWN, Notification
from hub.notify.wording.templating import NAMES

__all__ = ["named"]

_KEPT = frozenset({"alertname", "severity", "reason", "labels", "key"})
"""Labels of the hub's own, or what no rule can mean."""


def named(own_names: Callable[[str], Collection[str]]) -> Callable[[Notification], Notification]:
    """Return the dispatcher's `dress`: it puts `named` into a notification's body.

    `own_names` takes a rule's name and returns the names of its captures and of the parts of its instance.
    """

    def dress(notification: Notification) -> Notification:
        body = notification.body
        if notification.receiver == OWN or "alertname" not in body:
            return notification
        taken = (NAMES - _KEPT).intersection(own_names(str(body["alertname"])))
        labels = body.get("labels") or {}
        found = {name: labels[name] for name in sorted(taken) if name in labels}
        return replace(notification, body={**body, "named": found}) if found else notification

    return dress
