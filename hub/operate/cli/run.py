"""`hub run`: the hub itself, in the foreground, until it is told to stop."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hub import __version__
from hub.app import App
from hub.clock import SystemClock
from hub.config import Settings, load_settings
from hub.observer import Observers
from hub.operate.api.server import HttpServer
from hub.operate.figures import Figures
from hub.operate.output import Output
from hub.operate.runner import run_loop, serve

__all__ = ["run"]


def run(
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The settings [default: hub.yaml, where it exists].")
    ] = None,
    broker: Annotated[
        str | None, typer.Option(help="The broker: mqtt://[user:password@]host[:port], or mqtts://….", metavar="URL")
    ] = None,
    rules: Annotated[list[Path] | None, typer.Option(help="A rule file or a folder of them; may be repeated.")] = None,
    devices: Annotated[
        list[Path] | None, typer.Option(help="A file or folder of the device registry; may be repeated.")
    ] = None,
    state: Annotated[Path | None, typer.Option(help="The file that holds the hub's state.")] = None,
    http: Annotated[
        str | None, typer.Option(help="Where the web page and the HTTP API listen.", metavar="HOST:PORT")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the log as JSON, one object a line.")] = False,
) -> None:
    """Run the hub until Ctrl-C or SIGTERM; SIGHUP loads the rules anew."""
    settings = load_settings(config, broker=broker, rules=rules or (), devices=devices or (), state=state, http=http)
    figures = Figures()
    output = Output(sys.stdout, as_json=as_json)
    try:
        observers, clock = Observers(output.observer, figures), SystemClock()
        server = HttpServer(settings.http, clock, figures, lambda url: output.note("http", f"listens on {url}"))
        if settings.http.enabled:
            observers.all.append(server.observer)
        app = App(settings, observers, clock, [server] if settings.http.enabled else [])
        run_loop(_serve(app, settings, output, figures))
    finally:
        output.close()


async def _serve(app: App, settings: Settings, output: Output, figures: Figures) -> None:
    """Serve, and tell what it came to while a thread that hangs cannot keep us from it."""
    await serve(app, lambda: _begin(settings, output))
    output.summary(figures.summary())
    output.note("stop", "drained and stopped")
    output.close()


def _begin(settings: Settings, output: Output) -> None:
    rules = ", ".join(map(str, settings.rules))
    output.note("start", f"hub {__version__}: broker {settings.broker}, rules {rules}, state {settings.state}")
