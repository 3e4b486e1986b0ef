"""Conversions between types, and `type()`."""

import math
import re
from datetime import datetime, timedelta
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.runtime.functions import cel
from hub.expressions.runtime.steps import charge
from hub.expressions.times import (
    duration_text,
    nanoseconds,
    read_duration,
    read_timestamp,
    timestamp_of,
    timestamp_text,
)
from hub.expressions.values import INT_MAX, INT_MIN, UINT_MAX, CelType, UInt, an, no_overload, type_of

__all__ = ["OPERATIONS", "duration_text", "number_text", "timestamp_text"]

OPERATIONS: tuple[str, ...] = ()

_INT = re.compile(r"[ \t\r\n]*([+-]?[0-9]{1,40})[ \t\r\n]*", re.ASCII)
_DOUBLE = re.compile(
    r"[ \t\r\n]*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|[+-]?(?:inf(?:inity)?|nan))[ \t\r\n]*",
    re.ASCII | re.IGNORECASE,
)
_TRUE = frozenset(("1", "t", "true", "TRUE", "True"))
_FALSE = frozenset(("0", "f", "false", "FALSE", "False"))


@cel("dyn(dyn) -> dyn")
def dyn(value: Any) -> Any:
    """The value itself; its type is no longer checked at load."""
    return value


@cel("type(dyn) -> type")
def type_function(value: Any) -> CelType:
    """The value's type."""
    return type_of(value)


def _refused(value: Any, to: str) -> EvaluationError:
    shown = repr(value)
    return EvaluationError(f"{shown if len(shown) < 40 else shown[:40] + '…'} cannot be made {an(to)}")


@cel("int(number) -> int", "int(string) -> int", "int(timestamp) -> int")
def int_function(value: Any) -> int:
    """A whole number: a double is cut towards zero, a timestamp is seconds since 1970."""
    kind = value.__class__
    if kind is int or kind is UInt:
        number = int(value)
    elif kind is float and -(2.0**63) < value < 2.0**63:
        number = math.trunc(value)
    elif kind is str and (match := _INT.fullmatch(value)):
        number = int(match[1])
    elif isinstance(value, datetime):
        number = nanoseconds(value) // 10**9
    elif kind is float or kind is str:
        raise _refused(value, "int")
    else:
        raise no_overload("int", value)
    if INT_MIN <= number <= INT_MAX:
        return number
    raise _refused(value, "int")


@cel("uint(number) -> uint", "uint(string) -> uint")
def uint_function(value: Any) -> UInt:
    """An unsigned whole number."""
    kind = value.__class__
    if kind is int or kind is UInt:
        number = int(value)
    elif kind is float and 0 <= value < 2.0**64:
        number = math.trunc(value)
    elif kind is str and (match := _INT.fullmatch(value)):
        number = int(match[1])
    elif kind is float or kind is str:
        raise _refused(value, "uint")
    else:
        raise no_overload("uint", value)
    if 0 <= number <= UINT_MAX:
        return UInt(number)
    raise _refused(value, "uint")


@cel("double(number) -> double", "double(string) -> double")
def double_function(value: Any) -> float:
    """A double."""
    kind = value.__class__
    if kind in (float, int, UInt):
        return float(value)
    if kind is not str:
        raise no_overload("double", value)
    charge(len(value) >> 4)
    if len(value) > 1000 or not (match := _DOUBLE.fullmatch(value)):
        raise _refused(value, "double")
    return float(match[1])


@cel("bool(bool) -> bool", "bool(string) -> bool")
def bool_function(value: Any) -> bool:
    """True for `true`, `t`, `1`; false for `false`, `f`, `0`."""
    if value.__class__ is bool:
        return value
    if value.__class__ is not str:
        raise no_overload("bool", value)
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise _refused(value, "bool")


@cel("bytes(bytes) -> bytes", "bytes(string) -> bytes", costly=True)
def bytes_function(value: Any) -> bytes:
    """A string's UTF-8."""
    if value.__class__ is bytes:
        return value
    if value.__class__ is not str:
        raise no_overload("bytes", value)
    charge(len(value) >> 7)
    return value.encode()


@cel(
    "string(string) -> string",
    "string(bool) -> string",
    "string(number) -> string",
    "string(bytes) -> string",
    "string(timestamp) -> string",
    "string(duration) -> string",
    costly=True,
)
def string_function(value: Any) -> str:
    """Text: a timestamp in RFC 3339, a duration in seconds (`90s`), bytes as UTF-8."""
    kind = value.__class__
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return number_text(value)
    if kind is int or kind is UInt:
        return str(int(value))
    if kind is bytes:
        charge(len(value) >> 7)
        return value.decode()  # type: ignore[no-any-return]
    return _time_text(value)


def _time_text(value: Any) -> str:
    if isinstance(value, datetime):
        return timestamp_text(value)
    if isinstance(value, timedelta):
        return duration_text(value)
    raise no_overload("string", value)


def number_text(value: float) -> str:
    """Write a double as CEL does: the shortest digits, an exponent from a million up and below 1e-4."""
    if not math.isfinite(value):
        return repr(value)
    digits, _, exponent = f"{value:e}".partition("e")
    shortest = repr(value)
    if -4 <= int(exponent) < 6:
        return shortest.removesuffix(".0")
    sign = "-" if digits[0] == "-" else ""
    mantissa, _, written = shortest.lstrip("-").partition("e")
    figures = mantissa.replace(".", "").strip("0") or "0"
    power = _power(mantissa, int(written or 0))
    point = "." if len(figures) > 1 else ""
    return f"{sign}{figures[0]}{point}{figures[1:]}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _power(mantissa: str, exponent: int) -> int:
    """Return the exponent that a number has with one digit before its point."""
    whole, _, fraction = mantissa.partition(".")
    if whole.strip("0"):
        return exponent + len(whole.lstrip("0")) - 1
    return exponent - (len(fraction) - len(fraction.lstrip("0")) + 1)


@cel("timestamp(timestamp) -> timestamp", "timestamp(string) -> timestamp", "timestamp(int) -> timestamp")
def timestamp_function(value: Any) -> datetime:
    """A timestamp, from RFC 3339 or seconds since 1970."""
    if isinstance(value, datetime):
        return value
    if value.__class__ is int:
        return timestamp_of(value * 10**9)
    if value.__class__ is str:
        return read_timestamp(value)
    raise no_overload("timestamp", value)


@cel("duration(duration) -> duration", "duration(string) -> duration")
def duration_function(value: Any) -> timedelta:
    """A duration, from text as `1h30m` or `1.5s`."""
    if isinstance(value, timedelta):
        return value
    if value.__class__ is str:
        return read_duration(value)
    raise no_overload("duration", value)
