"""A value that a part of a condition had, as text; for `hub why`, `hub why-not` and the reports of tests."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hub.expressions.templates.format import plain

__all__ = ["value_text"]


def value_text(value: Any) -> str:
    """Write a value as the expression language does; `{"error": …}` stands for a part without a value."""
    if isinstance(value, Mapping) and set(value) == {"error"}:
        return f"without a value ({value['error']})"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return plain(value)
    return repr(value) if isinstance(value, str) else str(value)
