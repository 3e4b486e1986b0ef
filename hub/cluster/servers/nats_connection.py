"""One connection to one NATS server, by nats-py without its reconnecting: link.py makes the next one."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from nats.aio.client import Client, RawCredentials
from nats.aio.msg import Msg
from nats.errors import NoServersError

from hub.documents.secret import Secret
from hub.limits import LINK_CLOSE_SECONDS, LINK_CONNECT_SECONDS, LINK_PING_SECONDS
from hub.settings.cluster_settings import ClusterSettings

__all__ = ["NatsConnection"]


class NatsConnection(Client):
    """One connection, which fails at once what waits for an answer when it ends."""

    async def open(self, url: Secret, settings: ClusterSettings, name: str) -> None:
        """Connect to one server, once.

        Raises:
            NatsError, OSError, ValueError: it cannot be reached, or refuses us.

        """
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._opened = False
        self._url = url.reveal()
        parts = urlsplit(self._url)
        user, password = (unquote(each) if each else None for each in (parts.username, parts.password))
        if settings.password is not None:
            user, password = settings.user, settings.password.reveal()
        options: dict[str, Any] = {"user": user if password else None, "password": password}
        if user and not password:
            options["token"] = user
        if settings.credentials is not None:
            options["user_credentials"] = RawCredentials(settings.credentials.reveal())
        if parts.scheme in ("tls", "wss") or settings.ca is not None:
            options["tls"] = _tls(settings)
            logging.getLogger("asyncio").addFilter(_is_told)
        await self._first(
            urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])),
            name=name,
            allow_reconnect=False,
            max_reconnect_attempts=1,  # else the first connection is tried 60 times at one server, 2 s apart
            reconnect_time_wait=0,
            connect_timeout=int(LINK_CONNECT_SECONDS),
            ping_interval=int(LINK_PING_SECONDS),
            max_outstanding_pings=2,
            error_cb=self._failed,
            closed_cb=self._ended,
            disconnected_cb=self._ended,
            **options,
        )
        self._opened = True

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        """Send no login in the clear where TLS is wanted: nats-py takes TLS only where the server's first word asks it.

        Who stands between could leave that word out.
        """
        plain = self.options.get("tls") and urlsplit(self._url).scheme not in ("ws", "wss")
        if initial_connection and plain and not info.get("tls_required"):
            raise OSError(
                "the server speaks no TLS, and no login was sent to it; write `tls` into its nats.conf, as `hub cluster"
                " init` does, or leave TLS out with nats:// and without `ca` in `cluster`"
            )
        await super()._process_info(info, initial_connection)

    def must_take(self, least: int) -> None:
        """Refuse a server that takes too little in one message.

        Raises:
            ValueError: it does.

        """
        if self.max_payload < least:
            raise ValueError(
                f"the server {self.about.get('server_name', '')} takes {self.max_payload / 1024:g} KB in one message,"
                f" and a hub needs {least >> 10} KB: write max_payload: {8 << 20} into its nats.conf"
            )

    async def end(self) -> None:
        """Close it, whatever has become of it.

        nats-py's own close refuses what was never opened, and waits for ever where a TLS handshake has failed: asyncio
        does not say then that the socket is closed. The next server must be tried all the same.
        """
        if self._transport is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINK_CLOSE_SECONDS):
                await self.close()

    async def _first(self, url: str, **options: Any) -> None:
        """Connect; say why a server cannot be reached, and not only that there is no other."""
        try:
            await self.connect(url, **options)
        except NoServersError as error:
            raise OSError(getattr(self, "_reason", "") or str(error)) from None

    @property
    def about(self) -> Mapping[str, Any]:
        """What the server says of itself."""
        return self._server_info

    async def until_lost(self) -> str:
        """Return the reason when the connection ends."""
        return await asyncio.shield(self._lost)

    async def unless_lost(self, work: Any, seconds: float) -> Msg:
        """Do some work on this connection, in so many seconds: nats-py counts only those behind the sending.

        Raises:
            OSError: the connection ended first, or the time.

        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, self._lost}, return_when=asyncio.FIRST_COMPLETED, timeout=seconds)
            if not task.done():
                raise ConnectionError("the connection was lost" if self._lost.done() else "timeout")
            answer: Msg = task.result()
            return answer
        finally:
            task.add_done_callback(_forget)  # what it says after its end, nobody asks
            task.cancel()

    async def _failed(self, error: Exception) -> None:
        self._reason = str(error)
        if not self._opened:  # else nats-py tries this server sixty times, for two minutes, before we try the next
            raise error

    async def _ended(self) -> None:
        self._is_lost()

    def _is_lost(self) -> None:
        if not self._lost.done():
            self._lost.set_result(getattr(self, "_reason", "") or "the server closed the connection")

    def _process_disconnect(self) -> None:
        """Hear of it before nats-py closes: it would first send all that waits, to a server that does not read.

        With a frozen server, or a cable that was pulled, this takes until TCP gives up, 15 minutes.
        """
        super()._process_disconnect()
        self._reason = getattr(self, "_reason", "") or "the server does not answer"
        self._pending, self._pending_data_size = [], 0
        stream = getattr(self._transport, "_io_writer", None)  # not of a WebSocket, which is closed in its own time
        if stream is not None:
            stream.transport.abort()
        self._is_lost()


def _forget(task: "asyncio.Future[Any]") -> None:
    if not task.cancelled():
        task.exception()


def _is_told(record: logging.LogRecord) -> bool:
    """Leave out what asyncio says whenever a server ends a TLS connection of nats-py: it asks for nothing."""
    return not str(record.msg).startswith("returning true from eof_received()")


def _tls(settings: ClusterSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca)
    if settings.cert is not None:
        context.load_cert_chain(settings.cert, settings.key)
    return context
