"""`hub run`: the hub itself, in the foreground, until it is told to stop."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub import __version__
from hub.app import App
from hub.clock import Clock, SystemClock
from hub.config import Settings, load_settings
from hub.observer import Observers
from hub.operate.figures.figures import Figures
from hub.operate.process.descriptors import raise_limit
from hub.operate.process.runner import run_loop, serve
from hub.operate.terminal.output import Output
from hub.tracing.spans import Tracing

if TYPE_CHECKING:
    from hub.operate.api.front.server import HttpServer
    from hub.operate.process.collector import Collector

__all__ = ["run"]


def run(
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The settings [default: hub.yaml, where it exists].")
    ] = None,
    broker: Annotated[
        str | None,
        typer.Option(
            help="The broker: mqtt://[user:password@]host[:port]; mqtts://, ws://, wss:// too.", metavar="URL"
        ),
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
    raise_limit()
    settings = load_settings(config, broker=broker, rules=rules or (), devices=devices or (), state=state, http=http)
    figures = Figures()
    output = Output(sys.stdout, as_json=as_json)
    collector: list[Collector] = []
    try:
        observers, clock = Observers(output.observer, figures), SystemClock()
        servers = _servers(settings, clock, figures, output)
        observers.all += [server.observer for server in servers]
        collector, tracing = _traces(settings, clock)
        app = App(settings, observers, clock, [*servers, *collector], tracing)
        run_loop(_serve(app, settings, output, figures))
    finally:
        output.close()
        for each in collector:
            each.close()


def _servers(settings: Settings, clock: Clock, figures: Figures, output: Output) -> "list[HttpServer]":
    """Make the HTTP interface, where it is wanted."""
    if not settings.http.enabled:
        return []
    from hub.operate.api.front.server import HttpServer  # noqa: PLC0415 - 0.4 s of imports, for who wants it

    return [HttpServer(settings.http, clock, figures, lambda url: output.note("http", f"listens on {url}"))]


def _traces(settings: Settings, clock: Clock) -> "tuple[list[Collector], Tracing | None]":
    """Make what traces, where it is wanted."""
    if settings.tracing is None:
        return [], None
    from hub.operate.process.collector import Collector  # noqa: PLC0415 - an optional extra, and 0.3 s of imports

    collector = Collector(settings.tracing, settings.broker.client_id)
    return [collector], Tracing(collector.take, settings.tracing.sample, clock)


async def _serve(app: App, settings: Settings, output: Output, figures: Figures) -> None:
    """Serve, and tell what it came to while a thread that hangs cannot keep us from it."""
    await serve(app, lambda: _begin(settings, output))
    output.summary(figures.summary())
    output.note("stop", "drained and stopped")
    output.close()


def _begin(settings: Settings, output: Output) -> None:
    rules = ", ".join(map(str, settings.rules))
    output.note("start", f"hub {__version__}: broker {settings.broker}, rules {rules}, state {settings.state}")
