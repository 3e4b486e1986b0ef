"""The live feed: it makes numbered messages of what the hub tells observers, and keeps the last ones for all clients.

A message is written once, however many clients read it. For each client only the number of its next message is known.
Where that message is no longer kept, the client was too slow and is dropped: the hub never waits for a client.

    {"id": "3-1042", "type": "alert", "time": "2026-03-01T00:55:00.000Z", "data": {…}}

`3` counts the starts of the hub, `1042` the messages since this one.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from hub.clock import Clock, rfc3339
from hub.expressions.templates.format import bytes_text, json_safe
from hub.ids import fingerprint_in
from hub.limits import FEED_EVENTS_A_SECOND, FEED_KEPT, FEED_PAUSE_SECONDS, FEED_PAYLOAD_BYTES, FEED_REPEATS_A_SECOND
from hub.model import OWN, Delivered, Event, Notification, Outcome, Rejected
from hub.observer import Observer
from hub.operate.api.front.actor import ADMIN
from hub.printable import visible

__all__ = ["Feed", "FeedMessage", "for_role", "payload_shown"]


class FeedMessage(NamedTuple):
    """One message: number, type, and text as JSON. `brief` is the text for clients that are no administrators."""

    number: int
    type: str
    text: bytes
    brief: bytes | None = None


def for_role(message: FeedMessage, role: str) -> FeedMessage | None:
    """Return a message as this role may see it; None for a command, which only those may see who may read the audit."""
    if role == ADMIN:
        return message
    if message.type == "command":
        return None
    return message if message.brief is None else message._replace(text=message.brief)


class Feed(Observer):
    """Numbers and keeps messages. A batch of events costs the hub one comparison and at most one message."""

    def __init__(self, clock: Clock) -> None:
        """Begin empty."""
        self._clock = clock
        self.start = 0
        """How often the hub was started; the server sets it before the first client comes."""
        self.latest = 0
        self.clients = 0
        """How many clients there are at this moment."""
        self._kept: deque[FeedMessage] = deque(maxlen=FEED_KEPT)
        self._news = asyncio.Event()
        self._waking = False
        self._next_event, self._skipped = 0.0, 0
        self._second, self._told = 0, 0

    # for clients

    @property
    def oldest(self) -> int:
        """The number of the oldest message that is kept; where none is kept, of the next one."""
        return self._kept[0].number if self._kept else self.latest + 1

    def since(self, number: int, most: int) -> list[FeedMessage]:
        """Return at most `most` messages that follow this number; where they are gone, the oldest that are kept."""
        first, kept = max(0, number + 1 - self.oldest), self._kept
        return [kept[place] for place in range(first, min(first + most, len(kept)))]  # a deque is fast at both ends

    async def wait(self) -> None:
        """Return when there are new messages; all that come within FEED_PAUSE_SECONDS wake the clients once."""
        await self._news.wait()

    def identity(self, number: int) -> str:
        """Return the id of the message with this number, which also says in which start of the hub it was made."""
        return f"{self.start}-{number}"

    def number_of(self, identity: str) -> int | None:
        """Return the number in an id after which a client wants to go on; None where what follows is not kept.

        An id of another start of the hub is such a case, too.
        """
        start, _, number = identity.partition("-")
        if not (number.isascii() and number.isdecimal() and len(number) < 18 and start == str(self.start)):
            return None
        return int(number) if self.oldest - 1 <= int(number) <= self.latest else None

    def compose(self, number: int, kind: str, data: Any, at: str = "") -> FeedMessage:
        """Write a message. One that goes to a single client has the number of the last message before it.

        `at` is when it was said first (RFC 3339), "" for now.
        """
        body = {"id": self.identity(number), "type": kind, "time": at or rfc3339(self._clock.now()), "data": data}
        return FeedMessage(number, kind, orjson.dumps(body))

    def say(self, kind: str, data: Any, brief: Any = None) -> None:
        """Tell all clients. Where `brief` is given, those who are no administrators get that instead of `data`."""
        self.repeat(kind, "", data, brief)

    def repeat(self, kind: str, at: str, data: Any, brief: Any = None) -> None:
        """Tell all clients what another node has said at that time (RFC 3339)."""
        self.latest += 1
        made = self.compose(self.latest, kind, data, at)
        if brief is not None:
            made = made._replace(brief=self.compose(self.latest, kind, brief, at).text)
        self._kept.append(made)
        if not self._waking:
            self._waking = True
            asyncio.get_running_loop().call_later(FEED_PAUSE_SECONDS, self._wake)

    def gap(self) -> None:
        """Tell all clients that something was not told: they have to ask for the whole state."""
        self.say("gap", {"since": self.identity(self.latest), "oldest": self.identity(self.latest + 1)})

    def _wake(self) -> None:
        self._waking = False
        self._news.set()
        self._news = asyncio.Event()

    # what the hub tells

    def events(self, events: Sequence[Event], now: float) -> None:
        """Send one event of a batch if it is time for one, with the number of those that were left out."""
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
        """Pass on a message that could not be read, while this second has room for it."""
        if self._room():
            self.say("decode_error", {"topic": topic, "head": head[:200].decode("utf-8", "replace"), "reason": reason})

    def rule_error(self, rule: str, topic: str, message: str) -> None:
        """Pass on that a condition had no value, while this second has room for it."""
        if self._room():
            self.say("rule_error", {"rule": rule, "topic": topic, "message": message})

    def _room(self) -> bool:
        """Tell whether this second has room for an error: a broken device repeats its own faster than anybody reads."""
        second = int(self._clock.monotonic())
        if second != self._second:
            self._second, self._told = second, 0
        self._told += 1
        return self._told <= FEED_REPEATS_A_SECOND

    def alert(self, body: Mapping[str, Any]) -> None:
        """Pass on the new state of an alert, with its fingerprint."""
        self.say("alert", {**body, "fingerprint": fingerprint_in(str(body.get("id", "")))})

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Pass on the result of an attempt. The hub's own published state is no news."""
        if notification.receiver == OWN:
            return
        kind = {Delivered: "delivered", Rejected: "rejected"}.get(type(outcome), "retry")
        told = {"outcome": kind, "reason": getattr(outcome, "reason", ""), "attempt": attempt}
        self.say("delivery", _named(notification) | told | {"seconds": max(0.0, now - notification.created)})

    def dead(self, notification: Notification, reason: str) -> None:
        """Pass on that a notification was given up."""
        self.say("dead", _named(notification) | {"reason": reason})

    def superseded(self, notification: Notification, reason: str) -> None:
        """Pass on that a notification need not be sent any more."""
        self.say("superseded", _named(notification) | {"reason": reason})

    def fallback(self, notification: Notification, to: str, reason: str) -> None:
        """Pass on that another receiver is told instead."""
        self.say("fallback", _named(notification) | {"to": to, "reason": reason})

    def dropped(self, notification: Notification, by: str) -> None:
        """Pass on that somebody took a notification out of the outbox."""
        self.say("dropped", _named(notification) | {"by": by})

    def receiver(self, name: str, circuit: str, detail: str) -> None:
        """Pass on that a receiver's circuit has changed."""
        self.say("receiver", {"name": name, "circuit": circuit, "detail": detail})

    def session(self, kind: str, detail: str) -> None:
        """Pass on a change of the broker's session."""
        self.say("session", {"kind": kind, "detail": detail})

    def cluster(self, kind: str, text: str) -> None:
        """Pass it on."""
        self.say("cluster", {"kind": kind, "text": text})

    def clock_set(self, seconds: float) -> None:
        """Pass on, as trouble, that the wall clock was set."""
        self.say("trouble", {"what": "clock", "message": f"the wall clock was set by {seconds:+.0f} s"})

    def command(self, actor: str, via: str, action: str, detail: Mapping[str, Any]) -> None:
        """Pass on what somebody has changed."""
        self.say("command", {"actor": actor, "via": via, "action": action, "detail": detail})

    def trouble(self, what: str, message: str) -> None:
        """Pass on trouble. Only administrators get what follows its first line: lines of files, perhaps secrets."""
        first, more, _ = message.partition("\n")
        self.say("trouble", {"what": what, "message": message}, {"what": what, "message": first} if more else None)

    def reloaded(self, summary: str) -> None:
        """Pass on that rules and fleets were read again, and what changed."""
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
    """Return a payload as clients see it: JSON as it is, other text as text, of bytes only how many there are.

    A payload longer than FEED_PAYLOAD_BYTES is cut, and so becomes text.
    """
    if isinstance(value, bytes):
        return bytes_text(value)
    if len(raw) <= FEED_PAYLOAD_BYTES:
        return visible(value) if isinstance(value, str) else json_safe(value)
    return visible(raw[:FEED_PAYLOAD_BYTES].decode("utf-8", "replace")) + "…"
