"""What a rule has beside its condition: parts, which take each message before and after it, and keep deadlines.

A plain rule has no parts and pays nothing for them. The parts take a message in this order: its own time, `pause`,
samples, `absent`, what is remembered for later, `mute`; after the condition, the order is the reverse.
"""

from math import inf
from typing import Protocol

from hub.model import Event
from hub.rules.instances.arrival import Arrival
from hub.rules.instances.instance import Instance
from hub.rules.instances.rule_instances import Key, RuleInstances
from hub.rules.running.condition import PhaseChange
from hub.rules.running.engine_context import Owner
from hub.rules.running.rule_evaluator import RuleEvaluator
from hub.rules.running.transition_maker import TransitionMaker

__all__ = ["RulePart", "Runner"]


class RulePart:
    """One part of a rule; a part overrides only the methods that it needs, the others do nothing."""

    def before(self, _arrival: Arrival, /) -> bool:
        """Take a message before the condition does; False keeps it from the parts after this one and the condition.

        Raises:
            EvaluationError: it cannot be taken, and nothing else is done with it.

        """
        return True

    def after(self, arrival: Arrival, judged: bool, /) -> None:
        """Take the message after the condition was asked; `judged`: the condition had a value."""

    def turn(self, instance: Instance, now: float, *, turned: bool) -> None:
        """Follow the clock; `turned`: a schedule or window that a condition asks for may have changed."""

    def due(self, _instance: Instance, /) -> float:
        """Return when the clock must look at an instance, in seconds since 1970; inf for never."""
        return inf

    def keeps(self, _instance: Instance, /) -> bool:
        """Tell whether an inactive instance must be remembered for this part."""
        return False


class Runner(Owner, Protocol):
    """What parts ask of the rule to which they belong; a RuleRunner fulfils it."""

    instances: RuleInstances
    evaluator: RuleEvaluator
    transitions: TransitionMaker

    def replay(self, arrival: Arrival) -> None:
        """Judge a message that was remembered, as if it came now."""
        ...

    def apply(self, instance: Instance, change: PhaseChange, now: float, event: Event | None, captures: Key) -> None:
        """Change an instance as the condition says, and emit the transition."""
        ...

    def reschedule(self, instance: Instance) -> None:
        """Enter the instance's earliest deadline, if it has one."""
        ...

    def go_on(self, instance: Instance) -> None:
        """Forget an instance that nothing needs any longer; else enter its deadline."""
        ...

    def make_room(self, event: Event) -> None:
        """Forget a few inactive instances where too many are remembered; `event` names the topic in the error."""
        ...
