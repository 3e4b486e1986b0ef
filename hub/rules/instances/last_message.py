"""The last message of each instance, remembered for who judges it again: a pause that ends, a schedule that changes."""

from math import inf

from hub.rules.instances.instance import Instance
from hub.rules.running.part import Arrival, RulePart, Runner

__all__ = ["LastMessage"]


class LastMessage(RulePart):
    """Remembers it for instances that there are; with `for_all` it makes one of each that is heard."""

    def __init__(self, runner: Runner, *, for_all: bool) -> None:
        """With `for_all` what is inactive is kept: it may fire by the clock, or an older message may come behind."""
        self._runner, self._instances = runner, runner.instances
        self._for_all = for_all

    def after(self, arrival: Arrival, judged: bool) -> None:
        """Remember a message that had a value; what was remembered already is judged again without that."""
        if not judged or arrival.is_replay:
            return
        key, event = arrival.key, arrival.event
        instance = self._instances.obtain(key) if self._for_all else self._instances.get(key)
        if instance is None:
            return
        if self._for_all and not self._instances.line.heard(key):
            self._runner.make_room(event)
        self._instances.remember(instance, event)
        if self._for_all and instance.due == inf:
            self._runner.reschedule(instance)  # it is not kept for ever

    def keeps(self, instance: Instance) -> bool:
        """Remember an inactive instance, where that is for all."""
        del instance
        return self._for_all
