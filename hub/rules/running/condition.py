"""How a condition changes an instance: pure functions, the state machine of a rule.

    inactive ──when──▶ pending ──for──▶ firing ──clear, clear_for──▶ resolved (and inactive again)

The runner evaluates the condition in force and applies what `follow` returns; with each deadline it asks `elapsed`.
Nothing here looks at a clock, or changes an instance.
"""

from math import inf
from typing import NamedTuple

from hub.model import Phase, Reason
from hub.rules.instances.instance import NEVER, Instance
from hub.rules.reading.rule import Rule

__all__ = ["PhaseChange", "due", "elapsed", "follow", "interrupted"]

_INACTIVE, _PENDING, _FIRING, _RESOLVED = Phase.INACTIVE, Phase.PENDING, Phase.FIRING, Phase.RESOLVED
_CONDITION, _CLEARED = Reason.CONDITION, Reason.CLEARED  # to fetch one of an enum costs 50 ns


class PhaseChange(NamedTuple):
    """The state of an instance from now on.

    `since`: when it became pending or firing; for an end, when the ended phase began. `reason`: why this is told; None
    where only `clear_for` begins or is taken back, which nobody is told.
    """

    phase: Phase
    since: float
    reason: Reason | None = None
    clearing_since: float = NEVER


def follow(rule: Rule, instance: Instance, fires: bool, at: float, now: float) -> PhaseChange | None:
    """Return the change after a message which says that the instance `fires`, or not; `at`: since when that holds.

    A message never ends a `for` or a `clear_for`; only the clock does: see `elapsed`.
    """
    if instance.phase is _FIRING:
        if fires:  # it goes on; an end that had begun is taken back
            return PhaseChange(_FIRING, instance.since) if instance.clearing_since else None
        if not rule.clear_hold:  # nothing to wait for: it ends at once
            return PhaseChange(_RESOLVED, instance.since, _CLEARED)
        # `clear_for` counts from the first message that says so; later ones change nothing
        return None if instance.clearing_since else PhaseChange(_FIRING, instance.since, None, at)
    if not fires:  # one false message ends a `for`
        return PhaseChange(_INACTIVE, instance.since, _CONDITION) if instance.phase is _PENDING else None
    if instance.phase is _PENDING:  # `for` counts from the first message
        return None
    return PhaseChange(_PENDING, at, _CONDITION) if rule.hold else PhaseChange(_FIRING, now, _CONDITION)


def elapsed(rule: Rule, instance: Instance, now: float) -> PhaseChange | None:
    """Return the change that the clock brings, if `for` or `clear_for` is over by now."""
    if instance.phase is _PENDING and now >= instance.since + rule.hold:
        return PhaseChange(_FIRING, now, Reason.HELD)
    if instance.clearing_since and now >= instance.clearing_since + rule.clear_hold:
        return PhaseChange(_RESOLVED, instance.since, _CLEARED)
    return None


def interrupted(instance: Instance) -> PhaseChange | None:
    """Return the change that the beginning of a pause brings.

    `for` and `clear_for` begin anew after the pause, and a firing instance goes on firing.
    """
    if instance.phase is _PENDING:
        return PhaseChange(_INACTIVE, instance.since, Reason.PAUSED)
    return PhaseChange(instance.phase, instance.since) if instance.clearing_since else None


def due(rule: Rule, instance: Instance) -> float:
    """Return when `elapsed` will return a change, in seconds since 1970; inf for never."""
    if instance.phase is _PENDING:
        return instance.since + rule.hold
    return instance.clearing_since + rule.clear_hold if instance.clearing_since else inf
