"""The samples of a rule's instances: each message adds to them before the condition runs, and the clock moves them."""

from math import inf

from hub.expressions import Context
from hub.model import Phase
from hub.rules.instances.arrival import Arrival
from hub.rules.instances.instance import Instance, Sampled
from hub.rules.instances.rule_instances import RuleInstances
from hub.rules.running.engine_context import EngineContext
from hub.rules.running.part import RulePart, Runner
from hub.rules.samples.moving import Moving
from hub.rules.samples.sampler import Sampler

__all__ = ["OwedJudgement", "SampleKeeper"]


class SampleKeeper(RulePart):
    """Adds samples to a rule's instances and moves their windows; `moving` is None where no condition asks a window."""

    def __init__(self, runner: Runner, context: EngineContext, sampler: Sampler, moving: Moving | None) -> None:
        """Take the samples that `sampler` says."""
        self._runner, self._instances, self._context = runner, runner.instances, context
        self.sampler, self.moving, self._needs_context = sampler, moving, sampler.needs_context

    # messages

    def before(self, arrival: Arrival, early: bool = False) -> bool:
        """Take the samples of a message, whichever of them the conditions will ask; a replayed message has none left.

        `early`: take only those that the condition of `pause` asks, because these count under a pause too.

        Raises:
            EvaluationError: the rule has as many instances as it may.

        """
        if arrival.was_judged:
            return True
        event, instances, instance, moving = arrival.event, self._instances, arrival.instance, self.moving
        if instance is None:
            instance = arrival.instance = instances.obtain(arrival.key)
        if not instances.line.heard(arrival.key):
            self._runner.make_room(event)
        history, is_sooner = instance.history, False
        if history is not None:
            feed = self.sampler.feed_late if arrival.is_late else self.sampler.feed
            feed(history, event, arrival.captures, self._context_of(arrival) if self._needs_context else None, early)
            if moving is not None and (history.lag or moving.stamped):
                # with less lag, the samples leave their windows sooner than the deadline says
                is_sooner = moving.follow(history, event, arrival.now)
        self._context.dirty.add((self._runner, instance))  # `touch`, without a call for each message
        if instance.due == inf:
            self._runner.reschedule(instance)
        elif moving is not None and (is_sooner or arrival.is_late or moving.begins(instance)):
            instances.schedule(instance, moving.due(instance))
        return True

    def _context_of(self, arrival: Arrival) -> Context:
        return self._runner.evaluator.context(arrival.event, arrival.captures, arrival.now)

    # the clock

    def move(self, instance: Instance, now: float) -> bool:
        """Let go of the samples that have left a window by now; tell whether that can change a condition's answer."""
        return self.moving is not None and self.moving.move(instance, now)

    def advance(self, instance: Instance, now: float) -> None:
        """Let functions over time be of now, before a condition is judged by the clock."""
        if self.moving is not None:
            self.moving.advance(instance, now)

    def due(self, instance: Instance) -> float:
        """Return when the next sample has left a window that a condition looks at."""
        return inf if self.moving is None else self.moving.due(instance)

    def idle(self, instance: Instance) -> float:
        """Return when an instance that is kept only for its samples will need them no longer; inf for any other."""
        history = instance.history
        if history is None or self._runner.rule.absent is not None or instance.phase is not Phase.INACTIVE:
            return inf
        return history.latest + self.sampler.idle + history.lag

    def excuse(self, instance: Instance, seconds: float, now: float) -> None:
        """Stop the windows for `seconds`: for that long the hub could hear no device."""
        if self.moving is not None and instance.history is not None:
            self.moving.excuse(instance.history, seconds, now)

    def shift(self, instance: Instance, seconds: float) -> None:
        """Stop the windows for `seconds`: the wall clock was set by so much, and no time has passed."""
        if self.moving is not None and instance.history is not None:
            instance.history.lag += seconds
            self._instances.touch(instance)

    # which instances are kept

    def keeps(self, _instance: Instance, /) -> bool:
        """Remember all instances: each has samples."""
        return True

    def void(self, instance: Sampled) -> None:
        """Forget the samples of an instance that stays for another reason."""
        instance.history = self.sampler.new()
        self._context.unsampled.add((self._runner.rule.name, instance.key))
        self._instances.touch(instance)


class OwedJudgement(RulePart):
    """Sees that the clock judges again where a message had no value, for a rule whose conditions ask windows.

    Such a message moves the windows too. So the last message that had a value is judged with the windows as they are.
    """

    def __init__(self, instances: RuleInstances, moving: Moving) -> None:
        """`moving` says when the clock judges in place of a message that had no value."""
        self._instances, self._moving = instances, moving

    def after(self, arrival: Arrival, judged: bool) -> None:
        """Remember the message for the clock to judge again; if it had no value, the one before it is judged."""
        instance = arrival.instance
        if instance is None or arrival.is_replay:
            return
        if judged:
            self._instances.remember(instance, arrival.event)
        elif instance.raw is not None:
            self._instances.schedule(instance, self._moving.owe(instance, arrival.now))
