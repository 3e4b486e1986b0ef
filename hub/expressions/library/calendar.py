"""Parts of timestamps and durations: `getHours()` and its kin, in UTC or in a time zone."""

import functools
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from hub.errors import EvaluationError
from hub.expressions.runtime.functions import cel
from hub.expressions.times import nanoseconds
from hub.expressions.values import no_overload

__all__ = ["OPERATIONS"]

OPERATIONS: tuple[str, ...] = ()

_OFFSET = re.compile(r"([+-]?)(\d{1,2}):(\d{2})", re.ASCII)
_CYCLE = timedelta(days=146097)  # the calendar repeats after 400 years


@functools.lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    if name in ("", "UTC"):
        return UTC
    if match := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if offset < timedelta(days=1):
            return timezone(-offset if match[1] == "-" else offset)
    else:
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            pass
    raise EvaluationError(f"unknown time zone {name[:60]!r}: write it as Europe/Berlin or +01:00")


def _local(what: str, at: Any, zone: Any) -> tuple[datetime, int]:
    """Return the local date and time, and the years to be added to it (zones reach beyond the years 1 and 9999)."""
    if not isinstance(at, datetime) or zone.__class__ is not str:
        raise no_overload(what, at, zone)
    where = _zone(zone)
    if where is UTC:
        return at, 0
    if 1 < at.year < 9999:
        return at.astimezone(where), 0
    shift = _CYCLE if at.year == 1 else -_CYCLE
    return at + shift + _offset(at, where), -400 if at.year == 1 else 400


def _offset(at: datetime, where: tzinfo) -> timedelta:
    inside = at + timedelta(days=2) if at.year == 1 else at - timedelta(days=2)
    return inside.astimezone(where).utcoffset() or timedelta(0)


def _getter(name: str, doc: str, pick: Any) -> None:
    def get(at: Any, zone: Any = "UTC") -> int:
        local, years = _local(name, at, zone)
        return int(pick(local)) + (years if name == "getFullYear" else 0)

    get.__doc__ = doc
    cel(f"(timestamp).{name}() -> int", f"(timestamp).{name}(string) -> int")(get)


_getter("getFullYear", "The year.", lambda at: at.year)
_getter("getMonth", "The month, January is 0.", lambda at: at.month - 1)
_getter("getDate", "The day of the month, the first is 1.", lambda at: at.day)
_getter("getDayOfMonth", "The day of the month, the first is 0.", lambda at: at.day - 1)
_getter("getDayOfWeek", "The day of the week, Sunday is 0.", lambda at: at.isoweekday() % 7)
_getter("getDayOfYear", "The day of the year, the first is 0.", lambda at: at.timetuple().tm_yday - 1)


def _clock(name: str, doc: str, pick: Any, unit: int, wrap: int) -> None:
    def get(value: Any, *zone: Any) -> int:
        if isinstance(value, timedelta) and not zone:
            nanos = nanoseconds(value)
            count = abs(nanos) // unit % wrap if wrap else abs(nanos) // unit
            return -count if nanos < 0 else count
        return int(pick(_local(name, value, *(zone or ("UTC",)))[0]))

    get.__doc__ = doc
    signatures = (f"(timestamp).{name}() -> int", f"(timestamp).{name}(string) -> int", f"(duration).{name}() -> int")
    cel(*signatures)(get)


_clock("getHours", "The hour; of a duration, all its hours.", lambda at: at.hour, 3600 * 10**9, 0)
_clock("getMinutes", "The minute; of a duration, all its minutes.", lambda at: at.minute, 60 * 10**9, 0)
_clock("getSeconds", "The second; of a duration, all its seconds.", lambda at: at.second, 10**9, 0)
_clock("getMilliseconds", "The milliseconds of the second.", lambda at: at.microsecond // 1000, 10**6, 1000)
