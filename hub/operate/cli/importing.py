"""`hub import`: makes a rule file of another tool's file, and says what could not be carried over."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from hub.errors import ConfigError, Problem
from hub.importers import IMPORTERS, Imported
from hub.limits import DOCUMENT_BYTES
from hub.printable import shown

__all__ = ["ImportFormat", "import_file"]


class ImportFormat(enum.StrEnum):
    """The tools whose files can be read; each value is a name in IMPORTERS."""

    MQTTWARN = "mqttwarn"
    HOMEASSISTANT = "homeassistant"
    PROMETHEUS = "prometheus"
    AWSIOTEVENTS = "awsiotevents"


def import_file(
    form: Annotated[
        ImportFormat, typer.Argument(help="The tool that the file is for.", metavar="FORMAT", show_default=False)
    ],
    file: Annotated[
        Path, typer.Argument(help="The file to read.", metavar="FILE", exists=True, dir_okay=False, show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The file to write the rules to [default: standard output].",
            metavar="PATH",
            dir_okay=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file that --output names.")] = False,
) -> None:
    """Make rules of another tool's file.

    Reads mqttwarn, homeassistant (alerts, automations), prometheus (alerting rules) and awsiotevents (detector models).

    What cannot be carried over is named on standard error, with its place, and in the rules as comments.
    """
    imported = IMPORTERS[form](_read(file), str(file))
    if output is None:
        typer.echo(imported.text, nl=False)
    else:
        _write(output, imported.text, force)
    _tell(imported, output)


def _read(file: Path) -> str:
    """Return the text of the file.

    Raises:
        ConfigError: it cannot be read, is too large, or is not UTF-8.

    """
    try:
        with file.open("rb") as source:
            data = source.read(DOCUMENT_BYTES + 1)
    except OSError as error:
        raise ConfigError([Problem(str(file), 0, 0, f"cannot be read: {error.strerror}")]) from None
    if len(data) > DOCUMENT_BYTES:
        raise ConfigError([Problem(str(file), 0, 0, f"larger than {DOCUMENT_BYTES >> 20} MB")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError([Problem(str(file), line, 1, "not UTF-8 text", "save the file as UTF-8")]) from None


def _write(output: Path, text: str, force: bool) -> None:
    """Write the rules; without `force` an existing file stays, as a user may have worked on it."""
    try:
        with output.open("w" if force else "x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise typer.BadParameter(f"{output} exists; --force overwrites it", param_hint="--output") from None
    except OSError as error:
        raise typer.BadParameter(f"{output} cannot be written: {error.strerror}", param_hint="--output") from None


def _tell(imported: Imported, output: Path | None) -> None:
    """Print what is left to do on stderr: stdout may be the rule file."""
    for remark in imported.remarks:
        typer.echo(shown(remark), err=True)
    for variable in imported.variables:
        typer.echo(shown(f"set {variable.name}: {variable.holds}"), err=True)
    counts = (_count(imported.rules, "rule"), _count(imported.receivers, "receiver"))
    typer.echo(f"{', '.join(counts)}; {_count(len(imported.remarks), 'thing')} not carried over", err=True)
    if output is not None:
        typer.echo(f"next: hub check {shown(output)}", err=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
