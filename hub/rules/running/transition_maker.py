"""Makes the transitions that the alert book gets when something happens to an instance of a rule."""

from collections.abc import Callable, Mapping
from typing import Any

from hub.expressions import Program
from hub.model import Event, Labels, Phase, Reason
from hub.rules.instances.instance import Instance
from hub.rules.instances.rule_instances import RuleInstances
from hub.rules.members.census import census_of
from hub.rules.reading.rule import Rule
from hub.rules.running.engine_context import EngineContext, Owner
from hub.rules.running.rule_evaluator import RuleEvaluator
from hub.rules.running.transition import Transition, Unheard
from hub.rules.samples.sampler import Sampler

__all__ = ["TransitionMaker"]

Key = tuple[str, ...]
_BY_WHEN = frozenset({Reason.CONDITION, Reason.HELD})


class TransitionMaker:
    """Makes the transitions of one rule: labels, texts' values, and whether the instance is muted."""

    def __init__(
        self,
        *,
        owner: Owner,
        context: EngineContext,
        instances: RuleInstances,
        evaluator: RuleEvaluator,
        sampler: Sampler | None,
        is_muted: Callable[[Instance | None, float], bool],
    ) -> None:
        """Transitions go to `context`; `is_muted` tells whether the rule's `mute` holds for an instance at a time."""
        self._owner, self._rule, self._instances, self._context = owner, owner.rule, instances, context
        self._evaluator, self._sampler, self._is_muted = evaluator, sampler, is_muted
        self._census = census_of(self._rule)
        told = self._rule.texts.schedules
        self._told = {name: table for name, table in evaluator.tables.items() if name in told} or None

    def emit(
        self,
        instance: Instance | None,
        labels: Labels,
        phase: Phase,
        before: Phase,
        reason: Reason,
        at: float,
        since: float,
        event: Event | None,
        captures: Key,
        topic: str = "",
        unheard: Unheard | None = None,
        until: float | None = None,
    ) -> None:
        """Make a transition and hand it over; `topic` names the device where there is no event: it was never heard.

        `until` is when an episode was over that is told as a whole.
        """
        device = self._context.registry.attributes(topic if event is None else event.topic)
        shown = None if instance is None else self._shown(instance)
        values = self._evaluator.values(_asked(self._rule, reason), instance, event, captures, at)
        muted = self._is_muted(instance, at)
        self._context.transitions.append(
            Transition(
                self._rule, labels, phase, before, reason, at, since, event, captures, device,
                self._owner.serial, shown, muted, self._told, values, self._latest(captures), unheard, until,
            )
        )  # fmt: skip

    def _shown(self, instance: Instance) -> Mapping[str, Any] | None:
        """Write down what the texts will ask of samples or members."""
        if self._census is not None and instance.members is not None:
            return self._census.shown(instance.members)
        return None if self._sampler is None else self._sampler.shown(instance.history)

    def remark(self, instance: Instance, reason: Reason, now: float, event: Event | None, captures: Key) -> None:
        """Say that something else has changed about an instance that goes on firing: it is muted, or no longer."""
        labels, firing = self._instances.labels(instance.key), Phase.FIRING
        self.emit(instance, labels, firing, firing, reason, now, instance.since, event, captures, instance.topic)

    def as_it_is(
        self,
        instance: Instance,
        labels: Labels,
        since: float,
        now: float,
        unheard: Unheard | None = None,
        reason: Reason = Reason.CONDITION,
    ) -> Transition:
        """Return a transition for the texts of a firing instance as it is now: its last event, its samples.

        It is not handed over: the alert book asks for it when it tells an alert again, later than the event.
        """
        event, captures = self._instances.last(instance)
        device = self._context.registry.attributes(instance.topic)
        shown = self._shown(instance)
        firing = Phase.FIRING
        return Transition(
            self._rule, labels, firing, firing, reason, now, since, event, captures, device,
            history=shown, schedules=self._told, latest=self._latest(captures), unheard=unheard,
        )  # fmt: skip

    def _latest(self, captures: Key) -> Mapping[str, Any] | None:
        names = self._evaluator.names
        return None if names is None else names.seen(captures).taken()


def _asked(rule: Rule, reason: Reason) -> Program | None:
    """Return the condition that made a transition for this reason."""
    if reason in _BY_WHEN:
        return rule.when
    if reason is Reason.SET:
        return rule.when
    if reason in (Reason.CLEARED, Reason.LATE):
        return rule.clear or rule.when
    gate = rule.pause if reason is Reason.PAUSED else None
    gate = rule.mute if reason in (Reason.MUTE_BEGAN, Reason.MUTE_ENDED) else gate
    return None if gate is None else gate.condition
