"""What the book has to say: notifications in order, and the states that alerts entered; the next commit takes both."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hub.alerts.alert import Alert
from hub.model import OWN, Notification, Phase

__all__ = ["Outgoing"]


class Outgoing:
    """Collects until it is taken.

    `prefix` is the first level of the hub's own topics, `hub` what a notification says of its sender.
    """

    def __init__(self, prefix: str, hub: Mapping[str, str]) -> None:
        """Begin empty."""
        self.prefix, self.hub = prefix, hub
        self._silent_about_end: frozenset[str] = frozenset()
        self.queue: list[Notification] = []
        self._changed: list[Mapping[str, Any]] = []

    def follow(self, silent_about_end: frozenset[str]) -> None:
        """Take which receivers have `send_resolved: false`."""
        self._silent_about_end = silent_about_end

    def who_hear_ends(self, receivers: Iterable[str]) -> list[str]:
        """Return those of them that are told of an end."""
        return [name for name in receivers if name not in self._silent_about_end]

    def tell(self, receivers: Iterable[str], identity: str, fingerprint: str, body: Any, now: float) -> None:
        """Tell receivers of an alert."""
        self.queue.extend(Notification(identity, receiver, fingerprint, body, now) for receiver in receivers)

    def state(self, fingerprint: str, alert: Alert, now: float, *, desk: bool = False) -> None:
        """Say what an alert is now, to onlookers and on its retained topic; `desk`: only what is said of it changed."""
        body = alert.body()
        self._changed.append(body | {"desk": True} if desk else body)
        self.publish(fingerprint, alert, now, None if alert.state is Phase.INACTIVE else body)

    def publish(self, fingerprint: str, alert: Alert, now: float, state: Any) -> None:
        """Put an alert's state on its retained topic; None empties it."""
        body = {"topic": alert.topic(self.prefix), "payload": state, "retain": True}
        self.queue.append(Notification(f"{fingerprint}-v{alert.version}", OWN, fingerprint, body, now))

    def say(self, identity: str, fingerprint: str, event: Mapping[str, Any], now: float) -> None:
        """Say something of the hub's own on `events/…`, under the name of the event."""
        body = {"topic": f"{self.prefix}/events/{event['event']}", "payload": event, "retain": False}
        self.queue.append(Notification(identity, OWN, fingerprint, body, now))

    def shift(self, seconds: float) -> None:
        """Let what was not taken yet be as old as it was: the wall clock was set by so many seconds."""
        self.queue = [replace(each, created=each.created + seconds) for each in self.queue]

    def take(self) -> list[Notification]:
        """Take what is to be told, in order."""
        queue, self.queue = self.queue, []
        return queue

    def take_changed(self) -> list[Mapping[str, Any]]:
        """Take the states that alerts have entered."""
        changed, self._changed = self._changed, []
        return changed
