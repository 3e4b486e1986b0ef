"""The optional types: `optional.of(x)`, `a.?b.orValue(0)`."""

from datetime import datetime, timedelta
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.runtime.functions import cel
from hub.expressions.runtime.steps import charge
from hub.expressions.times import nanoseconds
from hub.expressions.values import Optional, no_overload

__all__ = ["OPERATIONS"]

OPERATIONS = ("present",)


def _opened(what: str, value: Any) -> Optional:
    if value.__class__ is not Optional:
        raise no_overload(what, value)
    return value


def present(value: Any) -> tuple[Any, ...]:
    """`[?value]`: what is to stand in the list."""
    opened = _opened("?", value)
    return (opened.value,) if opened.present else ()


@cel("optional.of(dyn) -> optional")
def of(value: Any) -> Optional:
    """An optional that holds the value."""
    return Optional(True, value)


@cel("optional.none() -> optional")
def none() -> Optional:
    """An optional that holds nothing."""
    return Optional()


@cel("optional.ofNonZeroValue(dyn) -> optional")
def of_non_zero_value(value: Any) -> Optional:
    """An optional that holds the value, unless that is zero, empty, false or null."""
    if isinstance(value, (datetime, timedelta)):
        return Optional(True, value) if nanoseconds(value) else Optional()
    empty = (
        value is None
        or (hasattr(value, "__len__") and not len(value))
        or (isinstance(value, (int, float)) and not value)
    )
    return Optional() if empty else Optional(True, value)


@cel("(optional).hasValue() -> bool")
def has_value(value: Any) -> bool:
    """Whether it holds something."""
    return _opened("hasValue", value).present


@cel("(optional).value() -> dyn")
def value_function(value: Any) -> Any:
    """What it holds; an error if that is nothing."""
    opened = _opened("value", value)
    if not opened.present:
        raise EvaluationError("the optional holds nothing")
    return opened.value


@cel("(optional).or(optional) -> optional")
def or_function(value: Any, other: Any) -> Optional:
    """The optional itself, or if it holds nothing the other one."""
    opened, second = _opened("or", value), _opened("or", other)
    return opened if opened.present else second


@cel("(optional).orValue(dyn) -> dyn")
def or_value(value: Any, other: Any) -> Any:
    """What it holds, or if that is nothing the other value."""
    opened = _opened("orValue", value)
    return opened.value if opened.present else other


@cel("optional.unwrap(list) -> list", "(list).unwrapOpt() -> list", costly=True)
def unwrap(items: Any) -> list[Any]:
    """What the optionals of a list hold, without those that hold nothing."""
    if items.__class__ is not list:
        raise no_overload("unwrap", items)
    charge(len(items))
    return [item.value for item in items if _opened("unwrap", item).present]


@cel("(list).first() -> optional")
def first(items: Any) -> Optional:
    """The first element of a list."""
    if items.__class__ is not list:
        raise no_overload("first", items)
    return Optional(True, items[0]) if items else Optional()


@cel("(list).last() -> optional")
def last(items: Any) -> Optional:
    """The last element of a list."""
    if items.__class__ is not list:
        raise no_overload("last", items)
    return Optional(True, items[-1]) if items else Optional()
