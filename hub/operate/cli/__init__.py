"""The command line `hub`: one file for each command, all of them registered in COMMANDS below."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hub import __version__
from hub.operate.cli.check import check
from hub.operate.cli.demo import demo
from hub.operate.cli.desk import ack, alerts, silence, unsilence
from hub.operate.cli.doctor import doctor
from hub.operate.cli.drill import drill
from hub.operate.cli.evaluate import eval  # noqa: A004 - the command's name
from hub.operate.cli.importing import import_file
from hub.operate.cli.init import init
from hub.operate.cli.outbox import outbox
from hub.operate.cli.record import record
from hub.operate.cli.replay import replay
from hub.operate.cli.run import run
from hub.operate.cli.schema import schema
from hub.operate.cli.simulate import simulate
from hub.operate.cli.trial import test
from hub.operate.cli.watch import watch
from hub.operate.cli.why import why, why_not
from hub.operate.guard import guarded

__all__ = ["COMMANDS", "LATER", "main", "make_app"]

COMMANDS = (
    *(run, watch, demo, check, test, eval, simulate, doctor),
    *(record, replay, alerts, ack, silence, unsilence, outbox, drill, why, why_not),
    *(init, import_file, schema),
)

LATER = ("bench",)
"""Commands that the documents name and that are not there yet: asked for, they say so."""


class _Group(TyperGroup):
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in LATER:
            typer.echo(f"hub: the command '{args[0]}' is not supported yet; `hub --help` lists what is", err=True)
            raise typer.Exit(2)
        return super().resolve_command(ctx, args)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"hub {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_say_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Device events in, YAML rules, alerts, notifications out, nothing lost."""


def make_app() -> typer.Typer:
    """Return the command line; help and errors are drawn with Rich where a person reads, else they are plain."""
    app = typer.Typer(
        name="hub",
        cls=_Group,
        no_args_is_help=True,
        rich_markup_mode="rich" if sys.stdout.isatty() else None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for command in COMMANDS:
        app.command()(command)
    return app


def main() -> None:
    """Run the command that the arguments name; ends the process with its exit code."""
    with guarded("--debug" in sys.argv[1:]):
        make_app()(prog_name="hub")
