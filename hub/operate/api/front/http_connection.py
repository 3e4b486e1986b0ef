"""One connection of the HTTP interface. Hypercorn speaks the protocol; this module bounds what a client may use.

The bounds are times (for the head of a request, for the whole of it, for an answer that is not read, between requests,
for the end) and the number of requests at once. A client that passes a bound is cut off without an answer: nothing
waits for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from ssl import SSLError
from typing import Any

from hypercorn.asyncio.tcp_server import MAX_RECV, TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import WSStream
from starlette.types import ASGIApp, Message, Receive, Scope

from hub.limits import (
    HTTP_CLOSE_SECONDS,
    HTTP_HEADER_SECONDS,
    HTTP_IDLE_SECONDS,
    HTTP_READ_BYTES,
    HTTP_REQUEST_SECONDS,
    HTTP_SOCKET_BYTES,
    HTTP_STREAMS,
    HTTP_WRITE_SECONDS,
)

__all__ = ["HttpConnection", "HttpWire", "RequestTurns", "without_deadline"]

_DEADLINE = "hub.deadline"
"""The key of a request's scope under which its asyncio.Timeout stands."""
_OVER = frozenset({"http.disconnect", "websocket.disconnect"})


def without_deadline(scope: Scope) -> None:
    """Remove the deadline of a request: it is a feed, which has bounds of its own."""
    deadline: asyncio.Timeout | None = scope.get(_DEADLINE)
    if deadline is not None:
        deadline.reschedule(None)


class RequestTurns:
    """Lets one connection after the other read, each in a turn of the loop: events are evaluated between two turns."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._going = False

    async def mine(self) -> None:
        """Wait for this caller's turn."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        if not self._going:
            self._going = True
            loop.call_soon(self._next)
        await turn

    def _next(self) -> None:
        if not self._waiting:
            self._going = False
            return
        turn = self._waiting.popleft()
        if not turn.done():  # its connection may have been cancelled
            turn.set_result(None)
        turn.get_loop().call_soon(self._next)


class _Hearing:
    """What the client still sends of one request."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.over = False

    async def receive(self) -> Message:
        """Return the next message; the application calls this as ASGI's `receive`."""
        message = await self._receive()
        self.over = message["type"] in _OVER
        return message

    async def rest(self) -> None:
        """Take what still comes after the answer: before that, Hypercorn does not close the stream."""
        while not self.over:
            await self.receive()


