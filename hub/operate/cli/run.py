"""`hub run`: runs the hub itself, in the foreground, until a signal stops it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub import __version__
from hub.app import App
from hub.clock import Clock, SystemClock
from hub.config import Settings, load_settings
from hub.observer import Observers
from hub.operate.cli.options import Broker, Config, Devices, State
from hub.operate.figures.figures import Figures
from hub.operate.process.descriptors import raise_limit
from hub.operate.process.runner import Runnable, run_loop, serve
from hub.operate.terminal.output import Output
from hub.tracing.spans import Tracing

if TYPE_CHECKING:
    from hub.operate.api.front.server import HttpServer
    from hub.operate.process.collector import Collector

__all__ = ["run"]


def run(
    config: Config = None,
    broker: Broker = None,
    rules: Annotated[list[Path] | None, typer.Option(help="A rule file or a folder of them; may be repeated.")] = None,
    devices: Devices = None,
    state: State = None,
    http: Annotated[
        str | None, typer.Option(help="The address of the web page and the HTTP API.", metavar="HOST:PORT")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the log as JSON, one object per line.")] = False,
) -> None:
    """Run the hub until Ctrl-C or SIGTERM. SIGHUP loads the rules again."""
    raise_limit()
    settings = load_settings(config, broker=broker, rules=rules or (), devices=devices or (), state=state, http=http)
    figures = Figures()
    output = Output(sys.stdout, as_json=as_json)
    collector: list[Collector] = []
    try:
        run_loop(_serve(_runnable(settings, SystemClock(), figures, output, collector), settings, output, figures))
    finally:
        output.close()
        for each in collector:
            each.close()


def _runnable(
    settings: Settings, clock: Clock, figures: Figures, output: Output, collector: "list[Collector]"
) -> Runnable:
    """Make the hub with all that runs beside it: a single one, or a node where the settings have a cluster."""
    observers = Observers(output.observer, figures)
    collectors, tracing = _traces(settings, clock)
    collector += collectors

    def listening(url: str) -> None:
        output.note("http", f"listens on {url}")

    if settings.cluster is not None:
        from hub.operate.cli.run_node import node_of  # noqa: PLC0415 - nats-py, an optional extra

        return node_of(settings, settings.cluster, observers, clock, figures, listening, collector, tracing)
    servers = _servers(settings, clock, figures, listening)
    observers.all += [server.observer for server in servers]
    return App(settings, observers, clock, [*servers, *collector], tracing)


def _servers(
    settings: Settings, clock: Clock, figures: Figures, listening: Callable[[str], None]
) -> "list[HttpServer]":
    """Make the HTTP interface, if `http` of hub.yaml or --http wants it."""
    if not settings.http.enabled:
        return []
    from hub.operate.api.front.server import HttpServer  # noqa: PLC0415 - 0.4 s of imports, only if HTTP is wanted

    return [HttpServer(settings.http, clock, figures, listening)]


def _traces(settings: Settings, clock: Clock) -> "tuple[list[Collector], Tracing | None]":
    """Make the collector of spans and the tracing that feeds it, if `tracing` of hub.yaml wants them."""
    if settings.tracing is None:
        return [], None
    from hub.operate.process.collector import Collector  # noqa: PLC0415 - an optional extra, and 0.3 s of imports

    collector = Collector(settings.tracing, settings.broker.client_id)
    return [collector], Tracing(collector.take, settings.tracing.sample, clock)


async def _serve(app: Runnable, settings: Settings, output: Output, figures: Figures) -> None:
    """Serve, and print the summary before the loop closes: its end waits for threads, and one of them may hang."""
    await serve(app, lambda: _begin(settings, output))
    output.summary(figures.summary())
    output.note("stop", "drained and stopped")
    output.close()


def _begin(settings: Settings, output: Output) -> None:
    rules = ", ".join(map(str, settings.rules))
    output.note("start", f"hub {__version__}: broker {settings.broker}, rules {rules}, state {settings.state}")
