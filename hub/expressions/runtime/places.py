"""Reads `now`, `value` and members of `event` out of the context, as values of the language."""

from datetime import datetime
from typing import Any

from hub.documents.payload_text import raw_text
from hub.errors import EvaluationError
from hub.expressions.names import Context
from hub.expressions.times import timestamp_at

__all__ = ["OPERATIONS"]

OPERATIONS = ("now_of", "arrival_of", "value_of", "text_of", "key_of", "index_of")


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


def text_of(context: Context) -> str:
    """`event.text`: what came, as text."""
    text = raw_text(context.raw)
    if text is None:
        raise EvaluationError("the payload is no text")
    return text


def key_of(context: Context) -> str:
    """`event.key`: the key of an element in the map that it came in."""
    if context.key is None:
        raise EvaluationError("event.key is the key of an element of a map: the rule's `each` gave no map")
    return context.key


def index_of(context: Context) -> int:
    """`event.index`: the place of an element in the list or map that it came in, from 0."""
    if context.index is None:
        raise EvaluationError("event.index is the place of an element: the rule has no `each`")
    return context.index
