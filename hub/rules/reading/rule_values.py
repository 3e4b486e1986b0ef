"""The values of a rule's keys that are more than a word (topic, pause, repeat, escalate, …), and their readers.

A reader takes a Node and returns the value, or raises Bad with what to write instead. It carries its JSON Schema.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from itertools import pairwise
from typing import Any

from hub.documents.document import Node, Problems
from hub.documents.duration import parse_duration
from hub.documents.value_schema import (
    CONDITION,
    DURATION,
    LABEL,
    LASTING,
    NAMES,
    SPAN,
    TEXT,
    list_schema,
    names_schema,
    schema_of,
    with_schema,
)
from hub.errors import CompileError
from hub.expressions import Program, Scope, compile_condition, compile_expression
from hub.expressions.names import BUILTINS
from hub.fields import Bad, Convert, Key, KeyTable, Section, ToldElsewhere, did_you_mean, duration, late, list_of, text
from hub.limits import (
    ABSENT_LEARNED_SECONDS,
    GROUP_INTERVAL_LEAST_SECONDS,
    GROUP_SECONDS,
    LIMIT_COUNT,
    LIMIT_SECONDS,
    OUT_OF_ORDER_SECONDS,
    REPEAT_SECONDS,
    UNLESS_AFTER_MOST_SECONDS,
    UNLESS_AFTER_SECONDS,
)
from hub.printable import first_odd, odd, plain
from hub.rules.reading.compiled import compiled
from hub.rules.topics.topic_pattern import TopicPattern, parse_pattern
from hub.schedules import Schedule, parse_schedule, read_zone

__all__ = [
    "OFFLINE",
    "Cause",
    "Gate",
    "KnownNames",
    "Limit",
    "Offline",
    "Repeat",
    "Stamp",
    "Step",
    "absent",
    "causes",
    "gate",
    "group_interval",
    "group_wait",
    "is_name",
    "labels_of",
    "limit",
    "names_of",
    "offline",
    "repeat",
    "rule_name",
    "stale",
    "stamp",
    "steps",
    "topic",
]

_PER = re.compile(r"([0-9]+)\s*/\s*([0-9a-z.]+)")
_OPPOSITE = re.compile(r"not\s+(\w+)")
_BETWEEN = re.compile(r"\s*[,;]\s*|\s+(?:and\s+)?")
_A_TIME = DURATION[1:-1]
_UNTIL_ACK = re.compile(r"(?:,\s*|\s+)until\s+ack$")


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The names that rules of all files may use: receivers and schedules."""

    receivers: Collection[str] = ()
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    """Schedules with problems of their own: a rule that names one gets no second problem for that."""
    whole: bool = True
    """Whether all files could be read; else an unknown name may stand in a file that could not."""


