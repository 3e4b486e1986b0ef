"""The command line `hub`: one module for each command, named in COMMANDS below; options.py has what they share.

A command's module is imported only when that command runs: `hub ack` on a small board must not wait for the imports of
`hub demo`.
"""

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from hub import __version__
from hub.operate.process.one_line_errors import guarded

__all__ = ["COMMANDS", "main", "make_app"]

COMMANDS = {
    "run": "run:run",
    "watch": "watch:watch",
    "demo": "demo:demo",
    "check": "check:check",
    "test": "trial:test",
    "eval": "evaluate:eval",
    "simulate": "simulate:simulate",
    "doctor": "doctor:doctor",
    "record": "record:record",
    "replay": "replay:replay",
    "alerts": "desk:alerts",
    "ack": "desk:ack",
    "silence": "desk:silence",
    "unsilence": "desk:unsilence",
    "set": "setting:set_attributes",
    "outbox": "outbox:outbox",
    "cluster": "cluster_extra:cluster",
    "drill": "drill:drill",
    "bench": "bench:bench",
    "why": "why:why",
    "why-not": "why:why_not",
    "init": "init:init",
    "import": "importing:import_file",
    "schema": "schema:schema",
}
"""For each command the module below hub.operate.cli, and the function in it."""


class _Commands(Mapping[str, Any]):
    """The commands by name; a lookup imports the module of that command and no other."""

    def __getitem__(self, name: str) -> Any:
        module, _, function = COMMANDS[name].partition(":")
        return _command(name, getattr(import_module(f"{__name__}.{module}"), function))

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Group(TyperGroup):
    """The command `hub`, whose subcommands are made of COMMANDS."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.commands = _Commands()  # type: ignore[assignment]  # click only reads it


def _command(name: str, function: Any) -> Any:
    """Make click's command of a function; Typer makes one only from an app, so each gets an app of its own.

    A Typer has commands of its own already, as that of `hub cluster`.
    """
    if isinstance(function, typer.Typer):
        return get_command(function)
    alone = typer.Typer(add_completion=False, **_settings())
    alone.command(name)(function)
    return get_command(alone)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"hub {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_say_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback when a command fails.")] = False,
) -> None:
    """Turn device events into alerts by rules in YAML, and notify people; nothing accepted is lost."""


def make_app() -> typer.Typer:
    """Return the command line. On a terminal Rich draws help and errors; in a pipe they are plain text."""
    app = typer.Typer(
        name="hub",
        cls=_Group,
        no_args_is_help=True,
        **_settings(),
    )
    app.callback()(_root)
    return app


def _settings() -> dict[str, Any]:
    return {
        "rich_markup_mode": "rich" if sys.stdout.isatty() else None,
        "pretty_exceptions_enable": False,
        "context_settings": {"help_option_names": ["-h", "--help"]},
    }


def main() -> None:
    """Run the command that the arguments name, and end the process with its exit code."""
    with guarded("--debug" in sys.argv[1:]):
        make_app()(prog_name="hub")
