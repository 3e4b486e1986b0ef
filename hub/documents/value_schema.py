"""What a value may look like, as JSON Schema: each reader of a value carries its schema. A leaf below `fields`.

`schema_of(duration)` knows how a duration is written, so a key that is read by `duration` need not say it again. A
reader is strict, its schema is not: it must let through all that the reader takes, and refuses what it can.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

__all__ = [
    "CONDITION",
    "DURATION",
    "LABEL",
    "LASTING",
    "NAME",
    "NAMES",
    "SPAN",
    "TEXT",
    "WAY",
    "Schema",
    "list_schema",
    "mapping_schema",
    "names_schema",
    "one_required",
    "schema_of",
    "with_schema",
]

Schema = Mapping[str, Any]
Reader = TypeVar("Reader", bound=Callable[..., Any])

DURATION = r"^([0-9]+(\.[0-9]+)?(ms|[smhdw]))+$"
NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
LABEL = r"^[^\W0-9]\w*$"
"""Letters of any script: what Python calls an identifier."""
WAY = r"^[^\W0-9]\w*(\.[^\W0-9]\w*)*$"

TEXT: Schema = {"type": ["string", "number", "boolean"]}
"""A number, or true, counts as the text it was written as."""
LASTING: Schema = {"anyOf": [{"type": "string", "pattern": DURATION}]}
"""A duration that is longer than 0."""
SPAN: Schema = {"anyOf": [{"type": "string", "pattern": DURATION}, {"const": 0}]}
"""A duration, or 0."""
CONDITION: Schema = {"type": ["string", "boolean"], "minLength": 1}
"""An expression that is true or false."""
_ATTRIBUTE = "value_schema"


def with_schema(schema: Schema | Callable[[], Schema]) -> Callable[[Reader], Reader]:
    """Say of a reader what the values look like that it takes; a function says it when it is asked.

    A reader that is made anew for each value gives a function: a schema is asked for by `hub schema` alone.
    """

    def put(reader: Reader) -> Reader:
        setattr(reader, _ATTRIBUTE, schema)
        return reader

    return put


def schema_of(reader: Callable[..., Any]) -> Schema:
    """Return the schema of a reader's values; one that carries none (of a plug-in, say) takes anything."""
    found: Schema | Callable[[], Schema] = getattr(reader, _ATTRIBUTE, {})
    return found() if callable(found) else found


def list_schema(item: Schema, *, least: int = 0) -> Schema:
    """Return the schema of one item, or a list of at least so many."""
    return {"anyOf": [dict(item), {"type": "array", "items": dict(item), "minItems": least}]}


def mapping_schema(title: str, properties: Mapping[str, Schema], required: list[str]) -> dict[str, Any]:
    """Return the schema of a mapping with these keys and no others."""
    made = {"title": title, "type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**made, **({"required": required} if required else {})}


def one_required(*keys: str) -> Schema:
    """Return what a mapping's schema adds where it has exactly one of these keys."""
    return {"oneOf": [{"required": [name]} for name in keys]}


def names_schema(pattern: str = ".") -> Schema:
    """Return the schema of one name, or a list of them."""
    return list_schema({**TEXT, "pattern": pattern})


NAMES = names_schema()
