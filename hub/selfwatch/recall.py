"""The topics on which the hub spoke of itself before a restart.

What is over meanwhile must be said there once more, or an alert about it would never resolve.
"""

from collections.abc import Iterable, Iterator

from hub.model import OWN_TOPICS
from hub.rules.reading.rule import Rule
from hub.rules.running.rule_runner import RuleRunner

__all__ = ["about_itself", "spoken"]


def about_itself(rules: Iterable[Rule]) -> frozenset[str]:
    """Return the names of rules that judge the hub itself."""
    return frozenset(
        rule.name for rule in rules if any(pattern.filter.startswith(OWN_TOPICS) for pattern in rule.patterns)
    )


def spoken(states: Iterable[RuleRunner]) -> Iterator[str]:
    """Yield the topics below `$hub/` that rules have instances of, where the instance tells the topic."""
    for state in states:
        rule, pattern = state.rule, state.rule.patterns[0]
        if not pattern.filter.startswith(OWN_TOPICS) or rule.by != rule.captures or pattern.rest is not None:
            continue
        for key in state.instances:
            levels = pattern.filter.split("/")
            for level, value in zip(pattern.levels, key, strict=True):
                levels[level] = value
            if "+" not in levels:
                yield "/".join(levels)
