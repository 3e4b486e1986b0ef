"""Spans of what the hub does with an event: event (receive → evaluate → commit), then deliver with its attempts.

The pipeline has it read what each delivery brings, gives it what a commit covers, and tells it the rest as an Observer;
the dispatcher has it dress what goes out. A traced event carries its `traceparent` on into the notifications that it
causes, and so through the outbox; the spans of a delivery are derived from there, so a restart changes none of them.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hub.clock import Clock
from hub.ingest.decode import Undecodable
from hub.ingest.mqtt.packet import Packet
from hub.limits import DEAD_LETTER_HEAD_BYTES, TRACE_LINKS, TRACE_PENDING
from hub.model import OWN, Delivered, Delivery, Event, Notification, Outcome, Rejected, Retry, traced
from hub.observer import Observer
from hub.tracing.context import TRACEPARENT, TraceContext

__all__ = ["Span", "Traced", "Tracing"]

Kind = Literal["consumer", "internal", "producer"]
Attributes = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work; times are seconds since 1970. `parent` is a span id, `error` empty where it went well."""

    name: str
    kind: Kind
    context: TraceContext
    parent: str
    start: float
    end: float
    attributes: Attributes
    error: str = ""
    links: Sequence[TraceContext] = ()


@dataclass(slots=True)
class Traced:
    """An event whose trace is recorded, until it is on disk. `evaluated`: when its batch was."""

    context: TraceContext
    parent: str
    topic: str
    qos: int
    arrived: float
    evaluated: float = 0.0


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a notification comes from: the span it continues, or, of several events, those that it is linked to."""

    context: TraceContext
    links: Sequence[TraceContext] = field(default=())


class Tracing(Observer):
    """Makes the spans and gives each to `export`, which never waits; `sample`: how many events begin a trace."""

    def __init__(self, export: Callable[[Span], None], sample: float, clock: Clock) -> None:
        """Begin with nothing under way."""
        self._export, self._sample, self._clock = export, sample, clock
        self._random = random.Random()
        self._pending: list[Traced] = []
        self._begun: dict[tuple[str, str], float] = {}

    # events

    def receive(
        self, deliveries: Sequence[Packet | Delivery], events: list[Event], failures: Sequence[Undecodable]
    ) -> None:
        """Put traced events in the place of those whose delivery brings a `traceparent`, or whom the lot falls on."""
        whole = deliveries if not failures else list(_readable(deliveries, failures))
        sample, lot = self._sample, self._random.random
        for place, delivery in enumerate(whole):
            properties = getattr(delivery, "user_properties", None)  # only those of an MQTT 5 session have any
            given = _given(properties) if properties else None
            if given is not None or lot() < sample:
                self._follow(events, place, given)

    def adopt(self, events: list[Event], traceparent: str | None) -> None:
        """Do the same for events that came together, by HTTP."""
        given = TraceContext.read(traceparent)
        for place in range(len(events)):
            if given is not None or self._random.random() < self._sample:
                self._follow(events, place, given)

    def _follow(self, events: list[Event], place: int, given: TraceContext | None) -> None:
        """Trace an event, as the span `given` goes on."""
        bits, event = self._random.getrandbits, events[place]
        full = len(self._pending) >= TRACE_PENDING
        if given is not None and (full or not given.sampled):
            events[place] = traced(event, str(given))
        elif not full:
            context, parent = (TraceContext.root(bits), "") if given is None else (given.next(bits), given.span)
            self._pending.append(Traced(context, parent, event.topic, event.qos, event.time))
            events[place] = traced(event, str(context))

    def events(self, events: Sequence[Event], now: float) -> None:
        """Hear that what was received is evaluated."""
        if self._pending:
            done = self._clock.now()
            for each in reversed(self._pending):
                if each.evaluated:
                    break
                each.evaluated = done

    def take(self) -> Sequence[Traced]:
        """Take the traced events that a commit will cover."""
        pending, self._pending = self._pending, []
        return pending

    def on_disk(self, events: Sequence[Traced], seconds: float) -> None:
        """Hear that they are, and acknowledged; the commit took so many seconds."""
        now = self._clock.now()
        for each in events:
            context, evaluated = each.context, each.evaluated or each.arrived
            about: Attributes = {
                "messaging.system": "mqtt",
                "messaging.operation.type": "process",
                "messaging.destination.name": each.topic,
                "mqtt.qos": each.qos,
            }
            self._export(Span("event", "consumer", context, each.parent, each.arrived, now, about))
            evaluate, commit = context.child("evaluate"), context.child("commit")
            self._export(Span("evaluate", "internal", evaluate, context.span, each.arrived, evaluated, {}))
            begun = max(evaluated, now - seconds)
            self._export(Span("commit", "internal", commit, context.span, begun, max(begun, now), {}))

    # notifications

    def dress(self, notification: Notification) -> Notification:
        """Return the notification with `traceparent`, where its event has one: an attempt begins."""
        origin = _origin(notification)
        if origin is None:
            return notification
        if not origin.context.sampled:
            told = origin.context
        else:
            told = _deliver(origin, notification)
            self._begun[notification.receiver, notification.id] = self._clock.now()
        return replace(notification, body={**notification.body, TRACEPARENT: str(told)})

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Hear of an attempt; with a delivery it ends."""
        begun = self._begun.pop((notification.receiver, notification.id), None)
        origin = _origin(notification)
        if begun is None or origin is None:
            return
        deliver = _deliver(origin, notification)
        context = deliver.child(f"attempt {attempt}")
        about: Attributes = {
            "hub.receiver": notification.receiver,
            "hub.attempt": attempt,
            "hub.outcome": _word(outcome),
        }
        reason = "" if isinstance(outcome, Delivered) else outcome.reason
        self._export(Span("attempt", "internal", context, deliver.span, begun, max(begun, now), about, reason))
        if isinstance(outcome, Delivered):
            self._end(notification, "delivered", "", now)

    def dead(self, notification: Notification, reason: str) -> None:
        """Hear of a notification given up."""
        self._end(notification, "dead", reason, self._clock.now())

    def superseded(self, notification: Notification, reason: str) -> None:
        """Hear of a notification that need not be sent any more."""
        self._end(notification, "superseded", "", self._clock.now())

    def dropped(self, notification: Notification, by: str) -> None:
        """Hear of a notification that somebody took out."""
        self._end(notification, "dropped", f"dropped by {by}", self._clock.now())

    def _end(self, notification: Notification, outcome: str, error: str, now: float) -> None:
        origin = _origin(notification)
        if origin is None or not origin.context.sampled:
            return
        body, created = notification.body, notification.created
        about: Attributes = {
            "hub.receiver": notification.receiver,
            "hub.outcome": outcome,
            "hub.notification.id": notification.id,
            "hub.alertname": str(body.get("alertname", "")),
            "hub.state": str(body.get("state", "")),
        }
        context, parent = _deliver(origin, notification), "" if origin.links else origin.context.span
        end = max(created, now)
        self._export(Span("deliver", "producer", context, parent, created, end, about, error, origin.links))


