"""Functions of strings: CEL's own, and its string extension library. A position is a number of characters."""

from typing import Any

from hub.errors import EvaluationError
from hub.expressions.library.regex import LinearPattern, found_pattern
from hub.expressions.runtime.functions import cel
from hub.expressions.runtime.steps import charge
from hub.expressions.values import no_overload
from hub.limits import EXPRESSION_RESULT

__all__ = ["OPERATIONS"]

OPERATIONS = ("matches_compiled",)

_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
_END: Any = object()
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_LOWER = str.maketrans(_UPPER, _UPPER.lower())
_TO_UPPER = str.maketrans(_UPPER.lower(), _UPPER)
_QUOTED = str.maketrans(
    {
        "\a": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
        '"': '\\"',
    }
)


def check(what: str, *values: Any) -> None:
    """Make sure that all are strings, and charge for reading them."""
    for value in values:
        if value.__class__ is not str:
            raise no_overload(what, *values)
        if len(value) > 127:  # what is shorter is within the cost of a call
            charge(len(value) >> 7)


def whole(what: str, *numbers: Any) -> None:
    """Make sure that all are integers."""
    for number in numbers:
        if number.__class__ is not int:
            raise no_overload(what, *numbers)


@cel("(string).contains(string) -> bool", costly=True)
def contains(string: str, part: str) -> bool:
    """Whether the part stands anywhere in the string."""
    check("contains", string, part)
    return part in string


@cel("(string).startsWith(string) -> bool", costly=True)
def starts_with(string: str, part: str) -> bool:
    """Whether the string begins with the part."""
    check("startsWith", string, part)
    return string.startswith(part)


@cel("(string).endsWith(string) -> bool", costly=True)
def ends_with(string: str, part: str) -> bool:
    """Whether the string ends with the part."""
    check("endsWith", string, part)
    return string.endswith(part)


@cel("(string).matches(string) -> bool", "matches(string, string) -> bool", costly=True)
def matches(string: str, regex: str) -> bool:
    """Whether the RE2 expression matches somewhere in the string."""
    check("matches", string, regex)
    return found_pattern(regex).search(string)


def matches_compiled(string: Any, compiled: LinearPattern) -> bool:
    """Do the same with a pattern compiled at load."""
    if string.__class__ is not str:
        raise no_overload("matches", string, "")
    return compiled.search(string)


@cel("(string).charAt(int) -> string")
def char_at(string: str, at: int) -> str:
    """The character at a position; at the end, none."""
    check("charAt", string)
    whole("charAt", at)
    if not 0 <= at <= len(string):
        raise EvaluationError(f"index out of range: {at}")
    return string[at : at + 1]


@cel("(string).indexOf(string) -> int", "(string).indexOf(string, int) -> int", costly=True)
def index_of(string: str, part: str, start: int = 0) -> int:
    """Where the part stands first, from a position on; -1 where it does not."""
    _search("indexOf", string, part, start)
    return string.find(part, start)


@cel("(string).lastIndexOf(string) -> int", "(string).lastIndexOf(string, int) -> int", costly=True)
def last_index_of(string: str, part: str, start: int = _END) -> int:
    """Where the part stands last, beginning at or before a position; -1 where it does not."""
    if start is _END:
        check("lastIndexOf", string, part)
        return string.rfind(part)
    _search("lastIndexOf", string, part, start)
    return string.rfind(part, 0, start + len(part))


def _search(what: str, string: str, part: str, start: int) -> None:
    check(what, string, part)
    whole(what, start)
    if not 0 <= start <= len(string):
        raise EvaluationError(f"index out of range: {start}")


@cel("(string).substring(int) -> string", "(string).substring(int, int) -> string", costly=True)
def substring(string: str, start: int, end: int = _END) -> str:
    """The characters from one position up to another, that one not included."""
    check("substring", string)
    stop = len(string) if end is _END else end
    whole("substring", start, stop)
    if not 0 <= start <= stop <= len(string):
        raise EvaluationError(f"index out of range: {start}, {stop}")
    return string[start:stop]


@cel("(string).replace(string, string) -> string", "(string).replace(string, string, int) -> string", costly=True)
def replace(string: str, old: str, new: str, limit: int = -1) -> str:
    """The string with each old part made new, or so many of them."""
    check("replace", string, old, new)
    whole("replace", limit)
    grown = len(string) + (string.count(old) if limit < 0 else min(limit, len(string) + 1)) * len(new)
    if grown > EXPRESSION_RESULT:
        raise EvaluationError(f"a value of over {EXPRESSION_RESULT} characters")
    charge((len(string) + grown) >> 6)
    return string.replace(old, new, limit)


@cel("(string).split(string) -> list", "(string).split(string, int) -> list", costly=True)
def split(string: str, separator: str, limit: int = -1) -> list[str]:
    """The parts between the separators, at most so many; an empty separator splits into characters."""
    check("split", string, separator)
    whole("split", limit)
    charge(len(string) >> 3)
    if limit in (0, 1):
        return [string] if limit else []
    if separator:
        return string.split(separator, limit - 1 if limit > 0 else -1)
    if limit < 0 or limit >= len(string):
        return list(string) or [""]
    return [*string[: limit - 1], string[limit - 1 :]]


@cel("(list).join() -> string", "(list).join(string) -> string", costly=True)
def join(parts: list[str], separator: str = "") -> str:
    """The strings of a list one behind the other, the separator between."""
    if parts.__class__ is not list or separator.__class__ is not str:
        raise no_overload("join", parts, separator)
    check("join", *parts)
    charge(len(parts) >> 1)
    if sum(map(len, parts)) + len(separator) * len(parts) > EXPRESSION_RESULT:
        raise EvaluationError(f"a value of over {EXPRESSION_RESULT} characters")
    return separator.join(parts)


@cel("(string).lowerAscii() -> string", costly=True)
def lower_ascii(string: str) -> str:
    """The letters A to Z made small."""
    return _mapped("lowerAscii", string, _TO_LOWER)


@cel("(string).upperAscii() -> string", costly=True)
def upper_ascii(string: str) -> str:
    """The letters a to z made large."""
    return _mapped("upperAscii", string, _TO_UPPER)


def _mapped(what: str, string: str, table: dict[int, Any]) -> str:
    check(what, string)
    charge(len(string) >> 4)
    return string.translate(table)


@cel("(string).trim() -> string", costly=True)
def trim(string: str) -> str:
    """The string without white space at its ends."""
    check("trim", string)
    return string.strip(_SPACE)


@cel("(string).reverse() -> string", costly=True)
def reverse(string: str) -> str:
    """The characters the other way round."""
    check("reverse", string)
    return string[::-1]


@cel("strings.quote(string) -> string", costly=True)
def quote(string: str) -> str:
    """The string in quotes, escaped so that it can be printed."""
    return f'"{_mapped("quote", string, _QUOTED)}"'
