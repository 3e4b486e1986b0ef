"""The hub on a terminal: a coloured line for each alert and delivery, and for a sample of the events."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from hub.clock import PEOPLE, Clock, SystemClock
from hub.expressions.templates.format import bytes_text
from hub.model import OWN, Delivered, Event, Notification, Outcome, Phase, Retry
from hub.observer import Observer
from hub.operate.terminal.phrases import (
    alert_phrase,
    alert_severity,
    clock_phrase,
    delivery_phrase,
    notification_phrase,
    session_phrase,
)
from hub.operate.terminal.printer import Printer
from hub.printable import shown, shown_event

__all__ = ["ConsoleObserver"]

_EVENT_SECONDS = 0.5  # between two events that are shown: people see what comes in, and alerts still have room
_INDENT = 18  # columns of time and word
_STORM_LINES = 20  # other lines per second; nobody reads more
_SEVERITIES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_WORDS = {
    "event": "dim",
    "pending": "yellow",
    "resolved": "green",
    "inactive": "dim",
    "sent": "blue",
    "retry": "yellow",
    "dead": "bold red",
    "trouble": "bold red",
    "unread": "magenta",
    "no value": "magenta",
}


class ConsoleObserver(Observer):
    """Prints what it hears, at most so many lines per second, from a thread of its own; it counts what it leaves out.

    A batch of events that is not shown costs one comparison and one addition.
    """

    def __init__(
        self, console: Console, clock: Clock | None = None, *, event_seconds: float = _EVENT_SECONDS, every: bool = True
    ) -> None:
        """Print to `console`, one event per `event_seconds` at most; with `every` also alerts that are only pending."""
        self._console = console
        self._clock = clock or SystemClock()
        self._event_seconds, self._every = event_seconds, every
        self._next_event = 0.0
        self._hidden_events = 0
        self._second, self._lines, self._hidden_lines = 0, 0, 0
        self.printer: Printer[RenderableType] = Printer(self._write, _missing)

    def note(self, word: str, text: str, style: str = "") -> None:
        """Print a line that is never left out."""
        self.printer.put(self._line(word, text, style))

    def show(self, renderable: RenderableType) -> None:
        """Print something larger, such as a table, behind all lines so far."""
        self._tell_hidden()
        self.printer.put(renderable)

    def close(self) -> None:
        """Print what waits, and end the thread."""
        self._tell_hidden()
        self.printer.close()

    def events(self, events: Sequence[Event], now: float) -> None:
        """Show the last event of a batch if it is time for one; a batch without a readable message is empty."""
        if now < self._next_event or not events:
            self._hidden_events += len(events)
            return
        self._next_event = now + self._event_seconds
        event = events[-1]
        hidden, self._hidden_events = self._hidden_events + len(events) - 1, 0
        raw = bytes_text(event.value).encode() if isinstance(event.value, bytes) else event.raw
        line = self._line("event", shown_event(event.topic, raw))
        tail = f"  … {hidden:,} more" if hidden else ""
        line.text.truncate(max(self._console.width - _INDENT - len(tail), 10), overflow="ellipsis")
        line.text.append(tail, "dim italic")
        self.printer.put(line)

    def decode_error(self, topic: str, head: bytes, reason: str) -> None:
        """Show a payload that could not be read."""
        self._bounded("unread", lambda: f"{shown_event(topic, head)}: {shown(reason)}")

    def rule_error(self, rule: str, topic: str, message: str) -> None:
        """Show that a condition has no value."""
        self._bounded("no value", lambda: f"{shown(rule)} on {shown(topic)}: {shown(message)}")

    def alert(self, body: Mapping[str, Any]) -> None:
        """Show an alert's new state."""
        state = str(body.get("state"))
        # `desk`: only an acknowledgement or the like has changed, the state is the one that was shown
        if "desk" in body or (state not in (Phase.FIRING, Phase.RESOLVED) and not self._every):
            return
        style = _SEVERITIES.get(alert_severity(body), "yellow") if state == Phase.FIRING else ""
        self._bounded(shown(state, 9), lambda: alert_phrase(body), style)

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Show what came of an attempt, except a final refusal, which comes as `dead`, and the hub's own messages."""
        if isinstance(outcome, Delivered | Retry) and notification.receiver != OWN:
            word = "sent" if isinstance(outcome, Delivered) else "retry"
            self._bounded(word, lambda: delivery_phrase(notification, outcome, attempt, now, labels=word == "retry"))

    def dead(self, notification: Notification, reason: str) -> None:
        """Show what was given up."""
        self._bounded(
            "dead", lambda: f"{shown(notification.receiver)}: {notification_phrase(notification)}: {shown(reason)}"
        )

    def fallback(self, notification: Notification, to: str, reason: str) -> None:
        """Show who is told instead; the line of `dead` above it says why."""
        self._bounded("fallback", lambda: f"{shown(to)} is told instead: {notification_phrase(notification)}")

    def receiver(self, name: str, circuit: str, detail: str) -> None:
        """Show that a receiver is left alone after failures, is tried once, or works again."""
        text = f"{shown(name)}: {circuit}{f': {shown(detail)}' if detail else ''}"
        self._bounded("breaker", lambda: text, "green" if circuit == "closed" else "yellow")

    def session(self, kind: str, detail: str) -> None:
        """Show what happened to the session with the broker."""
        style = "bold red" if kind in ("disconnected", "dropped") else ""
        self.note("broker", ": ".join(filter(None, (kind.replace("_", " "), session_phrase(kind, detail)))), style)

    def cluster(self, kind: str, text: str) -> None:
        """Show it."""
        self.note(kind, shown(text), "bold" if kind == "owner" else "")

    def trouble(self, what: str, message: str) -> None:
        """Show a fault of the hub itself, with all its lines."""
        first, *rest = message.splitlines() or [""]
        self.note("trouble", f"{shown(what)}: {shown(first)}")
        for line in rest:
            self.note("", shown(line))

    def clock_set(self, seconds: float) -> None:
        """Show that somebody has set the wall clock."""
        self.note("clock", clock_phrase(seconds), "yellow")

    def reloaded(self, summary: str) -> None:
        """Show that the rules were loaded again."""
        self.note("rules", shown(summary), "green")

    def _tell_hidden(self) -> None:
        """Print how many events and lines were left out since the last that was shown."""
        for count, what in ((self._hidden_events, "event"), (self._hidden_lines, "line")):
            if count:
                self.note("", _more(count, what), "dim")
        self._hidden_events = self._hidden_lines = 0

    def _bounded(self, word: str, text: Callable[[], str], style: str = "") -> None:
        """Print a line, or only count it if this second already has _STORM_LINES; `text` is not made then."""
        second = int(self._clock.monotonic())
        if second != self._second:
            if self._hidden_lines:
                self.note("", _more(self._hidden_lines, "line"), "dim")
            self._second, self._lines, self._hidden_lines = second, 0, 0
        if self._lines < _STORM_LINES:
            self._lines += 1
            self.printer.put(self._line(word, text(), style))
        else:
            self._hidden_lines += 1

    def _line(self, word: str, text: str, style: str = "") -> "_Line":
        stamp = PEOPLE.local(self._clock.now()).strftime("%H:%M:%S")
        head = Text.assemble((f"{stamp} ", "dim"), (f"{word:<9}", style or _WORDS.get(word, "")))
        return _Line(head, Text(text, "dim" if word == "event" else ""))

    def _write(self, renderable: RenderableType) -> None:
        self._console.print(renderable)


class _Line:
    """Time and word, then a text; a long text is wrapped, and its further lines are indented to where it begins."""

    def __init__(self, head: Text, text: Text) -> None:
        self.head, self.text = head, text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        first, *rest = self.text.wrap(console, max(options.max_width - _INDENT, 20)) or [Text()]
        yield self.head + first
        for line in rest:
            yield Text(" " * _INDENT) + line


def _more(count: int, what: str) -> str:
    return f"… {count:,} more {what}{'s' if count != 1 else ''}"


def _missing(count: int) -> RenderableType:
    return Text(f"{' ' * _INDENT}{_more(count, 'line')}: this terminal is too slow for them", "bold red")
