"""Rules that hear of the same events: their conditions are one function, and only those that have to do anything do it.

A rule that is inactive and whose condition is false has nothing to do; where all of them are, an event costs one call.
"""

from collections.abc import Sequence

from hub.errors import CompileError
from hub.expressions import RunAll, compile_together
from hub.limits import TOGETHER_AFTER, TOGETHER_RULES
from hub.model import Event
from hub.rules.instances.rule_instances import ActiveSet, Key
from hub.rules.reading.rule import Rule
from hub.rules.running.rule_runner import Count, RuleRunner

__all__ = ["RuleBatch", "batches", "can_join"]


class RuleBatch:
    """Rules of one filter that see the same captures and make the same instance of them.

    They are compiled together when they have heard of `after` events: not for a topic that is hardly used, and not all
    of a large set of rules at once.
    """

    def __init__(self, runners: Sequence[RuleRunner], after: int) -> None:
        """Take the rules, at least one; all of them can join."""
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
        """Return the instance, which is the same for all."""
        return self.runners[0].instances.key_of(captures)

    def step(self, event: Event, captures: Key, key: Key, now: float) -> None:
        """Evaluate one event."""
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


def batches(runners: Sequence[RuleRunner]) -> list[RuleBatch]:
    """Make batches of rules that can join each other."""
    groups = [runners[first : first + TOGETHER_RULES] for first in range(0, len(runners), TOGETHER_RULES)]
    return [RuleBatch(group, TOGETHER_AFTER + number) for number, group in enumerate(groups)]
