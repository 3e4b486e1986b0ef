"""Conversions between types, and `type()`."""

from typing import Any

from hub.expressions.library.registry import cel
from hub.expressions.values import CelType, type_of

__all__ = ["OPERATIONS"]

OPERATIONS = ()


@cel("dyn(dyn) -> dyn")
def dyn(value: Any) -> Any:
    """The value itself; its type is no longer checked at load."""
    return value


@cel("type(dyn) -> type")
def type_function(value: Any) -> CelType:
    """The value's type."""
    return type_of(value)
