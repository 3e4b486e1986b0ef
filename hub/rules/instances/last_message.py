"""Remembers the last message of each instance, which is judged again when a pause ends or a schedule changes."""

from math import inf

from hub.rules.instances.arrival import Arrival
from hub.rules.instances.instance import Instance
from hub.rules.running.part import RulePart, Runner

__all__ = ["LastMessage"]


class LastMessage(RulePart):
    """Remembers the last message of known instances; with `for_all`, makes an instance of everything that is heard."""

    def __init__(self, runner: Runner, *, for_all: bool) -> None:
        """With `for_all`, keep inactive instances: the clock may make one fire, or an older message may come later."""
        self._runner, self._instances = runner, runner.instances
        self._for_all = for_all

    def after(self, arrival: Arrival, judged: bool) -> None:
        """Remember a message for which the condition had a value; a replayed one is remembered already."""
        if not judged or arrival.is_replay:
            return
        instance, event = arrival.instance, arrival.event
        if instance is None:
            if not self._for_all:
                return
            instance = arrival.instance = self._instances.obtain(arrival.key)
        if self._for_all and not self._instances.line.heard(arrival.key):
            self._runner.make_room(event)
        self._instances.remember(instance, event)
        if self._for_all and instance.due == inf:
            self._runner.reschedule(instance)  # the time at which it will be too old to keep

    def keeps(self, _instance: Instance, /) -> bool:
        """Keep inactive instances, if the rule remembers the messages of all."""
        return self._for_all
