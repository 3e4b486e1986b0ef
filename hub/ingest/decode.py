"""decode: a delivery becomes an Event, or an Undecodable that says why not; nothing a device sends raises here.

A JSON object gives `fields`; anything else gives `value` and no fields. payload_reading.py reads the bytes. On topics
of Sparkplug B a payload that is not JSON is read as metrics (sparkplug.py).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from hub.ingest.mqtt.packet import Packet
from hub.ingest.payload_reading import Unreadable, check, read_kindly, read_payload, text_of
from hub.ingest.sparkplug import NotSparkplug, is_sparkplug, read_metrics
from hub.limits import DEAD_LETTER_HEAD_BYTES, PAYLOAD_BYTES
from hub.model import Delivery, Event

__all__ = ["Undecodable", "decode", "decode_again", "decode_all", "decode_each", "decoded"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_COLON, _BRACKET = b":["


class Undecodable:
    """A message that no rule can see: its topic, the reason, and the beginning of its payload (DEAD_LETTER_HEAD_BYTES).

    It is a sign of life of its device all the same, unless it is retained.
    """

    __slots__ = ("head", "reason", "retain", "time", "topic")

    def __init__(self, topic: str, head: bytes, reason: str, time: float, retain: bool = False) -> None:
        """Keep it; `time` is the arrival in seconds since 1970."""
        self.topic = topic
        self.head = head
        self.reason = reason
        self.time = time
        self.retain = retain


def decoded(
    topic: str, payload: bytes, now: float, *, qos: int = 1, retain: bool = False, limit: int = PAYLOAD_BYTES
) -> Event | Undecodable:
    """Read a payload that came on a topic: this is what the hub makes of any message, wherever it comes from.

    `now` is its arrival in seconds since 1970, `limit` the largest payload in bytes.
    """
    if len(payload) > limit:
        return _too_large(topic, payload, now, retain, limit)
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        return _unlike_json(topic, payload, error, now, qos, retain)
    return _of_json(topic, payload, value, now, qos, retain)


def _of_json(topic: str, payload: bytes, value: Any, now: float, qos: int, retain: bool) -> Event | Undecodable:
    """Make an event of a JSON value, if a rule can trust it."""
    kind = type(value)
    if kind is dict or kind is list:
        # each key brings a colon: as many colons as keys means that no key is there twice and none is nested
        if kind is list or payload.count(_COLON) != len(value) or _BRACKET in payload:
            try:
                check(payload, value)
            except Unreadable as refused:
                return Undecodable(topic, payload[:DEAD_LETTER_HEAD_BYTES], str(refused), now, retain)
        if kind is dict:
            return Event(topic, payload, value, value, now, qos, retain)
    return Event(topic, payload, _NOTHING, value, now, qos, retain)


def _unlike_json(
    topic: str, payload: bytes, error: orjson.JSONDecodeError, now: float, qos: int, retain: bool
) -> Event | Undecodable:
    """Read a payload that orjson has refused with `error`."""
    try:
        if is_sparkplug(topic):
            return read_metrics(topic, payload, now, qos, retain)
        value = read_kindly(payload, error)
    except (Unreadable, NotSparkplug) as refused:
        return Undecodable(topic, payload[:DEAD_LETTER_HEAD_BYTES], str(refused), now, retain)
    return Event(topic, payload, value if type(value) is dict else _NOTHING, value, now, qos, retain)


def _too_large(topic: str, payload: bytes, now: float, retain: bool, limit: int) -> Undecodable:
    why = f"a payload of {len(payload)} bytes; the limit is {limit}"
    return Undecodable(topic, payload[:DEAD_LETTER_HEAD_BYTES], why, now, retain)


def decode(delivery: Delivery, now: float, limit: int = PAYLOAD_BYTES) -> Event | Undecodable:
    """Read a delivery's payload: see `decoded`. Without a time of its own it is of now; a time in the future is now."""
    at = now if delivery.time is None else min(delivery.time, now)
    return decoded(delivery.topic, delivery.payload, at, qos=delivery.qos, retain=delivery.retain, limit=limit)


def decode_each(
    deliveries: Iterable[Delivery], now: float, limit: int = PAYLOAD_BYTES
) -> tuple[list[Event], list[Undecodable]]:
    """Read deliveries of our own type, in order."""
    events: list[Event] = []
    failures: list[Undecodable] = []
    for delivery in deliveries:
        found = decode(delivery, now, limit)
        if isinstance(found, Event):
            events.append(found)
        else:
            failures.append(found)
    return events, failures


def decode_all(
    packets: Iterable[Packet], now: float, limit: int = PAYLOAD_BYTES
) -> tuple[list[Event], list[Undecodable]]:
    """Read packets that arrived now, in order: as `decode` does, with the usual case, a flat object, written out."""
    events: list[Event] = []
    failures: list[Undecodable] = []
    add, loads = events.append, orjson.loads
    for packet in packets:
        topic, payload, retain = packet.topic, packet.payload, packet.retain
        qos = 1 if packet.packet_id else 0
        if len(payload) > limit:
            failures.append(_too_large(topic, payload, now, retain, limit))
            continue
        try:
            value = loads(payload)
        except orjson.JSONDecodeError as error:
            found = _unlike_json(topic, payload, error, now, qos, retain)
        else:
            if type(value) is dict and payload.count(_COLON) == len(value) and _BRACKET not in payload:
                add(Event(topic, payload, value, value, now, qos, retain))
                continue
            found = _of_json(topic, payload, value, now, qos, retain)
        if isinstance(found, Event):
            add(found)
        else:
            failures.append(found)
    return events, failures


def decode_again(topic: str, payload: bytes, time: float) -> Event:
    """Return the event that a payload was decoded to before, as when it comes back from the store.

    What could not be read is remembered by its head; its value is the text of that, or the bytes.
    """
    try:
        value = read_payload(payload)
    except Unreadable:
        text = text_of(payload)
        value = payload if text is None else text
    return Event(topic, payload, value if type(value) is dict else _NOTHING, value, time, 1, False)
