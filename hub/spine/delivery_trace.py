"""Delivery attempts as entries of the trace. The dispatcher tells of them; they are committed with what they settle."""

import orjson

from hub.clock import Clock, SystemClock
from hub.model import OWN, Delivered, Notification, Outcome, Retry
from hub.observer import Observer
from hub.store.changes import TraceRow
from hub.store.keeper import Journal

__all__ = ["Attempts", "delivery_row"]


class Attempts(Observer):
    """Keeps each attempt of a receiver until the next commit takes it."""

    def __init__(self, clock: Clock | None = None) -> None:
        """Begin with none."""
        self._clock = clock or SystemClock()
        self.journal = Journal("trace")
        """The entries that the next commit takes."""

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Note an attempt and what came of it."""
        if isinstance(outcome, Delivered):
            self._note(notification, now, {"outcome": "delivered", "attempt": attempt})
        else:
            word = "failed" if isinstance(outcome, Retry) else "refused"
            self._note(notification, now, {"outcome": word, "attempt": attempt, "reason": outcome.reason})

    def superseded(self, notification: Notification, reason: str) -> None:
        """Note that a notification is not sent, because a later one says more."""
        self._note(notification, self._clock.now(), {"outcome": "superseded", "reason": reason})

    def fallback(self, notification: Notification, to: str, reason: str) -> None:
        """Note that the receiver `to` is told instead."""
        self._note(notification, self._clock.now(), {"outcome": f"handed to {to}", "reason": reason})

    def dropped(self, notification: Notification, by: str) -> None:
        """Note that somebody took it out of the outbox."""
        self._note(notification, self._clock.now(), {"outcome": "dropped", "reason": f"by {by}"})

    def _note(self, notification: Notification, now: float, data: dict[str, object]) -> None:
        if notification.receiver != OWN:  # the retained alert topics: each change of an alert would write one more
            self.journal.add(delivery_row(notification, now, data))


def delivery_row(notification: Notification, now: float, data: dict[str, object]) -> TraceRow:
    """Return what came of a notification as a row of the trace; `hub outbox` on a stopped hub makes such rows, too."""
    text = orjson.dumps({"receiver": notification.receiver} | data).decode()
    rule = str(notification.body.get("alertname", ""))
    return now, "delivery", notification.order, rule, notification.id, text