@dataclass(frozen=True, slots=True)
class Gate:
    """`pause` or `mute`: either a schedule or a condition; `text` is what the user wrote."""

    text: str
    schedule: Schedule | None = None
    condition: Program | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """`repeat`: the seconds to wait after the first telling, after the second, …; the last one goes on for ever."""

    intervals: tuple[float, ...]

    def interval(self, told: int) -> float:
        """Return how long to wait after the `told`-th telling (from 1)."""
        return self.intervals[min(told, len(self.intervals)) - 1]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of `escalate`: seconds after the first telling, and who is told then."""

    after: float
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """`limit`: at most `count` notifications of one instance in any `seconds`."""

    count: int
    seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class Cause:
    """One entry of `unless`: the alert that explains this one, and for how many seconds after its end it still does."""

    alert: str
    after: float = UNLESS_AFTER_SECONDS


def gate(known: KnownNames, tz: tzinfo | None, scope: Scope) -> Convert[Gate]:
    """Make a reader of `pause` and `mute`; a condition has the names of `scope`, those of schedules among them."""

    def convert(node: Node) -> Gate:
        written = text(node)
        opposite = _OPPOSITE.fullmatch(written.strip())
        if opposite and opposite[1] not in known.schedules and (opposite[1] in known.unread or not known.whole):
            raise ToldElsewhere(node)
        try:
            schedule = parse_schedule(written, known.schedules, tz)
        except ValueError as error:
            raise Bad(node, str(error)) from None
        if schedule is not None:
            return Gate(written, schedule)
        return Gate(written, condition=compiled(node, compile_condition, scope))

    return convert


@with_schema({"type": "string", "pattern": rf"^{_A_TIME}(,\s*{_A_TIME})*((,\s*|\s+)until\s+ack)?$"})
def repeat(node: Node) -> Repeat:
    """Read `1h`, `1h until ack`, `5m, 15m, 1h until ack`.

    `until ack` is only for readers: an acknowledgement ends every repetition, with or without the words.
    """
    written = text(node).strip()
    listed = _UNTIL_ACK.sub("", written)
    intervals = []
    for part in listed.split(","):
        try:
            seconds = parse_duration(part.strip())
        except ValueError as error:
            raise Bad(node, str(error), "write 1h, 1h until ack, or 5m, 15m, 1h until ack") from None
        if seconds < REPEAT_SECONDS:
            raise Bad(node, f"'repeat' of less than {REPEAT_SECONDS:.0f} s would bury its receivers")
        intervals.append(seconds)
    return Repeat(tuple(intervals))


@with_schema({"type": "string", "pattern": r"^[0-9]+\s*/\s*[0-9a-z.]+$"})
def limit(node: Node) -> Limit:
    """Read `10/h`, `3/10m`."""
    written = text(node).strip()
    found = _PER.fullmatch(written)
    if found is None:
        raise Bad(node, f"{written!r} is not a limit", "write 10/h, 3/10m or 1/d")
    unit = found[2] if found[2][0].isdigit() else f"1{found[2]}"
    try:
        seconds = parse_duration(unit)
    except ValueError:
        raise Bad(node, f"{found[2]!r} is not a time", "write 10/h, 3/10m or 1/d") from None
    if not 0 < int(found[1]) <= LIMIT_COUNT:
        raise Bad(node, f"a limit is 1 to {LIMIT_COUNT} notifications")
    if not 0 < seconds <= LIMIT_SECONDS:
        raise Bad(node, "a limit counts over 31 days at most")
    return Limit(int(found[1]), seconds, written)


def names_of(what: str, known: Collection[str], *, whole: bool = True) -> Convert[tuple[str, ...]]:
    """Make a reader of names that must be known; it returns each once.

    Without `whole`, an unknown name is left out without a problem: it may stand in a file that could not be read.
    """

    def convert(node: Node) -> str:
        name = text(node)
        if name not in known:
            if not whole:
                raise ToldElsewhere(node)
            raise Bad(node, f"no {what} {name!r}", _meant(what, name, known))
        return name

    return with_schema(NAMES)(lambda node: tuple(dict.fromkeys(list_of(convert)(node))))


def _meant(what: str, name: str, known: Collection[str]) -> str:
    several = _BETWEEN.split(name.strip())
    if len(several) > 1 and any(each in known for each in several):
        return f"several are a list: [{', '.join(several)}]"
    if "://" in name or "@" in name:
        return f"an address stands under {what}s, and its name here"
    return did_you_mean(name, known) or f"known {what}s: {', '.join(sorted(known)) or 'none'}"


_STEP_AFTER = Key("after", duration, 0.0, "Since the first telling.", "15m", required=True)
_STEP_TO: Key[tuple[str, ...]] = Key(
    "to", late, (), "Names of receivers who are told then.", ["boss"], required=True, schema=NAMES
)
STEP = KeyTable("a step", _STEP_AFTER, _STEP_TO)
"""An entry of `escalate`."""


def steps(problems: Problems, known: KnownNames) -> Convert[tuple[Step, ...]]:
    """Make a reader of `escalate`."""
    names = names_of("receiver", known.receivers, whole=known.whole)

    def convert(node: Node) -> Step:
        section = Section(node, problems, "a step of 'escalate'", STEP)
        made = Step(section.take(_STEP_AFTER), section.take(_STEP_TO, names))
        section.finish()
        return made

    def convert_all(node: Node) -> tuple[Step, ...]:
        made = list_of(convert)(node)
        for earlier, later in pairwise(made):
            if later.after <= earlier.after:
                raise Bad(node, "each step of 'escalate' must come later than the one before it")
        return made

    return convert_all


@with_schema(SPAN)
def _cause_after(node: Node) -> float:
    seconds = duration(node)
    if seconds > UNLESS_AFTER_MOST_SECONDS:
        raise Bad(node, "'after' is one day at most: what fires longer than that should be told")
    return seconds


_CAUSE_ALERT = Key("alert", text, "", "The name of the alert that explains this one.", "GatewayOffline", required=True)
_CAUSE_AFTER = Key(
    "after",
    _cause_after,
    UNLESS_AFTER_SECONDS,
    "For how long it still does when it has ended, at most 1d; 10s where nothing is said.",
    "2m",
)
CAUSE = KeyTable("a cause", _CAUSE_ALERT, _CAUSE_AFTER)
"""An entry of `unless` that is more than a name."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """`timestamp`: the expression, the zone of times that name none (None: the rule's), how late messages may be."""

    at: Program
    tz: tzinfo | None = None
    late: float = 0.0

    @property
    def text(self) -> str:
        """What the user wrote."""
        return self.at.text


@with_schema(SPAN)
def _stamp_late(node: Node) -> float:
    seconds = duration(node)
    if seconds > OUT_OF_ORDER_SECONDS:
        raise Bad(node, "'late' is 7 days at most: an older time is not believed")
    return seconds


_STAMP_AT: Key[Program | None] = Key(
    "at", late, None, "The event's own time, as in the short form.", "ts", required=True, schema=TEXT
)
_STAMP_TZ: Key[tzinfo | None] = Key(
    "tz", read_zone, None, "The time zone of times that come without one, by its IANA name.", "Europe/Berlin"
)
_STAMP_LATE = Key(
    "late",
    _stamp_late,
    0.0,
    "How far out of order messages may come; an older one is not heard, and that is told.",
    "15m",
)
STAMP = KeyTable("'timestamp'", _STAMP_AT, _STAMP_TZ, _STAMP_LATE)
"""The long form of `timestamp`."""


def stamp(problems: Problems, scope: Scope) -> Convert[Stamp]:
    """Make a reader of `timestamp`: an expression, or `{at, tz, late}`."""

    def program(node: Node) -> Program:
        made: Program = compiled(node, compile_expression, scope)
        return made

    def convert(node: Node) -> Stamp:
        if not isinstance(node.value, dict):
            return Stamp(program(node))
        section = Section(node, problems, "'timestamp'", STAMP)
        before = len(problems)
        at = section.take(_STAMP_AT, program)
        zone, seconds = section.take(_STAMP_TZ), section.take(_STAMP_LATE)
        section.finish()
        if at is None or len(problems) > before:
            raise ToldElsewhere(node)
        return Stamp(at, zone, seconds)

    return convert


def causes(problems: Problems) -> Convert[tuple[Cause, ...]]:
    """Make a reader of `unless`: names of alerts, or `{alert, after}`."""

    def convert(node: Node) -> Cause:
        if not isinstance(node.value, dict):
            return Cause(text(node))
        section = Section(node, problems, "'unless'", CAUSE)
        made = Cause(section.take(_CAUSE_ALERT), section.take(_CAUSE_AFTER))
        section.finish()
        return made

    return list_of(convert)


@with_schema(SPAN)
def group_wait(node: Node) -> float:
    """Read `group_wait`, in seconds."""
    return _group_time(node, "group_wait", 0.0)


@with_schema(LASTING)
def group_interval(node: Node) -> float:
    """Read `group_interval`, in seconds."""
    return _group_time(node, "group_interval", GROUP_INTERVAL_LEAST_SECONDS)


def _group_time(node: Node, key: str, least: float) -> float:
    seconds = duration(node)
    if not least <= seconds <= GROUP_SECONDS:
        raise Bad(node, f"'{key}' is from {least:.0f} s to 7 days")
    return seconds


@with_schema(TEXT)
def rule_name(node: Node) -> str:
    """Read the name of a rule; it is also a level of topics, and the label alertname."""
    name = text(node)
    if not 0 < len(name) <= 128 or "/" in name or not name.isprintable():
        raise Bad(node, "a rule's name is 1 to 128 printable characters without /")
    return name


@with_schema({**TEXT, "minLength": 1, "pattern": r"^[^\x00]*$"})
def _pattern(node: Node) -> TopicPattern:
    try:
        pattern = parse_pattern(text(node))
    except ValueError as error:
        at = first_odd(node.text)
        hint = f"it holds {odd(node.text[at])[0]}: write {plain(node.text).strip()}" if at >= 0 else ""
        raise Bad(node, f"not a topic: {error}", hint) from None
    for name in pattern.captures:
        if not is_name(name):
            raise Bad(node, f"{{{name}}} is a word of the expression language", "give the capture another name")
    return pattern


def is_name(word: str) -> bool:
    """Tell whether an expression can ask for a capture by this name: `in`, `true` or `if` are none."""
    try:
        return word in compile_expression(word, Scope((word,))).captures
    except CompileError:
        return False


_patterns = list_of(_pattern)


@with_schema({"anyOf": [list_schema(schema_of(_pattern), least=1), {"type": "object", "additionalProperties": TEXT}]})
def topic(node: Node) -> tuple[TopicPattern, ...]:
    """Read `topic`: one pattern, a list of them, or a map of names and patterns."""
    if not isinstance(node.value, dict) or (node.value and all(each.value is None for each in node.value.values())):
        return _patterns(node)
    made = tuple(replace(_pattern(item), name=_name_of_topic(name, item, node)) for name, item in node.value.items())
    filters = [pattern.filter for pattern in made]
    for pattern in made:
        if filters.count(pattern.filter) > 1:
            raise Bad(node, f"two names have the topic {pattern.filter}", "one name is enough for a topic")
    return made


def _name_of_topic(name: str, item: Node, whole: Node) -> str:
    captured = re.findall(r"\{(\w+)", " ".join(each.text for each in whole.value.values()))
    taken = "a capture has that name" if name in captured else ""
    taken = "expressions mean something else by it" if name in BUILTINS else taken
    if not name.isidentifier() or not is_name(name) or taken:
        why = taken or "a name has letters, digits and _, and is no word of expressions"
        raise Bad(item, f"{name!r} cannot be the name of a topic", f"{why}: choose another")
    return name


@dataclass(frozen=True, slots=True)
class Offline:
    """What says that a device is gone: the topic, and the condition over its message."""

    pattern: TopicPattern
    when: Program

    @property
    def text(self) -> str:
        """It as the user wrote it."""
        return f"{self.pattern.text} {self.when.text}"


_OFFLINE_TOPIC = Key(
    "topic",
    _pattern,
    None,
    "The topic that says it: its captures are among the rule's.",
    "tele/{device}/LWT",
    required=True,
)
_OFFLINE_WHEN: Key[Any] = Key(
    "when",
    late,
    None,
    "The condition over that topic's message under which it is gone.",
    'value == "Offline"',
    required=True,
    schema=CONDITION,
)
OFFLINE = KeyTable("'offline'", _OFFLINE_TOPIC, _OFFLINE_WHEN)
"""The form of `offline`."""


def offline(problems: Problems, scope: Scope) -> Convert[Offline]:
    """Make a reader of `offline`: `{topic, when}`, where `scope` has the captures of the rule."""

    def convert(node: Node) -> Offline:
        if not isinstance(node.value, dict):
            hint = 'offline: {topic: "tele/{device}/LWT", when: value == "Offline"}'
            raise Bad(node, "'offline' is a mapping of topic and when", hint)
        section, before = Section(node, problems, "'offline'", OFFLINE), len(problems)
        pattern = section.take(_OFFLINE_TOPIC)
        when = section.take(_OFFLINE_WHEN, lambda item: compiled(item, compile_condition, scope))
        section.finish()
        if pattern is None or when is None or len(problems) > before:
            raise ToldElsewhere(node)
        if strange := [name for name in pattern.captures if name not in scope.captures]:
            message = f"{{{strange[0]}}} is no capture of the rule's topic"
            raise Bad(
                node.value["topic"], message, f"it has {', '.join(scope.captures) or 'none'}; write + in its place"
            )
        return Offline(pattern.ordered(scope.captures), when)

    return convert


@with_schema(names_schema(LABEL))
def labels_of(node: Node) -> tuple[str, ...]:
    """Read `group_by`: names of labels."""
    names = list_of(text)(node)
    for name in names:
        if not name.isidentifier():
            raise Bad(node, f"{name!r} is not the name of a capture or payload field")
    if len(set(names)) < len(names):
        raise Bad(node, "a name stands twice")
    return names


@with_schema({"type": "string", "pattern": DURATION})
def stale(node: Node) -> float:
    """Read `stale`, in seconds."""
    seconds = duration(node)
    if not seconds:
        raise Bad(node, "'stale' must be longer than 0", "how long a member may say nothing: 15m")
    return seconds


@with_schema({"anyOf": [{"type": "string", "pattern": DURATION}, {"const": "auto"}]})
def absent(node: Node) -> float:
    """Read `absent`, in seconds; `auto` stands for the longest patience that can be learned."""
    if node.text == "auto":
        return ABSENT_LEARNED_SECONDS
    if isinstance(node.value, bool) or node.text.isalpha():
        raise Bad(node, f"{node.text!r} is no time", "write 10m, or auto, which learns each device's interval")
    seconds = duration(node)
    if not seconds:
        raise Bad(node, "'absent' must be longer than 0", "or auto, which learns each device's interval")
    return seconds
