"""A value of a part of a condition, in words."""

from collections.abc import Mapping
from typing import Any

__all__ = ["value_text"]


def value_text(value: Any) -> str:
    """Write a value as the expression language has it."""
    if isinstance(value, Mapping) and set(value) == {"error"}:
        return f"without a value ({value['error']})"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, str) else str(value)
