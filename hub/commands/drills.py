"""The drill: a marked test through every receiver, on the way of every notification, and what came of it.

service ──▶ Pipeline.tell ──▶ outbox ──▶ dispatcher ──▶ receivers; Drills observes and keeps the receipts.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.clock import Clock, rfc3339
from hub.commands.contract import DrillRequest
from hub.commands.request import Request, text_of
from hub.contracts.answered import ReceiptBody
from hub.errors import Code, RequestError
from hub.fields import did_you_mean
from hub.limits import DRILLS
from hub.model import Delivered, Notification, Outcome, Phase, Rejected
from hub.observer import Observer

__all__ = ["ALERTNAME", "Drills", "chosen_receivers"]

ALERTNAME = "HubDrill"


@dataclass(slots=True)
class Receipt:
    """What came of a test at one receiver. `outcome`: waiting, retry, delivered, rejected or dropped."""

    id: str
    receiver: str
    begun: float
    outcome: str = "waiting"
    attempts: int = 0
    milliseconds: float | None = None
    reason: str = ""
    fallback: "Receipt | None" = field(default=None)

    def body(self) -> ReceiptBody:
        """Return it as answers show it."""
        return {
            "id": self.id,
            "receiver": self.receiver,
            "outcome": self.outcome,
            "milliseconds": self.milliseconds,
            "attempts": self.attempts,
            "reason": self.reason,
            "done": self.done,
            "fallback": None if self.fallback is None else self.fallback.body(),
        }

    @property
    def done(self) -> bool:
        """Whether nothing more will come of it."""
        if self.fallback is not None:
            return self.fallback.done
        return self.outcome in ("delivered", "rejected", "dropped")


class Drills(Observer):
    """The last DRILLS drills. A delivery that is no drill's costs one look-up."""

    def __init__(self, clock: Clock, hub: Mapping[str, str]) -> None:
        """Begin with none; `hub` is what a notification says of its sender."""
        self._clock, self._hub = clock, hub
        self._drills: OrderedDict[int, list[Receipt]] = OrderedDict()
        self._open: dict[tuple[str, str], Receipt] = {}

    def begin(self, serial: int, receivers: Sequence[str], by: str) -> list[Notification]:
        """Make a test for each receiver; the caller queues them. `serial` is the drill's number."""
        now = self._clock.now()
        made = [
            Notification(f"drill-{serial}-{place}", name, f"drill-{serial}", self._body(serial, place, name, by), now)
            for place, name in enumerate(receivers, 1)
        ]
        self._drills[serial] = [self._follow(each.id, each.receiver) for each in made]
        while len(self._drills) > DRILLS:
            _, gone = self._drills.popitem(last=False)
            ids = {receipt.id for receipt in gone}
            self._open = {key: receipt for key, receipt in self._open.items() if key[0] not in ids}
        return made

    def receipts(self, serial: int) -> list[ReceiptBody]:
        """Return what has come of a drill so far.

        Raises:
            RequestError: no drill of this number is known.

        """
        if serial not in self._drills:
            raise RequestError(
                f"no drill {serial} is known: it was long ago, or the hub was started anew", Code.MISSING
            )
        return [receipt.body() for receipt in self._drills[serial]]

    def _follow(self, identity: str, receiver: str) -> Receipt:
        receipt = self._open[identity, receiver] = Receipt(identity, receiver, self._clock.now())
        return receipt

    def _body(self, serial: int, place: int, receiver: str, by: str) -> dict[str, Any]:
        now = rfc3339(self._clock.now())
        return {
            "id": f"drill-{serial}-{place}",
            "alertname": ALERTNAME,
            "state": Phase.EVENT.value,
            "severity": "info",
            "labels": {"alertname": ALERTNAME, "severity": "info", "receiver": receiver},
            "summary": f"TEST of the receiver {receiver}: nothing is the matter",
            "details": f"This is a test. {by} has sent it with `hub drill`, to see that it arrives.",
            "runbook": "",
            "reason": "drill",
            "since": now,
            "until": None,
            "episode": serial,
            "acknowledged": None,
            "event": None,
            "hub": self._hub,
            "drill": True,
        }

    # what it hears

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Note an attempt."""
        receipt = self._open.get((notification.id, notification.receiver)) if self._open else None
        if receipt is None:
            return
        receipt.attempts = attempt
        if isinstance(outcome, Delivered):
            receipt.outcome, receipt.reason = "delivered", ""
            receipt.milliseconds = round((now - receipt.begun) * 1000, 1)
            del self._open[notification.id, notification.receiver]
        else:
            receipt.outcome = "rejected" if isinstance(outcome, Rejected) else "retry"
            receipt.reason = outcome.reason

    def dead(self, notification: Notification, reason: str) -> None:
        """Note that it was given up."""
        self._end(notification, "rejected", reason)

    def fallback(self, notification: Notification, to: str, reason: str) -> None:
        """Follow a test to the receiver that is told instead; the first receiver has just given it up."""
        number = notification.body.get("episode")
        known = self._drills.get(number, ()) if notification.body.get("drill") and isinstance(number, int) else ()
        for receipt in known:
            last = receipt
            while last.fallback is not None:
                last = last.fallback
            if (last.id, last.receiver) == (notification.id, notification.receiver):
                last.fallback = self._follow(notification.id, to)

    def dropped(self, notification: Notification, by: str) -> None:
        """Note that somebody took it out of the outbox."""
        self._end(notification, "dropped", f"by {by}")

    def _end(self, notification: Notification, outcome: str, reason: str) -> None:
        receipt = self._open.pop((notification.id, notification.receiver), None) if self._open else None
        if receipt is not None:
            receipt.outcome, receipt.reason = outcome, reason


def chosen_receivers(request: Request, known: Sequence[str]) -> list[str]:
    """Read `receivers`; where the request names none, all are meant.

    Raises:
        RequestError: one is not known, or the rules have no receivers.

    """
    wanted = DrillRequest(request).receivers
    for name in wanted:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are: {', '.join(sorted(known)) or 'none'}"
            raise RequestError(f"no receiver {text_of(name, 'name')!r} ({hint})", Code.MISSING)
    if not known:
        raise RequestError("the rule files name no receivers", Code.MISSING)
    return list(dict.fromkeys(wanted)) or sorted(known)
