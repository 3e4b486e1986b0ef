"""A rule as the engine and the alert book use it: compiled, checked, immutable."""

import hashlib
from dataclasses import dataclass

from hub.expressions import Program, Reading, Template
from hub.rules.pattern import Pattern

__all__ = ["LABEL_NAMES", "TEXT_NAMES", "Rule", "Texts"]

LABEL_NAMES = frozenset({"alertname", "severity"})
TEXT_NAMES = frozenset({"alertname", "state", "severity", "since", "episode", "id"})
"""Names that stand before all others in `summary`; `details` knows `summary` too."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What a rule says: templates, rendered when a transition happens."""

    labels: tuple[tuple[str, Template], ...]
    summary: Template
    details: Template | None

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The samples that they show."""
        templates = [template for _, template in self.labels] + [
            self.summary,
            *([self.details] if self.details else []),
        ]
        return tuple(dict.fromkeys(reading for template in templates for reading in template.history))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `hold`, `clear_hold` and `absent` are the seconds of `for`, `clear_for` and `absent`.

    `patterns` all have the captures `captures`, in that order. `by` names the captures or payload fields that make an
    instance. `alert` tells an alert rule from an event rule.
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
    notify: tuple[str, ...]
    severity: str
    texts: Texts
    enabled: bool
    path: str
    line: int

    @property
    def signature(self) -> str:
        """What an instance's state depends on: a rule changed in anything else keeps its instances."""
        when = self.when.text if self.when else ""
        parts = [self.name, str(self.alert), *(p.text for p in self.patterns), *self.by, when, str(self.hold)]
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The samples of its instances that conditions and texts look at."""
        conditions = [program for program in (self.when, self.clear) if program is not None]
        return tuple(dict.fromkeys([*(r for program in conditions for r in program.history), *self.texts.readings]))

    @property
    def place(self) -> str:
        """Where it is written."""
        return f"{self.path}:{self.line}"
