"""What the rules of one engine share: where transitions go, which state changed, which deadlines wait."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Protocol

from hub.agenda import Agenda
from hub.limits import HEAVY_BYTES, HEAVY_PAYLOAD_BYTES
from hub.rules.instances.arrival import Arrival
from hub.rules.instances.heavy import Heavy
from hub.rules.instances.instance import Instance
from hub.rules.instances.late_log import LateLogs
from hub.rules.members.member_rows import MemberRows
from hub.rules.named.latest_values import LatestValues
from hub.rules.presence.presence import Presence
from hub.rules.reading.rule import Rule
from hub.rules.running.misses import Misses
from hub.rules.running.transition import Transition

__all__ = ["Count", "EngineContext", "ExpectedDevices", "NoDevices", "Owner"]

_TOO_HEAVY = (
    f"the last payloads above {HEAVY_PAYLOAD_BYTES:,} bytes of all instances are more than {HEAVY_BYTES >> 20} MB: this"
    " one is forgotten, and what timers say of the instance lacks its fields"
)
Key = tuple[str, ...]


@dataclass(slots=True)
class Count:
    """How many events a batch of rules was evaluated for: the rules of the batch share one number."""

    number: int = 0


class Owner(Protocol):
    """Whose instances are due or changed: a RuleRunner, or a ScheduleAlarm."""

    rule: Rule
    serial: int
    """How many notifications an event rule has caused so far."""

    def deadline(self, instance: Instance, now: float, /) -> None:
        """Do what the clock has made due."""
        ...


class ExpectedDevices(Protocol):
    """What the rules ask of the device registry."""

    def attributes(self, topic: str, /) -> Mapping[str, Any]:
        """Return the attributes of the device that a topic belongs to; empty where it belongs to none."""
        ...

    def topics(self, topic_filter: str, /) -> Iterable[str]:
        """Return the topics of registered devices that a filter matches."""
        ...

    def identity(self, topic: str, /) -> str | None:
        """Return the levels of a topic that say which device it belongs to; None where it belongs to none."""
        ...


class NoDevices:
    """The registry of a hub without fleet files."""

    def attributes(self, _topic: str, /) -> Mapping[str, Any]:
        """Return no attributes."""
        return {}

    def topics(self, _topic_filter: str, /) -> Iterable[str]:
        """Return no topics."""
        return ()

    def identity(self, _topic: str, /) -> str | None:
        """Return that no topic is a device's."""
        return None


class _OnInstance:
    """A mapping for the Agenda that keeps each deadline in the instance itself.

    A dict of all instances of a fleet would cost a third more memory.
    """

    def get(self, key: tuple[Owner, Instance], _default: float, /) -> float:
        return key[1].due

    def pop(self, key: tuple[Owner, Instance], default: float, /) -> float:
        due, key[1].due = key[1].due, default
        return due

    def __setitem__(self, key: tuple[Owner, Instance], at: float, /) -> None:
        key[1].due = at


class EngineContext:
    """Collects what events and deadlines change; the pipeline takes it with each commit."""

    def __init__(
        self, registry: ExpectedDevices, on_error: Callable[[str, str, str], None], local: tzinfo = UTC
    ) -> None:
        """Begin empty; `on_error` hears rule, topic and message of every evaluation error."""
        self.registry = registry
        self.local = local
        self.on_error = on_error
        self.arrival = Arrival()
        """The message at hand; each rule with parts fills it anew, as making one takes 140 ns. No part keeps it."""
        self.misses = Misses()
        self.latest = LatestValues()
        self.presence = Presence(on_error)
        self.late = LateLogs()
        self.transitions: list[Transition] = []
        self.unsampled: set[tuple[str, Key]] = set()
        """Instances, by rule and key, whose stored samples are void."""
        self.members = MemberRows()
        """The rows of the members of all instances."""
        self.dirty: set[tuple[Owner, Instance | None]] = set()
        """What the next commit writes: an instance, or (None) the counter of an event rule."""
        self.heavy = Heavy[tuple[Owner, Instance]](self._lighten)
        self.deadlines = Agenda(_OnInstance(), fifo=True)

    def _lighten(self, whose: tuple[Owner, Instance]) -> None:
        """Drop the last payload of an instance; that there was a message stays known."""
        state, instance = whose
        if instance.raw is not None and len(instance.raw) > HEAVY_PAYLOAD_BYTES:
            instance.raw = b""
            self.dirty.add(whose)
            self.on_error(state.rule.name, instance.topic, _TOO_HEAVY)
