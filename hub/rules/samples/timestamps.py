"""An event's own time, as devices write it: a number since 1970, its size tells of what, or a date and time as text."""

import re
from datetime import UTC, datetime, tzinfo
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.times import read_timestamp
from hub.limits import TIMESTAMP_AGE_SECONDS

__all__ = ["own_time"]

_SECONDS = 1e11  # the year 5138; in milliseconds this was 1973, before any device
_UNITS = ((_SECONDS, 1), (1e3 * _SECONDS, 10**3), (1e6 * _SECONDS, 10**6), (1e9 * _SECONDS, 10**9))
"""What a number is below, and how many of them are a second: seconds, milliseconds, microseconds, nanoseconds."""
_DIGITS = re.compile(r"[0-9]{1,20}(\.[0-9]{0,20})?")
# RFC 3339, and what is nearly that: a blank for the T, no seconds, a comma before their fraction, an offset without its
# colon or minutes, no zone at all
_WRITTEN = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt_ ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:[.,]([0-9]+))?"
    r" ?(?:([Zz]|UTC|GMT)|([+-][0-9]{2})(?::?([0-9]{2}))?)?"
)
_AHEAD_SECONDS = 60.0  # of our clock a device's may well be


def own_time(value: Any, now: float, zone: tzinfo = UTC) -> float:
    """Return seconds since 1970; what lies in the future of its arrival counts as now. Local times are of `zone`.

    Raises:
        EvaluationError: it is no time, or one of over TIMESTAMP_AGE_SECONDS ago.

    """
    at = _seconds(value, now, zone)
    if at < now - TIMESTAMP_AGE_SECONDS:
        raise EvaluationError(
            f"the event's own time is over {TIMESTAMP_AGE_SECONDS / 86400:.0f} days ago: {str(value)[:60]!r}"
        )
    return min(at, now)


def _seconds(value: Any, now: float, zone: tzinfo) -> float:
    if isinstance(value, str):
        return _read(value.strip(), now, zone)
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        for below, of_a_second in _UNITS:
            if value < below:
                return value / of_a_second
    raise _no_time(value)


def _read(text: str, now: float, zone: tzinfo) -> float:
    if _DIGITS.fullmatch(text):
        return _seconds(float(text) if "." in text else int(text), now, zone)
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise _no_time(text)
    day, minute, second, fraction, utc, hours, minutes = found.groups()
    written = f"{day}T{minute}{second or ':00'}{f'.{fraction}' if fraction else ''}"
    if hours is not None:
        return read_timestamp(f"{written}{hours}:{minutes or '00'}").timestamp()
    at = read_timestamp(f"{written}Z")
    return at.timestamp() if utc else _local(at, now, zone)


def _local(shown: datetime, now: float, zone: tzinfo) -> float:
    """Return when a clock in a zone shows this; at the end of summer time the later of two that can have been."""
    naive = shown.replace(tzinfo=zone)
    first, second = naive.replace(fold=0).timestamp(), naive.replace(fold=1).timestamp()
    return second if first < second <= now + _AHEAD_SECONDS else first


def _no_time(value: Any) -> EvaluationError:
    what = "not a time: write a number since 1970 (seconds, ms, µs, ns) or RFC 3339"
    return EvaluationError(f"{what}, not {str(value)[:60]!r}")
