"""`!`, `&&` and `||` of the strict function, where an operand may be an error, and Python's errors in CEL's words."""

import functools
from collections.abc import Callable
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.values import an, no_overload, type_of

__all__ = ["ERRORS", "OPERATIONS", "reason", "truth"]

OPERATIONS = ("conjunction", "disjunction", "truth", "invert", "failure", "undefined", "reason", "ERRORS", "RAW_ERRORS")

RAW_ERRORS = (LookupError, TypeError, ValueError, ArithmeticError, RecursionError)
"""What the parts of an expression that are plain Python raise; `failure` makes them readable."""
ERRORS = (EvaluationError, *RAW_ERRORS)


def failure(error: Exception) -> EvaluationError:
    """Turn an error of plain Python into one that a reader of the rule understands."""
    return EvaluationError(reason(error))


def reason(error: Exception) -> str:
    """Return the text of `failure`; keep it in place of the exception, which would keep its frame alive."""
    if error.__class__ is KeyError:
        return f"no field {error.args[0]!r}"
    if error.__class__ is EvaluationError:
        text: str = error.args[0]
        return text
    if error.__class__ is RecursionError:
        return "the payload is nested too deep"
    return _translated(str(error))


@functools.lru_cache(maxsize=256)
def _translated(message: str) -> str:
    """Read Python's words for a comparison or an index of wrong types: `'>' not supported between instances of …`."""
    names = [word for word in message.split("'")[1::2] if word.isidentifier()]
    kinds = [_KINDS.get(name, name) for name in names]
    if "not supported between" in message and len(kinds) == 2:
        return f"no such overload: {kinds[0]} {message.split(chr(39))[1]} {kinds[1]}"
    if "subscriptable" in message or "indices must be" in message:
        kind = kinds[0] if kinds else message.split(maxsplit=1)[0]
        return f"{an(kind)} has no fields"
    return f"wrong type of value: {message}"


_KINDS = {"str": "string", "float": "double", "NoneType": "null", "dict": "map", "datetime": "timestamp"}
_KINDS |= {"timedelta": "duration", "UInt": "uint"}


def truth(value: Any) -> bool:
    """Return a bool as it is.

    Raises:
        EvaluationError: it is something else.

    """
    if value is True or value is False:
        return value
    raise EvaluationError(f"neither true nor false: {an(type_of(value))}")


def invert(value: Any) -> bool:
    """`!value`."""
    if value is True or value is False:
        return not value
    raise no_overload("!", value)


def undefined(message: str) -> Any:
    """Fail for a name that could not be checked at load and does not exist."""
    raise EvaluationError(message)


def conjunction(*operands: Callable[[], Any]) -> bool:
    """`a && b && …`: false if one is false, whatever the others; else the first error; else true."""
    return _absorbing(operands, False)


def disjunction(*operands: Callable[[], Any]) -> bool:
    """`a || b || …`: true if one is true, whatever the others; else the first error; else false."""
    return _absorbing(operands, True)


def _absorbing(operands: tuple[Callable[[], Any], ...], decisive: bool) -> bool:
    first = ""
    for operand in operands:
        try:
            value: Any = operand()
            decided = value is decisive
            if decided:
                return decisive
            if value is not True and value is not False:
                truth(value)
        except ERRORS as error:
            first = first or reason(error)
    if first:
        raise EvaluationError(first)
    return not decisive
