"""decode: a delivery becomes an Event, or an Undecodable that says why not; nothing a device sends raises here.

A JSON object gives `fields`; anything else gives `value` and no fields. payload_reading.py reads the bytes. On topics
of Sparkplug B a payload that is not JSON is read as metrics (sparkplug.py). MQTT 5's content type may say that it is
something else (decoding/content_types.py). Where a rule decodes payloads itself (`decode`), what cannot be read here is
an event all the same, whose value is bytes: it is for that rule to say what they are.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from hub.ingest.decoding.content_types import decoder_of_payload, decoder_of_type, typed
from hub.ingest.decoding.decoder import Decoder
from hub.ingest.mqtt.packet import Packet
from hub.ingest.payload_reading import Unreadable, check, read_kindly, read_payload, text_of
from hub.ingest.sparkplug import NotSparkplug, is_sparkplug, read_metrics
from hub.limits import DEAD_LETTER_HEAD_BYTES, PAYLOAD_BYTES
from hub.model import Delivery, Event

__all__ = [
    "IsEncoded",
    "Undecodable",
    "decode",
    "decode_again",
    "decode_all",
    "decode_each",
    "decoded",
    "never",
    "unreadable",
]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_COLON, _BRACKET = b":["

IsEncoded = Callable[[str], bool]
"""Tells whether some rule decodes the payloads of a topic itself."""


def never(_topic: str) -> bool:
    """Stand for rules of which none has a `decode`."""
    return False


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
    topic: str,
    payload: bytes,
    now: float,
    *,
    qos: int = 1,
    retain: bool = False,
    limit: int = PAYLOAD_BYTES,
    content_type: str | None = None,
    is_encoded: IsEncoded = never,
) -> Event | Undecodable:
    """Read a payload that came on a topic: this is what the hub makes of any message, wherever it comes from.

    `now` is its arrival in seconds since 1970, `limit` the largest payload in bytes.
    """
    if len(payload) > limit:
        return _too_large(topic, payload, now, retain, limit)
    found = _read(topic, payload, now, qos, retain, content_type)
    return _raw(found, topic, payload, qos) if isinstance(found, Undecodable) and is_encoded(topic) else found


def _read(
    topic: str, payload: bytes, now: float, qos: int, retain: bool, content_type: str | None
) -> Event | Undecodable:
    if content_type is not None and (chosen := decoder_of_type(content_type)) is not None:
        return _chosen(chosen, topic, typed(payload, content_type), now, qos, retain)
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


def _chosen(chosen: Decoder, topic: str, payload: bytes, now: float, qos: int, retain: bool) -> Event | Undecodable:
    """Read a payload as its content type says."""
    try:
        value = chosen.read(payload)
    except Unreadable as refused:
        return Undecodable(topic, payload[:DEAD_LETTER_HEAD_BYTES], str(refused), now, retain)
    return Event(topic, payload, value if type(value) is dict else _NOTHING, value, now, qos, retain)


def _raw(failure: Undecodable, topic: str, payload: bytes, qos: int) -> Event:
    """Return a message that only rules with a `decode` can read."""
    return Event(topic, payload, _NOTHING, payload, failure.time, qos, failure.retain)


def _too_large(topic: str, payload: bytes, now: float, retain: bool, limit: int) -> Undecodable:
    why = f"a payload of {len(payload)} bytes; the limit is {limit}"
    return Undecodable(topic, payload[:DEAD_LETTER_HEAD_BYTES], why, now, retain)


def decode(
    delivery: Delivery, now: float, limit: int = PAYLOAD_BYTES, is_encoded: IsEncoded = never
) -> Event | Undecodable:
    """Read a delivery's payload: see `decoded`. Without a time of its own it is of now; a time in the future is now."""
    at = now if delivery.time is None else min(delivery.time, now)
    return decoded(
        delivery.topic,
        delivery.payload,
        at,
        qos=delivery.qos,
        retain=delivery.retain,
        limit=limit,
        content_type=delivery.content_type,
        is_encoded=is_encoded,
    )


def decode_each(
    deliveries: Iterable[Delivery], now: float, limit: int = PAYLOAD_BYTES, is_encoded: IsEncoded = never
) -> tuple[list[Event], list[Undecodable]]:
    """Read deliveries of our own type, in order."""
    events: list[Event] = []
    failures: list[Undecodable] = []
    for delivery in deliveries:
        found = decode(delivery, now, limit, is_encoded)
        if isinstance(found, Event):
            events.append(found)
        else:
            failures.append(found)
    return events, failures


def decode_all(
    packets: Iterable[Packet], now: float, limit: int = PAYLOAD_BYTES, is_encoded: IsEncoded = never
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
        content_type = packet.content_type
        try:
            if content_type is not None and decoder_of_type(content_type) is not None:
                found = _read(topic, payload, now, qos, retain, content_type)
            else:
                value = loads(payload)
                if type(value) is dict and payload.count(_COLON) == len(value) and _BRACKET not in payload:
                    add(Event(topic, payload, value, value, now, qos, retain))
                    continue
                found = _of_json(topic, payload, value, now, qos, retain)
        except orjson.JSONDecodeError as error:
            found = _unlike_json(topic, payload, error, now, qos, retain)
        if isinstance(found, Event):
            add(found)
        elif is_encoded(topic):
            add(_raw(found, topic, payload, qos))
        else:
            failures.append(found)
    return events, failures


def decode_again(topic: str, payload: bytes, time: float, own: Decoder | None = None) -> Event:
    """Return the event that a payload was decoded to before, as when it comes back from the store.

    `own` is the rule's own `decode`. What could not be read is remembered by its head; its value is the text of that,
    or the bytes.
    """
    try:
        value = _value(payload, own)
    except Unreadable:
        text = text_of(payload)
        value = payload if text is None else text
    return Event(topic, payload, value if type(value) is dict else _NOTHING, value, time, 1, False)


def unreadable(payload: bytes, own: Decoder | None = None) -> str:
    """Return why a payload cannot be read, empty where it can; `own` is the rule's own `decode`."""
    try:
        _value(payload, own)
    except Unreadable as error:
        return str(error)
    return ""


def _value(payload: bytes, own: Decoder | None) -> Any:
    chosen = own or decoder_of_payload(payload)
    return read_payload(payload) if chosen is None else chosen.read(payload)
