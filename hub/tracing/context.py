"""W3C Trace Context: the `traceparent` that takes a trace from a device through the hub to a receiver."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

__all__ = ["TRACEPARENT", "TraceContext"]

TRACEPARENT = "traceparent"
"""The name of the MQTT 5 user property, of the HTTP header, and of the field in bodies of notifications."""

_SHAPE = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_MOST = 256  # later versions of the recommendation may be longer than ours; a longer text than this is no traceparent
_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The ids of a trace and of one of its spans, both in hexadecimal; `sampled`: the trace is recorded."""

    trace: str
    span: str
    sampled: bool

    @classmethod
    def read(cls, text: object) -> Self | None:
        """Read a `traceparent` (section 3.2 of the recommendation); None where `text` is none."""
        parts = _SHAPE.fullmatch(text) if isinstance(text, str) and len(text) <= _MOST else None
        if parts is None:
            return None
        version, trace, span, flags, more = parts.groups()
        if version == "ff" or (version == "00" and more) or not int(trace, 16) or not int(span, 16):
            return None
        return cls(trace, span, bool(int(flags, 16) & _SAMPLED))

    @classmethod
    def root(cls, bits: Callable[[int], int]) -> Self:
        """Begin a recorded trace with random ids; `bits` returns so many random bits."""
        return cls(f"{bits(128) or 1:032x}", f"{bits(64) or 1:016x}", sampled=True)

    @classmethod
    def of(cls, key: str, *, sampled: bool) -> Self:
        """Begin a trace whose ids are made of `key`: the same key gives the same trace."""
        return cls(blake2b(key.encode(), digest_size=16).hexdigest(), "0" * 16, sampled).child(key)

    def next(self, bits: Callable[[int], int]) -> Self:
        """Return a span of the same trace, with a random id; `bits` returns so many random bits."""
        return type(self)(self.trace, f"{bits(64) or 1:016x}", self.sampled)

    def child(self, key: str) -> Self:
        """Return a span of the same trace whose id is made of `key`: a restart does not change it."""
        span = blake2b(f"{self.span} {key}".encode(), digest_size=8).hexdigest()
        return type(self)(self.trace, span, self.sampled)

    def __str__(self) -> str:
        """Write it as `traceparent`."""
        return f"00-{self.trace}-{self.span}-0{int(self.sampled)}"
