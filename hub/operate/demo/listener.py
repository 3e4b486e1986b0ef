"""The demo's outside world: an HTTP server on loopback that is webhook, mail and SMS gateway, and shows what it got."""

import json
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from hub.printable import shown

__all__ = ["DemoListener"]

Told = Callable[[str, str], None]
"""A word, and what is said under it."""


class DemoListener:
    """Takes what receivers send, while inside `async with`, and tells of it."""

    def __init__(self, told: Told) -> None:
        """Tell of everything that comes in."""
        self._told = told
        self.received: Counter[str] = Counter()
        """How many, by channel."""
        application = web.Application(client_max_size=1 << 20)
        application.router.add_post("/{channel}", self._hook)
        # its requests are shown by ourselves, so no access log
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        self._address = ""

    def url(self, channel: str) -> str:
        """Return the URL of a channel."""
        return f"http://{self._address}/{channel}"

    def apprise_url(self, channel: str) -> str:
        """Return the Apprise URL of the same."""
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
        self._told("received", f"{shown(channel, 40)}: {_gist(await _body(request))}")
        return web.Response(status=204)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _gist(body: dict[str, Any]) -> str:
    """Return the head of a notification: of the hub's own JSON, or of what Apprise's json:// sends (title, message)."""
    if "alertname" in body:
        return f"{shown(body['alertname'])} {shown(body.get('state'))}: {shown(body.get('summary'))}"
    return shown(body.get("title") or body.get("message") or "")
