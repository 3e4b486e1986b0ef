"""`hub drill`: sends a marked test through every receiver of a running hub, and shows whether it arrived."""

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
from hub.operate.cli.desk import print_table, user
from hub.operate.cli.options import Broker, By, Config, Token, Url
from hub.operate.client.ask import ask
from hub.operate.client.reach import Reach, reach_of
from hub.operate.process.runner import run_loop
from hub.printable import shown

__all__ = ["drill"]

Receipt = Mapping[str, Any]
"""What the hub says of one receiver's test: its outcome, attempts, and the receipt of its fallback."""
_ATTEMPTS = 5  # to take back a test that is being sent: sending takes a few looks at most


def drill(
    receivers: Annotated[
        list[str] | None,
        typer.Argument(help="Only these receivers [default: all].", metavar="[RECEIVER]...", show_default=False),
    ] = None,
    config: Config = None,
    broker: Broker = None,
    url: Url = None,
    token: Token = None,
    wait: Annotated[
        str, typer.Option(help="How long to wait until the tests have arrived.", metavar="DURATION")
    ] = format_duration(DRILL_WAIT_SECONDS),
    by: By = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the receipts as JSON.")] = False,
) -> None:
    """Send a test through every receiver of a running hub. Says what came of each; ends with 1 if one failed.

    The test is marked as a test. It takes the way of every notification: outbox, order, rate limit, retry, fallback. If
    it has not arrived when the waiting ends, it is taken back.
    """
    try:
        seconds = parse_duration(wait)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--wait") from None
    wanted = {"receivers": list(receivers or ()), "by": by or user()}
    receipts = run_loop(_drill(reach_of(config, broker, url, token), wanted, seconds, quiet=as_json))
    if as_json:
        typer.echo(orjson.dumps(receipts, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(receipts)
    if any(receipt["outcome"] != "delivered" for receipt in receipts):
        raise typer.Exit(1)


async def _drill(reach: Reach, wanted: Mapping[str, Any], seconds: float, *, quiet: bool) -> Sequence[Receipt]:
    """Begin the drill, ask for the receipts until all are final or time is up, and take back the rest."""
    begun = await _ask(reach, "drill", wanted)
    receipts: Sequence[Receipt] = begun["receipts"]
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    until = asyncio.get_running_loop().time() + seconds
    with Progress(*columns, transient=True, console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("")
        while waiting := [shown(receipt["receiver"]) for receipt in receipts if not receipt["done"]]:
            if asyncio.get_running_loop().time() >= until:
                break
            progress.update(task, description=f"waiting for {', '.join(waiting)}")
            await asyncio.sleep(DRILL_LOOK_SECONDS)
            receipts = (await _ask(reach, "drill-receipts", {"drill": begun["drill"]}))["receipts"]
    for receipt in receipts:
        unfinished = not receipt["done"] or _has_failed(receipt)
        if unfinished and not await _take_back(reach, receipt["id"], str(wanted["by"])):
            typer.echo(f"{shown(receipt['receiver'])}: it is being sent at this moment and may arrive yet", err=True)
    return receipts


def _has_failed(receipt: Receipt | None) -> bool:
    """Tell whether the test became a dead letter, at its receiver or at a fallback."""
    return receipt is not None and (receipt["outcome"] == "rejected" or _has_failed(receipt["fallback"]))


async def _take_back(reach: Reach, identity: str, by: str) -> bool:
    """Drop a test that is still queued or is a dead letter: a test that arrives hours later only confuses people.

    Return whether it could be dropped. A test that is being sent cannot, so this tries a few times.
    """
    for _ in range(_ATTEMPTS):
        answer = await ask(reach, "outbox-drop", {"ids": [identity], "by": by})
        if not answer.get("busy"):
            return True  # also if it has arrived meanwhile: then there is nothing to drop
        await asyncio.sleep(DRILL_LOOK_SECONDS)
    return False


async def _ask(reach: Reach, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = await ask(reach, name, request)
    if not answer.get("ok"):
        raise RequestError.of(answer)
    return answer


def _show(receipts: Sequence[Receipt]) -> None:
    table = Table("receiver", "receipt", "attempts", "fallback", box=None)
    for receipt in receipts:
        fallback = receipt["fallback"]
        told = "" if fallback is None else f"{fallback['receiver']}: {_outcome(fallback)}"
        table.add_row(shown(receipt["receiver"]), shown(_outcome(receipt)), str(receipt["attempts"]), shown(told))
    print_table(table, receipts, "no receivers")
    sys.stdout.flush()


def _outcome(receipt: Receipt) -> str:
    if receipt["outcome"] == "delivered":
        return f"delivered in {receipt['milliseconds']:.0f} ms"
    if receipt["outcome"] == "waiting":
        return "no answer yet"
    return f"{receipt['outcome']}: {receipt['reason']}"
