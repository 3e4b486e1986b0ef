"""Schedules as users write them: in a line (`daily 02:00-02:30`), and under `schedules:` with a zone."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

from hub.document import Node, Problems
from hub.duration import parse_duration
from hub.fields import Bad, Section, did_you_mean, duration, list_of, text
from hub.schedules.schedule import DAY, WEEK, Cron, Inverse, Range, Schedule, Span, Weekly

__all__ = ["parse_schedule", "read_schedules", "read_zone"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIMES = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")
_SPAN = re.compile(r"from\s+(\S+)\s+to\s+(\S+)")
_CRON = re.compile(r"cron\s+(.+?)\s+for\s+(\S+)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KINDS = ("daily", "weekly", "cron", "from", "not")
_OPERATORS = "=<>!&|+-*/%?."
_FORMS = "daily 02:00-02:30, weekly mon-fri 08:00-18:00, cron 0 2 * * sun for 2h, from 2026-12-24 to 2026-12-27"


def read_zone(node: Node) -> tzinfo:
    """Read the name of a zone, as in Europe/Berlin.

    Raises:
        Bad: there is none of that name.

    """
    name = text(node)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(name, available_timezones()) or "an IANA name such as Europe/Berlin"
        raise Bad(node, f"no time zone {name!r}", hint) from None


def parse_schedule(written: str, named: Mapping[str, Schedule], tz: tzinfo | None) -> Schedule | None:
    """Read a schedule in a line; None where the text is none, so that it may be a condition.

    Raises:
        ValueError: it begins as one; with what is wrong and what to do.

    """
    line = written.strip()
    if line in named:
        return named[line]
    kind, _, rest = line.partition(" ")
    if kind not in _KINDS or not rest.strip() or (kind != "cron" and rest.strip()[0] in _OPERATORS):
        return None
    if kind == "not":
        return _inverse(line, rest.strip(), named, tz)
    return _of_kind(kind, line, rest, tz)


def _inverse(line: str, rest: str, named: Mapping[str, Schedule], tz: tzinfo | None) -> Schedule:
    other = parse_schedule(rest, named, tz)
    if other is None:
        hint = did_you_mean(rest, named) or f"known schedules: {', '.join(sorted(named)) or 'none'}"
        raise ValueError(f"no schedule {rest!r} ({hint})")
    return Inverse(line, other)


def _of_kind(kind: str, line: str, rest: str, tz: tzinfo | None) -> Schedule:
    if kind == "daily":
        return Weekly(line, daily(rest), tz)
    if kind == "weekly":
        return Weekly(line, weekly(rest), tz)
    found = (_CRON if kind == "cron" else _SPAN).fullmatch(line)
    if found is None:
        raise ValueError(f"{line!r} is not a schedule; write it as {_FORMS}")
    if kind == "cron":
        return cron(line, found[1], parse_duration(found[2]), tz)
    return span(line, found[1], found[2], tz)


def daily(written: str) -> tuple[Range, ...]:
    """Read `02:00-02:30, 14:00-14:30`.

    Raises:
        ValueError: it is no such list.

    """
    times = [_times(part) for part in written.split(",")]
    return tuple(Range(day * DAY + begin, day * DAY + end) for day in range(7) for begin, end in times)


def weekly(written: str) -> tuple[Range, ...]:
    """Read `mon-fri 08:00-18:00`, `sat,sun`, `mon,wed 06:00-07:00, 18:00-19:00`.

    Raises:
        ValueError: it is no such list.

    """
    parts = [part.strip() for part in re.sub(r"\s*,\s*", ",", written.strip()).split(" ") if part.strip()]
    if not parts:
        raise ValueError("which days? write weekly mon-fri 08:00-18:00")
    days = [day for part in parts[0].split(",") for day in _days(part)]
    times = [_times(part) for part in "".join(parts[1:]).split(",")] if len(parts) > 1 else [(0, DAY)]
    return tuple(Range(day * DAY + begin, day * DAY + end) for day in days for begin, end in times)


def _days(written: str) -> list[int]:
    first, dash, last = written.lower().partition("-")
    for name in (first, last) if dash else (first,):
        if name not in _DAYS:
            raise ValueError(f"{name!r} is no day of the week (write {', '.join(_DAYS)}, or mon-fri)")
    if not dash:
        return [_DAYS.index(first)]
    begin, end = _DAYS.index(first), _DAYS.index(last)
    return [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]


def _times(written: str) -> tuple[int, int]:
    """Read `22:00-06:00` as seconds of the day; one over midnight ends beyond it."""
    found = _TIMES.fullmatch(written.strip())
    if found is None:
        raise ValueError(f"{written.strip()!r} is not a range of times; write it as 02:00-02:30")
    hours = [(int(found[1]), int(found[2])), (int(found[3]), int(found[4]))]
    for hour, minute in hours:
        if minute > 59 or hour * 60 + minute > 24 * 60:
            raise ValueError(f"{hour:02}:{minute:02} is no time of the day")
    begin, end = (hour * 3600 + minute * 60 for hour, minute in hours)
    if begin == end:
        raise ValueError(f"{written.strip()!r} has no length; for the whole day write 00:00-24:00")
    return begin, end if end > begin else end + DAY


def cron(line: str, expression: str, seconds: float, tz: tzinfo | None) -> Cron:
    """Make a schedule of a cron expression.

    Raises:
        ValueError: cronsim does not understand it, or it lasts longer than a week.

    """
    try:
        CronSim(expression, datetime(2026, 1, 1))  # noqa: DTZ001 - only to see whether it can be read
    except CronSimError as error:
        raise ValueError(f"{expression!r} is not a cron expression: {error} (minute hour day month weekday)") from None
    if not 0 < seconds <= WEEK:
        raise ValueError("'for' of a cron schedule is longer than 0 and at most 7d")
    return Cron(line, expression, seconds, tz)


def span(line: str, begin: str, end: str, tz: tzinfo | None) -> Span:
    """Make a schedule of two times.

    Raises:
        ValueError: they are no times, or the second is not later.

    """
    made = Span(line, _moment(begin), _moment(end), tz)
    if (made.begin.tzinfo is None) != (made.end.tzinfo is None):
        raise ValueError("'from' and 'to' both have a zone or neither has")
    if made.end <= made.begin:
        raise ValueError("'to' must be later than 'from'")
    return made


def _moment(written: str) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(f"{written!r} is not a time; write it as 2026-12-24T18:00 or 2026-12-24") from None


def read_schedules(written: Sequence[tuple[Node, tzinfo | None]], problems: Problems) -> dict[str, Schedule]:
    """Read the `schedules` of all files, each with the zone of its file's defaults; names are global."""
    items: dict[str, tuple[Node, tzinfo | None]] = {}
    for mapping, tz in written:
        section = Section(mapping, problems, "schedules")
        for name, node in section.values.items():
            if name in items:
                problems.append(mapping.key_problem(name, f"a schedule {name!r} is already there", "names are global"))
            elif not _NAME.fullmatch(name) or name in _KINDS:
                problems.append(mapping.key_problem(name, f"{name!r} is no name for a schedule", "letters, digits, _"))
            else:
                items[name] = (node, tz)
    return _resolved(items, problems)


