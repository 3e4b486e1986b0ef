"""A rule as the engine and the alert book use it: compiled, checked, immutable. Its fields declare the keys of a rule.

To add a key: declare it in vocabulary.py, make it the declaration of a field here (`of(KEY)`), use the field in the
engine or the alert book, document it in docs/rules.md. All else follows from the declaration.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from hub.expressions import Program, Reading, Template, bare_names, literal
from hub.fields import KeyTable
from hub.ingest.decoding.decoder import Decoder
from hub.rules.reading.key_parts import KeyPart
from hub.rules.reading.rule_key import RuleKey, made_of, of, of_fields
from hub.rules.reading.rule_values import Cause, Gate, Limit, Offline, Repeat, Stamp, Step
from hub.rules.reading.vocabulary import (
    ABSENT,
    ACROSS,
    ALERT,
    BY,
    CLEAR,
    CLEAR_FOR,
    DECODE,
    DETAILS,
    EACH,
    ENABLED,
    ESCALATE,
    EVENT,
    FOR,
    GROUP_BY,
    GROUP_INTERVAL,
    GROUP_WAIT,
    LABELS,
    LIMIT,
    MUTE,
    NOTIFY,
    OFFLINE,
    PAUSE,
    REPEAT,
    RUNBOOK,
    SEVERITY,
    SHADOW,
    STALE,
    SUMMARY,
    TIMESTAMP,
    TOPIC,
    UNLESS,
    WHEN,
    WHERE,
)
from hub.rules.topics.topic_pattern import TopicPattern
from hub.schedules import Schedule

__all__ = ["FIELDS", "KEYS", "LABEL_NAMES", "RULE", "TEXT_NAMES", "Rule", "Texts"]


LABEL_NAMES = frozenset({"alertname", "severity"})
TEXT_NAMES = frozenset({"alertname", "state", "severity", "since", "episode", "id"})
"""Names that go before the payload's fields in `summary`, unless the rule has such a name itself.

