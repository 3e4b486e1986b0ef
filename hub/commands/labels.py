"""Compares the labels that a silence names with those that exist: a misspelt one would silence nothing, or all."""

from collections.abc import Iterable

from hub.alerts.matchers import Matcher
from hub.fields import did_you_mean
from hub.rules.reading.rule import LABEL_NAMES
from hub.spine.core import Core

__all__ = ["unknown_labels"]

_NAMED = 12  # labels in one warning


def unknown_labels(core: Core, matchers: Iterable[Matcher]) -> list[str]:
    """Return a warning for each label that neither a rule in force nor an alert has; posted alerts have no rule.

    It is no error: a silence may be made before the rule, or the alert, that it is for.
    """
    known = LABEL_NAMES.union(*(rule.label_names for rule in core.rules.values()))
    strange = [name for name in dict.fromkeys(each.name for each in matchers) if name not in known]
    if strange:
        known = known.union(*(alert.labels for _, alert in core.book.find(())))
    return [_warning(name, known) for name in strange if name not in known]


def _warning(name: str, known: frozenset[str]) -> str:
    there = sorted(known)
    near = did_you_mean(name, there) or f"there are {', '.join(there[:_NAMED])}{', …' if len(there) > _NAMED else ''}"
    return f"no alert or rule has a label {name!r}; {near}"
