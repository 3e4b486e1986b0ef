"""decode: a delivery becomes an Event, or an Undecodable that says why not; nothing a device sends raises here.

A JSON object gives `fields`; any other JSON, a plain number or text gives `value` and no fields; an empty payload (a
retained message being cleared, as a rule) is the value None. Refused, because a rule could not trust what it would see:
NaN and infinities in any spelling, numbers beyond a double, a name twice in one object (the last would win silently),
nesting deeper than PAYLOAD_DEPTH, broken JSON, text that is not UTF-8 or holds control characters, payloads beyond
the limit. Integers are exact up to 64 bits, signed or unsigned; longer ones become doubles, as in JavaScript. On
topics of Sparkplug B what is no JSON is metrics (sparkplug.py).
"""

import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from hub.ingest.sparkplug import NotSparkplug, is_sparkplug, read_metrics
from hub.limits import DEAD_LETTER_HEAD_BYTES, PAYLOAD_BYTES, PAYLOAD_DEPTH
from hub.model import Delivery, Event

__all__ = ["Undecodable", "decode", "decode_again", "decode_all"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_COLON, _BRACKET, _TAB, _LINE_FEED, _RETURN = b":[\t\n\r"
# what people and printf write where JSON wants `0.5`, `5`, `5.0`; `007` stays text, it is an identifier
_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_NOT_A_NUMBER = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Undecodable:
    """A message that no rule can see: where it came from, why, and how its payload began (DEAD_LETTER_HEAD_BYTES)."""

    __slots__ = ("head", "reason", "time", "topic")

    def __init__(self, topic: str, head: bytes, reason: str, time: float) -> None:
        """Keep it; `time` is the arrival in seconds since 1970."""
        self.topic = topic
        self.head = head
        self.reason = reason
        self.time = time


class _Refused(Exception):
    """Why a payload cannot be read."""


def decode(delivery: Delivery, now: float, limit: int = PAYLOAD_BYTES) -> Event | Undecodable:
    """Read a delivery's payload; `now` is its arrival in seconds since 1970, `limit` the largest payload in bytes."""
    payload = delivery.payload
    qos = 1 if delivery.packet_id else 0
    if len(payload) <= limit:
        try:
            value = orjson.loads(payload)
            if type(value) is dict:
                # each key brings a colon: as many colons as keys means that no key is there twice and none is nested
                if payload.count(_COLON) != len(value) or _BRACKET in payload:
                    _check(payload, value)
                return Event(delivery.topic, payload, value, value, now, qos, delivery.retain)
            if type(value) is list:
                _check(payload, value)
        except orjson.JSONDecodeError as error:
            try:
                if is_sparkplug(delivery.topic):
                    return read_metrics(delivery.topic, payload, now, qos, delivery.retain)
                value = _plain(payload, error)
            except (_Refused, NotSparkplug) as refused:
                return _undecodable(delivery, str(refused), now)
        except _Refused as refused:
            return _undecodable(delivery, str(refused), now)
        return Event(delivery.topic, payload, _NOTHING, value, now, qos, delivery.retain)
    return _undecodable(delivery, f"a payload of {len(payload)} bytes; the limit is {limit}", now)


def decode_all(
    deliveries: Iterable[Delivery], now: float, limit: int = PAYLOAD_BYTES
) -> tuple[list[Event], list[Undecodable]]:
    """Read a batch, in order: `decode` with its usual case, an object with one level, unrolled into the loop."""
    events: list[Event] = []
    failures: list[Undecodable] = []
    add, loads = events.append, orjson.loads
    for delivery in deliveries:
        payload = delivery.payload
        try:
            value = loads(payload)
        except orjson.JSONDecodeError:
            value = None
        if (
            type(value) is dict
            and payload.count(_COLON) == len(value)
            and _BRACKET not in payload
            and len(payload) <= limit
        ):
            qos = 1 if delivery.packet_id else 0
            add(Event(delivery.topic, payload, value, value, now, qos, delivery.retain))
            continue
        found = decode(delivery, now, limit)
        if isinstance(found, Event):
            add(found)
        else:
            failures.append(found)
    return events, failures


def decode_again(topic: str, payload: bytes, time: float) -> Event:
    """Return the event that a payload was decoded to before, as when it comes back from the store."""
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        value = _plain(payload, error)
    return Event(topic, payload, value if type(value) is dict else _NOTHING, value, time, 1, False)


def _undecodable(delivery: Delivery, reason: str, now: float) -> Undecodable:
    return Undecodable(delivery.topic, delivery.payload[:DEAD_LETTER_HEAD_BYTES], reason, now)


def _check(payload: bytes, value: Any) -> None:
    """Refuse what is nested too deep or has a name twice; exact, and slow only where the cheap counts leave a doubt."""
    keys = _keys(value, PAYLOAD_DEPTH)
    if payload.count(_COLON) == keys:
        return
    # a colon may stand inside text: then each key is still followed by `":`, unless white space comes between
    spaced = b" :" in payload or _TAB in payload or _LINE_FEED in payload or _RETURN in payload
    if spaced or payload.count(b'":') != keys:
        json.loads(payload, object_pairs_hook=_once)


def _keys(value: Any, depth: int) -> int:
    """Count the keys of all objects inside, down to `depth` levels."""
    if type(value) is dict:
        inner: Iterable[Any] = value.values()
        count = len(value)
    elif type(value) is list:
        inner, count = value, 0
    else:
        return 0
    if not depth:
        raise _Refused(f"JSON nested deeper than {PAYLOAD_DEPTH}")
    for each in inner:
        if type(each) is dict or type(each) is list:
            count += _keys(each, depth - 1)
    return count


def _once(pairs: list[tuple[str, Any]]) -> None:
    """Refuse an object that has a name twice."""
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise _Refused(f"the name {name[:64]!r} twice in one object")
        seen.add(name)


def _plain(payload: bytes, error: orjson.JSONDecodeError) -> Any:
    """Read what is not JSON: nothing, a plain number, text."""
    try:
        text = payload.decode().strip()
    except UnicodeDecodeError:
        raise _Refused("neither JSON nor UTF-8 text") from None
    if not text:
        return None
    if text[0] in '{["\ufeff':
        raise _Refused(f"broken JSON: {error}")
    control = _CONTROL.search(text)
    if control:
        raise _Refused(f"text with the control character U+{ord(control[0]):04X}")
    if _NOT_A_NUMBER.fullmatch(text):
        raise _Refused(f"{text} is not a number")
    if _NUMBER.fullmatch(text) and text.strip("+-."):
        return _number(text)
    return text


def _number(text: str) -> Any:
    """Read a plain number as JSON would, had it been written so."""
    try:
        number = float(text)
    except ValueError:
        return text
    if number - number != 0:  # only an infinity: the number is beyond a double
        raise _Refused(f"the number {text[:40]} is beyond a double")
    whole = text.lstrip("+-").isdigit() and abs(number) < 2**63
    return int(text) if whole else number
