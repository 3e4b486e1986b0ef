"""`hub watch`: the live view of a running hub, here or elsewhere, over its HTTP interface."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.clock import PEOPLE
from hub.documents.secret import Secret
from hub.operate.cli.desk import Token, user
from hub.operate.client.reach import secret_of, url_of
from hub.settings.machine_zone import zone_named

__all__ = ["watch"]


def watch(
    url: Annotated[
        str | None, typer.Option(help="Where the hub speaks HTTP [default: as hub.yaml says].", show_default=False)
    ] = None,
    token: Token = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The settings [default: hub.yaml, where it exists].")
    ] = None,
    notes: Annotated[
        Path | None, typer.Option(help="A text to show on the help page, too.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Show a running hub live: alerts, events, rules, devices, deliveries; acknowledge and silence from there."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter("the live view needs a terminal; a script reads the feed: curl -N URL/sse")
    known = secret_of(token) if token else None
    asyncio.run(_watch(url_of(config, url), known, notes.read_text("utf-8") if notes else ""))


async def _watch(url: str, token: Secret | None, notes: str) -> None:
    """Look whether the hub is there, so that what is wrong is told before the terminal changes; then show it."""
    from hub.operate.live.feed_link import linked  # noqa: PLC0415 - with it aiohttp's client
    from hub.operate.live.screen import LiveView  # noqa: PLC0415 - 0.6 s of Textual and aiohttp, not for `hub --help`

    async with linked(url, token) as link:
        PEOPLE.zone = zone_named(str((await link.read("status")).get("tz", "")))
        view = LiveView(link, user(), notes)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, view.exit)
        await view.run_async()
