"""What schemas are made of: a key is a description and a type; a mapping is its keys."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "DURATION",
    "NAME",
    "WAY",
    "Key",
    "anything",
    "boolean",
    "condition",
    "duration",
    "key",
    "listed",
    "mapping",
    "names",
    "number",
    "text",
    "whole",
    "word",
]

Key = dict[str, Any]

DURATION = r"^([0-9]+(\.[0-9]+)?(ms|[smhdw]))+$"
NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
WAY = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"


def key(description: str, *examples: object, **schema: Any) -> Key:
    """Make a key of any type."""
    return {"description": description, **schema, **({"examples": list(examples)} if examples else {})}


def anything(description: str, *examples: object) -> Key:
    """Make a key that takes any value."""
    return key(description, *examples)


def text(description: str, *examples: object, **more: Any) -> Key:
    """Make a key that takes text; a number counts as the text it was written as."""
    return key(description, *examples, type=["string", "number"], **more)


def word(description: str, *words: str, default: str | None = None) -> Key:
    """Make a key that takes one of these words."""
    return key(description, enum=list(words), **({} if default is None else {"default": default}))


def boolean(description: str, *, default: bool | None = None) -> Key:
    """Make a key that takes true or false."""
    return key(description, type="boolean", **({} if default is None else {"default": default}))


def whole(description: str, low: int, high: int, *examples: int) -> Key:
    """Make a key that takes a whole number."""
    return key(description, *examples, type="integer", minimum=low, maximum=high)


def number(description: str, *examples: float, **more: Any) -> Key:
    """Make a key that takes a number."""
    return key(description, *examples, type="number", **more)


def duration(description: str, *examples: str, zero: bool = True) -> Key:
    """Make a key that takes a length of time."""
    written = {"type": "string", "pattern": DURATION}
    types = [written, {"const": 0}] if zero else [written]
    return key(description, *(examples or ("90s", "5m", "1h30m")), anyOf=types)


def condition(description: str, *examples: str) -> Key:
    """Make a key that takes an expression which is true or false."""
    return key(description, *examples, type=["string", "boolean"], minLength=1)


def names(description: str, *examples: object, pattern: str = ".") -> Key:
    """Make a key that takes one name or a list of them."""
    return listed(key(description, *examples), {"type": ["string", "number"], "pattern": pattern})


def listed(described: Key, item: Mapping[str, Any], *, least: int = 0) -> Key:
    """Make a key that takes one item or a list of them."""
    return {**described, "anyOf": [dict(item), {"type": "array", "items": dict(item), "minItems": least}]}


def mapping(title: str, keys: Mapping[str, Key], *, required: Sequence[str] = (), **more: Any) -> Key:
    """Make a mapping of these keys and no others."""
    properties = {name: {"title": name, **schema} for name, schema in keys.items()}
    made: Key = {"title": title, "type": "object", "properties": properties, "additionalProperties": False}
    return {**made, **({"required": list(required)} if required else {}), **more}
