"""Recorded events, one JSON object a line: what `hub record` writes and `hub replay` reads, gzipped or not.

{"time": "2026-03-01T00:55:00.000000Z", "topic": "site/a/freezer/7", "payload": {"temperature": -9.5}, "qos": 1}

`payload` is JSON. A payload that is not JSON is under `text`, and one that is no text either is under `base64`. `time`
may be a number of seconds since 1970. `content_type` is MQTT 5's, where the message had one.
"""

import base64
import binascii
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

import orjson

from hub.ingest.decode import IsEncoded, Undecodable, decode, never
from hub.ingest.mqtt.packet import Packet
from hub.model import Delivery, Event

__all__ = ["BadLine", "content_type_of", "line_of", "opened", "payload_of", "read_line", "records"]

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no record, or the record of a message that no rule could read.

    Such a message is in `unread`: it is a sign of life of its device all the same.
    """

    number: int
    why: str
    unread: Undecodable | None = None


def opened(file: IO[bytes]) -> IO[bytes]:
    """Return the stream of lines of a file that may be gzipped: its first bytes tell."""
    head = file.peek(2)[:2] if hasattr(file, "peek") else b""
    return gzip.open(file) if head == _GZIP else file  # type: ignore[return-value]


def line_of(packet: Packet, now: float) -> bytes:
    """Write a message as a line."""
    record: dict[str, Any] = {"time": datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")}
    record["topic"] = packet.topic
    record |= _payload(packet.payload)
    record["qos"] = 1 if packet.packet_id else 0
    if packet.retain:
        record["retain"] = True
    if packet.content_type:
        record["content_type"] = packet.content_type
    return orjson.dumps(record) + b"\n"


def _payload(raw: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    else:  # a rule with a `decode` reads the bytes: what is only by chance a number must come back as it came
        if isinstance(value, dict | list) or orjson.dumps(value) == raw:
            return {"payload": value}
    try:
        return {"text": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def read_line(line: bytes, number: int, is_encoded: IsEncoded = never) -> Event | BadLine | None:
    """Read a line; None where it is empty. `is_encoded` is as in hub.ingest.decode."""
    try:
        return _event(orjson.loads(line), number, is_encoded)
    except orjson.JSONDecodeError as error:
        return BadLine(number, f"not JSON: {error}") if line.strip() else None
    except (KeyError, TypeError, AttributeError):
        return BadLine(number, "no object with 'time', 'topic' and 'payload'")
    except (ValueError, binascii.Error) as error:
        return BadLine(number, str(error))


def _event(record: Any, number: int, is_encoded: IsEncoded) -> Event | BadLine:
    at, topic = record["time"], record["topic"]
    if at.__class__ is not float:
        at = _seconds(at)
    if topic.__class__ is not str:
        raise TypeError
    value = record.get("payload")
    retain = record.get("retain", False) is True
    if value.__class__ is dict and "content_type" not in record:
        return Event(topic, orjson.dumps(value), value, value, at, record.get("qos", 1), retain)
    raw = payload_of(record)
    return _decoded(Delivery(topic, raw, retain=retain, content_type=content_type_of(record)), at, number, is_encoded)


def content_type_of(record: Mapping[str, Any]) -> str | None:
    """Return the content type that a record holds; None where it holds none."""
    found = record.get("content_type")
    return found if isinstance(found, str) else None


def payload_of(record: Mapping[str, Any]) -> bytes:
    """Return the payload that a record holds, as bytes.

    Raises:
        KeyError, AttributeError, ValueError: it holds none, or one that cannot be read.

    """
    if "payload" in record:
        return orjson.dumps(record["payload"])
    text = record.get("text")
    return base64.b64decode(record["base64"], validate=True) if text is None else text.encode()


def _decoded(message: Delivery, at: float, number: int, is_encoded: IsEncoded) -> Event | BadLine:
    event = decode(message, at, is_encoded=is_encoded)
    if isinstance(event, Undecodable):
        return BadLine(number, f"no rule could see this payload: {event.reason}", event)
    return event


def _seconds(at: Any) -> float:
    if at.__class__ is int:
        return float(at)
    found = datetime.fromisoformat(at)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def records(stream: IO[bytes], is_encoded: IsEncoded = never) -> Iterator[Event | BadLine]:
    """Read all lines of a stream."""
    for number, line in enumerate(stream, 1):
        found = read_line(line, number, is_encoded)
        if found is not None:
            yield found
