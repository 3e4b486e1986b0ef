"""`"%s is %.1f".format([name, value])`: the string extension library's format."""

import base64
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.library.conversions import duration_text, number_text, timestamp_text
from hub.expressions.runtime.functions import cel
from hub.expressions.runtime.steps import charge
from hub.expressions.values import CelType, UInt, an, no_overload, type_of
from hub.limits import EXPRESSION_RESULT

__all__ = ["OPERATIONS"]

OPERATIONS: tuple[str, ...] = ()

_CLAUSE = re.compile(r"%(?:%|(?:\.(?P<precision>[0-9]{1,3}))?(?P<verb>[sdfebxXo])|(?P<wrong>.?))", re.DOTALL)
_WORDS = frozenset(("NaN", "Infinity", "-Infinity"))


@cel("(string).format(list) -> string", costly=True)
def format_list(template: str, arguments: list[Any]) -> str:
    """The string with its clauses (`%s %d %f %e %b %x %X %o`, `%%`) filled by the elements of a list."""
    if template.__class__ is not str or arguments.__class__ is not list:
        raise no_overload("format", template, arguments)
    charge(len(template) >> 3)
    values = iter(arguments)
    size = 0

    def fill(match: re.Match[str]) -> str:
        nonlocal size
        if match.group() == "%%":
            return "%"
        if match["verb"] is None:
            raise EvaluationError(f"format has no clause {match.group()!r}")
        try:
            value = next(values)
        except StopIteration:
            raise EvaluationError("format needs more arguments") from None
        charge(4)
        text = _VERBS[match["verb"]](value, None if match["precision"] is None else int(match["precision"]))
        size += len(text)
        if size > EXPRESSION_RESULT:
            raise EvaluationError(f"a value of over {EXPRESSION_RESULT} characters")
        return text

    return _CLAUSE.sub(fill, template)


def _text(value: Any, _precision: int | None = None) -> str:
    charge(4)
    kind = value.__class__
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bool or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if kind is float:
        return _special(value) or number_text(value)
    if kind is int or kind is UInt:
        return str(int(value))
    return _compound(value)


def _compound(value: Any) -> str:
    if value.__class__ is bytes:
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime):
        return timestamp_text(value)
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, CelType):
        return value.name
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(f"{_text(key)}: {_text(item)}" for key, item in value.items())) + "}"
    raise _refused("string", value)


def _refused(clause: str, value: Any) -> EvaluationError:
    return EvaluationError(f"the {clause} clause of format cannot write {an(type_of(value))}")


def _special(value: float) -> str:
    if math.isfinite(value):
        return ""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _decimal(value: Any, _precision: int | None) -> str:
    if value.__class__ is float:
        return _special(value) or f"{value:f}"
    if value.__class__ in (int, UInt):
        return str(int(value))
    raise _refused("decimal", value)


def _point(sign: str) -> Callable[[Any, int | None], str]:
    def write(value: Any, precision: int | None) -> str:
        if value.__class__ is str and value in _WORDS:
            return value
        if value.__class__ not in (float, int, UInt):
            raise _refused("fixed-point" if sign == "f" else "scientific", value)
        number = float(value)
        return _special(number) or format(number, f".{6 if precision is None else precision}{sign}")

    return write


def _binary(value: Any, _precision: int | None) -> str:
    if value.__class__ in (int, UInt, bool):
        return format(int(value), "b")
    raise _refused("binary", value)


def _octal(value: Any, _precision: int | None) -> str:
    if value.__class__ in (int, UInt):
        return format(int(value), "o")
    raise _refused("octal", value)


def _hexadecimal(value: Any, _precision: int | None) -> str:
    if value.__class__ in (int, UInt):
        return format(int(value), "x")
    if value.__class__ in (str, bytes):
        charge(len(value) >> 4)
        data = value.encode() if isinstance(value, str) else value
        return base64.b16encode(data).decode().lower()
    raise _refused("hexadecimal", value)


def _upper(value: Any, precision: int | None) -> str:
    return _hexadecimal(value, precision).upper()


_VERBS: dict[str, Callable[[Any, int | None], str]] = {
    "s": _text,
    "d": _decimal,
    "f": _point("f"),
    "e": _point("e"),
    "b": _binary,
    "o": _octal,
    "x": _hexadecimal,
    "X": _upper,
}
