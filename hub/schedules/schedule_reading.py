"""Reads `schedules` of rule files, with their zones; a schedule that names another is read after that one."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from hub.documents.document import Node, Problems
from hub.documents.value_schema import LASTING, NAME, TEXT, Schema, list_schema, one_required, with_schema
from hub.expressions import is_word
from hub.fields import Bad, Key, KeyTable, Section, did_you_mean, duration, late, list_of, text
from hub.schedules.schedule import Range, Schedule, Weekly
from hub.schedules.schedule_line import FORMS, KINDS, cron, daily, inverse, moment, parse_schedule, span, weekly

__all__ = ["SCHEDULE", "read_schedules", "read_zone", "schedules_schema"]

T = TypeVar("T")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@with_schema(TEXT)
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


def read_schedules(written: Sequence[tuple[Node, tzinfo | None]], problems: Problems) -> dict[str, Schedule]:
    """Read the `schedules` of all files, each with the zone of its file's defaults; names are global."""
    reader = _Reader(problems)
    for mapping, tz in written:
        section = Section(mapping, problems, "schedules")
        for name, node in section.values.items():
            first = reader.items.get(name)
            if first is not None:
                there = f"{first[0].path}:{first[0].line}"
                problems.append(mapping.key_problem(name, f"a schedule {name!r} is already in {there}", "rename one"))
            elif not _NAME.fullmatch(name) or name in KINDS:
                problems.append(mapping.key_problem(name, f"{name!r} is no name for a schedule", "letters, digits, _"))
            elif is_word(name):  # a schedule's name may stand in every expression
                message = f"{name!r} is a word of the expression language"
                problems.append(mapping.key_problem(name, message, "give the schedule another name"))
            else:
                reader.items[name] = (node, tz)
    return reader.read()


@dataclass(slots=True)
class _Reader:
    """The schedules as they are written, and those that were read."""

    problems: Problems
    items: dict[str, tuple[Node, tzinfo | None]] = field(default_factory=dict)
    made: dict[str, Schedule] = field(default_factory=dict)

    def read(self) -> dict[str, Schedule]:
        """Read each schedule after the one that it names; naming one that has a problem is no second problem."""
        done: set[str] = set()
        for name in self.items:
            chain: dict[str, None] = {}
            other = name
            while other in self.items and other not in done and other not in chain:
                chain[other] = None
                other = _named(self.items[other][0])
            names = list(chain)
            if other in chain:
                self.circle(names[names.index(other) :])
            else:
                for each in reversed(names):
                    self.one(each)
            done.update(chain)
        return self.made

    def circle(self, names: Sequence[str]) -> None:
        """Report names that lead back to themselves."""
        way = " → ".join([*names, names[0]])
        message = f"schedule {names[0]!r} is the opposite of itself" if len(names) == 1 else f"a circle: {way}"
        self.problems.append(self.items[names[0]][0].problem(message, "write out the times of one"))

    def one(self, name: str) -> None:
        """Read one schedule; the one that it names was read before."""
        node, tz = self.items[name]
        other = _named(node)
        if other in self.items and other not in self.made:
            return
        schedule = None
        if node.value is None:
            self.problems.append(node.problem(f"schedule {name!r} says nothing", f"write it as {FORMS}"))
        elif isinstance(node.value, dict):
            schedule = _mapping(name, Section(node, self.problems, f"schedule {name!r}", SCHEDULE), self.made, tz)
        else:
            holder = Section(Node({name: node}, node.path, node.line, node.column), self.problems, "schedules")
            schedule = holder.take(name, lambda item: _line(item, self.made, tz), None)
        if schedule is not None:
            self.made[name] = schedule


def _named(node: Node) -> str:
    """Return the name of the schedule that this one names (`not office`, `office`); empty where it names none."""
    if isinstance(node.value, dict):
        other = node.value.get("not")
        written = "" if other is None else other.text
    else:
        written = node.text
    words = written.split()
    return words[-1] if words and words[:-1] in ([], ["not"]) else ""


