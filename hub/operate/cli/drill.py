"""`hub drill`: a marked test through every receiver of a running hub, and what came of it."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from hub.documents.duration import format_duration, parse_duration
from hub.errors import RequestError
from hub.limits import DRILL_LOOK_SECONDS, DRILL_WAIT_SECONDS
from hub.operate.cli.desk import Broker, By, Config, Token, Url, print_table, user
from hub.operate.client.ask import ask
from hub.operate.client.reach import Reach, reach_of
from hub.operate.process.runner import run_loop
from hub.printable import shown

__all__ = ["drill"]

Receipt = Mapping[str, Any]
_ATTEMPTS = 5


def drill(
    receivers: Annotated[
        list[str] | None, typer.Argument(help="Only these.", metavar="[RECEIVER]...", show_default=False)
    ] = None,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    wait: Annotated[str, typer.Option(help="How long to wait for receipts.", metavar="DURATION")] = format_duration(
        DRILL_WAIT_SECONDS
    ),
    by: By = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the receipts as JSON.")] = False,
) -> None:
    """Send a test through every receiver of the running hub and report each receipt; ends with 1 if one failed.

    The test says that it is one and takes the way of every notification: outbox, order, rate, retry, fallback. What has
    not arrived when the waiting ends is taken back.
    """
    try:
        seconds = parse_duration(wait)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--wait") from None
    wanted = {"receivers": list(receivers or ()), "by": by or user()}
    found = run_loop(_drill(reach_of(config, broker, url, token), wanted, seconds, quiet=as_json))
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(found)
    if any(each["outcome"] != "delivered" for each in found):
        raise typer.Exit(1)


async def _drill(reach: Reach, wanted: Mapping[str, Any], seconds: float, *, quiet: bool) -> Sequence[Receipt]:
    """Ask for the drill, look at the receipts until all are there or time is up, take back the rest."""
    begun = await _ask(reach, "drill", wanted)
    found: Sequence[Receipt] = begun["receipts"]
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    until = asyncio.get_running_loop().time() + seconds
    with Progress(*columns, transient=True, console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("")
        while (waiting := [each for each in found if not each["done"]]) and asyncio.get_running_loop().time() < until:
            progress.update(task, description=f"waiting for {', '.join(shown(each['receiver']) for each in waiting)}")
            await asyncio.sleep(DRILL_LOOK_SECONDS)
            found = (await _ask(reach, "drill-receipts", {"drill": begun["drill"]}))["receipts"]
    for each in found:
        if (not each["done"] or _has_failed(each)) and not await _take_back(reach, each["id"], str(wanted["by"])):
            typer.echo(f"{shown(each['receiver'])}: it is being sent at this moment and may arrive yet", err=True)
    return found


def _has_failed(receipt: Receipt | None) -> bool:
    """Tell whether there is a dead letter of it, at its receiver or at a fallback."""
    return receipt is not None and (receipt["outcome"] == "rejected" or _has_failed(receipt["fallback"]))


async def _take_back(reach: Reach, identity: str, by: str) -> bool:
    """Drop what is still queued, and the dead letter: a test that comes hours later helps nobody.

    Tell whether that was possible, after a few attempts: what is being sent at that moment cannot be taken back.
    """
    for _ in range(_ATTEMPTS):
        answer = await ask(reach, "outbox-drop", {"ids": [identity], "by": by})
        if not answer.get("busy"):
            return True  # also where it has arrived meanwhile, and is not there any more
        await asyncio.sleep(DRILL_LOOK_SECONDS)
    return False


async def _ask(reach: Reach, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = await ask(reach, name, request)
    if not answer.get("ok"):
        raise RequestError.of(answer)
    return answer


def _show(found: Sequence[Receipt]) -> None:
    table = Table("receiver", "receipt", "attempts", "fallback", box=None)
    for each in found:
        fallback = each["fallback"]
        told = "" if fallback is None else f"{fallback['receiver']}: {_receipt(fallback)}"
        table.add_row(shown(each["receiver"]), shown(_receipt(each)), str(each["attempts"]), shown(told))
    print_table(table, found, "no receivers")
    sys.stdout.flush()


def _receipt(each: Receipt) -> str:
    if each["outcome"] == "delivered":
        return f"delivered in {each['milliseconds']:.0f} ms"
    if each["outcome"] == "waiting":
        return "no answer yet"
    return f"{each['outcome']}: {each['reason']}"
