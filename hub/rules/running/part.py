"""What a rule has beside its condition: parts, which take each message before and after it, and keep deadlines.

A plain rule has no parts and pays nothing for them. The parts take a message in this order: its own time, `pause`,
samples, `absent`, what is remembered for later, `mute`; after the condition, the order is the reverse.
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
    """What a message does to `mute`: `was` it muted before, is it `now`; and what was told before the condition ran.

    `fires`: the condition's alert was firing. `absent`: the alert about the absence was.
    """

    __slots__ = ("absent", "fires", "now", "was")

    def __init__(self, instance: Instance | None, *, was: bool, now: bool) -> None:
        """Look at the instance before the condition changes it."""
        self.was, self.now = was, now
        self.fires = instance is not None and instance.phase is Phase.FIRING
        self.absent = instance is not None and bool(instance.absent_since)


class Arrival:
    """A message at hand, and how it is to be taken.

    `is_late`: its instance has heard a newer message, so this one undoes nothing. `is_replay`: it was remembered and is
    judged as if it came now; `was_judged`: it was judged already when it came. `muting` is what `mute` said of it, only
    set where the rule has a `mute`.
    """

    __slots__ = ("captures", "event", "is_late", "is_replay", "key", "muting", "now", "was_judged")
    muting: Muting

    def __init__(self, event: Event, captures: Key, key: Key, now: float, is_late: bool) -> None:
        """Take a message that has just come; `now` is in seconds since 1970."""
        self.event, self.captures, self.key, self.now, self.is_late = event, captures, key, now, is_late
        self.is_replay = self.was_judged = False

    @classmethod
    def again(cls, event: Event, captures: Key, key: Key, now: float, was_judged: bool) -> "Arrival":
        """Take a message that was remembered, as if it came now."""
        made = cls(event, captures, key, now, False)
        made.is_replay, made.was_judged = True, was_judged
        return made


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


class Runner(Protocol):
    """What parts ask of the rule to which they belong; a RuleRunner fulfils it."""

    rule: Rule
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
