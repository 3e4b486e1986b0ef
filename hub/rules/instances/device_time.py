"""`timestamp`: a message counts at its device's own time, and undoes nothing that is newer by that clock."""

from datetime import tzinfo

from hub.documents.duration import format_duration
from hub.errors import EvaluationError
from hub.expressions import Program
from hub.rules.instances.arrival import Arrival
from hub.rules.instances.device_order import DeviceOrder, Order
from hub.rules.instances.instance import Instance
from hub.rules.running.part import RulePart, Runner
from hub.rules.samples.sample_keeper import SampleKeeper
from hub.rules.samples.timestamps import own_time

__all__ = ["DeviceTime"]


class DeviceTime(RulePart):
    """Gives messages their own time, and knows in which order they were sent."""

    def __init__(self, runner: Runner, program: Program, zone: tzinfo, samples: SampleKeeper | None) -> None:
        """Read times with `program`; those that name no zone are of `zone`."""
        self._runner, self._program, self._zone, self._samples = runner, program, zone, samples
        rule = runner.rule
        self._late = rule.late
        self._order, self._one_clock = Order(), set(rule.captures) <= set(rule.by)
        """Whether all messages of an instance are of one device; else only those of one topic have an order."""

    def before(self, arrival: Arrival) -> bool:
        """Give a message its own time, and find out whether it is late."""
        if not arrival.is_replay:
            self._stamp(arrival)
            arrival.is_late = self._is_late(arrival)
            if arrival.is_late and self._late:
                return self._is_in_time(arrival)
        return True

    def _is_in_time(self, arrival: Arrival) -> bool:
        """Tell whether a late message may still be heard; if not, say so."""
        instance, event = arrival.instance, arrival.event
        behind = 0.0 if instance is None else _latest(instance) - event.time
        if behind <= self._late:
            return True
        late = format_duration(self._late)
        too_late = f"its own time is {format_duration(behind)} before the newest, and `late` is {late}: it is not heard"
        self._runner.evaluator.failed(event, EvaluationError(too_late))
        return False

    def _stamp(self, arrival: Arrival) -> None:
        event, now = arrival.event, arrival.now
        evaluator, program = self._runner.evaluator, self._program
        try:
            context = evaluator.context(event, arrival.captures, now) if program.needs_context else None
            at = own_time(program.run(event.fields, arrival.captures, context), now, self._zone)
        except EvaluationError as error:  # it counts when it came
            evaluator.failed(event, error)
            return
        arrival.event = event.at(at)

    def _is_late(self, arrival: Arrival) -> bool:
        """Tell whether the instance has heard something newer, by the devices' own times.

        What seems to come from the future was heard before our own clock was set back, and says nothing of the order.
        """
        event, now, instance = arrival.event, arrival.now, arrival.instance
        if instance is None or not (self._one_clock or event.topic == instance.topic):
            return False
        latest = _latest(instance)
        place = DeviceOrder.NEWER if latest > now else self._order.place(arrival.key, latest, event.time, now)
        if place is DeviceOrder.SET_BACK:
            back = f"its own time went back by {latest - event.time:.0f} s: the device's clock was set, and counts anew"
            self._runner.evaluator.failed(event, EvaluationError(back))
            if self._samples is not None and instance.history is not None:
                self._samples.sampler.set_back(instance.history, event.time)
        return place is DeviceOrder.OLDER


def _latest(instance: Instance) -> float:
    """Return the time of the newest message that an instance has heard."""
    return instance.time if instance.history is None else max(instance.time, instance.history.latest)
