"""The feed to a client: as WebSocket frames, or as server-sent events (WHATWG HTML, 9.2); with replay from an id."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

from starlette.responses import StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.limits import FEED_BATCH, FEED_PATIENCE_SECONDS, FEED_PING_SECONDS
from hub.operate.api.feed import Feed, Message

__all__ = ["TooSlow", "events_of", "send_all", "sse"]


class TooSlow(Exception):
    """A client that did not keep up with the feed."""


async def messages(feed: Feed, hub: Mapping[str, str], query: Mapping[str, str]) -> AsyncIterator[Sequence[Message]]:
    """Yield what a client is to hear, in pieces, for ever: `hello`, what it missed since `since`, then what happens.

    An empty piece says that nothing has happened for FEED_PING_SECONDS.

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
    while True:
        found = feed.since(at, FEED_BATCH)
        if found:
            if found[0].number != at + 1:
                raise TooSlow
            at = found[-1].number
            yield [each for each in found if not wanted or each.type in wanted]
            continue
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FEED_PING_SECONDS):
                await feed.wait()
                continue
        yield ()


async def send_all(socket: WebSocket, feed: Feed, hub: Mapping[str, str], query: Mapping[str, str]) -> None:
    """Feed an accepted WebSocket until it closes; one that reads too slowly is closed with 1013 (try again later)."""
    hearing = asyncio.create_task(_until_closed(socket), name="feed client")
    try:
        async for piece in messages(feed, hub, query):
            for each in piece:
                async with asyncio.timeout(FEED_PATIENCE_SECONDS):
                    await socket.send_text(each.text.decode())
            if hearing.done():
                return
    except (TooSlow, TimeoutError):
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(1.0):
                await socket.close(1013, "too slow for the feed")
    except (WebSocketDisconnect, RuntimeError):  # the latter where the socket was closed between two sends
        return
    finally:
        hearing.cancel()


async def _until_closed(socket: WebSocket) -> None:
    """Read and forget what the client says, until it goes."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass


async def events_of(feed: Feed, hub: Mapping[str, str], query: Mapping[str, str]) -> AsyncIterator[bytes]:
    """Yield the feed as server-sent events; it ends where the client is too slow, which then comes back with its id."""
    with contextlib.suppress(TooSlow):
        async for piece in messages(feed, hub, query):
            yield b"".join([_event(feed, each) for each in piece]) or b": still here\n\n"


def _event(feed: Feed, message: Message) -> bytes:
    head = f"id: {feed.identity(message.number)}\nevent: {message.type}\ndata: "
    return head.encode() + message.text + b"\n\n"


def sse(feed: Feed, hub: Mapping[str, str], query: Mapping[str, str]) -> StreamingResponse:
    """Return the feed as an endless response."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(events_of(feed, hub, query), headers=headers, media_type="text/event-stream")
