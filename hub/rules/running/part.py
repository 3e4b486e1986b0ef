"""What a rule has beside its condition: parts, which take each message before and behind it, and keep deadlines.

A plain rule has none of them and pays nothing. The order of a rule's parts is that in which they take a message: its
own time, `pause`, samples, `absent`, what is remembered for later, `mute`; behind the condition it is the reverse.
"""

from math import inf
from typing import Protocol

from hub.model import Event, Phase
from hub.rules.instances.instance import Instance
from hub.rules.instances.rule_instances import Key, RuleInstances
from hub.rules.reading.rule import Rule
from hub.rules.running.condition import PhaseChange
from hub.rules.running.rule_evaluator import RuleEvaluator
from hub.rules.running.transition_maker import TransitionMaker

__all__ = ["Arrival", "Muting", "RulePart", "Runner"]


class Muting:
    """What `mute` said before the condition was asked: `was` before this message, `now` by it; and what fired."""

    __slots__ = ("absent", "fires", "now", "was")

    def __init__(self, instance: Instance | None, *, was: bool, now: bool) -> None:
        """Look at the instance before the condition changes it."""
        self.was, self.now = was, now
        self.fires = instance is not None and instance.phase is Phase.FIRING
        self.absent = instance is not None and bool(instance.absent_since)


class Arrival:
    """A message at hand, and how it is to be taken.

    `is_late`: it is older than one that its instance has heard: it undoes nothing. `is_replay`: it was remembered, and
    is judged as if it came now; `was_judged`: that was done already when it came. `muting` is what `mute` said of it,
    where the rule has one.
    """

    __slots__ = ("captures", "event", "is_late", "is_replay", "key", "muting", "now", "was_judged")
    muting: Muting

    def __init__(self, event: Event, captures: Key, key: Key, now: float, is_late: bool) -> None:
        """Take a message that comes in its turn."""
        self.event, self.captures, self.key, self.now, self.is_late = event, captures, key, now, is_late
        self.is_replay = self.was_judged = False

    @classmethod
    def again(cls, event: Event, captures: Key, key: Key, now: float, was_judged: bool) -> "Arrival":
        """Take a message that was remembered, as if it came now."""
        made = cls(event, captures, key, now, False)
        made.is_replay, made.was_judged = True, was_judged
        return made


class RulePart:
    """One part of a rule; what it does not care for does nothing."""

    def before(self, arrival: Arrival) -> bool:
        """Take a message before the condition does; False keeps it from all that stands behind.

        Raises:
            EvaluationError: it cannot be taken, and nothing else is done with it.

        """
        del arrival
        return True

    def after(self, arrival: Arrival, judged: bool) -> None:
        """Take it once the condition was asked; `judged`: that had a value."""

    def turn(self, instance: Instance, now: float, *, turned: bool) -> None:
        """Follow the clock; `turned`: what a condition may ask of it, a schedule or a window, may have changed."""

    def due(self, instance: Instance) -> float:
        """Return when the clock must look at an instance, inf for never."""
        del instance
        return inf

    def keeps(self, instance: Instance) -> bool:
        """Tell whether an instance must be remembered though it is inactive."""
        del instance
        return False


class Runner(Protocol):
    """What parts ask of the rule that they belong to: a RuleRunner."""

    rule: Rule
    instances: RuleInstances
    evaluator: RuleEvaluator
    transitions: TransitionMaker

    def replay(self, arrival: Arrival) -> None:
        """Judge a message that was remembered, as if it came now."""
        ...

    def apply(self, instance: Instance, change: PhaseChange, now: float, event: Event | None, captures: Key) -> None:
        """Let an instance change as a condition says, and tell it."""
        ...

    def reschedule(self, instance: Instance) -> None:
        """Enter the instance's earliest deadline, if it has one."""
        ...

    def go_on(self, instance: Instance) -> None:
        """Forget an instance that nothing needs any more; else enter its deadline."""
        ...

    def make_room(self, event: Event) -> None:
        """Forget a few instances where too many are remembered for what was."""
        ...
