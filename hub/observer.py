"""Observers: the pipeline tells them what happens; console, figures, feed, traces and the hub's own alerts listen.

The pipeline never waits for an observer and never depends on what it does.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.model import Event, Notification, Outcome

__all__ = ["Observer", "Observers"]

_LOG = logging.getLogger(__name__)


class Observer:
    """Is told of everything and does nothing; a subclass overrides what it wants to hear of.

    Times are seconds since 1970, latencies are seconds.
    """

    def events(self, events: Sequence[Event], now: float) -> None:
        """Hear of a batch of events that was evaluated, in order; messages that cannot be read are not among them."""

    def committed(self, count: int, latency: float) -> None:
        """`count` events and all they caused are on disk, `latency` after the oldest of them arrived (EPL)."""

    def stored(self, seconds: float) -> None:
        """Hear how long a commit took, from when it was handed to the store until it was on disk."""

    def decode_error(self, topic: str, head: bytes, reason: str) -> None:
        """Hear of a message that could not be read and is now a dead letter."""

    def duplicates(self, count: int) -> None:
        """Hear of redeliveries that had been committed before and were not evaluated again."""

    def rule_error(self, rule: str, topic: str, message: str) -> None:
        """Hear that a condition had no value for an event; the instance kept its state."""

    def alert(self, body: Mapping[str, Any]) -> None:
        """Hear that an alert changed its state: `body` as in its retained topic, with `reason`.

        With `desk` in it the state is as it was: the alert was acknowledged, told again or suppressed, or that ended.
        """

    def queued(self, notification: Notification) -> None:
        """Hear of a notification that is durable in the outbox."""

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Hear of one attempt and what came of it; NPL is `now - notification.created` when delivered."""

    def dead(self, notification: Notification, reason: str) -> None:
        """Hear of a notification given up: refused for good, or too old."""

    def superseded(self, notification: Notification, reason: str) -> None:
        """Hear of a notification that need not be sent any more: a newer one says all, or others are told."""

    def fallback(self, notification: Notification, to: str, reason: str) -> None:
        """Hear that a notification goes to another receiver, because its own did not take it."""

    def dropped(self, notification: Notification, by: str) -> None:
        """Hear of a notification that somebody took out of the outbox."""

    def receiver(self, name: str, circuit: str, detail: str) -> None:
        """Hear that a receiver is left alone after failures (`open`), is tried once (`half-open`), works (`closed`)."""

    def session(self, kind: str, detail: str) -> None:
        """Hear of the MQTT session: connected, session_lost, disconnected, drained, dropped."""

    def cluster(self, kind: str, text: str) -> None:
        """Hear what a node of a cluster does: `owner`, `standby`, `release`, `nats`, `log` (a snapshot, a cut)."""

    def clock_set(self, seconds: float) -> None:
        """Hear that somebody has set the wall clock forward by so many seconds, or back where they are negative."""

    def command(self, actor: str, via: str, action: str, detail: Mapping[str, Any]) -> None:
        """Hear that somebody changed something by MQTT, HTTP or a link; it is in the audit log, too."""

    def reloaded(self, summary: str) -> None:
        """Hear that new rules and fleets are at work."""

    def trouble(self, what: str, message: str) -> None:
        """Hear of something a person should look at: disk full, rules that did not load."""


class Observers(Observer):
    """Several observers as one, each told in turn. One that fails is told no more: the pipeline goes on without it.

    Its methods are made below, one for each method of Observer, so that a new one cannot be forgotten here.
    """

    def __init__(self, *observers: Observer) -> None:
        """Tell these observers, in this order."""
        self.all = list(observers)


def _passed_on(what: str) -> Callable[..., None]:
    """Return the method of Observers that calls the method `what` of each observer."""

    def tell(self: Observers, *heard: Any) -> None:
        for each in tuple(self.all):
            try:
                getattr(each, what)(*heard)
            except Exception:  # noqa: BLE001 - whatever it is, the pipeline does not depend on who looks on
                self.all.remove(each)
                _LOG.exception(
                    "%s failed at %s and is told no more; this is a bug in the hub", type(each).__name__, what
                )

    return tell


for _what in [name for name in vars(Observer) if not name.startswith("_")]:
    setattr(Observers, _what, _passed_on(_what))
