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
    """What `absent` asks of it."""

    learns: bool

    def seconds(self, instance: Instance) -> float:
        """Return for how many seconds the instance may say nothing."""
        ...

    def learn(self, instance: Instance, now: float) -> bool:
        """Take a message into account before it counts as heard; tell whether more is known now than was."""
        ...


class FixedPatience:
    """The same for all instances."""

    learns = False

    def __init__(self, seconds: float) -> None:
        """Take what the rule says."""
        self._seconds = seconds

    def seconds(self, instance: Instance) -> float:
        """Return what the rule says."""
        del instance
        return self._seconds

    def learn(self, instance: Instance, now: float) -> bool:
        """Learn nothing."""
        del instance, now
        return False


class LearnedPatience:
    """Each instance shows by its messages how long it may be silent."""

    learns = True

    def __init__(self, seconds: float) -> None:
        """Wait so long for an instance that is not known well enough yet."""
        self._seconds = seconds

    def seconds(self, instance: Instance) -> float:
        """Return three of its longest intervals of late, once there were enough to know them."""
        gates = instance.gates
        if gates is None or not _is_known(gates):
            return self._seconds
        return min(max(ABSENT_LEARNED_LEAST_SECONDS, _INTERVALS * gates.gap), ABSENT_LEARNED_SECONDS)

    def learn(self, instance: Instance, now: float) -> bool:
        """Count a message, and take the interval before it into account; tell whether the first that matters came."""
        gates = gates_of(instance)
        known = _is_known(gates)
        if gates.messages:
            self._take(gates, now - max(instance.seen, gates.resumed), instance)
        gates.messages += 1
        return not known and _is_known(gates)

    def _take(self, gates: GateState, gap: float, instance: Instance) -> None:
        """Take an interval into account. One that was told as an absence counts for as much as was waited for.

        What is longer than the patience and was not told is no interval: nobody was there to listen.
        """
        gap = max(0.0, gap)
        patience = self.seconds(instance)
        if gap > patience and not instance.absent_since:
            return
        gates.observed += gap
        known = gates.gap * 0.5 ** (gap / (_FORGETTING * gates.gap)) if gates.gap else 0.0
        gates.gap = max(min(gap, patience), known)


def _is_known(gates: GateState) -> bool:
    return gates.messages >= ABSENT_LEARNED_AFTER and gates.observed >= ABSENT_LEARNED_OVER_SECONDS
