"""One reading of a message that holds many: it goes through a rule as a message of its own (key `each`)."""

import base64
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson

from hub.ingest.decode import decode_again
from hub.model import Event

__all__ = ["Element", "element_again"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Element(Event):
    """An element of a list, or of a map: `index` counts from 0, `key` is a map's key, None for a list's element.

    `message` is the message that it came in; it is remembered together with the element only where a rule asks for it
    (`keeps_message`), because a message may hold thousands of elements.
    """

    __slots__ = ("index", "keeps_message", "key", "message", "written")

    def __init__(self, message: Event, index: int, key: str | None, value: Any, keeps_message: bool) -> None:
        """Keep the place of the element; time, topic, qos and retain are those of the message."""
        self.message, self.index, self.key, self.keeps_message = message, index, key, keeps_message
        self.topic, self.time, self.qos, self.retain = message.topic, message.time, message.qos, message.retain
        self.value = value
        self.fields = value if type(value) is dict else _NOTHING
        self.written: bytes | None = None

    @property
    def raw(self) -> bytes:  # type: ignore[override] # made only when asked for: few elements are remembered
        """The element as it is remembered: `element_again` reads it."""
        if self.written is None:
            said = self.message.raw.decode("utf-8", "surrogateescape") if self.keeps_message else None
            self.written = _dumped([self.index, self.key, self.value, said])
        return self.written

    @property
    def said(self) -> bytes:
        """The element alone, as people see it."""
        return _dumped(self.value)

    @property
    def trace(self) -> str:  # type: ignore[override]
        """The `traceparent` of the message."""
        return self.message.trace

    def at(self, time: float) -> "Element":
        """Return the same element with a time of its own."""
        made = Element(self.message, self.index, self.key, self.value, self.keeps_message)
        made.time = time
        return made


def element_again(topic: str, raw: bytes, time: float) -> Event:
    """Return the element that was remembered as `raw`; where that is a whole message, as an earlier rule's, that."""
    try:
        index, key, value, said = orjson.loads(raw)
    except ValueError:  # no such list: the payload was too heavy and is forgotten, or the rule had no `each` before
        return decode_again(topic, raw, time)
    message = b"" if said is None else said.encode("utf-8", "surrogateescape")
    return Element(decode_again(topic, message, time), index, key, value, said is not None)


def _dumped(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError):  # an integer over 64 bits, or a text with a lone surrogate
        return orjson.dumps(_mended(value), default=_plain)


def _plain(value: Any) -> Any:
    """Write what JSON does not have: bytes as base64, all else as text."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _mended(value: Any) -> Any:
    """Write what orjson refuses: long integers as doubles, as they are read; lone surrogates visibly."""
    if isinstance(value, dict):
        return {str(_mended(key)): _mended(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -(2**63) <= value < 2**64 else float(value)
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
