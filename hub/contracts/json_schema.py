"""JSON Schema in a few words, and made of types: what a TypedDict declares is what the documents say of it.

A field that may be left out is `NotRequired`; what further is true of a value stands beside its type in `Annotated`.
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
    """What is true of a value beside its type, in `Annotated`: its format, the words it may be, what it means."""

    def __init__(self, schema: Schema) -> None:
        """Keep it; a schema itself cannot stand there, as it has no hash."""
        self.schema = schema


def means(description: str) -> Also:
    """Return what stands beside a type in `Annotated` to say what the value means."""
    return Also({"description": description})


Time = Annotated[str, Also(TIME)]
"""RFC 3339."""


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


def schema_of(kind: Any) -> Schema:
    """Return the schema of a type: a TypedDict, a list, a mapping by text, a plain type, or one of these or None.

    Raises:
        TypeError: it is of none of these kinds.

    """
    if get_origin(kind) is Annotated:
        base, *beside = get_args(kind)
        return {**schema_of(base), **{key: value for each in beside for key, value in each.schema.items()}}
    if is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        fields = {name: schema_of(_needed(hint)) for name, hint in hints.items()}
        must = {name: each for name, each in fields.items() if name in kind.__required_keys__}
        return made_of({name: each for name, each in fields.items() if name not in must}, **must)
    return _PLAIN[kind] if kind in _PLAIN else _composed(kind)


def _needed(hint: Any) -> Any:
    """Return the type of a field that may be left out, without saying so."""
    from_wrapped = get_origin(hint)
    return get_args(hint)[0] if str(from_wrapped) in ("typing.NotRequired", "typing.Required") else hint


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