class HttpWire(asyncio.StreamReaderProtocol):
    """The two ends of a socket as streams; `lost` is set when it is closed."""

    def __init__(self) -> None:
        """Make the reader only; the writer needs the transport, which is not there yet."""
        self.reader = asyncio.StreamReader(limit=MAX_RECV)
        super().__init__(self.reader)
        self.lost = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell what waits for the end of the connection; asyncio calls this."""
        super().connection_lost(exc)
        self.lost.set()


class HttpConnection(TCPServer):
    """Serves one connection until it ends; `run` it once."""

    def __init__(
        self,
        site: ASGIApp,
        config: Config,
        context: WorkerContext,
        turns: RequestTurns,
        wire: HttpWire,
        transport: asyncio.Transport,
    ) -> None:
        """Serve an application; what comes waits for its turn among all connections."""
        loop = asyncio.get_running_loop()
        writer = asyncio.StreamWriter(transport, wire, wire.reader, loop)
        super().__init__(self._answer, loop, config, context, {}, wire.reader, writer)
        self._site, self._turns, self._lost, self._transport = site, turns, wire.lost, transport
        self._said, self._saying = 0, loop.time()
        self._idle, self._ended, self._under_way = True, False, 0
        self._since = loop.time()
        self._head: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Serve the connection until it ends. The time for the head of the first request begins now."""
        self._await_head()
        await super().run()

    @property
    def idle_since(self) -> float | None:
        """Since when no request has been under way, on the loop's clock; None while one is."""
        return self._since if self._idle else None

    def cut(self) -> None:
        """End the connection at once. What is not sent yet is lost."""
        self._transport.abort()

    # what is asked

    async def _answer(
        self,
        scope: Any,
        receive: Any,
        send: Any,
        sync_spawn: Callable[..., Any],
        call_soon: Callable[..., Any],
    ) -> None:
        """Let the application answer within HTTP_REQUEST_SECONDS; Hypercorn calls this for each request.

        A client that resets streams of HTTP/2 as fast as it opens them has few of them open, but many requests under
        way. So it is those that are counted.
        """
        if self._under_way >= 2 * HTTP_STREAMS:
            self.cut()
            return
        self._under_way += 1
        hearing = _Hearing(receive)
        try:
            async with asyncio.timeout(HTTP_REQUEST_SECONDS) as deadline:
                scope[_DEADLINE] = deadline
                await self._site(scope, hearing.receive, send)
        except TimeoutError:
            if not deadline.expired():
                raise
            self.cut()
        finally:
            self._under_way -= 1
            self._look_later()
            if not (self._ended or hearing.over):
                self._task_group.spawn(hearing.rest)

    # what comes

    async def _read_data(self) -> None:
        """Hand on what comes until the client closes; between requests little at once: frames of HTTP/2 may be many."""
        try:
            with suppress(OSError, SSLError):
                while not self.reader.at_eof():
                    data = await self.reader.read(MAX_RECV if self._under_way else HTTP_READ_BYTES)
                    await self._turns.mine()
                    await self._take(data)
        finally:
            self._ended = True
        await self.idle_task.stop()  # Hypercorn forgets that: a closed connection would be kept until its timeout
        await self.protocol.handle(Closed())

    async def _take(self, data: bytes) -> None:
        """Hand on what came. HTTP/2 also sends frames between requests, and may begin where HTTP/1.1 was expected."""
        before = self.protocol.protocol
        if isinstance(before, H11Protocol) and isinstance(before.stream, WSStream):
            self._hear(len(data))
        if self._idle and not isinstance(before, H2Protocol):  # the head of the next request begins to come
            self._await_head()
        await self.protocol.handle(RawData(data))
        after = self.protocol.protocol
        if after is not before and isinstance(after, H2Protocol):
            self._await_head()
            await self.protocol_send(Updated(idle=after.idle))

    def _hear(self, count: int) -> None:
        """Cut off a client of the WebSocket that sends more than pings: nothing else is expected of it."""
        now = self.loop.time()
        if now - self._saying > 60:
            self._said, self._saying = 0, now
        self._said += count
        if self._said > HTTP_SOCKET_BYTES:
            self.cut()

    def _await_head(self) -> None:
        """Give a request HTTP_HEADER_SECONDS for its head; bytes that come slowly do not prolong that."""
        if self._head is None:
            self._head = self.loop.call_later(HTTP_HEADER_SECONDS, self.cut)

    def _head_came(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    async def _idle_timeout(self) -> None:
        """Close the connection after HTTP_IDLE_SECONDS without a request, or when the hub stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(HTTP_IDLE_SECONDS):
                await self.context.terminated.wait()
        await asyncio.shield(self._initiate_server_close())

    async def _initiate_server_close(self) -> None:
        """Begin to close, and cut the connection off where the client does not go along."""
        self.loop.call_later(HTTP_CLOSE_SECONDS, self.cut)
        await super()._initiate_server_close()

    # what goes

    async def protocol_send(self, event: Event) -> None:
        """Send what the protocol wants to send while the client reads; take note of when a request begins and ends."""
        if isinstance(event, RawData):
            async with self.send_lock:
                try:
                    self.writer.write(event.data)
                    await self._drained()
                except (ConnectionError, RuntimeError):
                    await self.protocol.handle(Closed())
            return
        if isinstance(event, Updated):
            self._idle, self._since = event.idle, self.loop.time()
            if not event.idle:
                self._head_came()
                self._look_later()
            if self._ended:
                return
        await super().protocol_send(event)

    async def _drained(self) -> None:
        """Wait until there is room for more; cut a client off that has taken nothing for HTTP_WRITE_SECONDS."""
        left = self._transport.get_write_buffer_size()
        while True:
            try:
                async with asyncio.timeout(HTTP_WRITE_SECONDS):
                    await self.writer.drain()
                    return
            except TimeoutError:
                before, left = left, self._transport.get_write_buffer_size()
                if left >= before:
                    self.cut()
                    raise ConnectionAbortedError from None

    def _look_later(self) -> None:
        """Look again in a moment; cut the connection off if it is neither idle nor answered: Hypercorn forgets some.

        It forgets, for example, a handshake of a WebSocket that is wrong, or that is followed by frames before it is
        answered. A request that has just begun is not under way for one turn of the loop; it has a look of its own.
        """

        def look() -> None:
            stream = getattr(self.protocol.protocol, "stream", None)
            stays = self.loop.time() - self._since >= HTTP_CLOSE_SECONDS / 2
            if stays and not self._idle and (not self._under_way or (stream is not None and stream.closed)):
                self.cut()

        self.loop.call_later(HTTP_CLOSE_SECONDS, look)

    async def _close(self) -> None:
        """Close our end, wait HTTP_CLOSE_SECONDS for the client to do the same, then cut off."""
        self._head_came()
        try:
            with suppress(NotImplementedError, OSError, RuntimeError):  # TLS has no half that could be closed
                self.writer.write_eof()
            self.writer.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(HTTP_CLOSE_SECONDS):
                    await self._lost.wait()
        finally:
            self.cut()
            await self.idle_task.stop()
