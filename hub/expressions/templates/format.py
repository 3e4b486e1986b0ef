"""A value as text for people: alone, or by a format: `.1f`, `,`, `.0%`, or strftime for a timestamp."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from hub.clock import PEOPLE
from hub.documents.duration import format_duration
from hub.errors import CompileError, EvaluationError
from hub.expressions.times import timestamp_at
from hub.expressions.values import Optional, an, type_of

__all__ = ["Format", "bytes_text", "for_people", "format_for", "json_safe", "plain"]

Format = Callable[[Any], str]
_NUMBER = re.compile(r"[-+]?(0?[1-9][0-9]?)?[,_]?(\.[0-9]{1,2})?[defgxXEG%]?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BARE = re.compile(r"[-+]?(0?[1-9][0-9]?)?[,_]?\.[0-9]{1,2}")  # Python's digits that count, not those behind the point
_DIRECTIVES = frozenset("aAbBcdfGHIjmMpSuUVwWxXyYzZ%")
_WRITABLE = (UnicodeError, ValueError, OverflowError)


def plain(value: Any) -> str:
    """Write a value as a person expects it: `true`, `21.5`, `21`, `5m`, JSON for lists and maps."""
    kind = value.__class__
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is float:
        return repr(value)[:-2] if value.is_integer() and abs(value) < 1e16 else repr(value)
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    return str(int(value)) if isinstance(value, int) else _rare(value)


def for_people(value: Any) -> str:
    """Write a value as `plain` does, but a time in the hub's zone and to the second, for people."""
    return PEOPLE.told(value) if isinstance(value, datetime) else plain(value)


def _rare(value: Any) -> str:
    if isinstance(value, datetime):  # expressions compute in UTC: a time of another zone is made for people
        return value.isoformat().replace("+00:00", "Z") if value.tzinfo is UTC else PEOPLE.told(value)
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return f"-{format_duration(-seconds)}" if seconds < 0 else format_duration(seconds)
    if isinstance(value, bytes):
        return bytes_text(value)
    if isinstance(value, Optional):
        return plain(value.value) if value.present else "none"
    if isinstance(value, (list, tuple, dict)):
        return orjson.dumps(value, plain, orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME).decode()
    return plain(dict(value)) if hasattr(value, "keys") else str(value)


def bytes_text(data: bytes) -> str:
    """Write bytes for people: as text where they are UTF-8, else their number, `<12 bytes>`."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\x7f"
    if _CONTROL.search(text):
        return f"<{len(data):,} byte{'s' if len(data) != 1 else ''}>"
    return text


def json_safe(value: Any) -> Any:
    """Return a payload's value that JSON can hold: bytes, also inside of it, as `bytes_text` writes them."""
    if isinstance(value, bytes):
        return bytes_text(value)
    if isinstance(value, list):
        return [json_safe(each) for each in value]
    if isinstance(value, dict):
        return {name: json_safe(each) for name, each in value.items()}
    return value


def format_for(spec: str, kind: str, at: int, text: str, bare: Format = plain) -> Format:
    """Return the function that writes a value by a format; `kind` is the value's type as known at load.

    Without a format, that is `bare`.

    Raises:
        CompileError: there is no such format, or it does not fit the type.

    """
    if not spec:
        return bare
    if _BARE.fullmatch(spec):
        raise CompileError(f"the format {spec!r} writes 21.5 as 2e+01", at, text, f"write {spec}f")
    if _NUMBER.fullmatch(spec):
        if kind not in ("dyn", "number", "int", "uint", "double"):
            raise CompileError(f"the format {spec!r} is for numbers, and this is {an(kind)}", at, text)
        return lambda value: _number(value, spec)
    used = re.findall("%(.?)", spec)
    if not used or not _DIRECTIVES.issuperset(used):
        hint = _near(spec) or "as .1f or , or .0% for a number, %H:%M for a timestamp"
        raise CompileError(f"{spec!r} is no format", at, text, hint)
    if kind not in ("dyn", "timestamp", "number", "int", "double", "string"):
        raise CompileError(f"the format {spec!r} is for timestamps, and this is {an(kind)}", at, text)
    return lambda value: PEOPLE.local(_time(value)).strftime(spec)


def _near(spec: str) -> str:
    """Return a hint for a format of another language, or for one with a unit in it."""
    if (bare := spec.replace(" ", "").replace("F", "f")) != spec and _NUMBER.fullmatch(bare):
        return f"write {bare}"
    if spec == ".f":
        return "write .1f"
    if unit := re.fullmatch(r"%?([-+]?[0-9]*\.[0-9]{1,2}f)(.*)", spec):
        return f"write {unit[1]}" + (f", and {unit[2]} behind the brace" if unit[2] else "")
    if digits := re.fullmatch(r"[#0]+[.,]([#0]+)", spec):
        return f"write .{len(digits[1])}f"
    return ""


def _number(value: Any, spec: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise EvaluationError(f"the format {spec} needs a number, not {an(type_of(value))}")
    if spec[-1] in "dxX":
        if value != int(value):
            raise EvaluationError(f"the format {spec} needs a whole number, not {value}")
        value = int(value)
    return format(value, spec)


def _time(value: Any) -> datetime:
    """Read a timestamp, seconds since 1970, or RFC 3339 text."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return timestamp_at(value)
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    raise EvaluationError(f"a time format needs a timestamp, not {an(type_of(value))}")