`details` and `runbook` know `summary` too.
"""


@dataclass(frozen=True, slots=True)
class Texts:
    """What a rule says: templates, rendered when a transition happens."""

    labels: tuple[tuple[str, Template], ...]
    summary: Template
    details: Template | None
    runbook: Template | None
    of_absence: bool = False
    """Whether the rule's summary has words for an absent instance; else the hub makes them."""

    @property
    def templates(self) -> list[Template]:
        """All templates, labels first."""
        optional = [template for template in (self.details, self.runbook) if template is not None]
        return [*(template for _, template in self.labels), self.summary, *optional]

    @property
    def schedules(self) -> frozenset[str]:
        """The names of the schedules that the templates ask."""
        return frozenset().union(*(template.schedules for template in self.templates))

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The samples that the templates show, each once."""
        return tuple(dict.fromkeys(reading for template in self.templates for reading in template.history))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. The declaration of each key (vocabulary.py) says what it means; durations are seconds.

    `patterns` all have the captures `captures`, in that order. `by` names the captures or payload fields that make an
    instance, by their labels. `alert` tells an alert rule from an event rule. `learns`: `absent: auto`, where `absent`
    is the longest patience that can be learned. `schedules` are those that its expressions and texts name. `tz` is the
    zone of times that name none; None stands for the hub's own zone.
    """

    name: str
    alert: bool
    path: str
    line: int = 0
    patterns: tuple[TopicPattern, ...] = made_of(TOPIC, default=())
    captures: tuple[str, ...] = ()
    where: Program | None = of(WHERE)
    each: Program | None = of(EACH)
    by: tuple[str, ...] = made_of(BY, default=())
    across: tuple[KeyPart, ...] = made_of(ACROSS, default=())
    stale: float | None = of(STALE)
    when: Program | None = of(WHEN)
    hold: float = of(FOR)
    clear: Program | None = of(CLEAR)
    clear_hold: float = of(CLEAR_FOR)
    absent: float | None = of(ABSENT)
    learns: bool = False
    offline: Offline | None = of(OFFLINE)
    pause: Gate | None = of(PAUSE)
    mute: Gate | None = of(MUTE)
    causes: tuple[Cause, ...] = of(UNLESS)
    notify: tuple[str, ...] = of(NOTIFY)
    repeat: Repeat | None = of(REPEAT)
    escalate: tuple[Step, ...] = of(ESCALATE)
    group_by: tuple[str, ...] | None = of(GROUP_BY)
    group_wait: float = of(GROUP_WAIT)
    group_interval: float = of(GROUP_INTERVAL)
    limit: Limit | None = of(LIMIT)
    decode: Decoder | None = of(DECODE)
    stamp: Stamp | None = of(TIMESTAMP)
    shadow: bool = of(SHADOW)
    severity: str = of(SEVERITY)
    texts: Texts = made_of(LABELS, SUMMARY, DETAILS, RUNBOOK, default=Texts((), literal(""), None, None))
    enabled: bool = of(ENABLED)
    schedules: tuple[tuple[str, Schedule], ...] = ()
    tz: tzinfo | None = None
    by_written: tuple[str, ...] = ()
    """`by` as the user wrote it, where that differs from the labels: `after.id` has the label `id`."""
    by_programs: tuple[tuple[str, Program], ...] = ()
    """The labels of `by` whose values are those of expressions."""

    @property
    def signature(self) -> str:
        """A hash of all that an instance's state depends on.

        A reload keeps the instances of a rule whose signature is the same, and ends those of any other.
        """
        fields = {key.name: name for name, found in FIELDS.items() for key in found}
        parts = [part for key in KEYS for part in key.spelled(self, getattr(self, fields.get(key.name, "name")))]
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()

    @property
    def timestamp(self) -> Program | None:
        """The expression for an event's own time."""
        return None if self.stamp is None else self.stamp.at

    @property
    def late(self) -> float:
        """How far out of order messages may come, in seconds; 0 where the rule does not say."""
        return 0.0 if self.stamp is None else self.stamp.late

    @property
    def ways(self) -> dict[str, tuple[str, ...]]:
        """For each name in `by` that is no capture, the fields that lead to its value in a payload."""
        written, made = zip(self.by, self.by_written or self.by, strict=True), dict(self.by_programs)
        return {
            name: tuple(way.split("."))
            for name, way in written
            if name not in made and (name not in self.captures or "." in way)
        }

    @property
    def by_spelled(self) -> tuple[str, ...]:
        """`by` as it stands in the signature: a list as it was written, expressions with their labels."""
        written, ways = self.by_written or self.by, self.ways
        if not self.by_programs and all(way[-1] == name for name, way in ways.items()):
            return written
        return tuple(f"{name}: {text}" for name, text in zip(self.by, written, strict=True))

    @property
    def event_members(self) -> frozenset[str]:
        """The members of `event` that its conditions and texts name."""
        asked = [program.event_members for program in (*self.conditions, *([self.timestamp] if self.timestamp else []))]
        return frozenset().union(*asked, *(template.event_members for template in self.texts.templates))

    @property
    def own_names(self) -> frozenset[str]:
        """The names that the rule gives a meaning: captures, parts of `by`, bare fields of `when` and `clear`."""
        asked = [program for program in (self.when, self.clear) if program is not None]
        fields = [program.fields & bare_names(program.text) for program in asked]
        return frozenset({*self.captures, *self.by, *self.names}.union(*fields))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its topics, where they are a map."""
        return tuple(pattern.name for pattern in self.patterns if pattern.name)

    @property
    def asks_device(self) -> bool:
        """Whether the attributes of a device may change what `when` or `clear` of an alert says."""
        asked = [program for program in (self.when, self.clear) if program is not None and program.asks_event]
        return self.alert and "device" not in self.captures and any("device" in program.text for program in asked)

    @property
    def conditions(self) -> list[Program]:
        """Its conditions: `when`, `clear`, and those of `pause` and `mute`, as far as it has them."""
        gates = [gate.condition for gate in (self.pause, self.mute) if gate is not None]
        return [program for program in (self.when, self.clear, *gates) if program is not None]

    @property
    def turning(self) -> frozenset[str]:
        """The schedules that may change a condition's answer without a message; `when` of an event waits for one."""
        gates = [gate.condition for gate in (self.pause, self.mute) if gate is not None]
        asked = [*gates, *((self.when, self.clear) if self.alert else ())]
        return frozenset().union(*(program.schedules for program in asked if program is not None))

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The samples of its instances that conditions and texts look at, each once."""
        asked = [reading for program in self.conditions for reading in program.history]
        return tuple(dict.fromkeys([*asked, *self.texts.readings]))

    @property
    def label_names(self) -> frozenset[str]:
        """The names of the labels that its alerts have."""
        return frozenset({*LABEL_NAMES, *self.captures, *self.by, *(name for name, _ in self.texts.labels)})

    @property
    def unless(self) -> tuple[str, ...]:
        """The names of the alerts that suppress this one's notifications."""
        return tuple(cause.alert for cause in self.causes)

    @property
    def place(self) -> str:
        """Where the rule is written, `file:line`."""
        return f"{self.path}:{self.line}"


FIELDS: Mapping[str, tuple[RuleKey[Any], ...]] = of_fields(Rule, one=True)
"""The fields of a rule that have the value of one key, as it is read."""
KEYS: tuple[RuleKey[Any], ...] = (ALERT, EVENT, *(key for keys in of_fields(Rule).values() for key in keys))
"""All keys of a rule, in the order in which the docs and the schema list them."""


def _either() -> list[Mapping[str, Any]]:
    """Return the schema's part that tells alerts from events: what each needs, and what an event cannot have."""
    lacks = [{"required": [key.name]} for key in KEYS if key.alert_only]
    needs = [{"required": [name]} for name in ("when", "absent", "offline")]
    alert = {"required": ["alert"], "anyOf": needs, "not": {"required": ["event"]}}
    return [alert, {"required": ["event"], "not": {"anyOf": [{"required": ["alert"]}, *lacks]}}]


RULE = KeyTable("a rule", *KEYS, oneOf=_either())
