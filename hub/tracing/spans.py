"""Makes the spans of an event and of its notifications: event (receive → evaluate → commit), deliver with its attempts.

The pipeline calls it with what each delivery brings and with what a commit covers, and tells it the rest as an
Observer. The dispatcher has it put a `traceparent` into each notification that goes out. A traced event hands its
`traceparent` on to the notifications that it causes, and so through the outbox. The ids of a delivery's spans are made
of it, so a restart does not change them.
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
    """One piece of work. Times are seconds since 1970; `parent` is a span's id, `error` is "" where all went well."""

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
    """An event whose trace is recorded, until it is on disk. `evaluated` is when its batch was (0: not yet)."""

    context: TraceContext
    parent: str
    topic: str
    qos: int
    arrived: float
    evaluated: float = 0.0


@dataclass(frozen=True, slots=True)
class _Origin:
    """The cause of a notification: the span that it continues, or, where several events caused it, links to theirs."""

    context: TraceContext
    links: Sequence[TraceContext] = field(default=())


class Tracing(Observer):
    """Makes the spans and gives each to `export`, which never waits; `sample` of the events (0 to 1) begin a trace."""

    def __init__(self, export: Callable[[Span], None], sample: float, clock: Clock) -> None:
        """Begin with no traced event and no attempt under way."""
        self._export, self._sample, self._clock = export, sample, clock
        self._random = random.Random()
        self._pending: list[Traced] = []
        self._begun: dict[tuple[str, str], float] = {}

    # events

    def receive(
        self, deliveries: Sequence[Packet | Delivery], events: list[Event], failures: Sequence[Undecodable]
    ) -> None:
        """Replace events by traced ones: those whose delivery brings a `traceparent`, and a random share of the others.

        `events` are those of `deliveries`, in order, without the `failures`.
        """
        readable = deliveries if not failures else list(_readable(deliveries, failures))
        sample, lot = self._sample, self._random.random
        for place, delivery in enumerate(readable):
            properties = getattr(delivery, "user_properties", None)  # only those of an MQTT 5 session have any
            given = _given(properties) if properties else None
            if given is not None or lot() < sample:
                self._follow(events, place, given)

    def adopt(self, events: list[Event], traceparent: str | None) -> None:
        """Do the same for events that came in one HTTP request, whose header `traceparent` counts for all."""
        given = TraceContext.read(traceparent)
        for place in range(len(events)):
            if given is not None or self._random.random() < self._sample:
                self._follow(events, place, given)

    def _follow(self, events: list[Event], place: int, given: TraceContext | None) -> None:
        """Trace an event as a span below `given`, or as a new trace.

        Where its trace is not recorded, or too many events are under way, no span is made, but the event still carries
        the device's `traceparent` on.
        """
        bits, event = self._random.getrandbits, events[place]
        full = len(self._pending) >= TRACE_PENDING
        if given is not None and (full or not given.sampled):
            events[place] = traced(event, str(given))
        elif not full:
            context, parent = (TraceContext.root(bits), "") if given is None else (given.next(bits), given.span)
            self._pending.append(Traced(context, parent, event.topic, event.qos, event.time))
            events[place] = traced(event, str(context))

    def events(self, events: Sequence[Event], now: float) -> None:
        """Hear that the events received last are evaluated; those before them were marked earlier."""
        if self._pending:
            done = self._clock.now()
            for event in reversed(self._pending):
                if event.evaluated:
                    break
                event.evaluated = done

    def take(self) -> Sequence[Traced]:
        """Take the traced events that a commit will cover."""
        pending, self._pending = self._pending, []
        return pending

    def on_disk(self, events: Sequence[Traced], seconds: float) -> None:
        """Hear that these events are on disk and acknowledged; the commit took so many seconds."""
        now = self._clock.now()
        for event in events:
            context, evaluated = event.context, event.evaluated or event.arrived
            about: Attributes = {
                "messaging.system": "mqtt",
                "messaging.operation.type": "process",
                "messaging.destination.name": event.topic,
                "mqtt.qos": event.qos,
            }
            self._export(Span("event", "consumer", context, event.parent, event.arrived, now, about))
            evaluate, commit = context.child("evaluate"), context.child("commit")
            self._export(Span("evaluate", "internal", evaluate, context.span, event.arrived, evaluated, {}))
            begun = max(evaluated, now - seconds)
            self._export(Span("commit", "internal", commit, context.span, begun, max(begun, now), {}))

    # notifications

    def dress(self, notification: Notification) -> Notification:
        """Return the notification with a `traceparent`, if its event has one; called when an attempt begins."""
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
        """Hear the result of an attempt; where it succeeded, the notification's own span ends, too."""
        begun = self._begun.pop((notification.receiver, notification.id), None)
        origin = _origin(notification)
        if begun is None or origin is None:  # its trace is not recorded
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
        """Export the span of a whole delivery, from the notification's making to its end."""
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
    """Leave out the deliveries that became no event. Both lists are in the order of arrival."""
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
    """Return the `traceparent` of the user properties. Where there are several, none counts: a span has one parent."""
    values = [value for name, value in properties if name == TRACEPARENT]
    return TraceContext.read(values[0]) if len(values) == 1 else None


def _origin(notification: Notification) -> _Origin | None:
    """Return the cause of a notification; None where no event of it was traced, or it is the hub's own state."""
    if notification.receiver == OWN:
        return None
    body = notification.body
    one = _of_event(body)
    if one is not None:
        return _Origin(one)
    several = [context for alert in body.get("alerts") or () if (context := _of_event(alert))][:TRACE_LINKS]
    if not several:
        return None
    sampled = any(each.sampled for each in several)
    return _Origin(TraceContext.of(notification.id, sampled=sampled), several)


def _of_event(body: Mapping[str, Any]) -> TraceContext | None:
    event = body.get("event")
    return TraceContext.read(event.get(TRACEPARENT)) if isinstance(event, Mapping) else None


def _deliver(origin: _Origin, notification: Notification) -> TraceContext:
    """Return the span of a notification's delivery, which all attempts share."""
    return origin.context.child(f"{notification.id} {notification.receiver} {notification.created!r}")


def _word(outcome: Outcome) -> str:
    words: Mapping[type, str] = {Delivered: "delivered", Retry: "failed", Rejected: "refused"}
    return words[type(outcome)]
