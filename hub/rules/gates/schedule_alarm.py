"""The alarm of one rule's schedules: at each change of a schedule, all instances of the rule follow it.

An event or a deadline of an instance asks the schedule too. The alarm is a deadline like any other, so nobody is told
before the broker's queue is drained.
"""

from collections.abc import Callable, Sequence

from hub.rules.gates.timetable import Timetable
from hub.rules.instances.instance import Instance
from hub.rules.reading.rule import Rule
from hub.rules.running.engine_context import EngineContext

__all__ = ["ScheduleAlarm"]


class ScheduleAlarm:
    """An entry among the deadlines: the next change of one of the rule's schedules."""

    serial = 0

    def __init__(
        self, rule: Rule, context: EngineContext, tables: Sequence[Timetable], turn: Callable[[float], None]
    ) -> None:
        """Ring by these tables, at least one; `turn` lets the instances follow them."""
        self.rule, self._context, self._tables, self._turn = rule, context, tables, turn
        self._at = Instance(())
        """Stands for the rule itself among the instances that wait for the clock."""

    def begin(self, now: float) -> None:
        """Ring at once: the instances must follow what the schedules say now."""
        self._wake(now)

    def is_due(self, now: float) -> bool:
        """Tell whether a schedule's change is due; it goes before other things that are due at the same time."""
        return self._at.due <= now

    def deadline(self, _instance: Instance, now: float, /) -> None:
        """Let all instances follow, and enter the next change, if there is one."""
        self._turn(now)
        for table in self._tables:
            table.active(now)
        self._wake(min(table.until for table in self._tables))

    def _wake(self, at: float) -> None:
        if at < self._at.due:
            self._context.deadlines.wake((self, self._at), at)
