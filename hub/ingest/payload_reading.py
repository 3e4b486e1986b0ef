"""What a payload says: bytes become a value. JSON is read at once, all else as kindly as is possible without guessing.

Read are a JSON object, list, number or text; a plain number or text; and an empty payload, which is None (mostly a
retained message that is cleared). What devices and their libraries add is ignored: a byte order mark, NULs and white
space at the end. What they write where a number is missing becomes null: `nan`, `inf`, `1.#IND`, a number beyond a
double. Text that is not UTF-8 is read as Windows-1252, which contains Latin-1. What is no text at all stays bytes.

Refused, because a rule could not trust what it would see: broken JSON, a name twice in one object (the last would win
silently), nesting deeper than PAYLOAD_DEPTH. Integers are exact up to 64 bits, signed or unsigned; longer ones become
doubles, as in JavaScript.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import orjson

from hub.documents.payload_text import BRACKETS, CONTROL, text_of
from hub.limits import PAYLOAD_DEPTH

__all__ = ["Unreadable", "check", "read_kindly", "read_payload", "text_of", "unreadable"]

_COLON, _TAB, _LINE_FEED, _RETURN = b":\t\n\r"
# what people and printf write where JSON wants `0.5`, `5`, `5.0`; `007` stays text, it is an identifier
_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_MISSING = r"[+-]?(?:nan(?:\([a-z0-9_]*\))?|inf(?:inity)?|1\.#(?:inf|ind|[qs]?nan)[0-9]*)"  # C, Python, Microsoft's C
_NOT_A_NUMBER = re.compile(_MISSING, re.IGNORECASE)
# a text of JSON as a whole, so that what stands in it is left alone (it may have no end: then it is broken anyway, and
# looking for the end again from each quote inside would take for ever); what is no number; a number
_TOKEN = re.compile(
    rf'"(?:[^"\\]++|\\.)*+"?|(?P<missing>{_MISSING})(?![\w.])|(?P<number>-?[0-9]++(?:\.[0-9]++)?(?:e[+-]?[0-9]++)?)',
    re.IGNORECASE | re.DOTALL | re.ASCII,
)


class Unreadable(Exception):
    """Why a payload cannot be read."""


def read_payload(payload: bytes) -> Any:
    """Return what a payload says: a JSON value, or bytes.

    Raises:
        Unreadable: it is broken, or a rule could not trust it.

    """
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        return read_kindly(payload, error)
    if type(value) is dict or type(value) is list:
        check(payload, value)
    return value


def unreadable(payload: bytes) -> str:
    """Return why a payload cannot be read, empty where it can."""
    try:
        read_payload(payload)
    except Unreadable as error:
        return str(error)
    return ""


def read_kindly(payload: bytes, error: orjson.JSONDecodeError) -> Any:
    """Read a payload that orjson has refused with `error`.

    Raises:
        Unreadable: it was meant to be JSON and is broken.

    """
    text = text_of(payload)
    if text is None:
        return payload
    if not text:
        return None
    if text[0] in BRACKETS:
        return _mended(payload, text, error)
    if CONTROL.search(text):
        return payload
    if _NOT_A_NUMBER.fullmatch(text):
        return None
    return _number(text) if _NUMBER.fullmatch(text) and text.strip("+-.") else text


def _mended(payload: bytes, text: str, error: orjson.JSONDecodeError) -> Any:
    """Read JSON with something around it, or with something in it that is no number."""
    mended = _TOKEN.sub(_sound, text).encode("utf-8", "surrogatepass")
    try:
        value = orjson.loads(mended)
    except orjson.JSONDecodeError as still:
        if CONTROL.search(text) and text[-1] != BRACKETS[text[0]]:
            return payload  # it only begins with a byte that JSON begins with
        raise Unreadable(f"broken JSON: {still if mended != payload else error}") from None
    check(mended, value)
    return value


def _sound(token: re.Match[str]) -> str:
    number = token["number"]
    if number is not None:
        # the longest that a double holds has 309 digits: most are left alone at once
        return "null" if ("e" in number.lower() or len(number) > 308) and _is_beyond(float(number)) else number
    return "null" if token["missing"] is not None else token[0]


def _is_beyond(number: float) -> bool:
    """Tell whether a number that was read became an infinity, because it was beyond a double."""
    return number - number != 0


def _number(text: str) -> Any:
    """Read a plain number as JSON would, had it been written so."""
    try:
        number = float(text)
    except ValueError:
        return text
    if _is_beyond(number):
        return None
    whole = text.lstrip("+-").isdigit() and abs(number) < 2**63
    return int(text) if whole else number


def check(payload: bytes, value: Any) -> None:
    """Refuse a value that is nested too deep or has a name twice. It is exact; cheap counts make it fast as a rule.

    Raises:
        Unreadable: the value is such.

    """
    keys = _keys(value, PAYLOAD_DEPTH)
    if payload.count(_COLON) == keys:
        return
    # a colon may stand inside text: then each key is still followed by `":`, unless white space comes between
    spaced = b" :" in payload or _TAB in payload or _LINE_FEED in payload or _RETURN in payload
    if spaced or payload.count(b'":') != keys:
        json.loads(payload, object_pairs_hook=_once)


def _keys(value: Any, depth: int) -> int:
    """Count the keys of all objects inside, down to `depth` levels."""
    if type(value) is dict:
        inner: Iterable[Any] = value.values()
        count = len(value)
    elif type(value) is list:
        inner, count = value, 0
    else:
        return 0
    if not depth:
        raise Unreadable(f"JSON nested deeper than {PAYLOAD_DEPTH}")
    for each in inner:
        if type(each) is dict or type(each) is list:
            count += _keys(each, depth - 1)
    return count


def _once(pairs: list[tuple[str, Any]]) -> None:
    """Refuse an object that has a name twice."""
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise Unreadable(f"the name {name[:64]!r} twice in one object")
        seen.add(name)
