"""Brings back instances: after a restart out of the store, after a reload out of the same rule's earlier runner."""

from collections.abc import Mapping
from math import inf

import orjson

from hub.model import Phase, Reason
from hub.rules.gates.absence import emit_absence, end_absence
from hub.rules.gates.pause import release
from hub.rules.instances.instance import Gated, Instance
from hub.rules.running.rule_runner import RuleRunner

__all__ = ["carry_over", "load_stored", "reconcile"]

_GATED = 9  # columns before those that only a Gated has


def load_stored(
    runner: RuleRunner, key: tuple[str, ...], text: str, chunks: Mapping[str, Mapping[int, str]]
) -> Instance:
    """Read a stored instance, with the chunks of its samples by slot."""
    made, stored = runner.instances.made(key), orjson.loads(text)
    if len(stored) > _GATED and not isinstance(made, Gated):
        made = Gated(key)  # its rule had gates before, which `reconcile` will end
    made.fill(stored)
    if made.members is not None:
        runner.context.members.claim(runner.rule.name, key, made.members)
    if len(stored) > 8 and stored[8] is not None and made.history is not None:
        made.history.load(stored[8], chunks)
    elif chunks:
        runner.context.unsampled.add((runner.rule.name, key))
    return made


def carry_over(runner: RuleRunner, before: RuleRunner) -> None:
    """Move the instances and counters of a rule from its runner before a reload to the new one."""
    runner.serial, runner.evaluator.errors = before.serial, before.errors
    runner.matches, runner.heard = before.matches, before.evaluations
    for key, instance in before.instances.items():
        runner.instances[key] = _fitted(runner, instance)
    before.instances.clear()


def _fitted(runner: RuleRunner, instance: Instance) -> Instance:
    """Return the instance in the shape that the rule needs now: with the samples it looks at, a place for its gates."""
    if runner.samples is not None and instance.history is not None:
        runner.samples.sampler.fit(instance.history)
    elif runner.members is None and runner.samples is None and instance.history is None and _fits(runner, instance):
        return instance
    else:
        if instance.history is not None:
            runner.context.unsampled.add((runner.rule.name, instance.key))
        made = runner.instances.made(instance.key)
        if instance.gates is not None and not isinstance(made, Gated):
            made = Gated(instance.key)
        if made.members is not None and instance.members is not None:
            made.members.carry(instance.members)
        instance = made.take(instance)
    runner.instances.touch(instance)
    return instance


def _fits(runner: RuleRunner, instance: Instance) -> bool:
    return isinstance(instance, type(runner.instances.made(())))


def reconcile(runner: RuleRunner, instance: Instance, now: float) -> None:
    """Let an instance from before go on where `absent`, `pause` or `mute` was added to its rule or removed from it."""
    instance.due = inf
    if runner.absence is None:
        end_absence(runner, instance, Reason.RULE_CHANGED, now)
    elif not instance.seen:  # `absent` is new to the rule: the patience begins now
        instance.seen = now
        runner.instances.touch(instance)
    _leave_removed_gates(runner, instance, now)
    runner.go_on(instance)


def _leave_removed_gates(runner: RuleRunner, instance: Instance, now: float) -> None:
    """End the mute and the pause of an instance where the rule no longer has that key.

    Nothing else would end them: a gate is only followed by the part that the key makes.
    """
    gates, rule = instance.gates, runner.rule
    if gates is None:
        return
    gates.resumed = now
    if gates.muted and rule.mute is None:
        gates.muted = False
        runner.instances.touch(instance)
        firing, reason = Phase.FIRING, Reason.MUTE_ENDED
        if instance.phase is firing:
            runner.transitions.remark(instance, reason, now, *runner.instances.last(instance))
        if instance.absent_since:
            emit_absence(runner, instance, firing, firing, reason, now, instance.absent_since)
    if gates.paused and rule.pause is None:
        moving = None if runner.samples is None else runner.samples.moving
        release(runner, instance, now, absence=runner.absence, moving=moving, again=True)
