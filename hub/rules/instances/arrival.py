"""A message on its way through the parts of a rule: what they know of it, and what they tell each other."""

from typing import Self

from hub.model import Event, Phase
from hub.rules.instances.instance import Instance

__all__ = ["Arrival", "Muting"]

Key = tuple[str, ...]


class Muting:
    """A change of `mute` by a message: what `now` says, and what fired before the condition was asked."""

    __slots__ = ("absent", "fires", "now")

    def __init__(self, instance: Instance | None, now: bool) -> None:
        """Look at the instance before the condition changes it."""
        self.now = now
        self.fires = instance is not None and instance.phase is Phase.FIRING
        self.absent = instance is not None and bool(instance.absent_since)


class Arrival:
    """A message at hand, and how it is to be taken.

    `instance`: the one that it is about, None where there is none; the part that makes or forgets it says so here.
    `is_late`: it is older than one that its instance has heard: it undoes nothing. `is_replay`: it was remembered, and
    is judged as if it came now; `was_judged`: that was done already when it came. `is_muted` is what `mute` said of it,
    and `muting` whether that is news, where the rule has one.
    """

    __slots__ = (
        *("captures", "event", "instance", "is_late", "is_muted", "is_replay", "key", "muting", "now", "was_judged"),
    )
    event: Event
    captures: Key
    key: Key
    instance: Instance | None
    now: float
    is_late: bool
    is_replay: bool
    was_judged: bool
    is_muted: bool
    muting: Muting | None

    @classmethod
    def made(
        cls,
        event: Event,
        captures: Key,
        key: Key,
        instance: Instance | None,
        now: float,
        *,
        is_late: bool = False,
        is_replay: bool = False,
        was_judged: bool = False,
    ) -> Self:
        """Make one of its own for what is rare; messages that come in their turn fill one anew (EngineContext)."""
        made = cls()
        made.event, made.captures, made.key, made.instance, made.now = event, captures, key, instance, now
        made.is_late, made.is_replay, made.was_judged = is_late, is_replay, was_judged
        return made
