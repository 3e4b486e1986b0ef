"""Functions of strings: the standard ones."""

from typing import Any

from hub.errors import EvaluationError
from hub.expressions.library.regex import pattern
from hub.expressions.library.registry import cel
from hub.expressions.library.steps import charge
from hub.expressions.values import no_overload

__all__ = ["OPERATIONS"]

OPERATIONS = ("matches_compiled",)


def text(what: str, *values: Any) -> None:
    """Make sure that all are strings."""
    for value in values:
        if value.__class__ is not str:
            raise no_overload(what, *values)
        charge(len(value) >> 7)


@cel("(string).contains(string) -> bool", costly=True)
def contains(string: str, part: str) -> bool:
    """Whether the part stands anywhere in the string."""
    text("contains", string, part)
    return part in string


@cel("(string).startsWith(string) -> bool", costly=True)
def starts_with(string: str, part: str) -> bool:
    """Whether the string begins with the part."""
    text("startsWith", string, part)
    return string.startswith(part)


@cel("(string).endsWith(string) -> bool", costly=True)
def ends_with(string: str, part: str) -> bool:
    """Whether the string ends with the part."""
    text("endsWith", string, part)
    return string.endswith(part)


@cel("(string).matches(string) -> bool", "matches(string, string) -> bool", costly=True)
def matches(string: str, regex: str) -> bool:
    """Whether the RE2 expression matches somewhere in the string."""
    text("matches", string, regex)
    try:
        compiled = pattern(regex)
    except ValueError as error:
        raise EvaluationError(f"not a regular expression: {error}") from None
    return matches_compiled(string, compiled)


def matches_compiled(string: Any, compiled: Any) -> bool:
    """Do the same with a pattern compiled at load."""
    if string.__class__ is not str:
        raise no_overload("matches", string, "")
    charge(len(string) >> 3)
    return compiled.search(string) is not None
