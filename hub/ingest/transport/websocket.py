"""MQTT inside WebSocket frames (MQTT 5, chapter 6), for `ws://` and `wss://`: between the socket and the byte reader.

Frames and packets need not begin together, so the bytes of one read are handed on as one piece. wsproto reads and
writes the frames; this module decides what is passed on, and when.
"""

import asyncio
import contextlib
import ssl
from typing import Any, cast

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from hub.errors import BrokerUnreachable
from hub.ingest.mqtt.session import BrokerSettings

__all__ = ["WebSocket", "connect"]

_SUBPROTOCOL = "mqtt"  # MQTT 5, 6.0: a client offers it, also for 3.1.1
_LISTENER = "is this the port of its WebSocket listener?"
_REMEDIES = {
    301: "write the address that it names",
    302: "write the address that it names",
    401: "it wants a login of its own before MQTT",
    403: "it wants a login of its own before MQTT",
    404: "mend the path: it is often /mqtt, RabbitMQ's is /ws",
}


async def connect(settings: BrokerSettings, tls: ssl.SSLContext | None, inner: asyncio.Protocol) -> None:
    """Connect, and return when the WebSocket is open: `inner` has its transport then, and nothing is sent yet.

    Raises:
        BrokerUnreachable: there is no WebSocket that speaks MQTT at this address.
        OSError: no connection can be made.

    """
    outer = WebSocket(settings, inner)
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: outer, settings.host, settings.port, ssl=tls)
    try:
        await outer.opened
    except BaseException:
        outer.abort()  # refused, or we were cancelled
        raise


class WebSocket(asyncio.Protocol, asyncio.Transport):
    """A protocol for the socket's transport, and a transport for `inner`. `opened` resolves when frames may go."""

    def __init__(self, settings: BrokerSettings, inner: asyncio.Protocol) -> None:
        """Take the address and path to ask for, and the protocol that hears the bytes."""
        asyncio.Transport.__init__(self)
        self._settings, self._inner = settings, inner
        self._frames = WSConnection(ConnectionType.CLIENT)
        self._below: asyncio.Transport | None = None
        self._why: Exception | None = None
        self._closing = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # what the socket says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        self._below = cast(asyncio.Transport, transport)
        request = Request(self._settings.address, self._settings.websocket, subprotocols=[_SUBPROTOCOL])
        self._below.write(self._frames.send(request))

    def data_received(self, data: bytes) -> None:
        """Hear the bytes of one read."""
        pieces: list[bytes] = []
        try:
            self._frames.receive_data(data)
            for event in self._frames.events():
                self._hear(event, pieces)
        except ProtocolError as error:
            self._fail(ConnectionError(f"it sent what is no WebSocket: {error}"))
        if pieces and not self._closing:
            self._inner.data_received(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the socket is closed."""
        self._closing = True
        if self._is_open():
            self._inner.connection_lost(self._why or exc)
        elif not self.opened.done():
            why = f"the connection ended before it was a WebSocket{f': {exc}' if exc else ''}"
            self._refuse(f"{why} ({_LISTENER})")

    def pause_writing(self) -> None:
        """Hear that the broker reads too slowly."""
        if self._is_open():
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Hear that it has caught up."""
        if self._is_open():
            self._inner.resume_writing()

    def _hear(self, event: Event, pieces: list[bytes]) -> None:
        match event:
            case BytesMessage():
                pieces.append(bytes(event.data))
            case Ping():
                self._send(event.response())
            case AcceptConnection() if not self.opened.done():
                self.opened.set_result(None)
                self._inner.connection_made(self)
            case RejectConnection():
                self._reject(event)
            case CloseConnection():
                said = f"{event.code} {event.reason or ''}".strip()
                with contextlib.suppress(ProtocolError):  # it may have been us who closed, or who found the mistake
                    self._send(event.response())
                self._fail(ConnectionError(f"the broker closed the WebSocket: {said}"), at_once=False)
            case TextMessage():
                self._fail(ConnectionError("it sent text, and MQTT is binary"))

    def _reject(self, event: RejectConnection) -> None:
        headers = {bytes(name).lower(): bytes(value) for name, value in event.headers}
        where = headers.get(b"location", b"").decode("ascii", "replace")
        said = f"HTTP status {event.status_code}{f', it names {where[:200]!r}' if where else ''}"
        remedy = _REMEDIES.get(event.status_code, _LISTENER)
        self._refuse(f"there is no WebSocket: {said} ({remedy})")

    def _refuse(self, why: str) -> None:
        if not self.opened.done():
            self.opened.set_exception(BrokerUnreachable(f"{self._settings} cannot be reached: {why}"))
            self.opened.exception()  # whoever waits hears it; nobody may wait any more
        self.abort()

    def _fail(self, why: Exception, *, at_once: bool = True) -> None:
        """End the WebSocket for this reason; not `at_once`: after what is written."""
        if not self.opened.done():
            self._refuse(f"{why} ({_LISTENER})")
            return
        self._why, self._closing = self._why or why, True
        if self._below is not None:
            if at_once:
                self._below.abort()
            else:
                self._below.close()

    def _is_open(self) -> bool:
        return self.opened.done() and not self.opened.cancelled() and self.opened.exception() is None

    def _send(self, event: Event) -> None:
        if self._below is not None and not self._below.is_closing():
            self._below.write(self._frames.send(event))

    # what `inner` calls: this is its transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, as one binary message."""
        if data and not self._closing:
            self._send(BytesMessage(bytes(data)))

    def writelines(self, list_of_data: Any) -> None:
        """Send bytes, as one binary message."""
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        """Close in good order, when all is written."""
        if self._below is None or self._closing:
            return
        with contextlib.suppress(ProtocolError):
            self._send(CloseConnection(1000))
        self._closing = True
        self._below.close()

    def abort(self) -> None:
        """Close at once."""
        self._closing = True
        if self._below is not None:
            self._below.abort()

    def is_closing(self) -> bool:
        """Tell whether nothing is sent any more."""
        return self._closing

    def pause_reading(self) -> None:
        """Leave in the socket what comes, so that the broker is slowed down."""
        if self._below is not None:
            self._below.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if self._below is not None:
            self._below.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the socket's transport says."""
        return default if self._below is None else self._below.get_extra_info(name, default)
