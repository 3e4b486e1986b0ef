"""`hub schema`: the JSON Schema of the files that users write, for their editors; what HTTP and MQTT speak."""

import enum
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import orjson
import typer

from hub.describe import fleet_schema, json_schema, settings_schema
from hub.operate.api.openapi import document
from hub.operate.api.server import ENDPOINTS
from hub.operate.asyncapi import asyncapi as topics

__all__ = ["schema"]


class _Of(enum.StrEnum):
    RULES = "rules"
    FLEET = "fleet"
    SETTINGS = "settings"
    OPENAPI = "openapi"
    ASYNCAPI = "asyncapi"


_MAKERS: Mapping[_Of, Callable[[], Mapping[str, Any]]] = {
    _Of.RULES: json_schema,
    _Of.FLEET: fleet_schema,
    _Of.SETTINGS: settings_schema,
    _Of.OPENAPI: lambda: document(ENDPOINTS),
    _Of.ASYNCAPI: topics,
}


def schema(
    rules: Annotated[bool, typer.Option("--rules", help="That of rule files (the default).")] = False,
    fleet: Annotated[bool, typer.Option("--fleet", help="That of fleet files.")] = False,
    settings: Annotated[bool, typer.Option("--settings", help="That of hub.yaml.")] = False,
    openapi: Annotated[bool, typer.Option("--openapi", help="The OpenAPI document of the HTTP interface.")] = False,
    asyncapi: Annotated[bool, typer.Option("--asyncapi", help="The AsyncAPI document of all MQTT topics.")] = False,
) -> None:
    """Print the JSON Schema (draft-07) of rule files: what editors complete, explain and check by."""
    asked = [of for of, given in zip(_Of, (rules, fleet, settings, openapi, asyncapi), strict=True) if given]
    if len(asked) > 1:
        raise typer.BadParameter("one of --rules, --fleet, --settings, --openapi and --asyncapi at a time")
    made = _MAKERS[asked[0] if asked else _Of.RULES]()
    typer.echo(orjson.dumps(made, option=orjson.OPT_INDENT_2).decode())
