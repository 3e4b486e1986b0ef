"""The schedules of one rule's `pause` and `mute`: which of them hold at a time, and when that changes next."""

from datetime import tzinfo
from math import inf

from hub.rules.instance import NEVER, Instance
from hub.rules.keys import Gate

__all__ = ["Gates"]


class Gates:
    """`paused` and `muted` are what the schedules said at the last look; `until` is when they may say something else.

    The instance `clock` stands for that time in the heap of deadlines.
    """

    def __init__(self, pause: Gate | None, mute: Gate | None, local: tzinfo) -> None:
        """Begin before all time: the first look at the clock decides."""
        self._pause = pause.schedule if pause else None
        self._mute = mute.schedule if mute else None
        self._local = local
        self.paused = self.muted = False
        self.until = -inf if self._pause or self._mute else inf
        self.clock = Instance(())

    @property
    def mutes(self) -> bool:
        """Whether there is a schedule for `mute`."""
        return self._mute is not None

    def look(self, now: float) -> bool:
        """Follow the clock; tell whether `paused` changed."""
        before = self.paused
        schedules = [each for each in (self._pause, self._mute) if each is not None]
        self.paused = self._pause is not None and self._pause.active(now, self._local)
        self.muted = self._mute is not None and self._mute.active(now, self._local)
        self.until = min([each.change(now, self._local) for each in schedules], default=inf)
        self.clock.due = NEVER
        return self.paused is not before
