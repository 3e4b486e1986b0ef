"""Sparkplug B payloads into events: metrics become fields by their names, so that rules read them as JSON.

{"temperature": 21.5, "Node Control/Rebirth": false, "sparkplug": {"seq": 4, "timestamp": 1790000000000, …}}

A metric that is null, or not a number, becomes null. A historical one becomes no field, because it says nothing of now.
A message may lack what only a birth tells: the name behind an alias, the sign of an integer. Such metrics wait in
`pending`, and rules/presence/births.py resolves them. A message also leaves out metrics that have not changed;
rules/presence/sparkplug_metrics.py adds them. Pure; whatever a device sends, only NotSparkplug is raised.
"""

import base64
import struct
import zlib
from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

import orjson

from hub.ingest.sparkplug_wire import payload_class
from hub.limits import PAYLOAD_DEPTH, SPARKPLUG_INFLATED_BYTES, SPARKPLUG_METRICS
from hub.model import Event

__all__ = [
    "ABOUT",
    "EXTRA",
    "Declared",
    "MetricEvent",
    "NotSparkplug",
    "Pending",
    "is_sparkplug",
    "missing",
    "read_metrics",
    "read_value",
    "rebirth_request",
]

EXTRA = "pip install 'mqtt-notification-hub[sparkplug]'"
ABOUT = "sparkplug"
"""The name of the field for all that a payload says beside its metrics."""
_COMPRESSED = "SPBV1.0_COMPRESSED"
"""The uuid of a payload whose body is another one, compressed."""
_GZIP_OR_ZLIB = zlib.MAX_WBITS + 32
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}  # Int8 … Int64: datatype and bits
_ARRAYS = {
    22: "b", 23: "h", 24: "i", 25: "q", 26: "B", 27: "H", 28: "I", 29: "Q", 30: "f", 31: "d", 34: "q",
}  # fmt: skip
_BOOLEANS, _STRINGS = 32, 33


class NotSparkplug(Exception):
    """Why a payload cannot be read."""


class Declared(NamedTuple):
    """What a birth says of a metric; `alias` is None where it has none."""

    name: str
    alias: int | None
    datatype: int


class Pending(NamedTuple):
    """A metric that cannot be read without its birth: the name is missing, or the datatype, or both."""

    name: str | None
    alias: int | None
    datatype: int
    kind: str
    value: Any


class MetricEvent(Event):
    """An Event made of metrics; its `raw` is JSON. `declared` are the metrics with name and datatype; see Pending."""

    __slots__ = ("declared", "pending", "trace")

    def __init__(self, topic: str, fields: dict[str, Any], time: float, qos: int, retain: bool) -> None:
        """Begin with fields and nothing pending."""
        super().__init__(topic, orjson.dumps(fields), fields, fields, time, qos, retain)
        self.declared: list[Declared] = []
        self.pending: list[Pending] = []
        self.trace = ""

    def resolve(self, found: Mapping[str, Any], unknown: int) -> None:
        """Take the values of pending metrics, by name; `unknown` is how many of them no birth has explained."""
        fields: dict[str, Any] = {**self.fields, **found}
        about = {**self.fields[ABOUT]}
        if unknown:
            about["unknown"] = unknown
        fields[ABOUT] = about
        self.fields = self.value = fields
        self.raw = orjson.dumps(fields)
        self.pending = []


def is_sparkplug(topic: str) -> bool:
    """Tell whether payloads on a topic are metrics; the state of a host is JSON."""
    return topic.startswith("spBv1.0/") and not topic.startswith("spBv1.0/STATE/")


def missing() -> str:
    """Return why no payload can be read here, "" where they can."""
    try:
        payload_class()
    except ImportError as error:
        return str(error)
    return ""


def rebirth_request(now: float) -> bytes:
    """Return the command that makes a node send its births again (3.0, 6.4.24); `now` is in seconds since 1970."""
    message = payload_class()(timestamp=int(now * 1000))
    message.metrics.add(name="Node Control/Rebirth", timestamp=message.timestamp, datatype=11, boolean_value=True)
    return bytes(message.SerializeToString())


