"""The functions that look across the members of an instance, `count(temperature > -15)`, each declared once. A leaf.

The compiler learns here how such a function is called; the rules' tallies (rules/members/tallies.py) have a method of
each name. They take the latest value of each member, so they have no window.
"""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ABSENT", "ACROSS", "MEMBER_CONDITION", "MEMBER_NUMBER", "AcrossFunction"]

ABSENT = "absent"
"""In these functions, the name that is true for a member that says nothing for longer than `stale`."""
MEMBER_NUMBER, MEMBER_CONDITION = "member number", "member condition"
"""What is kept of each member: a number, or whether a condition holds."""


class AcrossFunction(NamedTuple):
    """A function across members: what is kept of each, its result's kind, how it is written."""

    name: str
    mode: str
    kind: str
    form: str

    @property
    def arguments(self) -> int:
        """How many it takes."""
        return self.form.count(",") + 1


ACROSS: Mapping[str, AcrossFunction] = {
    each.name: each
    for each in (
        AcrossFunction("count", MEMBER_CONDITION, "int", "count(cond)"),
        AcrossFunction("any", MEMBER_CONDITION, "bool", "any(cond)"),
        AcrossFunction("every", MEMBER_CONDITION, "bool", "every(cond)"),
        AcrossFunction("names", MEMBER_CONDITION, "string", "names(cond)"),
        AcrossFunction("avg", MEMBER_NUMBER, "double", "avg(x)"),
        AcrossFunction("min", MEMBER_NUMBER, "double", "min(x)"),
        AcrossFunction("max", MEMBER_NUMBER, "double", "max(x)"),
        AcrossFunction("sum", MEMBER_NUMBER, "double", "sum(x)"),
        AcrossFunction("stddev", MEMBER_NUMBER, "double", "stddev(x)"),
        AcrossFunction("percentile", MEMBER_NUMBER, "double", "percentile(x, 95)"),
    )
}
"""All of them, by name; `count()` and `names()` take all members that are not stale."""
