"""The hub's log: a line, text or JSON, for each thing that a person may look for later; never a line per event.

What repeats (a receiver that is down, a device that sends rubbish) is written when it begins, then counted, and written
again at most once a minute. The log also says when a receiver works again.
"""

from collections.abc import Mapping
from typing import Any, TextIO

from hub.clock import PEOPLE, Clock, SystemClock, rfc3339
from hub.model import OWN, Delivered, Notification, Outcome, Phase, Retry
from hub.observer import Observer
from hub.operate.figures.summary import seconds_shown
from hub.operate.terminal.attention import Attention
from hub.operate.terminal.phrases import (
    alert_phrase,
    alert_severity,
    clock_phrase,
    delivery_phrase,
    notification_phrase,
    session_phrase,
)
from hub.operate.terminal.printer import Printer
from hub.printable import shown, shown_event, shown_json

__all__ = ["LogObserver", "Repeats"]

_AGAIN_SECONDS = 60.0  # between two lines about the same thing
_IDS = 10  # ids in one line; the audit log has all of them
_ASKED_CHARS = 300  # of a request: a longer one hides the other lines
_KEYS = 1000  # remembered things; they are names of rules and receivers, so there are never nearly so many


class Repeats:
    """Decides whether a thing that repeats is told now: the first time, then once a minute with the count."""

    def __init__(self, seconds: float = _AGAIN_SECONDS) -> None:
        """Tell each thing at most once per `seconds`."""
        self._seconds = seconds
        self._told: dict[str, tuple[float, int]] = {}

    def tell(self, key: str, now: float) -> int | None:
        """Return how many were not told since the last time, or None if this one is not told either."""
        last, untold = self._told.get(key, (-self._seconds, 0))
        if now - last < self._seconds:
            self._told[key] = last, untold + 1
            return None
        if len(self._told) >= _KEYS:
            self._told.clear()
        self._told[key] = now, 0
        return untold