def read_metrics(topic: str, payload: bytes, time: float, qos: int, retain: bool) -> MetricEvent:
    """Read a payload; `time` is its arrival in seconds since 1970.

    Raises:
        NotSparkplug: it cannot be read, or is larger than a limit.

    """
    message = _parsed(payload, "not a Sparkplug B payload: neither JSON nor protobuf")
    if message.uuid == _COMPRESSED:
        message = _inflated(message)
    if len(message.metrics) > SPARKPLUG_METRICS:
        raise NotSparkplug(f"a payload of {len(message.metrics)} metrics; the limit is {SPARKPLUG_METRICS}")
    return _Reading(message).event(topic, time, qos, retain)


def _parsed(payload: bytes, otherwise: str) -> Any:
    """Read protobuf; raise NotSparkplug with the text `otherwise` where it is none."""
    try:
        return payload_class().FromString(payload)
    except ImportError:
        raise NotSparkplug(f"Sparkplug B, which needs {EXTRA}") from None
    except Exception:  # noqa: BLE001 - DecodeError, whose module exists only with the extra; UnicodeDecodeError
        raise NotSparkplug(otherwise) from None


def _inflated(outer: Any) -> Any:
    """Read the payload that is the body of another, compressed (as Eclipse Tahu does it; the default is DEFLATE).

    The bytes themselves show which of the two it is; the metric `algorithm` must not name a third.
    """
    named = next((each.string_value for each in outer.metrics if each.name == "algorithm"), "")
    if named and named not in ("DEFLATE", "GZIP"):
        raise NotSparkplug(f"a payload that is compressed by {str(named)[:32]!r}, neither by DEFLATE nor by GZIP")
    inner = _parsed(_unpacked_body(outer.body), "a compressed payload that holds no Sparkplug B payload")
    if inner.uuid == _COMPRESSED:
        raise NotSparkplug("a compressed payload in a compressed payload")
    for name in ("timestamp", "seq"):
        if outer.HasField(name) and not inner.HasField(name):
            setattr(inner, name, getattr(outer, name))
    return inner


def _unpacked_body(body: bytes) -> bytes:
    """Inflate the gzip or zlib format, or plain DEFLATE; at most SPARKPLUG_INFLATED_BYTES."""
    for bits in (_GZIP_OR_ZLIB, -zlib.MAX_WBITS):
        inflate = zlib.decompressobj(bits)
        try:
            found = inflate.decompress(body, SPARKPLUG_INFLATED_BYTES)
        except zlib.error:
            continue
        if inflate.unconsumed_tail:
            raise NotSparkplug(f"a compressed payload of over {SPARKPLUG_INFLATED_BYTES} bytes")
        if inflate.eof:
            return found
    raise NotSparkplug("a compressed payload whose body cannot be inflated")


class _Reading:
    """Collects the fields of one payload, metric by metric."""

    def __init__(self, message: Any) -> None:
        self._message = message
        self.fields: dict[str, Any] = {}
        self.declared: list[Declared] = []
        self.pending: list[Pending] = []
        self.times: dict[str, int] = {}
        self.properties: dict[str, Any] = {}
        self.historical = 0

    def event(self, topic: str, time: float, qos: int, retain: bool) -> MetricEvent:
        message = self._message
        for metric in message.metrics:
            self.take(metric)
        about = {name: getattr(message, name) for name in ("timestamp", "seq") if message.HasField(name)}
        about |= {"timestamps": self.times} if self.times else {}
        about |= {"properties": self.properties} if self.properties else {}
        about |= {"historical": self.historical} if self.historical else {}
        made = MetricEvent(topic, {**self.fields, ABOUT: about}, time, qos, retain)
        made.declared, made.pending = self.declared, self.pending
        return made

    def take(self, metric: Any) -> None:
        name = _text(metric.name) if metric.HasField("name") else None
        alias = int(metric.alias) if metric.HasField("alias") else None
        datatype = int(metric.datatype)
        if name is not None and datatype:
            self.declared.append(Declared(name, alias, datatype))
        if metric.is_historical:
            self.historical += 1
            return
        kind = "null" if metric.is_null else metric.WhichOneof("value") or "null"
        value = None if kind == "null" else getattr(metric, kind)
        if name is None or not _is_plain(kind, value, datatype):
            self.pending.append(Pending(name, alias, datatype, kind, value))
            return
        self.fields[name] = read_value(kind, value, datatype)
        if metric.HasField("timestamp") and metric.timestamp != self._message.timestamp:
            self.times[name] = metric.timestamp
        if metric.HasField("properties"):
            self.properties[name] = _properties(metric.properties, PAYLOAD_DEPTH)


