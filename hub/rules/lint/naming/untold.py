"""Finds rules that tell nobody: neither the rule, nor its file's defaults, nor a step of `escalate` names a receiver.

It is a note, because their alerts still are on the page, at the desk and on `hub/alerts/…`: that may be intended.
"""

from collections.abc import Iterator

from hub.errors import Problem
from hub.rules.reading.loader import RuleSet

__all__ = ["untold"]

_HINT = "name a receiver there; shadow: true, where the rule is only tried out"


def untold(found: RuleSet) -> Iterator[Problem]:
    """Find enabled rules that tell nobody, except those that suppress others by `unless`: that is their purpose."""
    causes = {name for rule in found.rules.values() if not rule.shadow for name in rule.unless}
    for name, rule in found.rules.items():
        if rule.shadow or rule.notify or rule.escalate or name in causes or name in found.shipped:
            continue
        node = found.nodes[name]
        key = "notify" if "notify" in node.value else "alert" if rule.alert else "event"
        why = "its 'notify' is empty" if key == "notify" else "neither it nor 'defaults' has 'notify'"
        yield node.key_problem(key, f"nobody is told of rule {name!r}: {why}", _HINT).as_note()
