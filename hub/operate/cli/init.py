"""`hub init`: makes a folder to start from: a rule, its test, simulated devices, and the broker's configuration.

`--for NAME` puts the tried rules for one family of devices in place of the first rule and the simulated devices. They
lie in `hub/operate/recipes`, once, and docs/devices has a page for each.
"""

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from hub.documents.shipped_files import shared
from hub.errors import ConfigError, HubError, Problem
from hub.printable import shown

__all__ = ["init"]

_STARTER = Path(__file__).parents[1] / "starter"
_RECIPES = Path(__file__).parents[1] / "recipes"
_SHIPPED = ("mosquitto.conf", "mosquitto.acl")


class Family(enum.StrEnum):
    """The families of devices that have a recipe: a file of that name in `hub/operate/recipes`."""

    CHIRPSTACK = "chirpstack"
    ESPHOME = "esphome"
    EVCC = "evcc"
    FRIGATE = "frigate"
    HOMEASSISTANT_STATESTREAM = "homeassistant-statestream"
    HOMIE = "homie"
    MESHTASTIC = "meshtastic"
    OPENMQTTGATEWAY = "openmqttgateway"
    OWNTRACKS = "owntracks"
    RTL_433 = "rtl_433"
    SHELLY_GEN1 = "shelly-gen1"
    SHELLY_GEN2 = "shelly-gen2"
    SPARKPLUG = "sparkplug"
    TASMOTA = "tasmota"
    THE_THINGS_STACK = "the-things-stack"
    VALETUDO = "valetudo"
    VICTRON = "victron"
    ZIGBEE2MQTT = "zigbee2mqtt"


def init(
    folder: Annotated[
        Path, typer.Argument(help="The folder; it is made if it is not there.", metavar="DIR", show_default=False)
    ],
    family: Annotated[
        Family | None,
        typer.Option("--for", help="Write the rules for these devices, with their tests, in place of the first rule."),
    ] = None,
) -> None:
    """Make a folder to start from. It gets settings, rules with their tests, simulated devices. Overwrites no file."""
    files = _files() if family is None else _files_for(family)
    # all files or none: half a folder would not run
    taken = [Problem(str(folder / name), 0, 0, "is there already") for name in files if (folder / name).exists()]
    if taken:
        raise ConfigError([*taken, Problem(str(folder), 0, 0, "nothing was written", "name another folder")])
    try:
        for name, text in files.items():
            _write(folder / name, text)
    except OSError as error:
        raise HubError(f"{error.filename or folder} cannot be written: {error.strerror}") from None
    for name in files:
        typer.echo(shown(folder / name))
    typer.echo(f"next: cd {shown(folder)}, and read README.md")


def _files() -> Mapping[str, str]:
    """Return the text for each name in the folder."""
    starter = {str(path.relative_to(_STARTER)): path for path in sorted(_STARTER.rglob("*")) if path.is_file()}
    sources = starter | {name: shared(name) for name in _SHIPPED}
    return {name: path.read_text("utf-8") for name, path in sources.items()}


def _files_for(family: Family) -> Mapping[str, str]:
    """Return the text for each name, with the rules for a family of devices in place of what is simulated."""
    files = {name: text for name, text in _files().items() if not name.endswith("freezers.yaml")}
    # nothing is known of the devices yet, and hub.yaml may name no folder that is not there
    settings = [line for line in files["hub.yaml"].splitlines(keepends=True) if not line.startswith("devices:")]
    return files | {
        "hub.yaml": "".join(settings),
        "README.md": (_RECIPES / "README.md").read_text("utf-8").replace("FAMILY", family),
        f"rules/{family}.yaml": (_RECIPES / f"{family}.yaml").read_text("utf-8"),
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
