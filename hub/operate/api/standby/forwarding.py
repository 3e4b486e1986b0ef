"""A request to a node that stands by, handed whole to the owner, and the owner's answer handed back.

The owner answers it as if it had come to itself: who asks, and what he may, it finds out again by the same headers. So
there is one place that decides, and a node need not know what a request means.
"""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from nats.aio.msg import Msg
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.cluster.servers.link import Link, LinkError, NobodyAnswers
from hub.limits import FORWARD_SECONDS, HTTP_BODY_BYTES
from hub.operate.api.answers import refusal
from hub.operate.api.front.actor import Refused
from hub.operate.api.front.request_bodies import Bodies

__all__ = ["Answerer", "Forwarder"]

_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"trailer", b"expect"})
"""Headers that speak of one connection (RFC 9110, 7.6.1)."""


class Forwarder:
    """An ASGI application that asks the owner. `subject` is where the owner answers, `who` returns its name."""

    def __init__(self, link: Link, subject: str, who: Callable[[], str]) -> None:
        """Ask nothing yet."""
        self._link, self._subject, self._who, self._bodies = link, subject, who, Bodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request."""
        request = Request(scope, receive)
        await (await self._answer(request))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            body = await self._bodies.read(request, HTTP_BODY_BYTES)
        except Refused as no:
            return refusal(no)
        asked = _packed(request.scope, body)
        if len(asked) > self._link.max_payload - 1024:
            return refusal(Refused(413, "too long to be handed to the node that owns; post it there, or in parts"))
        try:
            message = await self._link.request(self._subject, asked, seconds=FORWARD_SECONDS)
        except NobodyAnswers:
            return refusal(Refused(503, "no node owns the hub at this moment; try again soon", 2.0))
        except LinkError as error:
            who = self._who() or "the owner"
            return refusal(Refused(504, f"node {who} has not answered, and may have done it: {error}", 2.0))
        head, _, content = zlib.decompress(message.data).partition(b"\n")
        told = orjson.loads(head)
        response = Response(content, told["status"])
        response.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told["headers"]]
        return response


class Answerer:
    """The owner's side: answers what others forward by its own application."""

    def __init__(self, link: Link, application: ASGIApp) -> None:
        """Answer nothing yet."""
        self._link, self._application = link, application
        self._working: set[asyncio.Task[None]] = set()

    async def heard(self, message: Msg) -> None:
        """Answer one request, beside those that come meanwhile."""
        task = asyncio.create_task(self._answer(message), name="forwarded")
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _answer(self, message: Msg) -> None:
        status, headers, content = await _run(self._application, message.data)
        answer = _answered(status, headers, content)
        if len(answer) > self._link.max_payload - 1024:
            answer = _answered(507, [], b'{"ok": false, "error": "too long an answer for a node that stands by"}')
        if message.reply:
            await self._link.publish(message.reply, answer)


def _answered(status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> bytes:
    shown = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers if name.lower() not in _HOP]
    return zlib.compress(orjson.dumps({"status": status, "headers": shown}) + b"\n" + content, 1)


def _packed(scope: Scope, body: bytes) -> bytes:
    headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"] if n.lower() not in _HOP]
    told = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode("latin-1"),
        "scheme": scope["scheme"],
        "client": list(scope["client"] or ("", 0)),
        "server": list(scope.get("server") or ("", 0)),
        "headers": headers,
    }
    return zlib.compress(orjson.dumps(told) + b"\n" + body, 1)


async def _run(application: ASGIApp, data: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Run the application on a packed request; return status, headers and body."""
    head, _, body = zlib.decompress(data).partition(b"\n")
    status, headers, parts = 500, list[tuple[bytes, bytes]](), list[bytes]()
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Mapping[str, Any]:
        return waiting.pop() if waiting else await asyncio.Future[Mapping[str, Any]]()

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await application(_scope(orjson.loads(head)), receive, send)  # type: ignore[arg-type]  # plain mappings
    return status, headers, b"".join(parts)


def _scope(told: Mapping[str, Any]) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": told["method"],
        "path": told["path"],
        "raw_path": told["path"].encode(),
        "query_string": told["query"].encode("latin-1"),
        "root_path": "",
        "scheme": told["scheme"],
        "client": tuple(told["client"]),
        "server": tuple(told["server"]),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told["headers"]],
        "state": {},
        "extensions": {},
    }
