"""W3C Trace Context: `traceparent`, by which a trace goes from a device through the hub to whoever is told."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

__all__ = ["TRACEPARENT", "TraceContext"]

TRACEPARENT = "traceparent"
"""The name of the MQTT 5 user property, the HTTP header and the field in bodies."""

_SHAPE = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_MOST = 256  # a later version may be longer; what is longer than that is none
_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A span within its trace, both in hexadecimal; `sampled`: its trace is recorded."""

    trace: str
    span: str
    sampled: bool

    @classmethod
    def read(cls, text: object) -> Self | None:
        """Read a `traceparent`; None where it is none (section 3.2 of the recommendation)."""
        found = _SHAPE.fullmatch(text) if isinstance(text, str) and len(text) <= _MOST else None
        if found is None:
            return None
        version, trace, span, flags, more = found.groups()
        if version == "ff" or (version == "00" and more) or not int(trace, 16) or not int(span, 16):
            return None
        return cls(trace, span, bool(int(flags, 16) & _SAMPLED))

    @classmethod
    def root(cls, bits: Callable[[int], int]) -> Self:
        """Begin a trace that is recorded, of random bits."""
        return cls(f"{bits(128) or 1:032x}", f"{bits(64) or 1:016x}", sampled=True)

    @classmethod
    def of(cls, key: str, *, sampled: bool) -> Self:
        """Begin a trace of its own, the same for the same key."""
        return cls(blake2b(key.encode(), digest_size=16).hexdigest(), "0" * 16, sampled).child(key)

    def next(self, bits: Callable[[int], int]) -> Self:
        """Return a span of the same trace, of random bits."""
        return type(self)(self.trace, f"{bits(64) or 1:016x}", self.sampled)

    def child(self, key: str) -> Self:
        """Return a span of the same trace, the same for the same key: in every attempt, and after a restart."""
        span = blake2b(f"{self.span} {key}".encode(), digest_size=8).hexdigest()
        return type(self)(self.trace, span, self.sampled)

    def __str__(self) -> str:
        """Write it as `traceparent`."""
        return f"00-{self.trace}-{self.span}-0{int(self.sampled)}"
