"""A message on its way through the parts of a rule: what they know of it, and what they tell each other."""

from typing import Self

from hub.model import Event, Phase
from hub.rules.instances.instance import Instance

__all__ = ["Arrival", "Muting"]

Key = tuple[str, ...]


class Muting:
    """A message that begins or ends a `mute`: is it muted `now`; and what was told before the condition ran.

    `fires`: the condition's alert was firing. `absent`: the alert about the absence was.
    """

    __slots__ = ("absent", "fires", "now")

    def __init__(self, instance: Instance | None, now: bool) -> None:
        """Look at the instance before the condition changes it."""
        self.now = now
        self.fires = instance is not None and instance.phase is Phase.FIRING
        self.absent = instance is not None and bool(instance.absent_since)


class Arrival:
    """A message at hand, and how it is to be taken.

    `instance` is the one that it is about, None where there is none; a part that makes or forgets it sets this anew.
    `is_late`: its instance has heard a newer message, so this one undoes nothing. `is_replay`: it was remembered and is
    judged as if it came now; `was_judged`: it was judged already when it came. `is_muted` is what `mute` says of it,
    `muting` is not None if that is new; both are set only where the rule has a `mute`.
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
        """Make an arrival for a rare case; for a message in its turn the rule fills `EngineContext.arrival` anew."""
        made = cls()
        made.event, made.captures, made.key, made.instance, made.now = event, captures, key, instance, now
        made.is_late, made.is_replay, made.was_judged = is_late, is_replay, was_judged
        return made
