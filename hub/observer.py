"""Who looks on: the pipeline tells an Observer what happens; console, figures, live view and traces listen.

The pipeline never waits for an observer and never depends on what it does. `operate` implements it.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from hub.model import Event, Notification, Outcome

__all__ = ["Observer", "Observers"]

_LOG = logging.getLogger(__name__)


class Observer:
    """Hears of everything and does nothing; override what you want to hear.

    Times are seconds since 1970, latencies are seconds.
    """

    def events(self, events: Sequence[Event], now: float) -> None:
        """Hear of a batch that was evaluated, in order (decode errors are not among them)."""

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

        With `desk` in it the state is the same: it was acknowledged, told again, held back, or is no longer.
        """

    def queued(self, notification: Notification) -> None:
        """Hear of a notification that is durable in the outbox."""

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Hear of one attempt and what came of it; NPL is `now - notification.created` when delivered."""

    def dead(self, notification: Notification, reason: str) -> None:
        """Hear of a notification given up: refused for good, or too old."""

    def superseded(self, notification: Notification, reason: str) -> None:
        """Hear of what need not be sent any more: something newer is, its alert is over, or others are told."""

    def fallback(self, notification: Notification, to: str, reason: str) -> None:
        """Hear that a notification goes to another receiver, because its own did not take it."""

    def dropped(self, notification: Notification, by: str) -> None:
        """Hear of a notification that somebody took out of the outbox."""

    def receiver(self, name: str, circuit: str, detail: str) -> None:
        """Hear that a receiver is left alone after failures (`open`), tried once (`half-open`), works (`closed`)."""

    def session(self, kind: str, detail: str) -> None:
        """Hear of the MQTT session: connected, session_lost, disconnected, drained, dropped."""

    def clock_set(self, seconds: float) -> None:
        """Hear that somebody has set the wall clock forward by so many seconds, or back where they are negative."""

    def command(self, actor: str, via: str, action: str, detail: Mapping[str, Any]) -> None:
        """Hear that somebody changed something by MQTT, HTTP or a link; it is in the audit log, too."""

    def reloaded(self, summary: str) -> None:
        """Hear that new rules and fleets are at work."""

    def trouble(self, what: str, message: str) -> None:
        """Hear of something a person should look at: disk full, rules that did not load."""


class Observers(Observer):
    """Several observers as one, each told in turn. One that fails is told no more: the pipeline goes on without it."""

    def __init__(self, *observers: Observer) -> None:
        """Tell these."""
        self.all = list(observers)

    def _tell(self, what: str, *heard: Any) -> None:
        for each in tuple(self.all):
            try:
                getattr(each, what)(*heard)
            except Exception:  # noqa: BLE001 - whatever it is, the pipeline does not depend on who looks on
                self.all.remove(each)
                _LOG.exception(
                    "%s failed at %s and is told no more; this is a bug in the hub", type(each).__name__, what
                )

    def events(self, events: Sequence[Event], now: float) -> None:
        """Pass it on."""
        self._tell("events", events, now)

    def committed(self, count: int, latency: float) -> None:
        """Pass it on."""
        self._tell("committed", count, latency)

    def stored(self, seconds: float) -> None:
        """Pass it on."""
        self._tell("stored", seconds)

    def decode_error(self, topic: str, head: bytes, reason: str) -> None:
        """Pass it on."""
        self._tell("decode_error", topic, head, reason)

    def duplicates(self, count: int) -> None:
        """Pass it on."""
        self._tell("duplicates", count)

    def rule_error(self, rule: str, topic: str, message: str) -> None:
        """Pass it on."""
        self._tell("rule_error", rule, topic, message)

    def alert(self, body: Mapping[str, Any]) -> None:
        """Pass it on."""
        self._tell("alert", body)

    def queued(self, notification: Notification) -> None:
        """Pass it on."""
        self._tell("queued", notification)

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Pass it on."""
        self._tell("delivery", notification, outcome, attempt, now)

    def dead(self, notification: Notification, reason: str) -> None:
        """Pass it on."""
        self._tell("dead", notification, reason)

    def superseded(self, notification: Notification, reason: str) -> None:
        """Pass it on."""
        self._tell("superseded", notification, reason)

    def fallback(self, notification: Notification, to: str, reason: str) -> None:
        """Pass it on."""
        self._tell("fallback", notification, to, reason)

    def dropped(self, notification: Notification, by: str) -> None:
        """Pass it on."""
        self._tell("dropped", notification, by)

    def receiver(self, name: str, circuit: str, detail: str) -> None:
        """Pass it on."""
        self._tell("receiver", name, circuit, detail)

    def session(self, kind: str, detail: str) -> None:
        """Pass it on."""
        self._tell("session", kind, detail)

    def clock_set(self, seconds: float) -> None:
        """Pass it on."""
        self._tell("clock_set", seconds)

    def command(self, actor: str, via: str, action: str, detail: Mapping[str, Any]) -> None:
        """Pass it on."""
        self._tell("command", actor, via, action, detail)

    def trouble(self, what: str, message: str) -> None:
        """Pass it on."""
        self._tell("trouble", what, message)

    def reloaded(self, summary: str) -> None:
        """Pass it on."""
        self._tell("reloaded", summary)