def _readable(deliveries: Sequence[Packet | Delivery], failures: Sequence[Undecodable]) -> Iterator[Packet | Delivery]:
    """Leave out those that became no event; both are in order."""
    failed = iter(failures)
    next_failed = next(failed, None)
    for delivery in deliveries:
        if next_failed is not None and next_failed.topic == delivery.topic:
            head = delivery.payload[:DEAD_LETTER_HEAD_BYTES]
            if head == next_failed.head:
                next_failed = next(failed, None)
                continue
        yield delivery


def _given(properties: Sequence[tuple[str, str]]) -> TraceContext | None:
    """Return what the user properties give; of several none counts (a trace has one parent)."""
    found = [value for name, value in properties if name == TRACEPARENT]
    return TraceContext.read(found[0]) if len(found) == 1 else None


def _origin(notification: Notification) -> _Origin | None:
    """Return where a notification comes from; None where nothing that caused it was traced, or the hub speaks."""
    if notification.receiver == OWN:
        return None
    body = notification.body
    one = _of_event(body)
    if one is not None:
        return _Origin(one)
    several = [context for each in body.get("alerts") or () if (context := _of_event(each))][:TRACE_LINKS]
    if not several:
        return None
    sampled = any(each.sampled for each in several)
    return _Origin(TraceContext.of(notification.id, sampled=sampled), several)


def _of_event(body: Mapping[str, Any]) -> TraceContext | None:
    event = body.get("event")
    return TraceContext.read(event.get(TRACEPARENT)) if isinstance(event, Mapping) else None


def _deliver(origin: _Origin, notification: Notification) -> TraceContext:
    """Return the span of a notification's way to its receiver, the same in all attempts."""
    return origin.context.child(f"{notification.id} {notification.receiver} {notification.created!r}")


def _word(outcome: Outcome) -> str:
    words: Mapping[type, str] = {Delivered: "delivered", Retry: "failed", Rejected: "refused"}
    return words[type(outcome)]
