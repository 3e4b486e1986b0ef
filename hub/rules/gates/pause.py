"""`pause`: messages under a pause are only remembered; when it ends, the last one is judged as if it came then.

A schedule pauses the whole rule, a condition each instance for itself. Timers begin anew after a pause; an alert that
fires goes on firing.
"""

from hub.expressions import Program
from hub.model import Event, Reason
from hub.rules.gates.absence import Absence, end_absence
from hub.rules.gates.gate_condition import GateCondition
from hub.rules.instances.arrival import Arrival
from hub.rules.instances.instance import Instance, gates_of
from hub.rules.instances.rule_instances import Key
from hub.rules.running import condition
from hub.rules.running.part import RulePart, Runner
from hub.rules.samples.moving import Moving
from hub.rules.samples.sample_keeper import SampleKeeper

__all__ = ["Pause", "release"]


class Pause(RulePart):
    """Takes each message before the condition of a rule that has a `pause`."""

    def __init__(
        self, runner: Runner, gate: GateCondition, absence: Absence | None, samples: SampleKeeper | None
    ) -> None:
        """Take the rule's `pause` as `gate`; `absence` and `samples` are the rule's other parts, if it has these."""
        self._runner, self._instances, self._gate = runner, runner.instances, gate
        self._absence, self._samples = absence, samples

    # messages

    def before(self, arrival: Arrival) -> bool:
        """Keep back a message under a pause; one that finds the pause over lets the kept message be judged first."""
        if arrival.is_replay:
            return True
        if self._is_paused(arrival):
            self._keep_back(arrival)
            return False
        return True

    def keep(self, event: Event, captures: Key, key: Key, now: float) -> bool:
        """Keep the last message of a topic for the end of a pause, if there is a pause now; tell whether there is."""
        arrival = Arrival.made(event, captures, key, self._instances.get(key), now, was_judged=True)
        return not self.before(arrival)

    def _is_paused(self, arrival: Arrival) -> bool:
        instance, now = arrival.instance, arrival.now
        before = instance is not None and instance.gates is not None and instance.gates.paused
        if self._gate.table is not None:
            paused = self._gate.table.active(now)
        elif arrival.is_late:  # an older message says nothing of now
            paused = before
        else:
            paused = self._asked(arrival, before)
        if before and not paused and instance is not None:
            self._release(instance, now, again=self._has_turned(instance, now))
            arrival.instance = self._instances.get(arrival.key)
        return paused

    def _asked(self, arrival: Arrival, before: bool) -> bool:
        program = self._gate.condition
        if self._samples is not None and program is not None and program.history:
            self._samples.before(arrival, early=True)
        return self._gate.ask(arrival, before)

    def _has_turned(self, instance: Instance, now: float) -> bool:
        """Tell whether the clock has ended a pause, and not the message at hand.

        Then the message that was kept back is judged; else the message at hand is newer and is judged alone.
        """
        turning: Program | None = self._gate.turning
        if turning is None or not turning.schedules:
            return self._gate.table is not None
        return not self._gate.ask_again(turning, instance, now, before=True)

    def _keep_back(self, arrival: Arrival) -> None:
        """Remember a message for the end of the pause; an event rule remembers only what its `pause` condition said."""
        event, now, is_alert = arrival.event, arrival.now, self._runner.rule.alert
        if not is_alert and self._gate.table is not None:  # the schedule can be asked again: nothing to remember
            return
        instance = arrival.instance = arrival.instance or self._instances.obtain(arrival.key)
        gates = gates_of(instance)
        if not gates.paused:
            self._begin(instance, now, event, arrival.captures)
        if not is_alert:
            return
        if not arrival.is_late:
            gates.waiting = (event.qos, event.retain)
        self._note_sign(instance, event, now)
        if not arrival.is_late:
            self._instances.remember(instance, event)

    def keep_sign(self, arrival: Arrival) -> bool:
        """Note an unreadable message as a sign of life for the end of the pause; tell whether there is a pause."""
        instance, now = arrival.instance, arrival.now
        paused = instance is not None and instance.gates is not None and instance.gates.paused
        if not (paused if self._gate.table is None else self._gate.table.active(now)):
            return False
        instance = arrival.instance = instance or self._instances.obtain(arrival.key)
        if not gates_of(instance).paused:
            self._begin(instance, now, *self._instances.last(instance))
        self._note_sign(instance, arrival.event, now)
        return True

    def _note_sign(self, instance: Instance, event: Event, now: float) -> None:
        """Note a sign of life for the end of the pause; only `absent` asks for it there."""
        if self._absence is None:
            return
        speaks = self._absence.speaks(event, now)
        if speaks:
            gates_of(instance).heard = True
        if speaks or not instance.seen:
            instance.seen = now

    # begin and end

    def _begin(self, instance: Instance, now: float, event: Event | None, captures: Key) -> None:
        gates_of(instance).paused = True
        self._instances.touch(instance)
        change = condition.interrupted(instance)
        if change is not None:
            self._runner.apply(instance, change, now, event, captures)

    def _release(self, instance: Instance, now: float, *, again: bool) -> None:
        moving = None if self._samples is None else self._samples.moving
        release(self._runner, instance, now, absence=self._absence, moving=moving, again=again)

    def turn(self, instance: Instance, now: float, *, turned: bool) -> None:
        """Begin or end the pause of an instance, as the clock says."""
        before = instance.gates is not None and instance.gates.paused
        paused = self._gate.by_clock(instance, now, before=before, turned=turned)
        if before and not paused:
            self._release(instance, now, again=True)
        elif paused and not before:
            self._begin(instance, now, *self._instances.last(instance))

    def keeps(self, instance: Instance) -> bool:
        """Remember an instance that waits for the end of a pause."""
        return instance.gates is not None and instance.gates.paused


def release(
    runner: Runner,
    instance: Instance,
    now: float,
    *,
    absence: Absence | None,
    moving: Moving | None,
    again: bool,
) -> None:
    """End an instance's pause; `again`: judge its last message as if it came now. `absent` counts anew from now."""
    gates = instance.gates
    if gates is None:
        return
    heard, waiting = gates.heard, gates.waiting
    gates.paused, gates.heard, gates.waiting = False, False, None
    runner.instances.touch(instance)
    if absence is not None:
        if heard:  # it came back under the pause, when nobody was told
            end_absence(runner, instance, Reason.RETURNED, now)
        if not instance.absent_since:
            instance.seen = now
    event, captures = runner.instances.last(instance) if again else (None, ())
    if event is not None:
        if moving is not None:
            moving.move(instance, now)  # the windows stood still under the pause
        if waiting is not None:
            event.qos, event.retain = waiting
        was_judged = waiting is None
        replayed = Arrival.made(event, captures, instance.key, instance, now, is_replay=True, was_judged=was_judged)
        runner.replay(replayed)
    runner.go_on(instance)
