"""`hub bench`: what an event costs this machine, the hub beside its broker, and how long an alert takes."""

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

_SECONDS = 7.0  # four times, each with a start and an end of 4 s: below a minute
_LONGEST_SECONDS = 600.0


def bench(
    seconds: Annotated[
        float, typer.Option(min=0.5, max=_LONGEST_SECONDS, help="How long each of the four loads lasts.")
    ] = _SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON, one object a load.")] = False,
) -> None:
    """Measure events per second, CPU per event and latency on this machine, beside the broker's own cost.

    It starts a Mosquitto and a hub of its own on free loopback ports, four times, and leaves nothing behind. Every
    event is sent at QoS 1 and durable before it is acknowledged; one of 100 makes an alert, which is published again.
    """
    found: list[Came] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[sent]:,}"))
    quiet = as_json or not sys.stderr.isatty()
    with Progress(*columns, transient=True, disable=quiet, console=Console(stderr=True)) as progress:
        for number, scenario in enumerate(SCENARIOS):
            task = progress.add_task(f"{number + 1} of {len(SCENARIOS)}: {scenario.name}", total=None, sent=0)

            def sent(count: int, task: object = task) -> None:
                progress.update(task, sent=count)  # type: ignore[arg-type]  # rich.progress.TaskID is an int

            found.append(asyncio.run(run_scenario(scenario, seconds=seconds, sent=sent)))
            progress.remove_task(task)
            if as_json:
                typer.echo(shown_json(asdict(found[-1]), indent=False))
    if not as_json:
        _say(found)
    if any(each.alerts < each.due for each in found):
        typer.echo("hub: alerts are missing: this machine, or the hub, is broken", err=True)
        raise typer.Exit(1)


def _say(found: Sequence[Came]) -> None:
    heads = ("load", "events/s", "hub µs/event", "broker µs/event", "hub/broker", "alerts", "p50 ms", "p99 ms")
    rows = [
        (
            each.scenario,
            f"{each.events_per_second:,}",
            f"{each.hub_us_per_event:.1f}",
            f"{each.broker_us_per_event:.1f}",
            f"{each.hub_to_broker:.2f}",
            f"{each.alerts:,} of {each.due:,}",
            f"{each.p50_ms:.1f}" if each.rate else "",  # else it is how long the queue before the hub is
            f"{each.p99_ms:.1f}" if each.rate else "",
        )
        for each in found
    ]
    if not sys.stdout.isatty():
        for row in (heads, *rows):
            typer.echo("\t".join(row))
        return
    table = Table(*heads, caption="CPU of all threads, latency from publish to alert. Compare within one run.")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
