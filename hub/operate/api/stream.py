"""The feed to a client: as WebSocket frames, or as server-sent events (WHATWG HTML, 9.2); with replay from an id."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.limits import FEED_BATCH, FEED_PATIENCE_SECONDS, FEED_PING_SECONDS
from hub.operate.api.feed import Feed, Message

__all__ = ["EventStream", "TooSlow", "feed_client", "feed_socket", "messages"]

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


class TooSlow(Exception):
    """A client that did not keep up with the feed."""


async def messages(feed: Feed, hub: Mapping[str, str], query: Mapping[str, str]) -> AsyncIterator[Sequence[Message]]:
    """Yield what a client is to hear, in pieces, for ever: `hello`, what it missed since `since`, then what happens.

    An empty piece says that nothing has happened for FEED_PING_SECONDS of what it wants to hear.

    Raises:
        TooSlow: what it was to hear next is no longer kept.

    """
    at, wanted = feed.latest, frozenset(filter(None, query.get("types", "").split(",")))
    first = [feed.compose(at, "hello", {**hub, "latest": feed.identity(at)})]
    if since := query.get("since", ""):
        known = feed.number_of(since)
        if known is None:
            first.append(feed.compose(at, "gap", {"since": since, "oldest": feed.identity(feed.oldest)}))
        at = at if known is None else known
    yield first
    loop = asyncio.get_running_loop()
    quiet = loop.time()
    while True:
        found = feed.since(at, FEED_BATCH)
        if found:
            if found[0].number != at + 1:
                raise TooSlow
            at = found[-1].number
            if piece := [each for each in found if not wanted or each.type in wanted]:
                yield piece
                quiet = loop.time()
        elif loop.time() - quiet < FEED_PING_SECONDS:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(quiet + FEED_PING_SECONDS):
                    await feed.wait()
        else:
            yield ()
            quiet = loop.time()


async def feed_client(
    feed: Feed,
    hub: Mapping[str, str],
    query: Mapping[str, str],
    send: Callable[[Sequence[Message]], Awaitable[None]],
    gone: Coroutine[Any, Any, None],
) -> bool:
    """Feed a client until `gone` returns, or it is too slow; tell which: True where it was too slow."""
    feeding = asyncio.create_task(_feed(feed, hub, query, send), name="feed client")
    hearing = asyncio.create_task(gone, name="feed client hears")
    feed.clients += 1
    try:
        await asyncio.wait({feeding, hearing}, return_when=asyncio.FIRST_COMPLETED)
        return feeding.done() and not hearing.done()
    finally:
        feed.clients -= 1
        for task in (feeding, hearing):
            task.cancel()
        await asyncio.gather(feeding, hearing, return_exceptions=True)


async def _feed(
    feed: Feed,
    hub: Mapping[str, str],
    query: Mapping[str, str],
    send: Callable[[Sequence[Message]], Awaitable[None]],
) -> None:
    """Send pieces until one takes longer than FEED_PATIENCE_SECONDS."""
    with contextlib.suppress(TooSlow, TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
        async for piece in messages(feed, hub, query):
            async with asyncio.timeout(FEED_PATIENCE_SECONDS):
                await send(piece)


async def feed_socket(socket: WebSocket, feed: Feed, hub: Mapping[str, str], query: Mapping[str, str]) -> None:
    """Feed an accepted WebSocket until it closes; one that reads too slowly is closed with 1013 (try again later)."""

    async def send(piece: Sequence[Message]) -> None:
        for each in piece:
            await socket.send_text(each.text.decode())

    async def gone() -> None:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    if await feed_client(feed, hub, query, send, gone()):
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await socket.close(1013, "too slow for the feed")


class EventStream(Response):
    """The feed as server-sent events, for ever; where the client is too slow it ends, to come back with its id."""

    media_type = "text/event-stream"

    def __init__(self, feed: Feed, hub: Mapping[str, str], query: Mapping[str, str]) -> None:
        """Feed whoever is answered with this."""
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._feed, self._hub, self._query = feed, hub, query

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})

        async def pass_on(piece: Sequence[Message]) -> None:
            body = b"".join([_event(self._feed, each) for each in piece]) or b": still here\n\n"
            await send({"type": "http.response.body", "body": body, "more_body": True})

        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        await feed_client(self._feed, self._hub, self._query, pass_on, gone())


def _event(feed: Feed, message: Message) -> bytes:
    head = f"id: {feed.identity(message.number)}\nevent: {message.type}\ndata: "
    return head.encode() + message.text + b"\n\n"
