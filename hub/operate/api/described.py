"""What an endpoint takes and answers, in JSON Schema, said where it is declared; the OpenAPI document is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "ANY",
    "FLAG",
    "JSON",
    "NDJSON",
    "NOTHING",
    "NUMBER",
    "TEXT",
    "TIME",
    "WHOLE",
    "Described",
    "Schema",
    "listed",
    "made_of",
    "mapped",
    "maybe",
    "ok",
    "one_of",
    "said",
]

Schema = Mapping[str, Any]

JSON, NDJSON = "application/json", "application/x-ndjson"
ANY: Schema = {}
NOTHING: Schema = {"not": {}}
"""An answer without a body."""
TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Described:
    """What goes in and comes out beside what all endpoints have in common.

    `query` and `headers` are by name; `bodies` are what may be posted, by media type; `bodiless`: or nothing. `answer`
    comes with `status`, as `media`; `refusals` are further statuses with why, `error` is how that is written (None: as
    everywhere).
    """

    answer: Schema = field(default_factory=dict)
    query: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, Schema] = field(default_factory=dict)
    bodies: Mapping[str, Schema] = field(default_factory=dict)
    bodiless: bool = False
    status: int = 200
    media: str = JSON
    refusals: tuple[int, ...] = ()
    error: Schema | None = None


def made_of(optional: Mapping[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """Return an object with these; more may always be added."""
    made: dict[str, Any] = {"type": "object", "properties": {**required, **(optional or {})}}
    return made | ({"required": list(required)} if required else {})


def ok(optional: Mapping[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """Return an answer of /api/hub: `ok` is true, and these."""
    return made_of(optional, ok={"const": True}, **required)


def listed(item: Schema, **more: Any) -> Schema:
    """Return a list of it."""
    return {"type": "array", "items": item, **more}


def mapped(value: Schema) -> Schema:
    """Return an object with any names."""
    return {"type": "object", "additionalProperties": value}


def maybe(schema: Schema) -> Schema:
    """Return it, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*words: str) -> Schema:
    """Return a text that is one of these."""
    return {"enum": list(words)}


def said(schema: Schema, description: str, **more: Any) -> Schema:
    """Return it with what it means."""
    return {**schema, "description": description, **more}
