"""The door of the HTTP interface: it bounds how many connections come, from all and from one address, and how fast.

Each connection is a file descriptor, and the store, the broker and the receivers need some too. Those in reserve are
never given away here, so that nobody can make the hub mute by connecting to it. A client for whom there is no room
learns that at once.
"""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from operator import itemgetter
from ssl import SSLContext

from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from starlette.types import ASGIApp

from hub.limits import (
    HTTP_ACCEPTS_A_SECOND,
    HTTP_CLOSE_SECONDS,
    HTTP_CONNECTIONS_EACH,
    HTTP_GRACE_SECONDS,
    HTTP_HEADER_SECONDS,
    HTTP_TOLD_SECONDS,
)
from hub.operate.api.front.http_connection import HttpConnection, HttpWire, RequestTurns
from hub.operate.api.front.origin import Origin, household

__all__ = ["Door", "Traffic"]

_LOG = logging.getLogger(__name__)
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_AGAIN_SECONDS = 0.5
"""How long it waits before it accepts again where the system has no descriptor left."""


@dataclass(slots=True)
class Traffic:
    """The open connections of each address, and how many were refused."""

    room: int
    """How many connections there may be at once."""
    inside: Counter[str] = field(default_factory=Counter)
    refused: int = 0

    @property
    def open(self) -> int:
        """How many connections are open."""
        return self.inside.total()


class Door:
    """Listens until cancelled; then lets open connections end in order."""

    def __init__(
        self,
        bound: socket.socket,
        site: ASGIApp,
        config: Config,
        traffic: Traffic,
        origin: Origin,
        trouble: Callable[[str, str], None],
    ) -> None:
        """Serve an application; `trouble` hears now and then of clients for whom there was no room."""
        self._bound, self._site, self._config = bound, site, config
        self._traffic, self._origin, self._trouble = traffic, origin, trouble
        self._tls: SSLContext | None = config.create_ssl_context() if config.ssl_enabled else None
        self._context, self._turns = WorkerContext(None), RequestTurns()
        self._inside: set[asyncio.Task[None]] = set()
        self._known: dict[HttpConnection, str] = {}
        self._loop = asyncio.get_running_loop()
        self._told = -HTTP_TOLD_SECONDS

    async def run(self, leaving: Callable[[], None]) -> None:
        """Serve until cancelled. Then call `leaving`, which ends the feeds: they would not end by themselves."""
        self._bound.setblocking(False)
        try:
            await self._accept()
        finally:
            self._bound.close()
            leaving()
            await self._end()

    async def _accept(self) -> None:
        """Take one connection in a turn of the loop, at most HTTP_ACCEPTS_A_SECOND in a second."""
        due = self._loop.time()
        while True:
            try:
                client, address = await self._loop.sock_accept(self._bound)
            except OSError as error:  # the client has gone already, or no descriptor is left
                self._tell(f"no connection can be taken: {error.strerror}")
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            self._enter(client, str(address[0]))
            due = max(due, self._loop.time() - 1.0) + 1.0 / HTTP_ACCEPTS_A_SECOND
            await asyncio.sleep(max(0.0, due - self._loop.time()))  # also for 0 seconds: other tasks get their turn

    def _enter(self, client: socket.socket, address: str) -> None:
        """Serve a connection if there is room, in all and for its address; a proxy stands for many addresses."""
        home, traffic = household(address), self._traffic
        if traffic.open >= traffic.room and not self._make_room():
            self._refuse(client, f"all {traffic.room} connections are taken; the next one, of {address}, is refused")
            return
        of_one = traffic.inside[home] >= HTTP_CONNECTIONS_EACH and not self._origin.is_proxy(address)
        if of_one and not self._make_room(home):
            why = f"{address} has {HTTP_CONNECTIONS_EACH} connections, the most of one address; more are refused"
            self._refuse(client, f"{why} (a proxy of yours? name it in http.proxies)")
            return
        traffic.inside[home] += 1
        task = asyncio.create_task(self._serve(client, home), name="http connection")
        self._inside.add(task)
        task.add_done_callback(lambda done: self._leave(done, home))

    def _make_room(self, home: str = "") -> bool:
        """Cut off the connection that is idle for longest, of one address or of all; a new one has something to ask.

        Return False where none is idle.
        """
        idle = [
            (connection.idle_since, connection)
            for connection, owner in self._known.items()
            if home in ("", owner) and connection.idle_since is not None
        ]
        if not idle:
            return False
        _, longest = min(idle, key=itemgetter(0))
        del self._known[longest]
        longest.cut()
        return True

    def _leave(self, task: "asyncio.Task[None]", home: str) -> None:
        self._inside.discard(task)
        self._traffic.inside[home] -= 1
        if not self._traffic.inside[home]:
            del self._traffic.inside[home]

    def _refuse(self, client: socket.socket, why: str) -> None:
        self._traffic.refused += 1
        if self._tls is None:  # with TLS nothing could be said before a handshake, which costs more than the refusal
            with suppress(OSError):  # a courtesy: what does not fit into the socket at once is not sent
                client.send(_FULL)
                client.shutdown(socket.SHUT_WR)
        client.close()
        self._tell(why)

    def _tell(self, why: str) -> None:
        """Log why, at most once in HTTP_TOLD_SECONDS: a client that floods the port must not flood the log."""
        now = self._loop.time()
        if now - self._told >= HTTP_TOLD_SECONDS:
            self._told = now
            self._trouble("http", f"{why}; {self._traffic.refused} were refused since the start")

    async def _serve(self, client: socket.socket, home: str) -> None:
        """Serve one connection to its end."""
        wire = HttpWire()
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: wire,
                client,
                ssl=self._tls,
                ssl_handshake_timeout=HTTP_HEADER_SECONDS if self._tls else None,
                ssl_shutdown_timeout=HTTP_CLOSE_SECONDS if self._tls else None,
            )
        except OSError:  # the client has gone, or speaks no TLS
            client.close()
            return
        connection = HttpConnection(self._site, self._config, self._context, self._turns, wire, transport)
        self._known[connection] = home
        try:
            await connection.run()
        except* Exception as errors:  # noqa: BLE001 - what a parser cannot read concerns its sender alone
            _LOG.debug("a connection failed: %.300r", errors.exceptions[0])
        finally:
            self._known.pop(connection, None)
            connection.cut()

    async def _end(self) -> None:
        """Give requests under way a moment to end; then end them."""
        await self._context.terminated.set()
        if self._inside:
            await asyncio.wait(self._inside, timeout=HTTP_GRACE_SECONDS)
        for task in self._inside:
            task.cancel()
        if self._inside:
            await asyncio.wait(self._inside, timeout=HTTP_CLOSE_SECONDS)
