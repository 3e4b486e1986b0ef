"""What an importer gathers: receivers and rules with their remarks. rule_writer.py makes the text of a file of them."""

import re
from dataclasses import dataclass, field

from hub.errors import Problem

__all__ = ["NOWHERE", "Draft", "DraftEntry", "Env", "Imported", "Value"]

NOWHERE = "not-carried-over"
"""The first level of the topic of a rule whose own is not known."""

_NAME_CHARS = 128  # of a rule's name


@dataclass(frozen=True, slots=True)
class Env:
    """`!env NAME`: a secret that the file must not contain. `holds` tells the user what to put into the variable."""

    name: str
    holds: str


Value = str | int | float | bool | Env | list[str] | list["Value"] | dict[str, "Value"]


@dataclass(slots=True)
class DraftEntry:
    """A rule or a receiver: its keys in order, comments above it, and comments beside single keys.

    `lost` says what was not carried over.
    """

    keys: dict[str, Value] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    beside: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)
    """Which of these disable the rule: without them it would be wrong."""

    @property
    def off(self) -> bool:
        """Whether the rule is disabled."""
        return bool(self.reasons)


@dataclass(frozen=True, slots=True)
class Imported:
    """A rule file as text, the remarks on what was not carried over, and the variables that the user must set."""

    text: str
    rules: int
    receivers: int
    remarks: tuple[Problem, ...]
    variables: tuple[Env, ...]


@dataclass(slots=True)
class Draft:
    """A rule file in the making. `path` is the other tool's file, for the remarks."""

    path: str
    head: list[str] = field(default_factory=list)
    receivers: dict[str, DraftEntry | Env] = field(default_factory=dict)
    rules: list[DraftEntry] = field(default_factory=list)
    tests: list[DraftEntry] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    variables: dict[str, Env] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    """What was not carried over and belongs to none of the rules and receivers."""
    told: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    """The receivers that rules tell a beginning, and those of them that are to hear of an end."""
    _names: set[str] = field(default_factory=set)

    def remark(self, entry: DraftEntry | None, line: int, text: str, column: int = 1) -> None:
        """Remark on what was not carried over: in the list, and as a comment of the entry that it concerns."""
        self.remarks.append(Problem(self.path, line, column, text))
        lost = self.lost if entry is None else entry.lost
        if text not in lost:
            lost.append(text)

    def disable(self, entry: DraftEntry, line: int, text: str, column: int = 1) -> None:
        """Remark on something without which a rule would say what it should not: it is written, but disabled."""
        self.remark(entry, line, text, column)
        entry.reasons.add(text)

    def name(self, wanted: str) -> str:
        """Return a name for a rule, near to the wanted one, that no rule of this draft has yet."""
        words = "".join(char if char.isprintable() else " " for char in wanted).split()
        plain = re.sub(r"[/+#\s]*[/+#][/+#\s]*", "_", " ".join(words)).strip("_ ") or "rule"
        return unique(plain[: _NAME_CHARS - 6], self._names)

    def variable(self, *words: str, holds: str) -> Env:
        """Return a variable of the environment, called after these words, for a secret."""
        name = re.sub("[^A-Z0-9]+", "_", "_".join(words).upper()).strip("_")
        name = name if name[:1].isalpha() else f"SECRET_{name}".strip("_")
        env = Env(unique(name, self.variables), holds)
        self.variables[env.name] = env
        return env


def unique(name: str, taken: "set[str] | dict[str, Env]") -> str:
    """Return the name, with a number after it where it is taken; where `taken` is a set, the result is added to it."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    if isinstance(taken, set):
        taken.add(free)
    return free
