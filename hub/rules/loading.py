"""Instances from before a restart (out of the store) or a reload (out of the same rule's earlier state)."""

from collections.abc import Mapping

import orjson

from hub.rules.instance import Gated, Instance
from hub.rules.state import RuleState

__all__ = ["adopt", "load"]


def load(state: RuleState, key: tuple[str, ...], text: str, chunks: Mapping[str, Mapping[int, str]]) -> Instance:
    """Read a stored instance, with the chunks of its samples by slot."""
    made, stored = state.made(key), orjson.loads(text)
    if len(stored) > 9 and not isinstance(made, Gated):
        made = Gated(key)  # the rule has no gates any more; what they held must be let go
    made.fill(stored)
    if len(stored) > 8 and stored[8] is not None and state.sampler is not None and made.history is not None:
        state.sampler.load(made.history, stored[8], chunks)
    elif chunks:
        state.work.unsampled.add((state.rule.name, key))
    return made


def adopt(state: RuleState, before: RuleState) -> None:
    """Take over the instances of the same rule before a reload."""
    state.serial, state.errors = before.serial, before.errors
    state.instances, before.instances = before.instances, {}
    kind = type(state.made(()))
    if state.sampler is not None or before.sampler is not None or kind is Gated:
        state.instances = {key: _fitted(state, instance) for key, instance in state.instances.items()}


def _fitted(state: RuleState, instance: Instance) -> Instance:
    """Return the instance with such samples as the rule looks at now."""
    if state.sampler is not None and instance.history is not None:
        state.sampler.fit(instance.history)
    elif type(instance) is not type(state.made(())):
        if instance.history is not None:
            state.work.unsampled.add((state.rule.name, instance.key))
        instance = state.made(instance.key).take(instance)
    state.work.touch(state, instance)
    return instance
