"""`hub bench`: measures what an event costs in the hub and in its broker, and how long an alert takes."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hub.operate.bench.scenario import SCENARIOS, Came, run_scenario
from hub.printable import shown_json

__all__ = ["bench"]

_SECONDS = 7.0  # for each of four loads; starting and ending one takes 4 s more: below a minute in all
_LONGEST_SECONDS = 600.0


def bench(
    seconds: Annotated[
        float, typer.Option(min=0.5, max=_LONGEST_SECONDS, help="How long each of the four loads lasts.")
    ] = _SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON, one object per load.")] = False,
) -> None:
    """Measure the hub's speed on this machine. It prints events per second, CPU per event and latency.

    For each of four loads it starts a Mosquitto and a hub of its own on free loopback ports, and leaves nothing behind.
    Every event is sent at QoS 1 and is on disk before it is acknowledged. One event of 100 makes an alert, which is
    published. What the broker itself costs is shown beside the hub's figures.
    """
    results: list[Came] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[sent]:,}"))
    quiet = as_json or not sys.stderr.isatty()
    with Progress(*columns, transient=True, disable=quiet, console=Console(stderr=True)) as progress:
        for number, scenario in enumerate(SCENARIOS):
            task = progress.add_task(f"{number + 1} of {len(SCENARIOS)}: {scenario.name}", total=None, sent=0)

            def sent(count: int, task: object = task) -> None:
                progress.update(task, sent=count)  # type: ignore[arg-type]  # rich.progress.TaskID is an int

            results.append(asyncio.run(run_scenario(scenario, seconds=seconds, sent=sent)))
            progress.remove_task(task)
            if as_json:
                typer.echo(shown_json(asdict(results[-1]), indent=False))
    if not as_json:
        _say(results)
    if any(result.alerts < result.due for result in results):  # a figure of a hub that loses alerts is worth nothing
        typer.echo("hub: alerts are missing: this machine or the hub is broken", err=True)
        raise typer.Exit(1)


def _say(results: Sequence[Came]) -> None:
    """Print a table on a terminal, and lines with tabs into a pipe."""
    heads = ("load", "events/s", "hub µs/event", "broker µs/event", "hub/broker", "alerts", "p50 ms", "p99 ms")
    rows = [
        (
            result.scenario,
            f"{result.events_per_second:,}",
            f"{result.hub_us_per_event:.1f}",
            f"{result.broker_us_per_event:.1f}",
            f"{result.hub_to_broker:.2f}",
            f"{result.alerts:,} of {result.due:,}",
            f"{result.p50_ms:.1f}" if result.rate else "",  # at full speed a latency would only measure the queue
            f"{result.p99_ms:.1f}" if result.rate else "",
        )
        for result in results
    ]
    if not sys.stdout.isatty():
        for row in (heads, *rows):
            typer.echo("\t".join(row))
        return
    table = Table(*heads, caption="CPU of all threads, latency from publish to alert. Compare within one run.")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
