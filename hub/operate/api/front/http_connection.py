"""One connection of the HTTP interface. Hypercorn speaks the protocol; this module bounds what a client may use.

Time: for the head of a request, for an answer that is not read, for a request on the whole, between two requests, for
the end. Room: requests at once. A client that passes a bound is cut off without a word; nothing waits for it.
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
"""In the scope of a request: the asyncio.Timeout that bounds it."""
_OVER = frozenset({"http.disconnect", "websocket.disconnect"})


def without_deadline(scope: Scope) -> None:
    """Remove the deadline of a request: it is a feed, which has bounds of its own."""
    deadline: asyncio.Timeout | None = scope.get(_DEADLINE)
    if deadline is not None:
        deadline.reschedule(None)


class RequestTurns:
    """Lets one connection after the other read what came, each in a turn of the loop: events are evaluated between."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._going = False

    async def mine(self) -> None:
        """Wait for a turn."""
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
    """What comes of one request."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.over = False

    async def receive(self) -> Message:
        """Return what comes next, as the application asks for it."""
        message = await self._receive()
        self.over = message["type"] in _OVER
        return message

    async def rest(self) -> None:
        """Take what still comes after the answer: Hypercorn closes nothing before it is taken."""
        while not self.over:
            await self.receive()


class HttpWire(asyncio.StreamReaderProtocol):
    """The two ends of a socket as streams; `lost` is set when it is closed."""

    def __init__(self) -> None:
        """Make the reader; the writer needs the transport."""
        self.reader = asyncio.StreamReader(limit=MAX_RECV)
        super().__init__(self.reader)
        self.lost = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits for it."""
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
        """Serve it."""
        self._await_head()
        await super().run()

    @property
    def idle_since(self) -> float | None:
        """Since when, on the loop's clock, no request has come whole or is being answered; None while one is."""
        return self._since if self._idle else None

    def cut(self) -> None:
        """End the connection at once, whatever is not sent yet."""
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
        """Let the application answer, within a bound of time.

        Who resets streams of HTTP/2 as fast as he opens them has few open, and many answered: those count.
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
        if self._idle and not isinstance(before, H2Protocol):
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
        """Give a request HTTP_HEADER_SECONDS for its head, however slowly its bytes come."""
        if self._head is None:
            self._head = self.loop.call_later(HTTP_HEADER_SECONDS, self.cut)

    def _head_came(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    async def _idle_timeout(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(HTTP_IDLE_SECONDS):
                await self.context.terminated.wait()
        await asyncio.shield(self._initiate_server_close())

    async def _initiate_server_close(self) -> None:
        self.loop.call_later(HTTP_CLOSE_SECONDS, self.cut)
        await super()._initiate_server_close()

    # what goes

    async def protocol_send(self, event: Event) -> None:
        """Send what the protocol wants to send, as long as the client reads."""
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
        """Cut the connection off if in a moment it neither rests nor is answered: Hypercorn forgets some then.

        One is a handshake of a WebSocket that is wrong, or is followed by frames before it is answered. A request that
        has just begun is not under way yet, for one turn of the loop; it has a look of its own.
        """

        def look() -> None:
            stream = getattr(self.protocol.protocol, "stream", None)
            stays = self.loop.time() - self._since >= HTTP_CLOSE_SECONDS / 2
            if stays and not self._idle and (not self._under_way or (stream is not None and stream.closed)):
                self.cut()

        self.loop.call_later(HTTP_CLOSE_SECONDS, look)

    async def _close(self) -> None:
        """Close in good order, and wait only a moment for the client to do the same."""
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
