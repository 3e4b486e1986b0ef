"""The encoders extension library: base64; and JSON inside of a text."""

import base64
import binascii
from typing import Any

import orjson

from hub.errors import EvaluationError
from hub.expressions.runtime.functions import cel
from hub.expressions.runtime.steps import charge
from hub.expressions.values import no_overload
from hub.limits import PAYLOAD_DEPTH

__all__ = ["OPERATIONS"]

OPERATIONS: tuple[str, ...] = ()

_SPACE = str.maketrans("", "", " \t\r\n")


@cel("base64.encode(bytes) -> string", costly=True)
def encode(data: Any) -> str:
    """The bytes as base64."""
    if data.__class__ is not bytes:
        raise no_overload("base64.encode", data)
    charge(len(data) >> 7)
    return base64.b64encode(data).decode()


@cel("base64.decode(string) -> bytes", costly=True)
def decode(text: Any) -> bytes:
    """The bytes of base64, padded or not."""
    if text.__class__ is not str:
        raise no_overload("base64.decode", text)
    charge(len(text) >> 5)
    bare = text.translate(_SPACE)
    padding = "" if bare.endswith("=") else "=" * (-len(bare) % 4)
    try:
        return base64.b64decode(bare + padding, validate=True)
    except (binascii.Error, ValueError):
        raise EvaluationError("not base64") from None


@cel("json.parse(string) -> dyn", costly=True)
def parse(text: Any) -> Any:
    """What a text that is JSON says."""
    if text.__class__ is not str:
        raise no_overload("json.parse", text)
    charge(len(text) >> 4)
    try:
        value = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        raise EvaluationError("json.parse: not JSON") from None
    if _depth(value) > PAYLOAD_DEPTH:
        raise EvaluationError(f"json.parse: nested deeper than {PAYLOAD_DEPTH}")
    return value


def _depth(value: Any) -> int:
    """Return how deep lists and objects stand in one another."""
    level, depth = [value], 0
    while level := [each for each in level if each.__class__ in (dict, list)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if each.__class__ is dict else each)]
    return depth
