"""Heirs: who is told what waits for a receiver that a reload has removed, under the same id."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from hub.model import Notification
from hub.notify.outbox_port import Entered

__all__ = ["HeirsOf", "inherited"]

HeirsOf = Callable[[Notification], Sequence[str] | None]
"""Returns who is told in place of a notification's receiver; None: the other receivers of its rule have it already."""


def inherited(notification: Notification, names: Sequence[str]) -> tuple[Entered, ...]:
    """Return the notification for each heir, with the same id, order and age.

    It loses `first`: nobody knows whether an heir has heard of the episode.
    """
    body = {name: value for name, value in notification.body.items() if name != "first"}
    return tuple(Entered(replace(notification, receiver=name, body=body)) for name in names)
