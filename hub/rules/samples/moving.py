"""Windows move by the clock: `count(x, 10m)` falls when a sample is ten minutes old, though no message comes.

It says when the next sample leaves a window that a condition asks, and lets go of the samples that have left; the rule
then judges the last message again. So a sample causes one more judgement at most. Where messages come faster than a
60th of the window (WINDOW_PACE) it causes none: these judge often enough themselves. Of functions over time
(`held(cond, 24h)`) it says when they pass the bound that a condition compares them with.

A window ends at the instance's own time. This is the hub's clock minus the `lag`: how far the device's clock
(`timestamp`) is behind, plus how long the hub could not hear it since its last message.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from types import MappingProxyType
from typing import Any

from hub.errors import EvaluationError
from hub.expressions import Program
from hub.expressions.sampled import SMOOTH
from hub.limits import WINDOW_PACE
from hub.model import Event, Phase
from hub.rules.instances.instance import Instance, samples_of
from hub.rules.reading.rule import Rule
from hub.rules.samples.history import History
from hub.rules.samples.timed.clock_watch import Watch

__all__ = ["Moving", "moving_of", "stays"]

_NO_FIELDS: Mapping[str, Any] = MappingProxyType({})


class Moving:
    """The windows that a rule's conditions look at: those of `pause`, and those of all others, which a pause stops."""

    def __init__(
        self,
        windows: Mapping[str, float],
        early: Mapping[str, float],
        watches: Mapping[str, Sequence[Watch]] = MappingProxyType({}),
        *,
        stamped: bool,
    ) -> None:
        """Take the lengths in seconds by the keys of their slots, at least one; `early` are those of `pause`.

        `watches` is what is asked of slots that move by the clock all the time. `stamped`: the devices tell their own
        time.
        """
        self.stamped = stamped
        self._windows = [(key, seconds, seconds / WINDOW_PACE, watches.get(key)) for key, seconds in windows.items()]
        self._early = [each for each in self._windows if each[0] in early]
        self._keys = [key for key in windows if key not in watches]
        self._timed = list(watches)
        pace = min(windows.values()) / WINDOW_PACE
        self._pace = min(pace, 1.0) if watches else pace

    def begins(self, instance: Instance) -> bool:
        """Tell whether a message may let the clock look sooner: else it comes back for an older one, and looks then.

        That is where a window has its first sample, or a function over time another course.
        """
        if instance.history is not None:
            slots = instance.history.slots
            for key in self._keys:
                if slots[key].size == 1:
                    return True
            for key in self._timed:
                if slots[key].turned:
                    return True
        return False

    def due(self, instance: Instance) -> float:
        """Return when the next sample has left one of the windows, or a bound is passed; inf for never."""
        history, gates = instance.history, instance.gates
        if history is None:
            return inf
        due, slots, paced = inf, history.slots, history.gap
        for key, seconds, pace, watches in self._windows if gates is None or not gates.paused else self._early:
            leaves: float
            if watches is not None:
                leaves = slots[key].turn(watches, history.latest + pace if paced < pace else 0.0)
            else:
                leaves = slots[key].oldest + seconds
                if paced < pace and leaves < inf:
                    leaves = max(leaves, history.latest + pace)
            due = min(due, leaves)
        return min(due + history.lag, history.owed)

    def advance(self, instance: Instance, now: float) -> None:
        """Let the slots that move by the clock all the time be of now."""
        history = instance.history
        if history is not None:
            for key in self._timed:
                history.slots[key].move(now, history.lag)

    def owe(self, instance: Instance, now: float) -> float:
        """Note a message for which the conditions had no value; return when the clock judges in its place.

        Samples have left the windows with it, and no condition was evaluated since.
        """
        history = instance.history
        if history is None:
            return inf
        history.owed = min(history.owed, now + self._pace)
        return history.owed

    def move(self, instance: Instance, now: float) -> bool:
        """Let go of all samples that have left by now, if that can change a condition's answer; tell whether it can.

        The windows that only texts ask move with the others, so that a text is of one moment.
        """
        history = instance.history
        if history is None:
            return False
        if self.due(instance) > now:
            self.advance(instance, now)
            return False
        history.owed = inf
        for slot in history.slots.values():
            slot.move(now, history.lag)
        return True

    def follow(self, history: History, event: Event, now: float) -> bool:
        """Set `lag` to how far the device's clock is behind the hub's; tell whether it is less than before."""
        before = history.lag
        if not self.stamped:
            history.lag = 0.0
        elif event.time >= history.latest:
            history.lag = now - event.time
        return history.lag < before

    def excuse(self, history: History, seconds: float, now: float) -> None:
        """Stop the windows for `seconds`, but never longer than the time since the instance's last message."""
        history.lag = min(history.lag + seconds, now - history.latest)


def moving_of(rule: Rule) -> Moving | None:
    """Return what moves a rule's windows, if conditions of an alert ask any; an event speaks only with a message."""
    windows = _lengths(rule.conditions) if rule.alert else {}
    pause = None if rule.pause is None else rule.pause.condition
    early = {} if pause is None else _lengths([pause])
    if not windows:
        return None
    return Moving(windows, early, _watches(rule.conditions), stamped=rule.timestamp is not None)


def stays(rule: Rule, instance: Instance) -> bool:
    """Tell whether samples alone show that the instance stays as it is: reading its message again costs far more."""
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
    return {slot.key: slot.seconds for slot in slots if slot.seconds and slot.mode != SMOOTH}


def _watches(conditions: Iterable[Program]) -> Mapping[str, Sequence[Watch]]:
    found: dict[str, dict[Watch, None]] = {}
    for program in conditions:
        for (slot, function, arguments), value in program.bounds:
            found.setdefault(slot.key, {})[Watch(function, arguments, value)] = None
    return {key: list(watches) for key, watches in found.items()}
