"""Schedules in a line of text, as `pause` and `mute` have them: `daily 02:00-02:30`, `not office`."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, tzinfo

from cronsim import CronSim, CronSimError

from hub.documents.duration import parse_duration
from hub.fields import did_you_mean
from hub.schedules.schedule import Cron, Inverse, OneTime, Range, Schedule, Weekly
from hub.schedules.wall import DAY, WEEK

__all__ = ["FORMS", "KINDS", "cron", "daily", "inverse", "moment", "parse_schedule", "span", "weekly"]

KINDS = ("daily", "weekly", "cron", "from", "not")
FORMS = "daily 02:00-02:30, weekly mon-fri 08:00-18:00, cron 0 2 * * sun for 2h, from 2026-12-24 to 2026-12-27"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIMES = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_HOUR = r"([0-9]{1,2})(?::([0-9]{2}))?(?::[0-9]{2})?\s*([ap]m)?"
_LEAD = r"(?:(?:every\s*day|each\s+day)\s+)?(?:(?:between|from)\s+)?"
_HOURS = re.compile(rf"{_LEAD}{_HOUR}\s*(?:-|–|—|to|and|until|till)\s*{_HOUR}", re.IGNORECASE)  # noqa: RUF001 - pasted
_DAY = f"(?:{'|'.join(_DAYS)})"
_DAYS_ALONE = re.compile(rf"{_DAY}(?:\s*[-,]\s*{_DAY})+(?:\s+[0-9].*)?|{_DAY}\s+[0-9].*", re.IGNORECASE | re.DOTALL)
_FIELDS = re.compile(r"(?:[0-9*/,-]+\s+){4}[0-9a-zA-Z*/,-]+")
_SPAN = re.compile(r"from\s+(.+?)\s+to\s+(.+)", re.DOTALL)
_CRON = re.compile(r"cron\s+(.+?)\s+for\s+(\S+)", re.DOTALL)
_TWO_WORDS = re.compile(r"[A-Za-z]+\s+[A-Za-z0-9]")  # no condition is so, but for `x in y`
_OPERATORS = tuple("=<>!&|+-*/%?.")


def parse_schedule(written: str, named: Mapping[str, Schedule], tz: tzinfo | None) -> Schedule | None:
    """Read a schedule in a line; None where the text is none, so that it may be a condition.

    `tz` is the zone of what is written here; a schedule by its name keeps its own.

    Raises:
        ValueError: it begins as one; with what is wrong and what to do.

    """
    line = written.strip()
    if line in named:
        return named[line]
    if meant := _without_its_kind(line):
        raise ValueError(f"{line!r} is not a schedule; write it as {meant}")
    kind, *following = line.split(None, 1)[:2] or [""]
    rest = following[0] if following else ""
    if not rest or _is_condition(kind, rest):
        return None
    if kind == "not":
        return inverse(line, rest, named, tz)
    if kind in KINDS:
        return _of_kind(kind, line, rest, tz)
    near = did_you_mean(kind.lower(), KINDS)
    if near and _TWO_WORDS.match(line):
        raise ValueError(f"no schedule begins with {kind!r} ({near})")
    return None


def _without_its_kind(line: str) -> str:
    """Return the schedule line that was meant by times, days or a cron expression without its kind; else empty."""
    if found := _HOURS.fullmatch(line):
        return f"daily {_range(found)}"
    if _DAYS_ALONE.fullmatch(line):
        return f"weekly {line}"
    return f"cron {line} for 1h" if _FIELDS.fullmatch(line) else ""


def _range(found: re.Match[str]) -> str:
    """Write hours in the form that is read: `10pm-6am` as 22:00-06:00."""
    times = []
    for at in (1, 4):
        hour, half = int(found[at]), (found[at + 2] or "").lower()
        hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
        times.append(f"{hour:02}:{found[at + 1] or '00'}")
    return "-".join(times)


def _is_condition(kind: str, rest: str) -> bool:
    """Tell whether the text after a word goes on like CEL; a `*` after `cron` belongs to cron."""
    return rest.split(None, 1)[0] == "in" or (rest.startswith(_OPERATORS) and (kind != "cron" or rest[0] != "*"))


def inverse(line: str, rest: str, named: Mapping[str, Schedule], tz: tzinfo | None) -> Schedule:
    """Make the opposite of a schedule that is named or written out.

    Raises:
        ValueError: it is none.

    """
    if rest.split(None, 1)[0] == "not":
        raise ValueError("'not not' says nothing; leave both out")
    other = parse_schedule(rest, named, tz)
    if other is None:
        hint = did_you_mean(rest, named) or f"known schedules: {', '.join(sorted(named)) or 'none'}"
        raise ValueError(f"no schedule {rest!r} ({hint}; the opposite of a condition is !(…))")
    if isinstance(other, Inverse):
        return replace(other.other, text=line)
    return Inverse(line, other)


def _of_kind(kind: str, line: str, rest: str, tz: tzinfo | None) -> Schedule:
    if kind == "daily":
        return Weekly(line, daily(rest), tz)
    if kind == "weekly":
        return Weekly(line, weekly(rest), tz)
    found = (_CRON if kind == "cron" else _SPAN).fullmatch(line)
    if found is None:
        raise ValueError(f"{line!r} is not a schedule; write it as {FORMS}")
    if kind == "cron":
        return cron(line, found[1], parse_duration(found[2]), tz)
    return span(line, moment(found[1]), moment(found[2]), tz)


def daily(written: str) -> tuple[Range, ...]:
    """Read `02:00-02:30, 14:00-14:30`.

    Raises:
        ValueError: it is no such list.

    """
    times = [_times(part) for part in _parts(written)]
    return tuple(Range(day * DAY + begin, day * DAY + end) for day in range(7) for begin, end in times)


def weekly(written: str) -> tuple[Range, ...]:
    """Read `mon-fri 08:00-18:00`, `sat,sun`, `mon,wed 06:00-07:00, 18:00-19:00, sat 09:00-12:00`.

    Times are those of the days before them; days that none follow are whole.

    Raises:
        ValueError: it is no such list.

    """
    days: list[int] = []
    ranges: list[Range] = []
    timed = False
    for part in _parts(written):
        words = part.split()
        if words and words[0][:1].isalpha():
            days = [*([] if timed else days), *_days(words.pop(0))]
            timed = False
        if not days:
            raise ValueError("which days? write weekly mon-fri 08:00-18:00")
        if words or not part:
            begin, end = _times(" ".join(words))
            ranges += [Range(day * DAY + begin, day * DAY + end) for day in days]
            timed = True
    whole = [] if timed else days
    return (*ranges, *(Range(day * DAY, (day + 1) * DAY) for day in whole))


def _parts(written: str) -> list[str]:
    return [part.strip() for part in re.sub(r"\s*-\s*", "-", written).split(",")]


def _days(written: str) -> list[int]:
    first, dash, last = written.lower().partition("-")
    for name in (first, last) if dash else (first,):
        if name not in _DAYS:
            raise ValueError(f"{name!r} is no day of the week (write {', '.join(_DAYS)}, or mon-fri)")
    begin, end = _DAYS.index(first), _DAYS.index(last if dash else first)
    return [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]


def _times(written: str) -> tuple[int, int]:
    """Read `22:00-06:00` as seconds of the day; one over midnight ends beyond it."""
    found = _TIMES.fullmatch(written)
    if found is None:
        meant = _HOURS.fullmatch(written)
        way = _range(meant) if meant else "02:00-02:30, several with commas between"
        raise ValueError(f"{written!r} is not a range of times; write it as {way}")
    hours = [(int(found[1]), int(found[2])), (int(found[3]), int(found[4]))]
    for hour, minute in hours:
        if minute > 59 or hour * 60 + minute > 24 * 60:
            raise ValueError(f"{hour:02}:{minute:02} is no time of the day")
    begin, end = (hour * 3600 + minute * 60 for hour, minute in hours)
    if begin == end:
        raise ValueError(f"{written!r} has no length; for the whole day write 00:00-24:00")
    if begin == DAY:
        raise ValueError("a range ends at 24:00 but begins at 00:00")
    return begin, end if end > begin else end + DAY


def cron(line: str, expression: str, seconds: float, tz: tzinfo | None) -> Cron:
    """Make a schedule of a cron expression.

    Raises:
        ValueError: cronsim does not understand it, it never comes, or it lasts longer than a week.

    """
    fields = "(minute hour day month weekday)"
    if len(expression.split()) != 5:
        raise ValueError(f"{expression!r} is not a cron expression: it needs five fields {fields}")
    try:
        first = next(CronSim(expression, datetime(2026, 1, 1)), None)  # noqa: DTZ001 - only to see whether it can be read
    except (CronSimError, ValueError) as error:  # ValueError: a number of thousands of digits
        raise ValueError(f"{expression!r} is not a cron expression: {error} {fields}") from None
    if first is None:
        raise ValueError(f"{expression!r} never comes {fields}")
    if not 0 < seconds <= WEEK:
        raise ValueError("'for' of a cron schedule is longer than 0 and at most 7d")
    return Cron(line, expression, seconds, tz)


def span(line: str, begin: datetime, end: datetime, tz: tzinfo | None) -> OneTime:
    """Make a schedule of two times.

    Raises:
        ValueError: the second is not later.

    """
    if (begin.tzinfo is None) != (end.tzinfo is None):
        raise ValueError("'from' and 'to' both have a zone or neither has")
    if end <= begin:
        raise ValueError("'to' must be later than 'from'")
    return OneTime(line, begin, end, tz)


def moment(written: str) -> datetime:
    """Read `2026-12-24T18:00`, `2026-12-24`.

    Raises:
        ValueError: it is no time.

    """
    try:
        return datetime.fromisoformat(written.strip())
    except ValueError:
        raise ValueError(f"{written!r} is not a time; write it as 2026-12-24T18:00 or 2026-12-24") from None
