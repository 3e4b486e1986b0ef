"""How receivers and rules stand, gathered while the hub runs: circuits, last deliveries, last errors; what is wrong."""

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
    """One receiver; times are seconds since 1970, 0 where it never was."""

    circuit: str = "closed"
    delivered: int = 0
    failed: int = 0
    last_delivered: float = 0.0
    last_error: str = ""
    last_error_at: float = 0.0

    @property
    def state(self) -> str:
        """Say how it stands: who was never tried is not known to work."""
        if self.circuit != "closed" or self.last_error_at > self.last_delivered:
            return "fails"
        return "works" if self.last_delivered else "untried"

    def body(self) -> dict[str, Any]:
        """Return it for a client."""
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
    """Hears of receivers, rules and the session; bounded by how many of them there are."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing known."""
        self._clock = clock
        self.receivers: dict[str, Receiving] = {}
        self.rule_errors: dict[str, tuple[int, str]] = {}
        """How often a rule had no value, and what was said last."""
        self.connected = False
        self.listening: float | None = None
        """Since when there is a session, where there is one."""
        self.away = ""
        """Why there is no session, where that is known."""

    def ready(self) -> str:
        """Return why the hub is deaf, or nothing where it hears; its disk is the store's own to say (Site.deaf)."""
        return "" if self.connected else ": ".join(filter(None, ("no session with the broker", self.away)))

    def session(self, kind: str, detail: str) -> None:
        """Know whether it hears."""
        if kind in ("connected", "disconnected", "stopping"):
            self.connected = kind == "connected"
            self.listening = self._clock.now() if self.connected else None
            self.away = "" if self.connected else detail

    def rule_error(self, rule: str, topic: str, message: str) -> None:
        """Count it, and keep the last."""
        count, _ = self.rule_errors.get(rule, (0, ""))
        self.rule_errors[rule] = count + 1, f"{topic}: {message}"

    def receiver(self, name: str, circuit: str, detail: str) -> None:
        """Know whether it is left alone."""
        self._of(name).circuit = circuit

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Know when it last worked, and why it last did not."""
        if notification.receiver == OWN:
            return
        known = self._of(notification.receiver)
        if isinstance(outcome, Delivered):
            known.delivered += 1
            known.last_delivered = now
        else:
            known.failed += 1
            known.last_error, known.last_error_at = outcome.reason, now

    def recall(self, found: Iterable[LastAttempt]) -> None:
        """Take what was tried before this start."""
        for each in found:
            known = self._of(each.receiver)
            if each.outcome == "delivered":
                known.last_delivered = max(known.last_delivered, each.at)
            elif each.at > known.last_error_at:
                known.last_error, known.last_error_at = each.reason, each.at

    def _of(self, name: str) -> Receiving:
        return self.receivers.setdefault(name, Receiving())

    def rule(self, name: str) -> Mapping[str, Any]:
        """Return the errors of a rule."""
        count, last = self.rule_errors.get(name, (0, ""))
        return {"errors": count, "last_error": last}
