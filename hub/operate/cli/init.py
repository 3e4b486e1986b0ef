"""`hub init`: makes a folder to start from: a rule, its test, simulated devices, and the broker's configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from hub.documents.shipped_files import shared
from hub.errors import ConfigError, HubError, Problem
from hub.printable import shown

__all__ = ["init"]

_STARTER = Path(__file__).parents[1] / "starter"
_SHIPPED = ("mosquitto.conf", "mosquitto.acl")


def init(
    folder: Annotated[
        Path, typer.Argument(help="The folder; it is made if it is not there.", metavar="DIR", show_default=False)
    ],
) -> None:
    """Make a folder to start from. It gets settings, a rule with its test, simulated devices. Overwrites no file."""
    files = _files()
    # all files or none: half a folder would not run
    taken = [Problem(str(folder / name), 0, 0, "is there already") for name in files if (folder / name).exists()]
    if taken:
        raise ConfigError([*taken, Problem(str(folder), 0, 0, "nothing was written", "name another folder")])
    try:
        for name, source in files.items():
            _write(folder / name, source.read_text("utf-8"))
    except OSError as error:
        raise HubError(f"{error.filename or folder} cannot be written: {error.strerror}") from None
    for name in files:
        typer.echo(shown(folder / name))
    typer.echo(f"next: cd {shown(folder)}, and read README.md")


def _files() -> Mapping[str, Path]:
    """Return the file to copy for each name in the folder."""
    starter = {str(path.relative_to(_STARTER)): path for path in sorted(_STARTER.rglob("*")) if path.is_file()}
    return starter | {name: shared(name) for name in _SHIPPED}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
