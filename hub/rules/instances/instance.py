"""An instance of an alert rule: where it stands, since when, and what must be remembered for its timers."""

import base64
import binascii
from math import inf
from typing import Any, Self

import orjson

from hub.expressions import NO_SAMPLES, Samples
from hub.model import Phase, TypedPayload
from hub.rules.members.crowd import Crowd
from hub.rules.samples.history import History

__all__ = [
    "NEVER",
    "Crowded",
    "GateState",
    "Gated",
    "Instance",
    "Sampled",
    "dump_key",
    "gates_of",
    "load_key",
    "samples_of",
    "unwritten",
    "written",
]

NEVER = 0.0
_BASE64 = "\ufdd0"  # before what is base64: a character that stands for nothing, so hardly any payload begins with it
_TIMES = ("since", "clearing_since", "seen", "absent_since")
_PHASES = {"i": Phase.INACTIVE, "p": Phase.PENDING, "f": Phase.FIRING}
_LETTERS = {phase: letter for letter, phase in _PHASES.items()}


class GateState:
    """What `pause`, `mute` and `absent: auto` know of an instance; few rules have any of these.

    `paused`: it waits for the end of a pause; `heard`: there was a sign of life under the pause; `waiting`: QoS and
    retain flag of its last message, if that came under the pause. `muted`: the last thing said of `mute`. `gap`: the
    longest recent interval between two messages, in seconds; `messages`: how many messages came, in intervals of
    `observed` seconds together; `resumed`: when the hub went on with it after a start or reload.
    """

    __slots__ = ("gap", "heard", "messages", "muted", "observed", "paused", "resumed", "waiting")

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.paused = self.heard = self.muted = False
        self.waiting: tuple[int, bool] | None = None
        self.gap = self.observed = self.resumed = NEVER
        self.messages = 0

    def dump(self) -> list[Any]:
        """Return it for the store."""
        return [self.paused, self.heard, self.waiting, self.muted, self.gap, self.observed, self.messages]

    @classmethod
    def load(cls, state: list[Any]) -> "GateState":
        """Read what `dump` returned."""
        made = cls()
        made.paused, made.heard, waiting, made.muted, made.gap, made.observed, made.messages = state
        made.waiting = None if waiting is None else (waiting[0], waiting[1])
        return made


class Instance:
    """The state of one instance; slotted and small, because a fleet has one per device and rule.

    `since`: when it became pending or firing. `clearing_since`: since when the end of a firing one has held, or NEVER.
    `seen`: the last sign of life (for `absent`). `absent_since`: since when it is absent, or NEVER. `topic`, `trace`,
    `raw` and `time` are the last event's, kept for rules with timers; `came` is the first two in one, as they are
    stored: two fields would make the instance larger than the 300 bytes that it may have. `due`: when the clock looks
    at it next, inf for never.
    """

    __slots__ = (
        "absent_since", "came", "clearing_since", "due", "key", "phase", "raw", "seen", "since", "time"
    )  # fmt: skip

    history: History | None = None
    """Its samples; only a Sampled has the field, in all others this is the class attribute."""
    members: Crowd | None = None
    """Its members; only a Crowded has the field."""
    gates: GateState | None = None
    """The state of its gates; only a Gated has the field."""

    def __init__(self, key: tuple[str, ...]) -> None:
        """Begin inactive, never seen."""
        self.key = key
        self.phase = Phase.INACTIVE
        self.since = self.clearing_since = self.seen = self.absent_since = self.time = NEVER
        self.came = ""
        self.raw: bytes | None = None
        self.due = inf

    @property
    def topic(self) -> str:
        """The last event's topic."""
        return self.came.partition("\0")[0]

    @property
    def trace(self) -> str:
        """The last event's `traceparent`, empty where it was not traced."""
        return self.came.partition("\0")[2]

    def dump(self) -> str:
        """Write it for the store."""
        raw = None if self.raw is None else written(self.raw)
        times = self.since, self.clearing_since, self.seen, self.absent_since, self.time
        state: list[Any] = [_LETTERS[self.phase], *times, self.came, raw]
        if self.history is not None or self.gates is not None:
            state.append(None if self.history is None else self.history.dump())
        if self.gates is not None:
            state.append(self.gates.dump())
        return orjson.dumps(state).decode()

    @classmethod
    def load(cls, key: tuple[str, ...], text: str) -> "Instance":
        """Read what `dump` wrote."""
        made = Instance(key)
        made.fill(orjson.loads(text))
        return made

    def fill(self, state: list[Any]) -> None:
        """Take over a state that `dump` wrote, without the samples."""
        letter, self.since, self.clearing_since, self.seen, self.absent_since, self.time, self.came, raw = state[:8]
        self.phase = _PHASES[letter]
        self.raw = None if raw is None else unwritten(raw)

    def shift(self, seconds: float) -> bool:
        """Move the times from which timers count, as far as they are set; tell whether any was set."""
        found = [name for name in _TIMES if getattr(self, name)]
        for name in found:
            setattr(self, name, getattr(self, name) + seconds)
        if self.gates is not None and self.gates.resumed:
            self.gates.resumed += seconds
        return bool(found)

    def take(self, other: "Instance") -> Self:
        """Take over all but the samples of the same instance before a reload."""
        for name in Instance.__slots__:
            setattr(self, name, getattr(other, name))
        return self