def _is_plain(kind: str, value: Any, datatype: int) -> bool:
    """Tell whether a value can be read as it is: without a datatype an integer may be negative, and bytes a list."""
    if datatype:
        return True
    if kind == "int_value":
        return bool(value < 1 << 31)
    if kind == "long_value":
        return bool(value < 1 << 63)
    return kind != "bytes_value"


def read_value(kind: str, value: Any, datatype: int, depth: int = PAYLOAD_DEPTH) -> Any:
    """Return a value as JSON has it.

    Raises:
        NotSparkplug: it is nested too deep, or is text that is not UTF-8.

    """
    if kind in {"int_value", "long_value"}:
        return _integer(int(value), datatype)
    if kind in {"float_value", "double_value"}:
        return value if value - value == 0 else None
    if kind == "string_value":
        return _text(value)
    if kind == "bytes_value":
        return _unpacked(bytes(value), datatype)
    if kind == "dataset_value":
        return _table(value)
    return _members(value, depth) if kind == "template_value" else value


def _text(value: Any) -> str:
    """Return text; protobuf hands out bytes where it was not UTF-8."""
    if isinstance(value, str):
        return value
    raise NotSparkplug("text that is not UTF-8")


def _integer(value: int, datatype: int) -> int:
    """Give an integer its sign: on the wire all are unsigned."""
    bits = _SIGNED.get(datatype)
    if bits is None:
        return value
    half = 1 << (bits - 1)
    return ((value & ((1 << bits) - 1)) ^ half) - half


def _unpacked(value: bytes, datatype: int) -> Any:
    """Return an array (3.0, 6.4.17) as a list, None where its length is wrong; other bytes as base64."""
    if datatype in _ARRAYS:
        size = struct.calcsize(f"<{_ARRAYS[datatype]}")
        if len(value) % size:
            return None
        numbers = struct.unpack(f"<{len(value) // size}{_ARRAYS[datatype]}", value)
        return [each if each - each == 0 else None for each in numbers]
    if datatype == _BOOLEANS:
        count = int.from_bytes(value[:4], "little")
        bits = (byte >> place & 1 == 1 for byte in value[4:] for place in range(7, -1, -1))
        return list(islice(bits, count)) if len(value) >= 4 and count <= 8 * (len(value) - 4) else None
    if datatype == _STRINGS:
        try:
            texts = value.decode().split("\0")
        except UnicodeDecodeError:
            raise NotSparkplug("text that is not UTF-8") from None
        return texts[:-1] if texts[-1] == "" else texts
    return base64.b64encode(value).decode()


def _table(dataset: Any) -> dict[str, Any]:
    """Return a DataSet. A row stays a list: a long column name repeated in each row would have no bound."""
    types = list(dataset.types)

    def cell(element: Any, place: int) -> Any:
        kind = element.WhichOneof("value")
        datatype = types[place] if place < len(types) else 0
        return None if kind is None else read_value(kind, getattr(element, kind), datatype)

    columns = [_text(each) for each in dataset.columns]
    return {
        "columns": columns,
        "rows": [[cell(each, place) for place, each in enumerate(row.elements)] for row in dataset.rows],
    }


def _members(template: Any, depth: int) -> dict[str, Any]:
    """Return the metrics and parameters of a Template by name."""
    if depth <= 0:
        raise NotSparkplug(f"templates nested deeper than {PAYLOAD_DEPTH}")
    found: dict[str, Any] = {}
    for each in template.parameters:
        kind = each.WhichOneof("value")
        found[_text(each.name)] = None if kind is None else read_value(kind, getattr(each, kind), each.type)
    for each in template.metrics:
        kind = None if each.is_null else each.WhichOneof("value")
        value = None if kind is None else read_value(kind, getattr(each, kind), each.datatype, depth - 1)
        found[_text(each.name)] = value
    return found


def _properties(properties: Any, depth: int) -> dict[str, Any]:
    """Return a metric's properties, Quality among them."""
    if depth <= 0:
        raise NotSparkplug(f"properties nested deeper than {PAYLOAD_DEPTH}")
    pairs = zip(properties.keys, properties.values, strict=False)
    return {_text(key): _property(value, depth - 1) for key, value in pairs}


def _property(value: Any, depth: int) -> Any:
    kind = None if value.is_null else value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    if kind == "propertyset_value":
        return _properties(found, depth)
    if kind == "propertysets_value":
        return [_properties(each, depth - 1) for each in found.propertyset]
    return read_value(kind, found, value.type)
