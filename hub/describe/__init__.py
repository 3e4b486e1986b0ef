"""JSON Schemas (draft-07) of the files that users write, for editors: every key with what it means and examples.

They are put together from the tables of keys by which the files are read (declared.py); no key is named here. An editor
completes and explains by them; `hub check` knows more than they can say.
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
    """Return the schema of rule files; what receivers and tests may have is known to later stages alone."""
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
    """Add what makes it a document; mappings that stand in several places are written once."""
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
    """Tell whether it is nothing but a mapping: beside a reference nothing else counts."""
    return schema.get("type") == "object" and "properties" in schema and "description" not in schema


def _named(schema: Any, shared: dict[str, str], but: str = "") -> Any:
    """Put references in place of what is shared, `but` itself."""
    if isinstance(schema, list):
        return [_named(part, shared) for part in schema]
    if not isinstance(schema, dict):
        return schema
    text = json.dumps(schema) if _is_mapping(schema) else ""
    if text in shared and text != but:
        return {"$ref": f"#/definitions/{shared[text].replace(' ', '%20')}"}
    return {name: _named(part, shared) for name, part in schema.items()}