class Gated(Instance):
    """An instance of a rule with `pause`, `mute` or `absent: auto`."""

    __slots__ = ("gates",)

    def __init__(self, key: tuple[str, ...]) -> None:
        """Begin with nothing known."""
        super().__init__(key)
        self.gates = None

    def fill(self, state: list[Any]) -> None:
        """Take over what was written of a state; of samples nothing."""
        super().fill(state)
        self.gates = GateState.load(state[9]) if len(state) > 9 else None

    def take(self, other: Instance) -> Self:
        """Take over all but the samples of the same instance before a reload."""
        super().take(other)
        self.gates = other.gates
        return self


class Crowded(Gated):
    """An instance of a rule with `across`: it has members."""

    __slots__ = ("members",)

    def __init__(self, key: tuple[str, ...], members: Crowd) -> None:
        """Begin with these members."""
        super().__init__(key)
        self.members = members


class Sampled(Gated):
    """An instance of a rule that looks back at samples (avg(x, 10m))."""

    __slots__ = ("history",)

    def __init__(self, key: tuple[str, ...], history: History) -> None:
        """Begin with these samples."""
        super().__init__(key)
        self.history = history


def written(raw: bytes) -> str:
    """Write a payload as text: as it is, or as base64 where it is no UTF-8, behind its content type and a comma."""
    if isinstance(raw, TypedPayload):
        return f"{_BASE64}{raw.content_type},{base64.b64encode(raw).decode()}"
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = _BASE64
    return text if not text.startswith(_BASE64) else _BASE64 + base64.b64encode(raw).decode()


def unwritten(text: str) -> bytes:
    """Read what `written` wrote."""
    if text.startswith(_BASE64):
        content_type, _, encoded = text.removeprefix(_BASE64).rpartition(",")
        try:
            raw = base64.b64decode(encoded, validate=True)
            return TypedPayload(raw, content_type) if content_type else raw
        except (binascii.Error, ValueError):
            pass  # a hub that knew nothing of base64 wrote what a device had sent
    return text.encode()


def gates_of(instance: Instance) -> GateState:
    """Return the state of an instance's gates, a new one where it had none; the instance must be a Gated."""
    if instance.gates is None:
        if not isinstance(instance, Gated):
            raise TypeError("a rule without gates has no such instances")
        instance.gates = GateState()
    return instance.gates


def samples_of(instance: Instance | None) -> Samples:
    """Return what functions over samples, or across members, read: those of an instance, as they are now."""
    found: Samples = NO_SAMPLES
    if instance is not None and instance.history is not None:
        found = instance.history.slots
    elif instance is not None and instance.members is not None:
        found = instance.members.slots
    return found


def dump_key(key: tuple[str, ...]) -> str:
    """Write an instance's key for the store."""
    return orjson.dumps(key).decode()


def load_key(text: str) -> tuple[str, ...]:
    """Read what `dump_key` wrote."""
    return tuple(orjson.loads(text))
