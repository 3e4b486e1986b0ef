"""The clock of one rule's schedules: at each of their changes all instances of the rule are looked at.

A schedule is looked at where something happens to an instance (an event, a deadline), and for all instances when the
clock has come to its next change. So nothing is said before the broker's queue is drained, as with every timer.
"""

from collections.abc import Callable, Sequence
from math import inf

from hub.rules.gates.timetable import Timetable
from hub.rules.instances.instance import Instance
from hub.rules.reading.rule import Rule
from hub.rules.running.engine_context import EngineContext

__all__ = ["ScheduleAlarm"]


class ScheduleAlarm:
    """Stands among the deadlines for the next change of a schedule."""

    serial = 0

    def __init__(
        self, rule: Rule, context: EngineContext, tables: Sequence[Timetable], turn: Callable[[float], None]
    ) -> None:
        """Ring by these tables, at least one; `turn` lets the instances follow them."""
        self.rule, self._context, self._tables, self._turn = rule, context, tables, turn
        self._at = Instance(())
        """Stands for the rule itself where instances wait for the clock."""
        self._is_over = False

    def begin(self, now: float) -> None:
        """Let the clock come back at once: what the schedules say now is to be followed."""
        if not self._is_over:
            self._wake(now)

    def begin_once(self, now: float) -> None:
        """Do that with the first message, where nothing has come before."""
        if not self._is_over and self._at.due == inf:
            self._wake(now)

    def is_due(self, now: float) -> bool:
        """Tell whether a schedule has changed: of two things that are due at the same time that goes first."""
        return self._at.due <= now

    def deadline(self, instance: Instance, now: float) -> None:
        """Let all instances follow, and enter the next change, if there is one."""
        del instance
        self._turn(now)
        for table in self._tables:
            table.active(now)
        due = min(table.until for table in self._tables)
        if due < inf:
            self._wake(due)
        else:
            self._is_over = True

    def _wake(self, at: float) -> None:
        if at < self._at.due:
            self._context.deadlines.wake((self, self._at), at)