def _mapping(name: str, section: Section, made: Mapping[str, Schedule], tz: tzinfo | None) -> Schedule | None:
    """Read `{weekly: mon-fri 08:00-18:00, tz: Europe/Berlin}`."""
    zone = section.take(_TZ, default=tz)
    readers: dict[Key[Any], Callable[[Node], Schedule | None]] = {
        _DAILY: lambda item: Weekly(name, _ranges(daily, item), zone),
        _WEEKLY: lambda item: Weekly(name, _ranges(weekly, item), zone),
        _CRON: lambda item: _cron(name, section, item, zone),
        _FROM: lambda item: _span(name, section, item, zone),
        _NOT: lambda item: inverse(name, text(item), made, zone),
    }
    kinds = [kind for kind in readers if section.get(kind) is not None]
    for kind, key in ((_CRON, _FOR), (_FROM, _TO)):
        if section.get(key) is not None and kinds and kind not in kinds:
            section.report(section.node.key_problem(key.name, f"{key.name!r} stands only beside {kind.name!r}"))
    schedule = None
    if len(kinds) == 1:
        schedule = section.take(kinds[0], _told(readers[kinds[0]]), None)
    else:
        section.report(section.node.problem(f"a schedule has one of {', '.join(KINDS)}", "and tz beside it"))
    section.finish()
    return schedule


def _cron(name: str, section: Section, item: Node, tz: tzinfo | None) -> Schedule | None:
    section.need(_FOR)
    seconds = section.take(_FOR)
    return None if seconds is None else cron(name, text(item), seconds, tz)


def _span(name: str, section: Section, item: Node, tz: tzinfo | None) -> Schedule | None:
    begin = moment(text(item))
    section.need(_TO)
    end = section.take(_TO, _told(lambda to: moment(text(to))))
    return None if end is None else span(name, begin, end, tz)


def _ranges(read: Callable[[str], tuple[Range, ...]], item: Node) -> tuple[Range, ...]:
    return tuple(each for ranges in list_of(_told(lambda part: read(text(part))))(item) for each in ranges)


def _told(read: Callable[[Node], T]) -> Callable[[Node], T]:
    """Turn a ValueError into a problem at the node."""

    def convert(item: Node) -> T:
        try:
            return read(item)
        except ValueError as error:
            raise Bad(item, str(error)) from None

    return convert


def _line(node: Node, made: Mapping[str, Schedule], tz: tzinfo | None) -> Schedule:
    schedule = _told(lambda item: parse_schedule(text(item), made, tz))(node)
    if schedule is None:
        raise Bad(node, f"{node.text!r} is not a schedule", f"write it as {FORMS}")
    return schedule


_DAILY: Key[Any] = Key(
    "daily",
    late,
    None,
    "Each day between these times.",
    *("02:00-02:30", ["06:00-07:00", "18:00-19:00"]),
    schema=list_schema({"type": "string", "pattern": "[0-9]{1,2}:[0-9]{2}"}),
)
_WEEKLY: Key[Any] = Key(
    "weekly",
    late,
    None,
    "On these days of the week, between these times or the whole day.",
    *("mon-fri 08:00-18:00", "sat,sun"),
    schema=list_schema({"type": "string", "pattern": "(?i)mon|tue|wed|thu|fri|sat|sun"}),
)
_CRON: Key[Any] = Key(
    "cron",
    late,
    None,
    "From each time that a cron expression names, for the time in 'for'.",
    "0 2 * * sun",
    schema=TEXT,
)
_FOR = Key("for", duration, None, "How long it holds from each time of cron, at most 7d.", "2h", schema=LASTING)
_FROM: Key[Any] = Key("from", late, None, "Once, from this time; beside 'to'.", "2026-12-24T18:00", schema=TEXT)
_TO: Key[Any] = Key("to", late, None, "The end of 'from'.", "2026-12-27", schema=TEXT)
_NOT: Key[Any] = Key("not", late, None, "Whenever that schedule does not hold.", "office", schema=TEXT)
_TZ = Key(
    "tz",
    read_zone,
    None,
    "The time zone of schedules that name none, by its IANA name.",
    "Europe/Berlin",
)
SCHEDULE = KeyTable(
    "a schedule",
    *(_DAILY, _WEEKLY, _CRON, _FOR, _FROM, _TO, _NOT, _TZ),
    **one_required(*KINDS),
    dependencies={"for": ["cron"], "cron": ["for"], "to": ["from"], "from": ["to"]},
)


def schedules_schema() -> Schema:
    """Return the schema of the `schedules` mapping."""
    written = {"type": "string", "pattern": f"^\\s*({'|'.join(KINDS)})\\s"}
    return {
        "type": "object",
        "propertyNames": {"pattern": NAME, "not": {"enum": list(KINDS)}},
        "additionalProperties": {"anyOf": [SCHEDULE.schema, written]},
    }
