"""An instance of an alert rule: where it stands, since when, and what must be remembered for its timers."""

from typing import Any

import orjson

from hub.model import Phase

__all__ = ["Instance", "dump_key", "load_key"]

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
        state = (_LETTERS[self.phase], self.since, self.clearing, self.seen, self.silent, self.time, self.topic, raw)
        return orjson.dumps(state).decode()

    @classmethod
    def load(cls, key: tuple[str, ...], text: str) -> "Instance":
        """Read what `dump` wrote."""
        made = cls(key)
        state: list[Any] = orjson.loads(text)
        letter, made.since, made.clearing, made.seen, made.silent, made.time, made.topic, raw = state
        made.phase = _PHASES[letter]
        made.raw = None if raw is None else raw.encode()
        return made


def dump_key(key: tuple[str, ...]) -> str:
    """Write an instance's key for the store."""
    return orjson.dumps(key).decode()


def load_key(text: str) -> tuple[str, ...]:
    """Read what `dump_key` wrote."""
    return tuple(orjson.loads(text))
