"""Arithmetic as CEL defines it: 64-bit integers that do not wrap, IEEE doubles, strings, lists and times that add.

One superset: an int and a double make a double, because a device sends 21 and 21.5.
"""

import math
from datetime import datetime, timedelta
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.runtime.steps import charge
from hub.expressions.times import duration_of, nanoseconds, timestamp_of
from hub.expressions.values import INT_MAX, INT_MIN, UINT_MAX, UInt, no_overload
from hub.limits import EXPRESSION_RESULT

__all__ = ["OPERATIONS"]

OPERATIONS = ("add", "subtract", "multiply", "divide", "modulo", "negate")


def _fit(number: int, like: type) -> int:
    if like is UInt:
        if 0 <= number <= UINT_MAX:
            return UInt(number)
    elif INT_MIN <= number <= INT_MAX:
        return number
    raise EvaluationError(f"overflow: {'uint' if like is UInt else 'int'} has 64 bits")


def _mixed(a: Any, b: Any) -> bool:
    """Say whether these are an int and a double."""
    kind, other = a.__class__, b.__class__
    return (kind is float and other is int) or (kind is int and other is float)


def _joined(a: Any, b: Any) -> Any:
    size = len(a) + len(b)
    if size > EXPRESSION_RESULT:
        raise EvaluationError(f"a value of over {EXPRESSION_RESULT} elements")
    charge(size >> 8 if a.__class__ is not list else size >> 5)
    return a + b


def add(a: Any, b: Any) -> Any:
    """`a + b`."""
    kind = a.__class__
    if kind is b.__class__:
        if kind is float:
            return a + b
        if kind is int or kind is UInt:
            return _fit(int(a) + int(b), kind)
        if kind in (str, bytes, list):
            return _joined(a, b)
    if _mixed(a, b):
        return a + b
    return _shift(a, b, 1)


def _shift(a: Any, b: Any, sign: int) -> Any:
    """Add or subtract times."""
    if isinstance(a, datetime):
        if isinstance(b, timedelta):
            return timestamp_of(nanoseconds(a) + sign * nanoseconds(b))
        if isinstance(b, datetime) and sign < 0:
            return duration_of(nanoseconds(a) - nanoseconds(b))
    elif isinstance(a, timedelta):
        if isinstance(b, timedelta):
            return duration_of(nanoseconds(a) + sign * nanoseconds(b))
        if isinstance(b, datetime) and sign > 0:
            return timestamp_of(nanoseconds(a) + nanoseconds(b))
    raise no_overload("+" if sign > 0 else "-", a, b)


def subtract(a: Any, b: Any) -> Any:
    """`a - b`."""
    kind = a.__class__
    if kind is b.__class__:
        if kind is float:
            return a - b
        if kind is int or kind is UInt:
            return _fit(int(a) - int(b), kind)
    if _mixed(a, b):
        return a - b
    return _shift(a, b, -1)


def multiply(a: Any, b: Any) -> Any:
    """`a * b`."""
    kind = a.__class__
    if kind is b.__class__:
        if kind is float:
            return a * b
        if kind is int or kind is UInt:
            return _fit(int(a) * int(b), kind)
    if _mixed(a, b):
        return a * b
    raise no_overload("*", a, b)


def divide(a: Any, b: Any) -> Any:
    """`a / b`; integers are cut towards zero, a double divided by zero is infinite or not a number."""
    kind = a.__class__
    if kind is b.__class__ and (kind is int or kind is UInt):
        if b == 0:
            raise EvaluationError("division by zero")
        quotient = abs(a) // abs(b)
        return _fit(-quotient if (a < 0) != (b < 0) else quotient, kind)
    if (kind is float and b.__class__ is float) or _mixed(a, b):
        try:
            return a / b
        except ZeroDivisionError:
            sign = math.copysign(1.0, a) * math.copysign(1.0, b)
            return math.nan if a == 0 or a != a else math.copysign(math.inf, sign)  # noqa: PLR0124 - a NaN
    raise no_overload("/", a, b)


def modulo(a: Any, b: Any) -> Any:
    """`a % b`, of integers, with the sign of a."""
    kind = a.__class__
    if kind is not b.__class__ or not (kind is int or kind is UInt):
        raise no_overload("%", a, b)
    if b == 0:
        raise EvaluationError("modulus by zero")
    if a == INT_MIN and b == -1:
        raise EvaluationError("overflow: int has 64 bits")  # as the division of the same two
    rest = abs(a) % abs(b)
    return kind(-rest if a < 0 else rest)


def negate(a: Any) -> Any:
    """`-a`."""
    if a.__class__ is float:
        return -a
    if a.__class__ is int:
        return _fit(-a, int)
    raise EvaluationError(str(no_overload("-", a)))
