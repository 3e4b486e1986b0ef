"""The options that several commands share, each with its help: the same option reads the same in every `--help`."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Answered", "Broker", "BrokerUrl", "By", "Config", "Devices", "OpenState", "State", "Token", "Url"]

Config = Annotated[
    Path | None, typer.Option("-c", "--config", help="The settings [default: hub.yaml, if there is one].")
]
_BROKER = typer.Option(
    help="The broker: mqtt://[user:password@]host[:port]; also mqtts://, ws://, wss://.", metavar="URL"
)
Broker = Annotated[str | None, _BROKER]
BrokerUrl = Annotated[str, _BROKER]
"""For a command that has a default of its own."""
Devices = Annotated[list[Path] | None, typer.Option(help="A file or folder of the device registry; may be repeated.")]
State = Annotated[Path | None, typer.Option(help="The file that holds the hub's state.")]
OpenState = Annotated[
    Path | None, typer.Option("--state", help="The hub's state file; a running hub may have it open.")
]
"""For commands that look into the file beside the hub that writes it."""

# the way to a running hub, and in whose name
Url = Annotated[
    str | None,
    typer.Option(
        help="Ask the hub over HTTP at this address [default: over its broker; with protocol: 3.1.1 at the address in"
        " hub.yaml].",
        show_default=False,
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        help="One of the hub's tokens for HTTP: itself, '!env NAME' or '!file PATH'.",
        envvar="HUB_TOKEN",
        show_default=False,
    ),
]
By = Annotated[str | None, typer.Option("--by", help="Who does it [default: the user of this shell].")]
Answered = Annotated[bool, typer.Option("--json", help="Print the hub's answer as JSON.")]
