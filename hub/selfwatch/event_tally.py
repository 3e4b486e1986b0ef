"""An observer that counts for the hub's own alerts: what has happened since the last look, what is wrong since when.

What the hub's own rules cause is not counted: a notification about a failing receiver must not cause the next one.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.clock import Clock
from hub.limits import SELF_WATCH_CALM_SECONDS, SELF_WATCH_RULES, UNJUDGED_RECALL_SECONDS
from hub.model import OWN, Notification, Outcome, Retry
from hub.observer import Observer
from hub.rules.running.misses import Misses, Unjudged

__all__ = ["EventTally", "Payload"]

Payload = dict[str, Any]


@dataclass(slots=True)
class _Count:
    """How many there were since the last event of the hub, and what was said of the last one."""

    number: int = 0
    topic: str = ""
    detail: str = ""
    seen: float = 0.0
    recalled: bool = False
    """Whether it is known only from before a restart."""

    def add(self, detail: str, topic: str = "") -> None:
        self.number += 1
        self.topic, self.detail = topic, detail

    def take(self) -> "_Count":
        """Return the count as it is, and begin anew."""
        taken = _Count(self.number, self.topic, self.detail)
        self.number, self.topic, self.detail = 0, "", ""
        return taken


@dataclass(slots=True)
class _Trouble:
    """A receiver that fails: since when, by the monotonic clock, and why."""

    since: float
    detail: str


@dataclass(slots=True)
class _Session:
    away: float
    lost: int = 0
    overflows: int = 0
    connected: bool = False
    detail: str = "not connected yet"


@dataclass(slots=True)
class _Dead:
    number: int = 0
    detail: str = ""


@dataclass(slots=True)
class _Clock:
    steps: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class EventTally(Observer):
    """Counts what it observes. The methods `take_…` return what goes into an event and begin to count anew."""

    clock: Clock
    ignored: Collection[str] = ()
    """Names of alerts whose own notifications do not count: those about the hub, and the drill."""
    urgent: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something happened that should be told at once; the watcher waits for it."""
    _session: _Session = field(init=False)
    _unreadable: _Count = field(default_factory=_Count)
    _errors: dict[str, _Count] = field(default_factory=dict)
    _failing: dict[str, _Trouble] = field(default_factory=dict)
    _dead: dict[str, _Dead] = field(default_factory=dict)
    _steps: _Clock = field(default_factory=_Clock)
    _refused: str = ""
    _state: _Count = field(default_factory=_Count)

    def __post_init__(self) -> None:
        """Begin without a session."""
        self._session = _Session(self.clock.monotonic())

    @property
    def connected(self) -> bool:
        """Whether the session with the broker stands."""
        return self._session.connected

    # what it hears

    def decode_error(self, topic: str, head: bytes, reason: str) -> None:
        """Count a message that could not be read."""
        self._unreadable.add(reason, topic)

    def rule_error(self, rule: str, topic: str, message: str) -> None:
        """Count an error by its rule; beyond SELF_WATCH_RULES rules, further ones wait until these are calm."""
        if rule in self.ignored:
            return
        found = self._errors.get(rule)
        if found is None:
            if len(self._errors) >= SELF_WATCH_RULES:
                return
            found = self._errors[rule] = _Count()
        found.add(message, topic)

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Note since when a receiver fails; one that refuses a notification works all the same."""
        receiver = notification.receiver
        if not isinstance(outcome, Retry):
            self._failing.pop(receiver, None)
        elif self._counts(notification):
            trouble = self._failing.setdefault(receiver, _Trouble(self.clock.monotonic(), ""))
            trouble.detail = outcome.reason

    def dead(self, notification: Notification, reason: str) -> None:
        """Count a notification that was given up."""
        if self._counts(notification):
            found = self._dead.setdefault(notification.receiver, _Dead())
            found.number, found.detail = found.number + 1, reason
            self.urgent.set()

    def fallback(self, notification: Notification, to: str, reason: str) -> None:
        """Take back the count of `dead`, which came just before: a fallback has the notification."""
        found = self._dead.get(notification.receiver)
        if found is not None and self._counts(notification):
            found.number -= 1

    def session(self, kind: str, detail: str) -> None:
        """Note whether the session with the broker is there, and what was lost with it."""
        it = self._session
        if kind == "connected":
            it.connected = True
        elif kind == "disconnected":
            if it.connected:
                it.away = self.clock.monotonic()
            it.connected, it.detail = False, detail
        elif kind == "session_lost":
            it.lost, it.detail = it.lost + 1, detail
            self.urgent.set()
        elif kind == "dropped":
            it.overflows, it.detail = it.overflows + 1, detail

    def clock_set(self, seconds: float) -> None:
        """Count a step of the wall clock."""
        self._steps.steps, self._steps.seconds = self._steps.steps + 1, seconds
        self.urgent.set()

    def reloaded(self, summary: str) -> None:
        """Forget why rules were refused: the new ones are at work."""
        self._refused = ""
        self.urgent.set()

    def trouble(self, what: str, message: str) -> None:
        """Note what is wrong with new rules, or with the state file."""
        if what == "reload":
            self._refused = message
            self.urgent.set()
        elif what == "state":
            self._state.add(message)
            self.urgent.set()

    def _counts(self, notification: Notification) -> bool:
        return notification.receiver != OWN and notification.body.get("alertname") not in self.ignored

    # what it tells

    def take_session(self) -> Payload:
        """Return how the session stands."""
        it = self._session
        away = 0.0 if it.connected else self.clock.monotonic() - it.away
        told = {"connected": it.connected, "away_seconds": round(away, 1), "lost": it.lost, "overflows": it.overflows}
        it.lost = it.overflows = 0
        return told | {"detail": it.detail}

    def take_ingest(self) -> Payload:
        """Return what could not be read."""
        taken = self._unreadable.take()
        return {"unreadable": taken.number, "topic": taken.topic, "detail": taken.detail}

    def rules(self) -> Payload:
        """Return whether rules were refused."""
        return {"refused": bool(self._refused), "detail": self._refused}

    def take_state(self, wrong: str) -> Payload:
        """Return whether state was lost since the last event, or is being lost: `wrong` is what is so now."""
        taken = self._state.take()
        return {"lost": taken.number or int(bool(wrong)), "detail": wrong or taken.detail}

    def recall(self, rule: str) -> None:
        """Enter a rule that had errors before a restart: that they are over must be told, too."""
        if len(self._errors) < SELF_WATCH_RULES:
            self._errors.setdefault(rule, _Count(seen=self.clock.monotonic(), recalled=True))

    def take_errors(self, misses: Misses) -> Iterator[tuple[str, Payload]]:
        """Yield each rule that had errors of late: how many, and on how many topics it judges nothing.

        After a restart nobody knows that for a while, and it is null.
        """
        now, told, unjudged = self.clock.monotonic(), misses.take_told(), misses.unjudged(self.clock.now())
        for rule, count in list(self._errors.items()):
            taken, found = count.take(), unjudged.get(rule, Unjudged(0, "", ""))
            troubles = max(taken.number - told.get(rule, 0), 0)
            payload: Payload = {"errors": taken.number, "troubles": troubles, "unjudged": found.topics}
            if count.recalled and not found.topics and now - count.seen < UNJUDGED_RECALL_SECONDS:
                payload["unjudged"] = None
            elif taken.number or found.topics:
                count.seen, count.recalled = now, False
            yield rule, payload | {"topic": found.topic or taken.topic, "detail": found.detail or taken.detail}
            if now - count.seen > SELF_WATCH_CALM_SECONDS:
                del self._errors[rule]

    def receivers_with_dead(self) -> list[str]:
        """Name the receivers for which something was given up since the last event, those that are gone among them."""
        return [name for name, dead in self._dead.items() if dead.number > 0]

    def take_receiver(self, name: str, *, waiting: bool) -> Payload:
        """Return since when a receiver fails, and what was given up; where nothing waits any more it fails nobody."""
        if not waiting:
            self._failing.pop(name, None)
        trouble, dead = self._failing.get(name), self._dead.pop(name, _Dead())
        failing = 0.0 if trouble is None else self.clock.monotonic() - trouble.since
        detail = trouble.detail if trouble is not None else dead.detail
        return {"failing_seconds": round(failing, 1), "dead": max(dead.number, 0), "detail": detail}

    def take_clock(self) -> Mapping[str, Any]:
        """Return what was done to the clock."""
        taken, self._steps = self._steps, _Clock(0, self._steps.seconds)
        return {"steps": taken.steps, "seconds": round(taken.seconds, 1)}
