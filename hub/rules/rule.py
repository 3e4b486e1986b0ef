"""A rule as the engine and the alert book use it: compiled, checked, immutable."""

import hashlib
from dataclasses import dataclass
from datetime import tzinfo

from hub.expressions import Program, Reading, Template, bare_names
from hub.rules.keys import Cause, Gate, Limit, Repeat, Step
from hub.rules.pattern import Pattern
from hub.schedules import Schedule

__all__ = ["LABEL_NAMES", "TEXT_NAMES", "Rule", "Texts"]

LABEL_NAMES = frozenset({"alertname", "severity"})
TEXT_NAMES = frozenset({"alertname", "state", "severity", "since", "episode", "id"})
"""Names that stand before others in `summary`, but for those the rule has itself; `details` knows `summary` too."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What a rule says: templates, rendered when a transition happens."""

    labels: tuple[tuple[str, Template], ...]
    summary: Template
    details: Template | None
    runbook: Template | None
    of_silence: bool = False
    """Whether the summary has words of its own for an instance that says nothing; else the hub makes them."""

    @property
    def templates(self) -> list[Template]:
        """All of them."""
        optional = [template for template in (self.details, self.runbook) if template is not None]
        return [*(template for _, template in self.labels), self.summary, *optional]

    @property
    def schedules(self) -> frozenset[str]:
        """The schedules that they name."""
        return frozenset().union(*(template.schedules for template in self.templates))

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The samples that they show."""
        return tuple(dict.fromkeys(reading for template in self.templates for reading in template.history))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `hold`, `clear_hold` and `absent` are the seconds of `for`, `clear_for` and `absent`.

    `patterns` all have the captures `captures`, in that order. `by` names the captures or payload fields that make an
    instance, by their labels. `causes` are the entries of `unless`. `alert` tells an alert rule from an event rule.
    `learns`: `absent: auto`, where `absent` is the longest that can be learned. `schedules` are those that its
    expressions and texts name. `tz` is the zone of times that name none, the hub's own where it is None.
    """

    name: str
    alert: bool
    patterns: tuple[Pattern, ...]
    captures: tuple[str, ...]
    by: tuple[str, ...]
    when: Program | None
    hold: float
    clear: Program | None
    clear_hold: float
    absent: float | None
    learns: bool
    pause: Gate | None
    mute: Gate | None
    causes: tuple[Cause, ...]
    notify: tuple[str, ...]
    repeat: Repeat | None
    escalate: tuple[Step, ...]
    group_by: tuple[str, ...] | None
    group_wait: float
    group_interval: float
    limit: Limit | None
    timestamp: Program | None
    shadow: bool
    severity: str
    texts: Texts
    enabled: bool
    path: str
    line: int
    schedules: tuple[tuple[str, Schedule], ...] = ()
    tz: tzinfo | None = None
    by_written: tuple[str, ...] = ()
    """`by` as it is written where that differs: `after.id` has the label `id`."""

    @property
    def signature(self) -> str:
        """What an instance's state depends on: a rule changed in anything else keeps its instances."""
        when, by = self.when.text if self.when else "", self.by_written or self.by
        parts = [self.name, str(self.alert), *(p.text for p in self.patterns), *by, when, str(self.hold)]
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()

    @property
    def ways(self) -> dict[str, tuple[str, ...]]:
        """How each name in `by` that is no capture is found in a payload: the fields that lead to it."""
        written = zip(self.by, self.by_written or self.by, strict=True)
        return {name: tuple(way.split(".")) for name, way in written if name not in self.captures or "." in way}

    @property
    def own_names(self) -> frozenset[str]:
        """What the rule calls so itself: captures, parts of the instance, bare fields of `when` and `clear`."""
        asked = [program for program in (self.when, self.clear) if program is not None]
        fields = [program.fields & bare_names(program.text) for program in asked]
        return frozenset({*self.captures, *self.by}.union(*fields))

    @property
    def conditions(self) -> list[Program]:
        """All of them: `when`, `clear`, and those of `pause` and `mute`."""
        gates = [gate.condition for gate in (self.pause, self.mute) if gate is not None]
        return [program for program in (self.when, self.clear, *gates) if program is not None]

    @property
    def turning(self) -> frozenset[str]:
        """The schedules with which a condition may turn without a message; an event rule's `when` waits for one."""
        gates = [gate.condition for gate in (self.pause, self.mute) if gate is not None]
        asked = [*gates, *((self.when, self.clear) if self.alert else ())]
        return frozenset().union(*(program.schedules for program in asked if program is not None))

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The samples of its instances that conditions and texts look at."""
        found = [reading for program in self.conditions for reading in program.history]
        return tuple(dict.fromkeys([*found, *self.texts.readings]))

    @property
    def label_names(self) -> frozenset[str]:
        """The labels that its alerts have."""
        return frozenset({*LABEL_NAMES, *self.captures, *self.by, *(name for name, _ in self.texts.labels)})

    @property
    def unless(self) -> tuple[str, ...]:
        """The names of the alerts that hold this one back."""
        return tuple(cause.alert for cause in self.causes)

    @property
    def place(self) -> str:
        """Where it is written."""
        return f"{self.path}:{self.line}"
