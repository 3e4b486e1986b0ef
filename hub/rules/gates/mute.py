"""`mute`: a muted instance is judged like any other; the alert book hears each change and decides who is told."""

from hub.model import Event, Phase, Reason
from hub.rules.gates.absence import emit_absence
from hub.rules.gates.gate_condition import GateCondition
from hub.rules.instances.arrival import Arrival, Muting
from hub.rules.instances.instance import Instance, gates_of
from hub.rules.instances.rule_instances import Key
from hub.rules.running.part import RulePart, Runner

__all__ = ["Mute"]


class Mute(RulePart):
    """Takes each message before and after the condition of a rule that has a `mute`."""

    def __init__(self, runner: Runner, gate: GateCondition) -> None:
        """Take the rule's `mute` as `gate`."""
        self._runner, self._instances, self._gate = runner, runner.instances, gate

    def is_muted(self, instance: Instance | None, at: float) -> bool:
        """Tell whether an instance is muted at a time."""
        if self._gate.table is not None:
            return self._gate.table.active(at)
        return instance is not None and instance.gates is not None and instance.gates.muted

    # messages

    def before(self, arrival: Arrival) -> bool:
        """Ask the gate about a message, before the rule's condition changes the instance; remember what it says."""
        if arrival.is_late and self._runner.rule.alert:
            return True  # it changes no alert, so it does not change who is told of one
        instance, gate = arrival.instance, self._gate
        muted = was = instance is not None and instance.gates is not None and instance.gates.muted
        if gate.table is not None:
            muted = gate.table.active(arrival.now)
        elif not arrival.was_judged:  # else it was asked when it came, and a newer one may have said something else
            muted = gate.ask(arrival, was)
        arrival.is_muted = muted
        arrival.muting = None if muted is was else Muting(instance, muted)
        if muted is not was and gate.table is None:
            self._note(arrival, muted)
        return True

    def _note(self, arrival: Arrival, muted: bool) -> None:
        instance = arrival.instance = arrival.instance or self._instances.obtain(arrival.key)
        gates_of(instance).muted = muted
        self._instances.touch(instance)
        if not self._runner.rule.alert:
            self._runner.go_on(instance)
            arrival.instance = self._instances.get(arrival.key)

    def after(self, arrival: Arrival, _judged: bool, /) -> None:
        """Say of an alert that was firing before the message, and still is, that it is muted now or no longer.

        A message without a value for the condition may have one for `mute`, so it counts too.
        """
        muting, instance = arrival.muting, arrival.instance
        if instance is None:
            return
        self._remember(instance, arrival.is_muted)
        if muting is not None:
            self._tell(instance, arrival.now, arrival.event, arrival.captures, muting)
            self._runner.go_on(instance)
            arrival.instance = self._instances.get(arrival.key)

    def _remember(self, instance: Instance, muted: bool) -> None:
        """Remember whether the instance is muted: what a condition says always, a schedule only of what fires.

        A schedule can be asked again at any time; only what the alert book was told of a firing alert must be known.
        """
        told = muted and (self._gate.table is None or instance.phase is Phase.FIRING or bool(instance.absent_since))
        if told is not (instance.gates is not None and instance.gates.muted):
            gates_of(instance).muted = told
            self._instances.touch(instance)

    def _tell(self, instance: Instance, now: float, event: Event | None, captures: Key, muting: Muting) -> None:
        reason, firing = Reason.MUTE_BEGAN if muting.now else Reason.MUTE_ENDED, Phase.FIRING
        if muting.fires and instance.phase is firing:
            self._runner.transitions.remark(instance, reason, now, event, captures)
        if muting.absent and instance.absent_since:
            emit_absence(self._runner, instance, firing, firing, reason, now, instance.absent_since)

    # the clock

    def turn(self, instance: Instance, now: float, *, turned: bool) -> None:
        """Begin or end the mute of an instance, as the clock says."""
        was = instance.gates is not None and instance.gates.muted
        muted = self._gate.by_clock(instance, now, before=was, turned=turned)
        if muted is was:
            return
        self._remember(instance, muted)
        self._tell(instance, now, *self._instances.last(instance), Muting(instance, muted))
        if self._gate.table is None:
            self._runner.go_on(instance)  # it may have been kept only because a condition had muted it

    def follow(self, instance: Instance, now: float) -> None:
        """Remember what a schedule says of an instance that the clock has changed; see `_remember`."""
        if self._gate.table is not None and self._instances.has(instance):
            self._remember(instance, self._gate.table.active(now))

    def keeps(self, instance: Instance) -> bool:
        """Remember an instance that a condition has muted; a schedule can be asked again."""
        return self._gate.table is None and instance.gates is not None and instance.gates.muted
