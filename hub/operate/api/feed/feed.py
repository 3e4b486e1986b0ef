"""The live feed: what the hub tells its observers as numbered messages, kept for a while, for any number of clients.

A message is written once, whoever reads it; a client is a place in what is kept. One that falls out of it was too slow
and is dropped: the hub never waits for a client and keeps nothing for one.

    {"id": "3-1042", "type": "alert", "time": "2026-03-01T00:55:00.000Z", "data": {…}}

`3` counts the starts of the hub, `1042` the messages since this one.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from hub.clock import Clock, rfc3339
from hub.expressions.templates.format import bytes_text
from hub.ids import fingerprint_in
from hub.limits import FEED_EVENTS_A_SECOND, FEED_KEPT, FEED_PAUSE_SECONDS, FEED_PAYLOAD_BYTES, FEED_REPEATS_A_SECOND
from hub.model import OWN, Delivered, Event, Notification, Outcome, Rejected
from hub.observer import Observer
from hub.operate.api.front.actor import ADMIN
from hub.printable import visible

__all__ = ["Feed", "FeedMessage", "for_role", "payload_shown"]


class FeedMessage(NamedTuple):
    """One message: its number, its type, and its text as JSON; `brief` is the text for who is no administrator."""

    number: int
    type: str
    text: bytes
    brief: bytes | None = None


def for_role(message: FeedMessage, role: str) -> FeedMessage | None:
    """Return a message as this role may see it; None for a command, which only those see who may read the audit log."""
    if role == ADMIN:
        return message
    if message.type == "command":
        return None
    return message if message.brief is None else message._replace(text=message.brief)


class Feed(Observer):
    """Hears the hub, numbers and keeps messages. A batch of events costs one comparison and at most one message."""

    def __init__(self, clock: Clock) -> None:
        """Begin empty."""
        self._clock = clock
        self.start = 0
        """Which start of the hub this is; set before anybody asks."""
        self.latest = 0
        self.clients = 0
        """Who is fed at this moment."""
        self._kept: deque[FeedMessage] = deque(maxlen=FEED_KEPT)
        self._news = asyncio.Event()
        self._waking = False
        self._next_event, self._skipped = 0.0, 0
        self._second, self._told = 0, 0

    # for clients

    @property
    def oldest(self) -> int:
        """The number of the oldest message that is kept; of the next one where none is."""
        return self._kept[0].number if self._kept else self.latest + 1

    def since(self, number: int, most: int) -> list[FeedMessage]:
        """Return what is kept behind this number, at most so many."""
        first, kept = max(0, number + 1 - self.oldest), self._kept
        return [kept[place] for place in range(first, min(first + most, len(kept)))]  # at either end a deque is fast

    async def wait(self) -> None:
        """Return when there is something new; what comes within FEED_PAUSE_SECONDS is one piece of news."""
        await self._news.wait()

    def identity(self, number: int) -> str:
        """Return the id of a message."""
        return f"{self.start}-{number}"

    def number_of(self, identity: str) -> int | None:
        """Return the number behind which somebody wants to go on; None where that is not kept, or not ours."""
        start, _, number = identity.partition("-")
        if not (number.isascii() and number.isdecimal() and len(number) < 18 and start == str(self.start)):
            return None
        return int(number) if self.oldest - 1 <= int(number) <= self.latest else None

    def compose(self, number: int, kind: str, data: Any) -> FeedMessage:
        """Write a message; one to a single client has the number of the last that it has had."""
        body = {"id": self.identity(number), "type": kind, "time": rfc3339(self._clock.now()), "data": data}
        return FeedMessage(number, kind, orjson.dumps(body))

    def say(self, kind: str, data: Any, brief: Any = None) -> None:
        """Tell all clients; those who are no administrators `brief`, where there is one."""
        self.latest += 1
        made = self.compose(self.latest, kind, data)
        if brief is not None:
            made = made._replace(brief=self.compose(self.latest, kind, brief).text)
        self._kept.append(made)
        if not self._waking:
            self._waking = True
            asyncio.get_running_loop().call_later(FEED_PAUSE_SECONDS, self._wake)

    def _wake(self) -> None:
        self._waking = False
        self._news.set()
        self._news = asyncio.Event()

    # what the hub tells

    def events(self, events: Sequence[Event], now: float) -> None:
        """Show one of a batch, if it is time for one."""
        if now < self._next_event or not events:
            self._skipped += len(events)
            return
        self._next_event = now + 1.0 / FEED_EVENTS_A_SECOND
        event, skipped = events[-1], self._skipped + len(events) - 1
        self._skipped = 0
        self.say(
            "event",
            {
                "topic": event.topic,
                "payload": payload_shown(event.raw, event.value),
                "qos": event.qos,
                "retain": event.retain,
                "skipped": skipped,
            },
        )

    def decode_error(self, topic: str, head: bytes, reason: str) -> None:
        """Pass it on, not more often than anybody reads."""
        if self._room():
            self.say("decode_error", {"topic": topic, "head": head[:200].decode("utf-8", "replace"), "reason": reason})

    def rule_error(self, rule: str, topic: str, message: str) -> None:
        """Pass it on, not more often than anybody reads."""
        if self._room():
            self.say("rule_error", {"rule": rule, "topic": topic, "message": message})

    def _room(self) -> bool:
        """Tell whether what repeats has room in this second."""
        second = int(self._clock.monotonic())
        if second != self._second:
            self._second, self._told = second, 0
        self._told += 1
        return self._told <= FEED_REPEATS_A_SECOND

    def alert(self, body: Mapping[str, Any]) -> None:
        """Pass on the new state, with the fingerprint beside."""
        self.say("alert", {**body, "fingerprint": fingerprint_in(str(body.get("id", "")))})

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Pass on what came of an attempt; the hub's own published state goes without saying."""
        if notification.receiver == OWN:
            return
        kind = {Delivered: "delivered", Rejected: "rejected"}.get(type(outcome), "retry")
        told = {"outcome": kind, "reason": getattr(outcome, "reason", ""), "attempt": attempt}
        self.say("delivery", _named(notification) | told | {"seconds": max(0.0, now - notification.created)})

    def dead(self, notification: Notification, reason: str) -> None:
        """Pass it on."""
        self.say("dead", _named(notification) | {"reason": reason})

    def superseded(self, notification: Notification, reason: str) -> None:
        """Pass it on."""
        self.say("superseded", _named(notification) | {"reason": reason})

    def fallback(self, notification: Notification, to: str, reason: str) -> None:
        """Pass it on."""
        self.say("fallback", _named(notification) | {"to": to, "reason": reason})

    def dropped(self, notification: Notification, by: str) -> None:
        """Pass it on."""
        self.say("dropped", _named(notification) | {"by": by})

    def receiver(self, name: str, circuit: str, detail: str) -> None:
        """Pass it on."""
        self.say("receiver", {"name": name, "circuit": circuit, "detail": detail})

    def session(self, kind: str, detail: str) -> None:
        """Pass it on."""
        self.say("session", {"kind": kind, "detail": detail})

    def clock_set(self, seconds: float) -> None:
        """Pass it on."""
        self.say("trouble", {"what": "clock", "message": f"the wall clock was set by {seconds:+.0f} s"})

    def command(self, actor: str, via: str, action: str, detail: Mapping[str, Any]) -> None:
        """Pass it on."""
        self.say("command", {"actor": actor, "via": via, "action": action, "detail": detail})

    def trouble(self, what: str, message: str) -> None:
        """Pass it on; what stands below the first line shows lines of files, in which secrets may be written."""
        first, more, _ = message.partition("\n")
        self.say("trouble", {"what": what, "message": message}, {"what": what, "message": first} if more else None)

    def reloaded(self, summary: str) -> None:
        """Pass it on."""
        self.say("reloaded", {"summary": summary})


def _named(notification: Notification) -> dict[str, Any]:
    body = notification.body
    return {
        "notification": notification.id,
        "receiver": notification.receiver,
        "alertname": body.get("alertname"),
        "state": body.get("state"),
        "fingerprint": notification.order,
    }


def payload_shown(raw: bytes, value: Any) -> Any:
    """Return a payload as clients see it: JSON as it is, else text; what is long is cut and becomes text.

    Of bytes it is how many there are.
    """
    if isinstance(value, bytes):
        return bytes_text(value)
    if len(raw) <= FEED_PAYLOAD_BYTES:
        return visible(value) if isinstance(value, str) else value
    return visible(raw[:FEED_PAYLOAD_BYTES].decode("utf-8", "replace")) + "…"
