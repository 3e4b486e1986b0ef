"""Timestamps and durations to the nanosecond, which CEL has and Python's classes do not.

A timestamp is a datetime in UTC, a duration a timedelta; where nanoseconds are left over, a subclass carries them. A
duration is a 64-bit count of nanoseconds (about 292 years), a timestamp lies in the years 1 to 9999.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.values import INT_MAX, INT_MIN

__all__ = [
    "FineDuration",
    "FineTimestamp",
    "duration_of",
    "duration_text",
    "nanoseconds",
    "read_duration",
    "read_timestamp",
    "timestamp_at",
    "timestamp_of",
    "timestamp_text",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 315_576_000_000 * 10**9 + 10**9 - 1  # what a duration may be written as: 10,000 years
_UNITS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "μs": 10**3, "ns": 1}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ms|us|µs|μs|ns|h|m|s)")
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_FIRST, _LAST = -62135596800 * 10**9, 253402300800 * 10**9


class FineTimestamp(datetime):
    """A timestamp with nanoseconds (0 to 999) beyond its microseconds."""

    __slots__ = ("nanos",)
    nanos: int


class FineDuration(timedelta):
    """A duration with nanoseconds (0 to 999) beyond its microseconds."""

    __slots__ = ("nanos",)
    nanos: int


def nanoseconds(value: datetime | timedelta) -> int:
    """Return a duration's nanoseconds, or a timestamp's since 1970."""
    span = value - _EPOCH if isinstance(value, datetime) else value
    whole = (span.days * 86400 + span.seconds) * 10**9 + span.microseconds * 1000
    return whole + value.nanos if isinstance(value, (FineTimestamp, FineDuration)) else whole


def timestamp_of(nanos: int) -> datetime:
    """Return the timestamp of so many nanoseconds since 1970.

    Raises:
        EvaluationError: outside the years 1 to 9999.

    """
    if not _FIRST <= nanos < _LAST:
        raise EvaluationError("timestamp out of range: the years 1 to 9999 can be told")
    whole, rest = divmod(nanos, 1000)
    at = _EPOCH + timedelta(microseconds=whole)
    if rest:
        at = FineTimestamp(at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond, UTC)
        at.nanos = rest
    return at


def timestamp_at(seconds: float) -> datetime:
    """Return the timestamp of so many seconds since 1970, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC)


def duration_of(nanos: int) -> timedelta:
    """Return the duration of so many nanoseconds.

    Raises:
        EvaluationError: it does not fit into 64 bits.

    """
    if not INT_MIN <= nanos <= INT_MAX:
        raise EvaluationError("duration out of range: about 292 years can be told")
    return _duration(nanos)


def _duration(nanos: int) -> timedelta:
    whole, rest = divmod(nanos, 1000)
    span: Any = timedelta(microseconds=whole)
    if rest:
        span = FineDuration(span.days, span.seconds, span.microseconds)
        span.nanos = rest
    return span  # type: ignore[no-any-return]


def read_timestamp(text: str) -> datetime:
    """Read RFC 3339.

    Raises:
        EvaluationError: it is none, or outside the years 1 to 9999.

    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise EvaluationError(f"{text[:60]!r} is not a timestamp: write it as 2026-03-01T01:55:00Z")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    nanos = int((match[7] or "")[:9].ljust(9, "0"))
    offset = (int(match[9]) * 60 + int(match[10])) * (-1 if match[8] == "-" else 1) if match[8] else 0
    try:
        at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError as error:
        raise EvaluationError(f"{text[:60]!r} is not a timestamp: {error}") from None
    if second > 60 or abs(offset) >= 24 * 60:
        raise EvaluationError(f"{text[:60]!r} is not a timestamp")
    return timestamp_of(nanoseconds(at) + (second == 60) * 10**9 + nanos - offset * 60 * 10**9)


def timestamp_text(at: datetime) -> str:
    """Write RFC 3339 in UTC, with as many digits of the second as it has: none, three, six or nine."""
    nanos = nanoseconds(at)
    text = (_EPOCH + timedelta(seconds=nanos // 10**9)).replace(tzinfo=None).isoformat()
    return f"{text}{_fraction(nanos % 10**9)}Z"


def _fraction(nanos: int) -> str:
    if not nanos:
        return ""
    digits = f"{nanos:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f".{digits}"


def read_duration(text: str) -> timedelta:
    """Read a duration as Go and protobuf write it: `1h30m`, `-1.5s`, `250ms`.

    Raises:
        EvaluationError: it is none, or over 10,000 years.

    """
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text[text[:1] == "+" :])
    nanos = at = 0
    while rest and rest != "0" and len(rest) < 100 and (match := _PART.match(rest, at)) and (match[1] or match[2]):
        unit = _UNITS[match[3]]
        fraction = match[2] or ""
        nanos += int(match[1] or 0) * unit + int(fraction or 0) * unit // 10 ** len(fraction)
        at = match.end()
    if not rest or (at < len(rest) and rest != "0"):
        raise EvaluationError(f"{text[:60]!r} is not a duration: write it as 1h30m or 90s")
    if nanos > _LONGEST:
        raise EvaluationError(f"duration out of range: {text[:60]}")
    return _duration(sign * nanos)


def duration_text(span: timedelta) -> str:
    """Write a duration in seconds: `90s`, `1.500s`."""
    nanos = nanoseconds(span)
    whole, rest = divmod(abs(nanos), 10**9)
    return f"{'-' if nanos < 0 else ''}{whole}{_fraction(rest)}s"
