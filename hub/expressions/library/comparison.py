"""Equality and order as CEL defines them: across the kinds of numbers, never across anything else.

An int meets a double as a double, so beyond 2**53 neighbours are equal.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.runtime.steps import charge
from hub.expressions.times import nanoseconds
from hub.expressions.values import CelType, Optional, UInt, no_overload

__all__ = ["OPERATIONS"]

OPERATIONS = ("equal", "unequal", "less", "less_equal", "greater", "greater_equal", "unordered")

_PLAIN = frozenset((int, UInt, float, str, bytes, bool, type(None)))
_NUMBERS = frozenset((int, UInt, float))
_MISSING = object()


def equal(a: Any, b: Any) -> bool:
    """`a == b`; values of different types are not equal, numbers of different kinds may be."""
    kind, other = a.__class__, b.__class__
    if kind is other and kind in _PLAIN:
        return a == b  # type: ignore[no-any-return]
    if kind in _NUMBERS:
        return other in _NUMBERS and (float(a) == float(b) if float in (kind, other) else a == b)
    if kind is list:
        return other is list and _equal_lists(a, b)
    return _equal_others(a, b)


def _equal_others(a: Any, b: Any) -> bool:
    if isinstance(a, (datetime, timedelta)):
        return isinstance(b, (datetime, timedelta)) and _equal_times(a, b)
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and _equal_maps(a, b)
    if isinstance(a, Optional):
        return isinstance(b, Optional) and a.present == b.present and (not a.present or equal(a.value, b.value))
    return isinstance(a, CelType) and a is b


def unequal(a: Any, b: Any) -> bool:
    """`a != b`."""
    return not equal(a, b)


def _equal_lists(a: Any, b: Any) -> bool:
    charge(len(a))
    return len(a) == len(b) and all(map(equal, a, b))


def _equal_maps(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> bool:
    charge(len(a) * 2)
    return len(a) == len(b) and all(
        (other := lookup(b, key, _MISSING)) is not _MISSING and equal(value, other) for key, value in a.items()
    )


def _equal_times(a: Any, b: Any) -> bool:
    return isinstance(a, datetime) == isinstance(b, datetime) and nanoseconds(a) == nanoseconds(b)


def lookup(mapping: Mapping[Any, Any], key: Any, default: Any) -> Any:
    """Return a map's value by a key of CEL: 1, 1u and 1.0 are the same key, true is another."""
    if key.__class__ is str:
        return mapping.get(key, default)
    try:
        found = mapping.get(key, default)
    except TypeError:  # a list or a map is no key
        return default
    if found is not default and key in (0, 1):
        charge(len(mapping))
        as_bool = key.__class__ is bool
        return found if any(k == key and (k.__class__ is bool) is as_bool for k in mapping) else default
    return found


def _ordered(a: Any, b: Any, sign: str) -> tuple[Any, Any]:
    """Return what to compare in place of a and b."""
    kind, other = a.__class__, b.__class__
    if kind in _NUMBERS and other in _NUMBERS:
        return (float(a), float(b)) if kind is not other and float in (kind, other) else (a, b)
    if kind is other and kind in (str, bytes, bool):
        return a, b
    for times in (datetime, timedelta):
        if isinstance(a, times) and isinstance(b, times):
            return nanoseconds(a), nanoseconds(b)
    raise no_overload(sign, a, b)


def less(a: Any, b: Any) -> bool:
    """`a < b`."""
    a, b = _ordered(a, b, "<")
    return a < b  # type: ignore[no-any-return]


def less_equal(a: Any, b: Any) -> bool:
    """`a <= b`."""
    a, b = _ordered(a, b, "<=")
    return a <= b  # type: ignore[no-any-return]


def greater(a: Any, b: Any) -> bool:
    """`a > b`."""
    a, b = _ordered(a, b, ">")
    return a > b  # type: ignore[no-any-return]


def greater_equal(a: Any, b: Any) -> bool:
    """`a >= b`."""
    a, b = _ordered(a, b, ">=")
    return a >= b  # type: ignore[no-any-return]


def unordered(_value: Any) -> bool:
    """Fail: a bool is compared with a number (Python would do it)."""
    raise EvaluationError("no such overload: bool compared with a number")
