"""What the hub tells without a rule: its own events and drills, on the sure way of every notification."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from hub.clock import rfc3339
from hub.model import OWN, Notification

__all__ = ["OwnNotifications"]


class OwnNotifications:
    """Keeps them until the next commit takes them. `serial` is the number of the last, which never comes again."""

    def __init__(self, prefix: str) -> None:
        """Begin with none; `prefix` is the one below which the hub publishes."""
        self.serial = 0
        self._prefix = prefix
        self._made: list[Notification] = []

    def add(self, make: Callable[[int], Sequence[Notification]]) -> Sequence[Notification]:
        """Keep those that `make` returns, which is given a number of their own."""
        self.serial += 1
        made = make(self.serial)
        self._made += made
        return made

    def add_event(self, name: str, detail: str, now: float) -> None:
        """Keep an event of the hub's own, for `hub/events/…`."""
        payload = {"event": name, "detail": detail, "time": rfc3339(now)}
        body = {"topic": f"{self._prefix}/events/{name}", "payload": payload, "retain": False}
        self.add(lambda serial: [Notification(f"own-{serial}", OWN, name, body, now)])

    def shift(self, seconds: float) -> None:
        """Go on as if nothing had been: the wall clock was set by so many seconds."""
        self._made = [replace(each, created=each.created + seconds) for each in self._made]

    def take(self) -> list[Notification]:
        """Take what was kept since the last call."""
        made, self._made = self._made, []
        return made
