"""Short words for JSON Schema, and schemas made of types: so the documents say of a TypedDict what it declares.

A field that may be left out is `NotRequired`. What else is true of a value stands beside its type in `Annotated`.
"""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

__all__ = [
    "ANY",
    "FLAG",
    "NUMBER",
    "TEXT",
    "TIME",
    "WHOLE",
    "Also",
    "Schema",
    "Time",
    "listed",
    "made_of",
    "mapped",
    "maybe",
    "means",
    "ok",
    "one_of",
    "said",
    "schema_of",
]

Schema = Mapping[str, Any]

ANY: Schema = {}
TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
_PLAIN: Mapping[Any, Schema] = {str: TEXT, int: WHOLE, float: NUMBER, bool: FLAG, Any: ANY}


class Also:
    """What is true of a value beside its type, for `Annotated`: its format, the words that it may be, its meaning."""

    def __init__(self, schema: Schema) -> None:
        """Wrap a schema: a bare one cannot stand in `Annotated`, as it has no hash."""
        self.schema = schema


def means(description: str) -> Also:
    """Return what stands beside a type in `Annotated` to say what the value means."""
    return Also({"description": description})


Time = Annotated[str, Also(TIME)]
"""A time as RFC 3339 text."""


def made_of(optional: Mapping[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """Return the schema of an object with these fields. Others are not forbidden: later versions may add some."""
    schema: dict[str, Any] = {"type": "object", "properties": {**required, **(optional or {})}}
    return schema | ({"required": list(required)} if required else {})


def ok(optional: Mapping[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """Return the schema of a good answer of /api/hub: `ok` is true, beside these fields."""
    return made_of(optional, ok={"const": True}, **required)


def listed(item: Schema, **more: Any) -> Schema:
    """Return the schema of a list; `more` are further words of JSON Schema."""
    return {"type": "array", "items": item, **more}


def mapped(value: Schema) -> Schema:
    """Return the schema of an object whose names may be any text."""
    return {"type": "object", "additionalProperties": value}


def maybe(schema: Schema) -> Schema:
    """Return a schema that also allows null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*words: str) -> Schema:
    """Return the schema of a text that is one of these words."""
    return {"enum": list(words)}


def said(schema: Schema, description: str, **more: Any) -> Schema:
    """Return a schema with its description, for the documents; `more` are further words of JSON Schema."""
    return {**schema, "description": description, **more}


def schema_of(kind: Any) -> Schema:
    """Return the schema of a type: a TypedDict, a list, a mapping by text, a plain type, or one of these or None.

    Raises:
        TypeError: the type is none of these.

    """
    if get_origin(kind) is Annotated:
        base, *notes = get_args(kind)
        return {**schema_of(base), **{key: value for also in notes for key, value in also.schema.items()}}
    if is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        fields = {name: schema_of(_needed(hint)) for name, hint in hints.items()}
        required = {name: field for name, field in fields.items() if name in kind.__required_keys__}
        return made_of({name: field for name, field in fields.items() if name not in required}, **required)
    return _PLAIN[kind] if kind in _PLAIN else _composed(kind)


def _needed(hint: Any) -> Any:
    """Return the type of a field without `NotRequired` or `Required` around it."""
    return get_args(hint)[0] if str(get_origin(hint)) in ("typing.NotRequired", "typing.Required") else hint


def _composed(kind: Any) -> Schema:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"const": parts[0]} if len(parts) == 1 else one_of(*parts)
    if origin in (Union, UnionType) and len(parts) == 2 and parts[1] is type(None):
        return maybe(schema_of(parts[0]))
    if origin is list:
        return listed(schema_of(parts[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return mapped(schema_of(parts[1]))
    raise TypeError(f"no schema is made of {kind}")
