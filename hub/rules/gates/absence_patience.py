"""For how long an instance may say nothing: as `absent` says, or as its own messages have shown (`absent: auto`)."""

from typing import Protocol

from hub.limits import (
    ABSENT_LEARNED_AFTER,
    ABSENT_LEARNED_LEAST_SECONDS,
    ABSENT_LEARNED_OVER_SECONDS,
    ABSENT_LEARNED_SECONDS,
)
from hub.rules.instances.instance import GateState, Instance, gates_of

__all__ = ["FixedPatience", "LearnedPatience", "Patience"]

_FORGETTING = 20.0  # intervals after which a gap counts half: a burst of messages in between makes no difference
_INTERVALS = 3.0  # without a message make an instance absent


class Patience(Protocol):
    """How long `absent` waits; `learns` tells whether `learn` must be called with each message."""

    learns: bool

    def seconds(self, instance: Instance, /) -> float:
        """Return for how many seconds the instance may say nothing."""
        ...

    def learn(self, instance: Instance, now: float, /) -> bool:
        """Take a message into account before it counts as heard; tell whether the patience has changed by it."""
        ...


class FixedPatience:
    """The same for all instances: the seconds that the rule says."""

    learns = False

    def __init__(self, seconds: float) -> None:
        """Take the rule's seconds."""
        self._seconds = seconds

    def seconds(self, _instance: Instance, /) -> float:
        """Return the rule's seconds."""
        return self._seconds

    def learn(self, _instance: Instance, _now: float, /) -> bool:
        """Learn nothing: the patience never changes."""
        return False


class LearnedPatience:
    """`absent: auto`: the messages of each instance show how long it may say nothing."""

    learns = True

    def __init__(self, seconds: float) -> None:
        """Wait for `seconds` as long as too little is known of an instance."""
        self._seconds = seconds

    def seconds(self, instance: Instance) -> float:
        """Return three times the longest recent interval of the instance, once enough intervals were heard."""
        gates = instance.gates
        if gates is None or not _is_known(gates):
            return self._seconds
        return min(max(ABSENT_LEARNED_LEAST_SECONDS, _INTERVALS * gates.gap), ABSENT_LEARNED_SECONDS)

    def learn(self, instance: Instance, now: float) -> bool:
        """Count a message and the interval before it; tell whether this message made the intervals count."""
        gates = gates_of(instance)
        known = _is_known(gates)
        if gates.messages:
            self._take(gates, now - max(instance.seen, gates.resumed), instance)
        gates.messages += 1
        return not known and _is_known(gates)

    def _take(self, gates: GateState, gap: float, instance: Instance) -> None:
        """Take an interval into account; one that was told as an absence counts as long as the patience."""
        gap = max(0.0, gap)
        patience = self.seconds(instance)
        # longer than the patience, and no absence was told: the hub was not listening, so it is no interval
        if gap > patience and not instance.absent_since:
            return
        gates.observed += gap
        known = gates.gap * 0.5 ** (gap / (_FORGETTING * gates.gap)) if gates.gap else 0.0
        gates.gap = max(min(gap, patience), known)


def _is_known(gates: GateState) -> bool:
    return gates.messages >= ABSENT_LEARNED_AFTER and gates.observed >= ABSENT_LEARNED_OVER_SECONDS
