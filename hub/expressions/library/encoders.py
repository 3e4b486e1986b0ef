"""The encoders extension library: base64."""

import base64
import binascii
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.runtime.functions import cel
from hub.expressions.runtime.steps import charge
from hub.expressions.values import no_overload

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
