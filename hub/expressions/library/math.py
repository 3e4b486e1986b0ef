"""The math extension library: `math.abs` and its kin."""

import math
from collections.abc import Callable
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.runtime.functions import cel
from hub.expressions.runtime.steps import charge
from hub.expressions.values import INT_MAX, UINT_MAX, UInt, no_overload

__all__ = ["OPERATIONS"]

OPERATIONS: tuple[str, ...] = ()

_NUMBERS = (int, UInt, float)


def _double(what: str, value: Any) -> None:
    if value.__class__ is not float:
        raise no_overload(what, value)


def _outermost(what: str, values: tuple[Any, ...], better: Callable[[Any, Any], bool]) -> Any:
    if len(values) == 1 and values[0].__class__ is list:
        values = tuple(values[0])
        charge(len(values))
    if not values:
        raise EvaluationError(f"{what} of nothing")
    best = values[0]
    for value in values:
        if value.__class__ not in _NUMBERS:
            raise no_overload(what, value)
        if better(value, best):
            best = value
    return best


@cel("math.greatest(number...) -> number", "math.greatest(list) -> number", costly=True)
def greatest(*values: Any) -> Any:
    """The greatest of the numbers, or of those in a list."""
    return _outermost("math.greatest", values, lambda value, best: value > best)


@cel("math.least(number...) -> number", "math.least(list) -> number", costly=True)
def least(*values: Any) -> Any:
    """The least of the numbers, or of those in a list."""
    return _outermost("math.least", values, lambda value, best: value < best)


@cel("math.ceil(double) -> double")
def ceil(value: float) -> float:
    """The next whole number up."""
    _double("math.ceil", value)
    return math.copysign(float(math.ceil(value)), value) if math.isfinite(value) else value


@cel("math.floor(double) -> double")
def floor(value: float) -> float:
    """The next whole number down."""
    _double("math.floor", value)
    return math.copysign(float(math.floor(value)), value) if math.isfinite(value) else value


@cel("math.trunc(double) -> double")
def trunc(value: float) -> float:
    """The whole number towards zero."""
    _double("math.trunc", value)
    return math.copysign(float(math.trunc(value)), value) if math.isfinite(value) else value


@cel("math.round(double) -> double")
def round_double(value: float) -> float:
    """The nearest whole number; a half goes away from zero."""
    _double("math.round", value)
    if not math.isfinite(value):
        return value
    size = abs(value)
    near = math.floor(size)
    return math.copysign(float(near + 1 if size - near >= 0.5 else near), value)


@cel("math.abs(int) -> int", "math.abs(uint) -> uint", "math.abs(double) -> double")
def absolute(value: Any) -> Any:
    """The number without its sign."""
    if value.__class__ is float or value.__class__ is UInt:
        return UInt(value) if value.__class__ is UInt else abs(value)
    if value.__class__ is not int:
        raise no_overload("math.abs", value)
    if abs(value) > INT_MAX:
        raise EvaluationError("overflow: int has 64 bits")
    return abs(value)


@cel("math.sign(int) -> int", "math.sign(uint) -> uint", "math.sign(double) -> double")
def sign(value: Any) -> Any:
    """-1, 0 or 1, of the same type."""
    if value.__class__ not in _NUMBERS:
        raise no_overload("math.sign", value)
    if value != value:  # noqa: PLR0124 - a NaN
        return value
    if value == 0:
        return value.__class__(0)
    return value.__class__(1 if value > 0 else -1)


@cel("math.sqrt(number) -> double")
def square_root(value: Any) -> float:
    """The square root; of a negative number, not a number."""
    if value.__class__ not in _NUMBERS:
        raise no_overload("math.sqrt", value)
    return math.nan if value < 0 else math.sqrt(value)


@cel("math.isNaN(double) -> bool")
def is_nan(value: float) -> bool:
    """Whether it is not a number."""
    _double("math.isNaN", value)
    return math.isnan(value)


@cel("math.isInf(double) -> bool")
def is_inf(value: float) -> bool:
    """Whether it is infinite."""
    _double("math.isInf", value)
    return math.isinf(value)


@cel("math.isFinite(double) -> bool")
def is_finite(value: float) -> bool:
    """Whether it is neither infinite nor not a number."""
    _double("math.isFinite", value)
    return math.isfinite(value)


def _bits(what: str, *values: Any) -> type:
    kind: type = values[0].__class__
    if kind not in (int, UInt) or any(value.__class__ is not kind for value in values):
        raise no_overload(what, *values)
    return kind


def _fold(number: int, kind: type) -> int:
    """Cut a number to 64 bits."""
    number &= UINT_MAX
    return UInt(number) if kind is UInt else number - (1 << 64) if number > INT_MAX else number


@cel("math.bitAnd(int, int) -> int", "math.bitAnd(uint, uint) -> uint")
def bit_and(a: int, b: int) -> int:
    """The bits set in both."""
    return _fold(int(a) & int(b), _bits("math.bitAnd", a, b))


@cel("math.bitOr(int, int) -> int", "math.bitOr(uint, uint) -> uint")
def bit_or(a: int, b: int) -> int:
    """The bits set in one or both."""
    return _fold(int(a) | int(b), _bits("math.bitOr", a, b))


@cel("math.bitXor(int, int) -> int", "math.bitXor(uint, uint) -> uint")
def bit_xor(a: int, b: int) -> int:
    """The bits set in exactly one."""
    return _fold(int(a) ^ int(b), _bits("math.bitXor", a, b))


@cel("math.bitNot(int) -> int", "math.bitNot(uint) -> uint")
def bit_not(a: int) -> int:
    """The bits that are not set."""
    return _fold(~int(a), _bits("math.bitNot", a))


@cel("math.bitShiftLeft(int, int) -> int", "math.bitShiftLeft(uint, int) -> uint")
def bit_shift_left(a: int, count: int) -> int:
    """The bits moved up."""
    return _shifted("math.bitShiftLeft", a, count, lambda bits: bits << count)


@cel("math.bitShiftRight(int, int) -> int", "math.bitShiftRight(uint, int) -> uint")
def bit_shift_right(a: int, count: int) -> int:
    """The bits moved down, zeros from above."""
    return _shifted("math.bitShiftRight", a, count, lambda bits: bits >> count)


def _shifted(what: str, a: int, count: int, move: Callable[[int], int]) -> int:
    kind = _bits(what, a)
    if count.__class__ is not int:
        raise no_overload(what, a, count)
    if count < 0:
        raise EvaluationError(f"{what} by a negative number")
    return kind(0) if count >= 64 else _fold(move(int(a) & UINT_MAX), kind)
