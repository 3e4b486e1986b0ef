"""What decides about `pause` or `mute`: a schedule, or a condition whose answer messages and the clock may change."""

from datetime import tzinfo

from hub.errors import EvaluationError
from hub.expressions import Program
from hub.expressions.across import MEMBER_CONDITION, MEMBER_NUMBER
from hub.model import Event
from hub.rules.gates.timetable import timetable_of
from hub.rules.instances.arrival import Arrival
from hub.rules.instances.instance import Instance
from hub.rules.reading.rule_values import Gate
from hub.rules.running.part import Runner

__all__ = ["GateCondition", "turns"]

_MEMBER = (MEMBER_CONDITION, MEMBER_NUMBER)


class GateCondition:
    """One gate of a rule, for all of its instances.

    It has either `table`, its schedule, or `condition`. `turning` is the condition, if the clock may change its answer.
    """

    def __init__(self, runner: Runner, gate: Gate, local: tzinfo) -> None:
        """Take a gate as it is written; times of schedules that name no zone are `local`."""
        self._runner = runner
        self.table = timetable_of(gate, local)
        self.condition: Program | None = gate.condition
        self.turning = self.condition if self.condition is not None and turns(self.condition) else None

    def ask(self, arrival: Arrival, before: bool) -> bool:
        """Return what the condition says of a message; where it has no value, the gate stays as it was `before`."""
        if self.condition is None:
            return False
        evaluator = self._runner.evaluator
        try:
            return evaluator.holds(self.condition, arrival.instance, arrival.event, arrival.captures, arrival.now)
        except EvaluationError as error:
            evaluator.failed(arrival.event, error)
            return before

    def by_clock(self, instance: Instance, now: float, *, before: bool, turned: bool) -> bool:
        """Return what the clock says; where it says nothing, the gate stays as it was `before`."""
        if self.table is not None:
            return self.table.active(now)
        if turned and self.turning is not None:
            return self.ask_again(self.turning, instance, now, before=before)
        return before

    def ask_again(self, program: Program, instance: Instance, now: float, *, before: bool) -> bool:
        """Tell whether the condition holds by now for the last message of an instance.

        An instance that was never heard has only its topic, and the attributes that the registry knows. Where there is
        no value, the gate stays as it was; the error was counted when the message came.
        """
        event, captures = self._runner.instances.last(instance)
        if event is None:
            event = Event(instance.topic, b"", {}, None, now, 0, True)
        try:
            return self._runner.evaluator.holds(program, instance, event, captures, now)
        except EvaluationError:
            return before


def turns(condition: Program) -> bool:
    """Tell whether the clock may change a condition's answer: it asks a schedule, a window, or members."""
    windows = any(reading.slot.seconds or reading.slot.mode in _MEMBER for reading in condition.history)
    return windows or bool(condition.schedules)
