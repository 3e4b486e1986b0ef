"""The demo's outside world: an HTTP server on loopback that takes webhooks, mails and SMS, and shows them."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from hub.printable import shown

__all__ = ["DemoListener", "Note"]

Note = Callable[[str, str], None]
"""Prints a line: a word that says what it is about, and a text."""


class DemoListener:
    """Takes what receivers send while inside `async with`, and prints a line for each."""

    def __init__(self, note: Note, takers: Mapping[str, Callable[[dict[str, Any]], None]] | None = None) -> None:
        """Print everything that comes in, but hand to `takers` what comes on their channels."""
        self._note, self._takers = note, takers or {}
        self.received: Counter[str] = Counter()
        """How many requests have come, by channel."""
        application = web.Application(client_max_size=1 << 20)
        application.router.add_post("/{channel}", self._hook)
        # no access log: `note` shows the requests
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        self._address = ""

    def url(self, channel: str) -> str:
        """Return the URL of a channel."""
        return f"http://{self._address}/{channel}"

    def apprise_url(self, channel: str) -> str:
        """Return the Apprise URL of a channel."""
        return f"json://{self._address}/{channel}"

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self._address = f"{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _hook(self, request: web.Request) -> web.Response:
        channel = request.match_info["channel"]
        self.received[channel] += 1
        body = await _body(request)
        if channel in self._takers:
            self._takers[channel](body)
        else:
            self._note("received", f"{shown(channel, 40)}: {_gist(body)}")
        return web.Response(status=204)


async def _body(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a request, empty if it is none: the demo shows what it can."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _gist(body: dict[str, Any]) -> str:
    """Return a notification in a line: it is the hub's own JSON, or what Apprise's json:// sends (title, message)."""
    if "alertname" in body:
        return f"{shown(body['alertname'])} {shown(body.get('state'))}: {shown(body.get('summary'))}"
    return shown(body.get("title") or body.get("message") or "")
