"""An event's own time, as devices write it: seconds or milliseconds since 1970, RFC 3339, or a CEL timestamp."""

from datetime import datetime
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.times import read_timestamp
from hub.limits import TIMESTAMP_AGE_SECONDS

__all__ = ["own_time"]

_SECONDS = 1e11  # the year 5138; in milliseconds this was 1973, before any device


def own_time(value: Any, now: float) -> float:
    """Return seconds since 1970; what lies in the future of its arrival counts as now.

    Raises:
        EvaluationError: it is no time, or one of over TIMESTAMP_AGE_SECONDS ago.

    """
    at = _seconds(value)
    if at < now - TIMESTAMP_AGE_SECONDS:
        raise EvaluationError(
            f"the event's own time is over {TIMESTAMP_AGE_SECONDS / 86400:.0f} days ago: {str(value)[:60]!r}"
        )
    return min(at, now)


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        value = read_timestamp(value)
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, int | float) and not isinstance(value, bool):
        at = value if value < _SECONDS else value / 1000
        if 0 <= at < _SECONDS:
            return at
    raise EvaluationError(f"not a time in seconds, milliseconds or RFC 3339: {str(value)[:60]!r}")
