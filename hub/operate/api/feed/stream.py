"""Sends the feed to one client, from an id on: as WebSocket frames, or as server-sent events (WHATWG HTML, 9.2)."""

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
    """The client has not kept up with the feed: what it has to hear next is no longer kept."""


async def messages(
    feed: Feed, hub: Mapping[str, str], query: Mapping[str, str], role: str
) -> AsyncIterator[Sequence[FeedMessage]]:
    """Yield the messages for a client in pieces, for ever: `hello`, what it missed after `since`, then what happens.

    An empty piece says that for FEED_PING_SECONDS nothing happened that the client wants to hear.

    Raises:
        TooSlow: the client's next message is no longer kept.

    """
    at, wanted = feed.latest, frozenset(filter(None, query.get("types", "").split(",")))
    wanted |= {"gap"} if wanted else set()  # who hears only of alerts, too, has to know that one was not told
    first = [feed.compose(at, "hello", {**hub, "latest": feed.identity(at)})]
    if since := query.get("since", ""):
        number = feed.number_of(since)
        if number is None:  # the client has to read the state anew: what it missed is not kept
            first.append(feed.compose(at, "gap", {"since": since, "oldest": feed.identity(feed.oldest)}))
        at = at if number is None else number
    yield first
    loop = asyncio.get_running_loop()
    quiet = loop.time()
    while True:
        news = feed.since(at, FEED_BATCH)
        if news:
            if news[0].number != at + 1:
                raise TooSlow
            at = news[-1].number
            shown = (for_role(message, role) for message in news if not wanted or message.type in wanted)
            if piece := [message for message in shown if message is not None]:
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
    """Feed a client until `gone` returns, the client is too slow, or has to leave; tell whether it is still there."""
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
    """Send pieces until the client has gone, or takes longer than FEED_PATIENCE_SECONDS for one."""
    with contextlib.suppress(TooSlow, TimeoutError, WebSocketDisconnect, RuntimeError, OSError):
        async for piece in messages(feed, hub, query, role):
            async with asyncio.timeout(FEED_PATIENCE_SECONDS):
                await send(piece)


async def feed_socket(
    socket: WebSocket, feed: Feed, hub: Mapping[str, str], query: Mapping[str, str], seat: Seat
) -> None:
    """Feed an accepted WebSocket until the client closes it, or close it and say why the client has to leave."""
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
    """The feed as server-sent events, for ever. For a slow client it ends: browsers come back with their last id."""

    media_type = "text/event-stream"

    def __init__(
        self, feed: Feed, hub: Mapping[str, str], query: Mapping[str, str], audience: Audience, seat: Seat
    ) -> None:
        """Feed the client that gets this response; while it does, its seat in the audience is taken."""
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._feed, self._hub, self._query = feed, hub, query
        self._audience, self._seat = audience, seat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then messages until the client has gone or has to leave."""
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
