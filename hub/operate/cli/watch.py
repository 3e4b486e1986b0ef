"""`hub watch`: shows a running hub live in the terminal; it asks the hub over HTTP, so that it may run elsewhere."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.clock import PEOPLE
from hub.documents.secret import Secret
from hub.operate.cli.desk import user
from hub.operate.cli.options import Config, Token
from hub.operate.client.reach import secret_of, url_of
from hub.settings.machine_zone import zone_named

__all__ = ["watch"]


def watch(
    url: Annotated[
        str | None, typer.Option(help="The hub's HTTP address [default: the one in hub.yaml].", show_default=False)
    ] = None,
    token: Token = None,
    config: Config = None,
    notes: Annotated[
        Path | None, typer.Option(help="A file whose text is shown on the help page, too.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Show a running hub live, and acknowledge or silence there.

    It shows alerts, events, rules, devices and deliveries.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter("the live view needs a terminal; a script can read the feed with: curl -N URL/sse")
    secret = secret_of(token) if token else None
    asyncio.run(_watch(url_of(config, url), secret, notes.read_text("utf-8") if notes else ""))


async def _watch(url: str, token: Secret | None, notes: str) -> None:
    """Ask the hub first, so that an error is printed before the view takes the terminal; then show the view."""
    from hub.operate.live.feed_link import linked  # noqa: PLC0415 - with it aiohttp's client
    from hub.operate.live.screen import LiveView  # noqa: PLC0415 - 0.6 s of Textual and aiohttp, not for `hub --help`

    async with linked(url, token) as link:
        PEOPLE.zone = zone_named(str((await link.read("status")).get("tz", "")))
        view = LiveView(link, user(), notes)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, view.exit)
        await view.run_async()
