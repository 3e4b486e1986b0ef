"""Timestamps and durations to the nanosecond, which CEL has and Python's classes do not.

A timestamp is a datetime in UTC, a duration a timedelta; where nanoseconds are left over, a subclass carries them. A
duration is a 64-bit count of nanoseconds (about 292 years), a timestamp lies in the years 1 to 9999.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.values import INT_MAX, INT_MIN

__all__ = ["FineDuration", "FineTimestamp", "duration_of", "nanoseconds", "timestamp_at", "timestamp_of"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
    whole, rest = divmod(nanos, 1000)
    span: Any = timedelta(microseconds=whole)
    if rest:
        span = FineDuration(span.days, span.seconds, span.microseconds)
        span.nanos = rest
    return span  # type: ignore[no-any-return]
