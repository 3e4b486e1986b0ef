"""JSON Schemas (draft-07) of the files that users write, for editors: every key with its meaning and examples.

They are made from the tables of keys with which the files are read (declared.py); no key is named here. Editors
complete and explain keys with them; `hub check` finds more mistakes than a schema can describe.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hub.config import SETTINGS
from hub.devices.fleet import FLEET
from hub.notify.receiver_settings import receivers_schema
from hub.rules.reading.loader import RULE_FILE
from hub.trial.case_keys import TEST

__all__ = ["fleet_schema", "json_schema", "settings_schema"]


def json_schema() -> dict[str, Any]:
    """Return the schema of rule files; only later stages know the keys of receivers and tests, so they add these."""
    schema = dict(RULE_FILE.schema)
    keys = schema["properties"]
    receivers = {**keys["receivers"], **receivers_schema()}
    tests = {**keys["tests"], "items": TEST.schema}
    return _whole({**schema, "properties": {**keys, "receivers": receivers, "tests": tests}})


def fleet_schema() -> dict[str, Any]:
    """Return the schema of fleet files."""
    return _whole(dict(FLEET.schema))


def settings_schema() -> dict[str, Any]:
    """Return the schema of hub.yaml."""
    return _whole(dict(SETTINGS.schema))


def _whole(schema: dict[str, Any]) -> dict[str, Any]:
    """Make a schema a document of its own; mappings that stand in several places are written once."""
    counts = Counter(json.dumps(part) for part in _mappings(schema))
    shared = {text: json.loads(text)["title"] for text, count in counts.items() if count > 1}
    made = {text: _named(json.loads(text), shared, text) for text in shared}
    definitions = {shared[text]: part for text, part in made.items()}
    named: dict[str, Any] = _named(schema, shared)
    draft = {"$schema": "http://json-schema.org/draft-07/schema#"}
    return {**draft, **named, **({"definitions": definitions} if definitions else {})}


def _mappings(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if _is_mapping(schema):
            yield schema
        for part in schema.values():
            yield from _mappings(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _mappings(part)


def _is_mapping(schema: dict[str, Any]) -> bool:
    """Tell whether a schema is a plain mapping, which a reference may replace: nothing beside a `$ref` counts."""
    return schema.get("type") == "object" and "properties" in schema and "description" not in schema


def _named(schema: Any, shared: dict[str, str], but: str = "") -> Any:
    """Put references in place of the shared mappings, except of `but` itself."""
    if isinstance(schema, list):
        return [_named(part, shared) for part in schema]
    if not isinstance(schema, dict):
        return schema
    text = json.dumps(schema) if _is_mapping(schema) else ""
    if text in shared and text != but:
        return {"$ref": f"#/definitions/{shared[text].replace(' ', '%20')}"}
    return {name: _named(part, shared) for name, part in schema.items()}
