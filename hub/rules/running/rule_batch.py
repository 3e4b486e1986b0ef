"""Rules that hear the same events: their conditions are compiled to one function, and only some rules then act.

An inactive rule whose condition is false has nothing to do. Where that is so for all, an event costs a single call.
"""

from collections.abc import Sequence

from hub.errors import CompileError
from hub.expressions import RunAll, compile_together
from hub.limits import TOGETHER_AFTER, TOGETHER_RULES
from hub.model import Event
from hub.rules.instances.rule_instances import ActiveSet, Key
from hub.rules.reading.rule import Rule
from hub.rules.running.engine_context import Count
from hub.rules.running.rule_runner import RuleRunner

__all__ = ["RuleBatch", "batches", "can_join"]


class RuleBatch:
    """Rules of one filter that see the same captures and make the same instance of them.

    They are compiled together after `after` events: a topic that is hardly used is not worth it, and a large set of
    rules must not be compiled all at once.
    """

    def __init__(self, runners: Sequence[RuleRunner], after: int) -> None:
        """Take the rules, at least one; `can_join` must hold for each."""
        self.runners = runners
        self.active: ActiveSet = {}
        self.heard = Count()
        for runner in runners:
            runner.heard += runner.together.number
            runner.together = self.heard
            runner.instances.watch(self.active)
        self._left = after
        self._run: RunAll | None = None

    def key_of(self, captures: Key) -> Key | None:
        """Return the key of the instance, which is the same for all of the rules."""
        return self.runners[0].instances.key_of(captures)

    def step(self, event: Event, captures: Key, key: Key, now: float) -> None:
        """Evaluate one event for all of the rules."""
        run = self._run
        if run is None:
            for runner in self.runners:
                runner.step(event, captures, key, now)
            self._heard()
            return
        self.heard.number += 1
        outcomes = run(event.fields, captures, None)
        active = self.active.get(key, ())
        if not active and outcomes.count(False) == len(outcomes):
            return
        for runner, outcome in zip(self.runners, outcomes, strict=True):
            if outcome is not False or runner in active:
                runner.conclude(event, captures, key, now, outcome)

    def _heard(self) -> None:
        self._left -= 1
        if self._left == 0:
            conditions = [runner.rule.when for runner in self.runners if runner.rule.when is not None]
            try:
                self._run = compile_together(conditions)
            except CompileError:
                return  # too much for one function: each rule goes on alone


def can_join(rule: Rule) -> bool:
    """Tell whether a rule, while it is inactive, has nothing to do with a message for which its condition is false."""
    when = rule.when
    # the common function has no context, and one step budget for all: a costly condition would use up the others'
    if when is None or when.needs_context or when.costly:
        return False
    # an intake stands before these rules
    if rule.where is not None or rule.each is not None or rule.names:
        return False
    # these parts take every message, whatever the condition says
    if rule.pause is not None or rule.mute is not None or rule.timestamp is not None:
        return False
    simple = rule.absent is None and not rule.readings and not rule.across and len(rule.patterns) == 1
    return simple and set(rule.by) <= set(rule.captures)


def batches(runners: Sequence[RuleRunner]) -> list[RuleBatch]:
    """Make batches of TOGETHER_RULES rules at most; each batch is compiled at another event than the one before."""
    groups = [runners[first : first + TOGETHER_RULES] for first in range(0, len(runners), TOGETHER_RULES)]
    return [RuleBatch(group, TOGETHER_AFTER + number) for number, group in enumerate(groups)]
