"""The state of receivers, rules and the broker's session, gathered while the hub runs.

It holds circuits, last deliveries and last errors, and says whether the hub hears its broker.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.clock import Clock, rfc3339
from hub.model import OWN, Delivered, Notification, Outcome
from hub.observer import Observer
from hub.store.reader import LastAttempt

__all__ = ["GatheredStanding", "Receiving"]


@dataclass(slots=True)
class Receiving:
    """One receiver. Times are seconds since 1970; 0 means never."""

    circuit: str = "closed"
    delivered: int = 0
    failed: int = 0
    last_delivered: float = 0.0
    last_error: str = ""
    last_error_at: float = 0.0

    @property
    def state(self) -> str:
        """Say whether it works. One that was never tried is `untried`: nobody knows whether it would."""
        if self.circuit != "closed" or self.last_error_at > self.last_delivered:
            return "fails"
        return "works" if self.last_delivered else "untried"

    def body(self) -> dict[str, Any]:
        """Return the receiver's state as the API shows it."""
        return {
            "state": self.state,
            "circuit": self.circuit,
            "delivered": self.delivered,
            "failed_attempts": self.failed,
            "last_delivered": rfc3339(self.last_delivered) if self.last_delivered else None,
            "last_error": self.last_error,
            "last_error_at": rfc3339(self.last_error_at) if self.last_error_at else None,
        }


class GatheredStanding(Observer):
    """Hears of receivers, rules and the session, and remembers the last news of each, so its memory is bounded."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing known."""
        self._clock = clock
        self.receivers: dict[str, Receiving] = {}
        self.rule_errors: dict[str, tuple[int, str]] = {}
        """By rule: how often its condition had no value, and why the last time."""
        self.connected = False
        self.listening: float | None = None
        """Since when there is a session, in seconds since 1970; None where there is none."""
        self.away = ""
        """Why there is no session; "" where that is not known."""

    def ready(self) -> str:
        """Return why the hub does not hear its broker; "" where it does. Site.deaf asks for the disk, too."""
        return "" if self.connected else ": ".join(filter(None, ("no session with the broker", self.away)))

    def session(self, kind: str, detail: str) -> None:
        """Remember whether there is a session, since when, or why not."""
        if kind in ("connected", "disconnected", "stopping"):
            self.connected = kind == "connected"
            self.listening = self._clock.now() if self.connected else None
            self.away = "" if self.connected else detail

    def rule_error(self, rule: str, topic: str, message: str) -> None:
        """Count the error of a rule, and keep its message."""
        count, _ = self.rule_errors.get(rule, (0, ""))
        self.rule_errors[rule] = count + 1, f"{topic}: {message}"

    def receiver(self, name: str, circuit: str, detail: str) -> None:
        """Remember a receiver's circuit: while it is open, the hub sends nothing there."""
        self._of(name).circuit = circuit

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Remember when a receiver last worked, and why it last failed."""
        if notification.receiver == OWN:  # the hub's own published state has no receiver that anybody configured
            return
        receiving = self._of(notification.receiver)
        if isinstance(outcome, Delivered):
            receiving.delivered += 1
            receiving.last_delivered = now
        else:
            receiving.failed += 1
            receiving.last_error, receiving.last_error_at = outcome.reason, now

    def recall(self, attempts: Iterable[LastAttempt]) -> None:
        """Take each receiver's last attempts from before this start."""
        for attempt in attempts:
            receiving = self._of(attempt.receiver)
            if attempt.outcome == "delivered":
                receiving.last_delivered = max(receiving.last_delivered, attempt.at)
            elif attempt.at > receiving.last_error_at:
                receiving.last_error, receiving.last_error_at = attempt.reason, attempt.at

    def _of(self, name: str) -> Receiving:
        return self.receivers.setdefault(name, Receiving())

    def rule(self, name: str) -> Mapping[str, Any]:
        """Return how many errors a rule had since the start, and the last one, as the API shows them."""
        count, last = self.rule_errors.get(name, (0, ""))
        return {"errors": count, "last_error": last}
