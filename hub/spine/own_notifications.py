"""What the hub tells without a rule: its own events and drills. They go through the outbox as all notifications do."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from hub.clock import rfc3339
from hub.model import OWN, Notification

__all__ = ["OwnNotifications"]


class OwnNotifications:
    """Keeps them until the next commit takes them. `serial` is the number of the last one; no number is used twice."""

    def __init__(self, prefix: str) -> None:
        """Begin with none; `prefix` is the one below which the hub publishes."""
        self.serial = 0
        self._prefix = prefix
        self._made: list[Notification] = []

    def add(self, make: Callable[[int], Sequence[Notification]]) -> Sequence[Notification]:
        """Keep the notifications that `make` returns; it is given a number that only they have."""
        self.serial += 1
        notifications = make(self.serial)
        self._made += notifications
        return notifications

    def add_event(self, name: str, detail: str, now: float) -> None:
        """Keep an event about the hub itself, for `hub/events/…`."""
        payload = {"event": name, "detail": detail, "time": rfc3339(now)}
        body = {"topic": f"{self._prefix}/events/{name}", "payload": payload, "retain": False}
        self.add(lambda serial: [Notification(f"own-{serial}", OWN, name, body, now)])

    def shift(self, seconds: float) -> None:
        """Move the times at which they were made by `seconds`: the wall clock was set by so much."""
        self._made = [replace(each, created=each.created + seconds) for each in self._made]

    def take(self) -> list[Notification]:
        """Take those that were added since the last call."""
        notifications, self._made = self._made, []
        return notifications
