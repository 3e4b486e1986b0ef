"""What waits for a receiver that is gone is told to others, under the same id."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from hub.model import Notification
from hub.notify.outbox_port import Entered

__all__ = ["HeirsOf", "inherited"]

HeirsOf = Callable[[Notification], Sequence[str] | None]
"""Names who is told in place of a notification's receiver; None: the others whom its rule tells have it already."""


def inherited(notification: Notification, names: Sequence[str]) -> tuple[Entered, ...]:
    """Return a notification for each heir: the same id, order and age; who was the first to hear it is not known."""
    body = {name: value for name, value in notification.body.items() if name != "first"}
    return tuple(Entered(replace(notification, receiver=name, body=body)) for name in names)
