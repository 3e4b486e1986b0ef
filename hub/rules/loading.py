"""Instances from before a restart (out of the store) or a reload (out of the same rule's earlier state)."""

from collections.abc import Mapping
from math import inf

import orjson

from hub.model import Phase, Reason
from hub.rules.absence import end_silence, tell_silence
from hub.rules.instance import Gated, Instance
from hub.rules.pausing import release
from hub.rules.state import RuleState

__all__ = ["adopt", "load", "resume"]

_GATED = 9  # columns before those that only a Gated has


def load(state: RuleState, key: tuple[str, ...], text: str, chunks: Mapping[str, Mapping[int, str]]) -> Instance:
    """Read a stored instance, with the chunks of its samples by slot."""
    made, stored = state.made(key), orjson.loads(text)
    if len(stored) > _GATED and not isinstance(made, Gated):
        made = Gated(key)  # its rule had gates before: see resume
    made.fill(stored)
    if len(stored) > 8 and stored[8] is not None and state.sampler is not None and made.history is not None:
        made.history.load(stored[8], chunks)
    elif chunks:
        state.work.unsampled.add((state.rule.name, key))
    return made


def adopt(state: RuleState, before: RuleState) -> None:
    """Take over the instances of the same rule before a reload."""
    state.serial, state.errors = before.serial, before.errors
    state.matches, state.heard = before.matches, before.evaluations
    instances, before.instances = before.instances, {}
    state.instances = {key: _fitted(state, instance) for key, instance in instances.items()}


def _fitted(state: RuleState, instance: Instance) -> Instance:
    """Return the instance as the rule needs it now: with such samples as it looks at, and a place for its gates."""
    if state.sampler is not None and instance.history is not None:
        state.sampler.fit(instance.history)
    elif state.sampler is None and instance.history is None and isinstance(instance, type(state.made(()))):
        return instance
    else:
        if instance.history is not None:
            state.work.unsampled.add((state.rule.name, instance.key))
        made = state.made(instance.key)
        if instance.extra is not None and not isinstance(made, Gated):
            made = Gated(instance.key)
        instance = made.take(instance)
    state.work.touch(state, instance)
    return instance


def resume(state: RuleState, instance: Instance, now: float) -> None:
    """Go on with an instance from before, though `absent`, `pause` or `mute` came to the rule or left it."""
    instance.due = inf
    if state.absence is None:
        end_silence(state, instance, Reason.RULE_CHANGED, now)
    elif not instance.seen:
        instance.seen = now
        state.work.touch(state, instance)
    _open(state, instance, now)
    state.go_on(instance)


def _open(state: RuleState, instance: Instance, now: float) -> None:
    """Let the instance out of gates that the rule has no more."""
    extra, rule = instance.extra, state.rule
    if extra is None:
        return
    extra.resumed = now
    if extra.muted and rule.mute is None:
        extra.muted = False
        state.work.touch(state, instance)
        firing, reason = Phase.FIRING, Reason.MUTE_ENDED
        if instance.phase is firing:
            labels, last = state.labels(instance.key), state.last(instance)
            state.emit(instance, labels, firing, firing, reason, now, instance.since, *last, instance.topic)
        if instance.silent:
            tell_silence(state, instance, firing, firing, reason, now, instance.silent)
    if extra.paused and rule.pause is None:
        release(state, instance, now, again=True)