class LogObserver(Observer):
    """Writes the log to a stream: `2026-03-01T00:55:00.000Z firing critical FreezerTooWarm site=a: … id=…`."""

    def __init__(self, stream: TextIO, clock: Clock | None = None, *, as_json: bool = False) -> None:
        """Write to `stream`, which is not closed; `as_json` makes each line an object with `time`, `kind`, `text`."""
        self._stream = stream
        self._clock = clock or SystemClock()
        self._json = as_json
        self._repeats = Repeats()
        self._failing: dict[str, tuple[float, int]] = {}
        self._attention = Attention(rfc3339(self._clock.now()))
        self.printer: Printer[str] = Printer(self._write, self._missing)

    def note(self, kind: str, text: str, **fields: Any) -> None:
        """Write a line; `fields` are further keys of a JSON line. A line of text has only `id` of them, at its end."""
        self.printer.put(self._format(kind, text, fields))

    def close(self) -> None:
        """Write what waits, and end the thread."""
        self.printer.close()

    def decode_error(self, topic: str, head: bytes, reason: str) -> None:
        """Tell of a payload that could not be read."""
        if (untold := self._repeats.tell("decode", self._clock.monotonic())) is not None:
            more = f" ({untold:,} more since the last such line)" if untold else ""
            self.note("unread", f"{shown_event(topic, head)}: {shown(reason)}{more}", topic=topic, untold=untold)

    def rule_error(self, rule: str, topic: str, message: str) -> None:
        """Tell of a condition without a value."""
        if (untold := self._repeats.tell(f"rule {rule}", self._clock.monotonic())) is not None:
            more = f" ({untold:,} more since the last such line)" if untold else ""
            self.note("no-value", f"{shown(rule)} on {shown(topic)}: {shown(message)}{more}", rule=rule, untold=untold)

    def alert(self, body: Mapping[str, Any]) -> None:
        """Tell that an alert fires or is over, is acknowledged or held back; pending is no news: it may pass."""
        state = body.get("state")
        if state in (Phase.FIRING, Phase.RESOLVED) and "desk" not in body:
            fields = {name: body.get(name) for name in ("id", "alertname", "labels", "reason", "episode")}
            self.note(str(state), alert_phrase(body), **fields, severity=alert_severity(body))
        for kind, text in self._attention.changes(body):
            self.note(kind, text, id=body.get("id"), alertname=body.get("alertname"), labels=body.get("labels"))

    def queued(self, notification: Notification) -> None:
        """Tell that others are told because nobody acknowledged the alert; other notifications are told when sent."""
        if "-escalate-" in notification.id:
            text = f"to {shown(notification.receiver)}: {notification_phrase(notification)}"
            self.note("escalated", text, id=notification.id, receiver=notification.receiver)

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Tell when a receiver begins to fail, once a minute while it does, and when it works again."""
        receiver = notification.receiver
        if receiver == OWN:  # the hub's own messages fail only while the broker is away, and `session` tells that
            return
        since, failures = self._failing.get(receiver, (now, 0))
        if isinstance(outcome, Retry):
            self._failing[receiver] = since, failures + 1
            if self._repeats.tell(f"receiver {receiver}", self._clock.monotonic()) is not None:
                text = f"{delivery_phrase(notification, outcome, attempt, now)}; it will be tried again"
                self.note("retry", text, id=notification.id, receiver=receiver, failed_attempts=failures + 1)
        elif isinstance(outcome, Delivered) and receiver in self._failing:
            del self._failing[receiver]
            text = f"{shown(receiver)} takes notifications again after {seconds_shown(now - since)}"
            if self._repeats.tell(f"recovery {receiver}", self._clock.monotonic()) is not None:
                text = f"{text}, {failures:,} failed attempt{'s' if failures != 1 else ''}"
                self.note("delivers", text, receiver=receiver, failed_attempts=failures)

    def dead(self, notification: Notification, reason: str) -> None:
        """Tell that a notification was given up, always: nobody else says it."""
        self._about(notification, "dead", reason)

    def fallback(self, notification: Notification, to: str, reason: str) -> None:
        """Tell who is told instead."""
        text = f"{shown(to)} is told instead of {shown(notification.receiver)}: {notification_phrase(notification)}"
        self.note("fallback", text, id=notification.id, receiver=to, reason=reason)

    def superseded(self, notification: Notification, reason: str) -> None:
        """Tell that a notification is not sent, because a later one made it needless."""
        self._about(notification, "superseded", reason)

    def dropped(self, notification: Notification, by: str) -> None:
        """Tell that somebody took a notification out of the outbox."""
        self._about(notification, "discarded", f"by {by}")

    def receiver(self, name: str, circuit: str, detail: str) -> None:
        """Tell when a receiver is left alone after failures; `delivery` tells when it works again."""
        if circuit == "open" and self._repeats.tell(f"circuit {name}", self._clock.monotonic()) is not None:
            text = f"{shown(name)} is left alone for a while after failures in a row: {shown(detail)}"
            self.note("rests", text, receiver=name)

    def session(self, kind: str, detail: str) -> None:
        """Tell what happened to the session with the broker."""
        self.note(kind.replace("_", "-"), session_phrase(kind, detail))

    def cluster(self, kind: str, text: str) -> None:
        """Tell what this node does in its cluster."""
        self.note(kind, shown(text))

    def trouble(self, what: str, message: str) -> None:
        """Tell a fault of the hub itself, each of its lines in a line of the log."""
        for line in message.splitlines() or [""]:
            self.note("trouble", f"{shown(what)}: {shown(line)}")

    def clock_set(self, seconds: float) -> None:
        """Tell that somebody has set the wall clock."""
        self.note("clock", clock_phrase(seconds))

    def reloaded(self, summary: str) -> None:
        """Tell that the rules were loaded again."""
        self.note("reloaded", shown(summary))

    def command(self, actor: str, via: str, action: str, detail: Mapping[str, Any]) -> None:
        """Tell who changed what; ids are of alerts, notifications or silences. A token is a secret and is left out."""
        ids = [str(each) for each in detail.get("changed", ())]
        asked = {key: value for key, value in detail.items() if key not in ("changed", "token")}
        what = f" {shown(shown_json(asked, indent=False), _ASKED_CHARS)}" if asked else ""
        text = f"{shown(action)} by {shown(actor)} ({shown(via)}){what}"
        more = f" and {len(ids) - _IDS:,} more" if len(ids) > _IDS else ""
        self.note("command", text + more, id=",".join(ids[:_IDS]), actor=actor, via=via, action=action, detail=asked)

    def _about(self, notification: Notification, kind: str, reason: str) -> None:
        text = f"{shown(notification.receiver)}: {notification_phrase(notification)}: {shown(reason)}"
        self.note(kind, text, id=notification.id, receiver=notification.receiver)

    def _format(self, kind: str, text: str, fields: Mapping[str, Any]) -> str:
        stamp = rfc3339(self._clock.now())
        if self._json:
            line = {"time": stamp, "kind": kind, "text": text} | {k: v for k, v in fields.items() if v is not None}
            return shown_json(line, indent=False)
        if self._stream.isatty():
            stamp = PEOPLE.told(stamp)
        identity = fields.get("id")
        return " ".join(filter(None, (stamp, kind, text, f"id={shown(identity)}" if identity else "")))

    def _missing(self, count: int) -> str:
        return self._format("trouble", f"{count:,} lines are missing here: nobody read them in time", {"lost": count})

    def _write(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()
