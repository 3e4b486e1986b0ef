"""Rules that hear of the same events: their conditions are one function, and only those that have to do anything do it.

A rule that is inactive and whose condition is false has nothing to do; where all of them are, an event costs one call.
"""

from collections.abc import Sequence

from hub.errors import CompileError
from hub.expressions import RunAll, compile_together
from hub.limits import TOGETHER_AFTER, TOGETHER_RULES
from hub.model import Event
from hub.rules.roster import Count
from hub.rules.rule import Rule
from hub.rules.state import RuleState

__all__ = ["Ensemble", "can_join", "ensembles"]

Key = tuple[str, ...]


class Ensemble:
    """Rules of one filter that see the same captures and make the same instance of them.

    They are compiled together when they have heard of `after` events: not for a topic that is hardly used, and not all
    of a large set of rules at once.
    """

    def __init__(self, states: Sequence[RuleState], after: int) -> None:
        """Take the rules, at least one; all of them can join."""
        self.states = states
        self.awake: dict[Key, set[RuleState]] = {}
        self.heard = Count()
        for state in states:
            state.heard += state.together.number
            state.together = self.heard
            state.watch(self.awake)
        self._left = after
        self._run: RunAll | None = None

    def key_of(self, captures: Key) -> Key | None:
        """Return the instance, which is the same for all."""
        return self.states[0].key_of(captures)

    def step(self, event: Event, captures: Key, key: Key, now: float) -> None:
        """Evaluate one event."""
        run = self._run
        if run is None:
            for state in self.states:
                state.step(event, captures, key, now)
            self._heard()
            return
        self.heard.number += 1
        outcomes = run(event.fields, captures, None)
        live = self.awake.get(key, ())
        if not live and outcomes.count(False) == len(outcomes):
            return
        for state, holds in zip(self.states, outcomes, strict=True):
            if holds is not False or state in live:
                state.step(event, captures, key, now, holds)

    def _heard(self) -> None:
        self._left -= 1
        if self._left == 0:
            try:
                self._run = compile_together([state.rule.when for state in self.states if state.rule.when is not None])
            except CompileError:
                return  # too much for one function: each goes on alone


def can_join(rule: Rule) -> bool:
    """Tell whether a rule that is inactive has nothing to do where its condition is false."""
    when = rule.when
    if when is None or when.needs_context or when.costly:
        return False
    if rule.pause is not None or rule.mute is not None or rule.timestamp is not None:
        return False
    simple = rule.absent is None and not rule.readings and len(rule.patterns) == 1
    return simple and set(rule.by) <= set(rule.captures)


def ensembles(states: Sequence[RuleState]) -> list[Ensemble]:
    """Make ensembles of rules that can join each other."""
    groups = [states[first : first + TOGETHER_RULES] for first in range(0, len(states), TOGETHER_RULES)]
    return [Ensemble(group, TOGETHER_AFTER + number) for number, group in enumerate(groups)]
