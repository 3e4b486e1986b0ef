"""An instance of an alert rule: where it stands, since when, and what must be remembered for its timers."""

from typing import Any, Self

import orjson

from hub.model import Phase
from hub.rules.history import History

__all__ = ["Instance", "Sampled", "dump_key", "load_key"]

NEVER = 0.0
_PHASES = {"i": Phase.INACTIVE, "p": Phase.PENDING, "f": Phase.FIRING}
_LETTERS = {phase: letter for letter, phase in _PHASES.items()}


class Instance:
    """Slotted and small: a fleet has one per device and rule.

    `since`: when it became pending or firing. `clearing`: since when the end of a firing one has held, or
    NEVER. `seen`: the last sign of life (for `absent`); `silent`: since when it is absent, or NEVER. `topic`, `raw` and
    `time` are the last event's, kept for rules with timers. `due`: the earliest time at which the heap holds it.
    """

    __slots__ = ("clearing", "due", "key", "phase", "raw", "seen", "silent", "since", "time", "topic")

    history: History | None = None
    """Its samples: only a Sampled has any, for the others this is no field."""

    def __init__(self, key: tuple[str, ...]) -> None:
        """Begin inactive, never seen."""
        self.key = key
        self.phase = Phase.INACTIVE
        self.since = self.clearing = self.seen = self.silent = self.time = NEVER
        self.topic = ""
        self.raw: bytes | None = None
        self.due = NEVER

    def dump(self) -> str:
        """Write it for the store."""
        raw = None if self.raw is None else self.raw.decode("utf-8", "replace")
        state = [_LETTERS[self.phase], self.since, self.clearing, self.seen, self.silent, self.time, self.topic, raw]
        if self.history is not None:
            state.append(self.history.dump())
        return orjson.dumps(state).decode()

    @classmethod
    def load(cls, key: tuple[str, ...], text: str) -> "Instance":
        """Read what `dump` wrote."""
        made = Instance(key)
        made.fill(orjson.loads(text))
        return made

    def fill(self, state: list[Any]) -> None:
        """Take over what was written of a state; of samples nothing."""
        letter, self.since, self.clearing, self.seen, self.silent, self.time, self.topic, raw = state[:8]
        self.phase = _PHASES[letter]
        self.raw = None if raw is None else raw.encode()

    def take(self, other: "Instance") -> Self:
        """Take over all but the samples of the same instance before a reload."""
        for name in Instance.__slots__:
            setattr(self, name, getattr(other, name))
        return self


class Sampled(Instance):
    """An instance of a rule that looks back at samples (avg(x, 10m))."""

    __slots__ = ("history",)

    def __init__(self, key: tuple[str, ...], history: History) -> None:
        """Begin with these samples."""
        super().__init__(key)
        self.history = history


def dump_key(key: tuple[str, ...]) -> str:
    """Write an instance's key for the store."""
    return orjson.dumps(key).decode()


def load_key(text: str) -> tuple[str, ...]:
    """Read what `dump_key` wrote."""
    return tuple(orjson.loads(text))
