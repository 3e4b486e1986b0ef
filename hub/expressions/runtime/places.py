"""Reads `now`, `event.time` and `value` out of the context, as values of the language."""

from datetime import datetime
from typing import Any

from hub.errors import EvaluationError
from hub.expressions.names import Context
from hub.expressions.times import timestamp_at

__all__ = ["OPERATIONS"]

OPERATIONS = ("now_of", "arrival_of", "value_of")


def now_of(context: Context) -> datetime:
    """`now`."""
    return timestamp_at(context.now)


def arrival_of(context: Context) -> datetime:
    """`event.time`."""
    return timestamp_at(context.time)


def value_of(context: Context) -> Any:
    """`value`: a payload that is not an object; of one, its field of that name."""
    if not context.payload_present:
        return context.value
    try:
        return context.value["value"]
    except (KeyError, TypeError):  # there is no such field, or no payload at all
        what = "the payload is an object without a field 'value': name the field that is meant"
        raise EvaluationError(what) from None
