"""Links that acknowledge, put into what is told while it goes out: one tap in a mail or a chat, no login.

The notification in the outbox knows nothing of them. A link is the same in every attempt, and is signed for one episode
in the name of the receiver that it went to (see token).
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
        """Take what links are made of; `wanted` tells whether a receiver, by its name, is to have them.

        Whoever reads a link can acknowledge: what goes to a topic of the broker, many can read.
        """
        self._base, self._key, self._wanted = base, key, wanted

    def dress(self, notification: Notification) -> Notification:
        """Return the notification with `ack_url`, or, of a group, with one in each of its alerts.

        A group of which one alert fires has that one's itself, too: templates and push know only that place. What is no
        alert that fires, or is acknowledged already, stays as it is.
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
        """Return one alert with its link; an event of a group is none."""
        told = NotificationId.parse(str(body["id"]))
        if body.get("state") != "firing" or told.step == "event":
            return body
        token = sign_token(Claim(told.fingerprint, told.episode, expires, by), self._key)
        return {**body, "ack_url": f"{self._base}/ack/{token}"}
