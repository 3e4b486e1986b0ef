"""The feed to a client: as WebSocket frames, or as server-sent events (WHATWG HTML, 9.2); with replay from an id."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.limits import FEED_BATCH, FEED_PATIENCE_SECONDS, FEED_PING_SECONDS
from hub.operate.api.feed.audience import Audience, Seat
from hub.operate.api.feed.feed import Feed, FeedMessage, for_role
from hub.operate.api.front.http_connection import without_deadline

__all__ = ["EventStream", "TooSlow", "feed_client", "feed_socket", "messages"]

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


class TooSlow(Exception):
    """A client that did not keep up with the feed."""


async def messages(
    feed: Feed, hub: Mapping[str, str], query: Mapping[str, str], role: str
) -> AsyncIterator[Sequence[FeedMessage]]:
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
            shown = (for_role(each, role) for each in found if not wanted or each.type in wanted)
            if piece := [each for each in shown if each is not None]:
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
    send: Callable[[Sequence[FeedMessage]], Awaitable[None]],
    gone: Coroutine[Any, Any, None],
    seat: Seat,
) -> bool:
    """Feed a client until `gone` returns, it is too slow, or has to leave its seat; tell whether it is still there."""
    feeding = asyncio.create_task(_feed(feed, hub, query, send, seat.role), name="feed client")
    hearing = asyncio.create_task(gone, name="feed client hears")
    ending = asyncio.create_task(seat.over.wait(), name="feed client's login")
    tasks = (feeding, hearing, ending)
    feed.clients += 1
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return not hearing.done()
    finally:
        feed.clients -= 1
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _feed(
    feed: Feed,
    hub: Mapping[str, str],
    query: Mapping[str, str],
    send: Callable[[Sequence[FeedMessage]], Awaitable[None]],
    role: str,
) -> None:
    """Send pieces until one takes longer than FEED_PATIENCE_SECONDS."""
    with contextlib.suppress(TooSlow, TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
        async for piece in messages(feed, hub, query, role):
            async with asyncio.timeout(FEED_PATIENCE_SECONDS):
                await send(piece)


async def feed_socket(
    socket: WebSocket, feed: Feed, hub: Mapping[str, str], query: Mapping[str, str], seat: Seat
) -> None:
    """Feed an accepted WebSocket until it closes, or close it with the reason why it has to go."""
    without_deadline(socket.scope)

    async def send(piece: Sequence[FeedMessage]) -> None:
        for each in piece:
            await socket.send_text(each.text.decode())

    async def gone() -> None:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    if await feed_client(feed, hub, query, send, gone(), seat):
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await socket.close(*seat.why)


class EventStream(Response):
    """The feed as server-sent events, for ever; where the client is too slow it ends, to come back with its id."""

    media_type = "text/event-stream"

    def __init__(
        self, feed: Feed, hub: Mapping[str, str], query: Mapping[str, str], audience: Audience, seat: Seat
    ) -> None:
        """Feed whoever is answered with this; meanwhile he takes his seat in the audience."""
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._feed, self._hub, self._query = feed, hub, query
        self._audience, self._seat = audience, seat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        without_deadline(scope)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})

        async def pass_on(piece: Sequence[FeedMessage]) -> None:
            body = b"".join([_event(self._feed, each) for each in piece]) or b": still here\n\n"
            await send({"type": "http.response.body", "body": body, "more_body": True})

        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        with self._audience.taken(self._seat):
            await feed_client(self._feed, self._hub, self._query, pass_on, gone(), self._seat)


def _event(feed: Feed, message: FeedMessage) -> bytes:
    head = f"id: {feed.identity(message.number)}\nevent: {message.type}\ndata: "
    return head.encode() + message.text + b"\n\n"
