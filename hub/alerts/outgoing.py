"""What the book has to say: notifications in order, and the states that alerts entered. The next commit takes both."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hub.alerts.alert import Alert
from hub.alerts.telling.alert_events import voice
from hub.model import OWN, Event, Notification, Phase

__all__ = ["Outgoing"]


class Outgoing:
    """Collects until `take` and `take_changed` are called.

    `prefix` is the first level of the hub's own topics. `hub` is what a notification says of its sender.
    """

    def __init__(self, prefix: str, hub: Mapping[str, str]) -> None:
        """Begin empty."""
        self.prefix, self.hub = prefix, hub
        self._silent_about_end: frozenset[str] = frozenset()
        self.queue: list[Notification] = []
        self._changed: list[Mapping[str, Any]] = []
        self.listened = False
        """Whether any rule listens to alerts: only then `state` keeps what such rules hear."""
        self._voices: list[Event] = []

    def follow(self, silent_about_end: frozenset[str]) -> None:
        """Take the names of the receivers with `send_resolved: false`."""
        self._silent_about_end = silent_about_end

    def who_hear_ends(self, receivers: Iterable[str]) -> list[str]:
        """Return the receivers that are told of an end: all but those with `send_resolved: false`."""
        return [name for name in receivers if name not in self._silent_about_end]

    def tell(self, receivers: Iterable[str], identity: str, fingerprint: str, body: Any, now: float) -> None:
        """Queue one notification for each receiver; all have the id `identity` and keep the order of the alert."""
        self.queue.extend(Notification(identity, receiver, fingerprint, body, now) for receiver in receivers)

    def state(self, fingerprint: str, alert: Alert, now: float, *, desk: bool = False) -> None:
        """Publish the state of an alert: to observers and on its retained topic.

        With `desk` the state is as it was: only an acknowledgement, a suppression or what was told has changed.
        """
        body = alert.body()
        self._changed.append(body | {"desk": True} if desk else body)
        if self.listened and not desk:
            self.voice(alert, now)
        self.publish(fingerprint, alert, now, None if alert.state is Phase.INACTIVE else body)

    def publish(self, fingerprint: str, alert: Alert, now: float, state: Any) -> None:
        """Queue an alert's state for its retained topic; None empties the topic."""
        body = {"topic": alert.topic(self.prefix), "payload": state, "retain": True}
        self.queue.append(Notification(f"{fingerprint}-v{alert.version}", OWN, fingerprint, body, now))

    def voice(self, alert: Alert, now: float) -> None:
        """Let rules hear how an alert stands now, if any rule listens."""
        if self.listened:
            self._voices.append(voice(alert, now))

    def say(self, identity: str, fingerprint: str, event: Mapping[str, Any], now: float) -> None:
        """Queue an event of the hub's own for the topic `events/<name of the event>`, not retained."""
        body = {"topic": f"{self.prefix}/events/{event['event']}", "payload": event, "retain": False}
        self.queue.append(Notification(identity, OWN, fingerprint, body, now))

    def shift(self, seconds: float) -> None:
        """Move the times of what was not taken yet by `seconds`, by which somebody has set the wall clock."""
        self.queue = [replace(each, created=each.created + seconds) for each in self.queue]

    def take(self) -> list[Notification]:
        """Take the notifications since the last call, in order."""
        queue, self.queue = self.queue, []
        return queue

    def take_changed(self) -> list[Mapping[str, Any]]:
        """Take the bodies of states that alerts have entered since the last call."""
        changed, self._changed = self._changed, []
        return changed

    def take_voices(self) -> list[Event]:
        """Take what rules hear of alerts since the last call, in order."""
        voices, self._voices = self._voices, []
        return voices
