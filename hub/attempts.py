"""Delivery attempts for the trace: heard from the dispatcher, committed with what they settle."""

import orjson

from hub.model import OWN, Delivered, Notification, Outcome, Retry
from hub.observer import Observer
from hub.store.changes import TraceRow

__all__ = ["Attempts"]


class Attempts(Observer):
    """Keeps each attempt of a receiver until the next commit takes it."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: list[TraceRow] = []

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Note an attempt and what came of it."""
        if isinstance(outcome, Delivered):
            self._note(notification, now, {"outcome": "delivered", "attempt": attempt})
        else:
            word = "failed" if isinstance(outcome, Retry) else "refused"
            self._note(notification, now, {"outcome": word, "attempt": attempt, "reason": outcome.reason})

    def take(self) -> list[TraceRow]:
        """Take what was noted since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def _note(self, notification: Notification, now: float, data: dict[str, object]) -> None:
        if notification.receiver == OWN:
            return
        text = orjson.dumps({"receiver": notification.receiver} | data).decode()
        rule = str(notification.body.get("alertname", ""))
        self._rows.append((now, "delivery", notification.order, rule, notification.id, text))
