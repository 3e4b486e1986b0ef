"""`hub schema`: prints JSON Schemas of users' files, for editors, and the OpenAPI and AsyncAPI documents."""

import enum
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from hub.config import load_settings
from hub.describe import fleet_schema, json_schema, settings_schema
from hub.documents.document import Problems
from hub.errors import ConfigError
from hub.operate.api.front.server import ENDPOINTS
from hub.operate.specs.asyncapi import asyncapi as topics
from hub.operate.specs.openapi import document
from hub.project.files import load_files

__all__ = ["schema"]


class _Of(enum.StrEnum):
    """What is described, in the order of the options of `schema`."""

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
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="With --asyncapi: rule files whose topics are described.", metavar="[PATH]...", exists=True
        ),
    ] = None,
    rules: Annotated[bool, typer.Option("--rules", help="The JSON Schema of rule files (the default).")] = False,
    fleet: Annotated[bool, typer.Option("--fleet", help="The JSON Schema of fleet files.")] = False,
    settings: Annotated[bool, typer.Option("--settings", help="The JSON Schema of hub.yaml.")] = False,
    openapi: Annotated[bool, typer.Option("--openapi", help="The OpenAPI document of the HTTP interface.")] = False,
    asyncapi: Annotated[bool, typer.Option("--asyncapi", help="The AsyncAPI document of all MQTT topics.")] = False,
    config: Annotated[
        Path | None,
        typer.Option("-c", "--config", help="With --asyncapi: settings whose topics and rules are described."),
    ] = None,
) -> None:
    """Print a JSON Schema for editors, or an API document. The default is the schema of rule files (draft-07)."""
    asked = [of for of, given in zip(_Of, (rules, fleet, settings, openapi, asyncapi), strict=True) if given]
    if len(asked) > 1:
        raise typer.BadParameter("give one of --rules, --fleet, --settings, --openapi and --asyncapi at a time")
    if (paths or config) and asked != [_Of.ASYNCAPI]:
        raise typer.BadParameter("rule files and settings go with --asyncapi")
    schema = _of_files(config, paths or ()) if paths or config else _MAKERS[asked[0] if asked else _Of.RULES]()
    typer.echo(orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode())


def _of_files(config: Path | None, paths: Sequence[Path]) -> Mapping[str, Any]:
    """Make the AsyncAPI document of a hub with these settings (hub.yaml, if none are named) and rules."""
    settings, problems = load_settings(config, rules=paths), Problems()
    files = load_files(settings, problems)
    if problems:
        raise ConfigError(problems)
    return topics(settings.publish_prefix, files.rules)
