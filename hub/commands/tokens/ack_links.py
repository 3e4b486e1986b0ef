"""Links that acknowledge, added to a notification on its way out: one tap in a mail or a chat, no login.

The outbox holds the notification without them. A link is the same in every attempt. It is signed for one episode, in
the name of the receiver that gets it (see token.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hub.commands.tokens.token import Claim, sign_token
from hub.ids import NotificationId
from hub.limits import LINK_SECONDS
from hub.model import OWN, Notification
from hub.notify.lanes.episode import is_firing

__all__ = ["Links"]


class Links:
    """Makes links below `base`, the URL that people reach the hub by, signed with `key`."""

    def __init__(self, base: str, key: bytes, wanted: Callable[[str], bool] = lambda _: True) -> None:
        """Take the parts of a link; `wanted` tells whether a receiver, by its name, gets links.

        Whoever reads a link can acknowledge, and many can read a topic of the broker.
        """
        self._base, self._key, self._wanted = base, key, wanted

    def dress(self, notification: Notification) -> Notification:
        """Return the notification with `ack_url`; a group has one in each of its alerts.

        A group in which only one alert fires has that alert's link itself, too: templates and push read only that
        place. Everything else stays as it is: what does not fire, or is acknowledged already.
        """
        if notification.receiver == OWN or not is_firing(notification) or notification.body.get("acknowledged"):
            return notification
        if not self._wanted(notification.receiver):
            return notification
        body, expires = notification.body, int(notification.created + LINK_SECONDS)
        alerts = body.get("alerts")
        if alerts is None:
            return replace(notification, body=self._linked(body, notification.receiver, expires))
        linked = [self._linked(each, notification.receiver, expires) for each in alerts]
        links = [each["ack_url"] for each in linked if "ack_url" in each]
        only = {"ack_url": links[0]} if len(links) == 1 else {}
        return replace(notification, body={**body, "alerts": linked, **only})

    def _linked(self, body: Mapping[str, Any], by: str, expires: int) -> Mapping[str, Any]:
        """Return one alert of a notification with its link; an event in a group has nothing to acknowledge."""
        told = NotificationId.parse(str(body["id"]))
        if body.get("state") != "firing" or told.step == "event":
            return body
        token = sign_token(Claim(told.fingerprint, told.episode, expires, by), self._key)
        return {**body, "ack_url": f"{self._base}/ack/{token}"}
