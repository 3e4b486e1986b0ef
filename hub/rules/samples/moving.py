"""Windows move by the clock: `count(x, 10m)` falls when a sample is ten minutes old, though no message comes.

A part beside the condition, as Absence is: it says when the next sample leaves a window that a condition looks at, and
lets go of what has left; the rule then judges the last message again. So a sample causes one judgement more at most.
Where messages come faster than a 60th of the window (WINDOW_PACE) it causes none: they judge often enough themselves.

A window ends at the instance's own time: the hub's clock less its `lag`, which is how far the device's clock
(`timestamp`) is behind, and for how long nobody could have been heard since its last message.
"""

from collections.abc import Iterable, Mapping
from math import inf
from types import MappingProxyType
from typing import Any

from hub.errors import EvaluationError
from hub.expressions import Program
from hub.limits import WINDOW_PACE
from hub.model import Event, Phase
from hub.rules.instances.instance import Instance, samples_of
from hub.rules.reading.rule import Rule
from hub.rules.samples.history import History

__all__ = ["Moving", "moving_of", "stays"]

_NO_FIELDS: Mapping[str, Any] = MappingProxyType({})


class Moving:
    """The windows that a rule's conditions look at: those of `pause`, and those of all others, which a pause stops."""

    def __init__(self, windows: Mapping[str, float], early: Mapping[str, float], *, stamped: bool) -> None:
        """Take the lengths in seconds by the keys of their slots, at least one; `early` are those of `pause`.

        `stamped`: the devices tell their own time.
        """
        self._stamped = stamped
        self._windows = [(key, seconds, seconds / WINDOW_PACE) for key, seconds in windows.items()]
        self._early = [each for each in self._windows if each[0] in early]
        self._keys = list(windows)
        self._pace = min(windows.values()) / WINDOW_PACE

    def begins(self, instance: Instance) -> bool:
        """Tell whether a window has its first sample: else the clock comes back for an older one, and looks then."""
        if instance.history is not None:
            slots = instance.history.slots
            for key in self._keys:
                if slots[key].size == 1:
                    return True
        return False

    def due(self, instance: Instance) -> float:
        """Return when the next sample has left one of the windows; inf where none is in them."""
        history, gates = instance.history, instance.gates
        if history is None:
            return inf
        due, slots, paced = inf, history.slots, history.gap
        for key, seconds, pace in self._windows if gates is None or not gates.paused else self._early:
            leaves: float = slots[key].oldest + seconds
            if paced < pace and leaves < inf:
                leaves = max(leaves, history.latest + pace)
            due = min(due, leaves)
        return min(due + history.lag, history.owed)

    def owe(self, instance: Instance, now: float) -> float:
        """Note that a message came for which the conditions had no value; return when the clock judges instead of it.

        What left the windows by that message nobody has judged: that is done with the last message that had a value.
        """
        history = instance.history
        if history is None:
            return inf
        history.owed = min(history.owed, now + self._pace)
        return history.owed

    def move(self, instance: Instance, now: float) -> bool:
        """Let go of all samples that have left by now, if that can change what a condition says; tell whether it can.

        The windows that only texts look at move with the others: what is told then is of one moment.
        """
        history = instance.history
        if history is None or self.due(instance) > now:
            return False
        history.owed = inf
        for slot in history.slots.values():
            slot.move(now, history.lag)
        return True

    def follow(self, history: History, event: Event, now: float) -> bool:
        """Take over how far the device's clock is behind the hub's; tell whether that is less than it was."""
        before = history.lag
        if not self._stamped:
            history.lag = 0.0
        elif event.time >= history.latest:
            history.lag = now - event.time
        return history.lag < before

    def excuse(self, history: History, seconds: float, now: float) -> None:
        """Let no time pass for so long: nobody could have been heard. What was heard last is never older than it is."""
        history.lag = min(history.lag + seconds, now - history.latest)


def moving_of(rule: Rule) -> Moving | None:
    """Return what moves a rule's windows, if conditions of an alert look at any; an event speaks by messages only."""
    windows = _lengths(rule.conditions) if rule.alert else {}
    pause = None if rule.pause is None else rule.pause.condition
    early = {} if pause is None else _lengths([pause])
    return Moving(windows, early, stamped=rule.timestamp is not None) if windows else None


def stays(rule: Rule, instance: Instance) -> bool:
    """Tell whether the instance stays as it is, if the samples alone say so: reading the message costs far more."""
    fires = instance.phase is Phase.FIRING
    program = (rule.clear if fires else None) or rule.when
    if program is None or instance.clearing_since or program.needs_context or program.asks_message:
        return False
    try:
        holds: bool = program.run(_NO_FIELDS, (), None, samples_of(instance))
    except EvaluationError:
        return True
    return holds is ((fires and rule.clear is None) or instance.phase is Phase.PENDING)


def _lengths(conditions: Iterable[Program]) -> dict[str, float]:
    slots = [reading.slot for program in conditions for reading in program.history]
    return {slot.key: slot.seconds for slot in slots if slot.seconds}