def _resolved(items: Mapping[str, tuple[Node, tzinfo | None]], problems: Problems) -> dict[str, Schedule]:
    """Read each after those that it names; what names itself, through others, is a problem."""
    made: dict[str, Schedule] = {}
    left = dict(items)
    while left:
        ready = [name for name, (node, _) in left.items() if _names(node) not in left]
        if not ready:
            for name, (node, _) in left.items():
                problems.append(node.problem(f"schedule {name!r} is the opposite of itself", "break the circle"))
            return made
        for name in ready:
            node, tz = left.pop(name)
            schedule = _read(name, node, made, tz, problems)
            if schedule is not None:
                made[name] = schedule
    return made


def _names(node: Node) -> str:
    """Return the name of the schedule that one is the opposite of; empty where it names none."""
    if isinstance(node.value, dict):
        other = node.value.get("not")
        return other.text.strip() if other is not None else ""
    return node.text.partition("not ")[2].strip()


def _read(
    name: str, node: Node, made: Mapping[str, Schedule], tz: tzinfo | None, problems: Problems
) -> Schedule | None:
    if not isinstance(node.value, dict):
        line = Section(Node({name: node}, node.path, node.line, node.column), problems, "schedules")
        return line.take(name, lambda item: _line(item, made, tz), None)
    section = Section(node, problems, f"schedule {name!r}")
    tz = section.take("tz", read_zone, tz)
    seconds = section.take("for", duration, 0.0)
    end = section.take("to", text, "")
    found: list[Schedule] = []
    readers: dict[str, Callable[[Node], Schedule]] = {
        "daily": lambda item: Weekly(name, _ranges(daily, item), tz),
        "weekly": lambda item: Weekly(name, _ranges(weekly, item), tz),
        "cron": lambda item: cron(name, text(item), seconds, tz),
        "from": lambda item: span(name, text(item), end, tz),
        "not": lambda item: _inverse(name, text(item), made, tz),
    }
    kinds = [kind for kind in readers if section.get(kind) is not None]
    if len(kinds) != 1:
        section.report(node.problem(f"a schedule has one of {', '.join(_KINDS)}", "and tz beside it"))
    for kind in kinds:
        schedule = section.take(kind, _told(readers[kind]), None)
        found += [schedule] if schedule is not None else []
    for key, of in (("for", "cron"), ("to", "from")):
        if (key in section) != (of in kinds) and kinds:
            section.report(node.problem(f"{key!r} and {of!r} belong together"))
    section.finish()
    return found[0] if len(found) == 1 else None


def _ranges(read: Callable[[str], tuple[Range, ...]], item: Node) -> tuple[Range, ...]:
    return tuple(each for line in list_of(text)(item) for each in read(line))


def _told(read: Callable[[Node], Schedule]) -> Callable[[Node], Schedule]:
    """Turn a ValueError into a problem at the node."""

    def convert(item: Node) -> Schedule:
        try:
            return read(item)
        except ValueError as error:
            raise Bad(item, str(error)) from None

    return convert


def _line(node: Node, made: Mapping[str, Schedule], tz: tzinfo | None) -> Schedule:
    try:
        schedule = parse_schedule(text(node), made, tz)
    except ValueError as error:
        raise Bad(node, str(error)) from None
    if schedule is None:
        raise Bad(node, f"{node.text!r} is not a schedule", f"write it as {_FORMS}")
    return schedule
