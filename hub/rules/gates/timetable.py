"""A schedule that a rule follows; its answer is kept until it may change, because each message asks for it."""

from datetime import tzinfo
from math import inf

from hub.rules.reading.rule_values import Gate
from hub.schedules import Schedule

__all__ = ["Timetable", "timetable_of"]


class Timetable:
    """Whether a schedule holds; `until` is when that may change next."""

    def __init__(self, schedule: Schedule, local: tzinfo) -> None:
        """Begin without having looked at the clock."""
        self._schedule, self._local = schedule, local
        self._since, self.until = inf, -inf
        self._active = False

    def active(self, now: float) -> bool:
        """Tell whether it holds; a clock that is set back is noticed."""
        if not self._since <= now < self.until:
            self._active = self._schedule.active(now, self._local)
            self._since, self.until = now, self._schedule.change(now, self._local)
        return self._active


def timetable_of(gate: Gate | None, local: tzinfo) -> Timetable | None:
    """Return the timetable of a gate, if the gate has a schedule."""
    return None if gate is None or gate.schedule is None else Timetable(gate.schedule, local)
