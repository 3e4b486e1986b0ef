"""`hub watch`: the live view of a running hub, here or elsewhere, over its HTTP interface."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub.config import HttpSettings, load_settings
from hub.document import Problems, parse_document
from hub.errors import ConfigError
from hub.operate.cli.desk import user
from hub.secret import Secret

__all__ = ["watch"]


def watch(
    url: Annotated[
        str | None, typer.Option(help="Where the hub speaks HTTP [default: as hub.yaml says].", show_default=False)
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            help="One of the hub's tokens, or '!env NAME', '!file PATH'.", envvar="HUB_TOKEN", show_default=False
        ),
    ] = None,
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
    if url is not None and not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--url: {url!r} is not http://… or https://…")
    where = url or _address(load_settings(config).http)
    asyncio.run(_watch(where, _secret(token) if token else None, notes.read_text("utf-8") if notes else ""))


async def _watch(url: str, token: Secret | None, notes: str) -> None:
    """Look whether the hub is there, so that what is wrong is told before the terminal changes; then show it."""
    from hub.operate.live.app import LiveView  # noqa: PLC0415 - 0.6 s of Textual and aiohttp, not for `hub --help`
    from hub.operate.live.link import linked  # noqa: PLC0415 - with it aiohttp's client

    async with linked(url, token) as link:
        await link.read("status")
        view = LiveView(link, user(), notes)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, view.exit)
        await view.run_async()


def _address(settings: HttpSettings) -> str:
    """Return where a hub with these settings is reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - not bound here
    scheme = "https" if settings.cert else "http"
    return settings.url or f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _secret(text: str) -> Secret:
    """Read a token, from the environment or a file where it says so.

    Raises:
        ConfigError: it cannot be had from there.

    """
    if not text.startswith(("!env ", "!file ")):
        return Secret(text)
    problems = Problems()
    found = parse_document(text, "--token", problems)
    if problems or found is None or not isinstance(found.value, Secret):
        raise ConfigError(problems)
    return found.value
