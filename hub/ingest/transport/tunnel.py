"""A socket whose other end is a WebSocket: for a client that reads and writes sockets, such as paho's for MQTT 3.1.1.

paho has WebSockets of its own. But they answer a ping with a frame that a server must refuse (RFC 6455, 5.1), and they
mask each byte in Python.
"""

import asyncio
import socket
import ssl
from typing import cast

from hub.errors import BrokerUnreachable
from hub.ingest.mqtt.session import BrokerSettings
from hub.ingest.transport import websocket

__all__ = ["tunnel"]


class _End(asyncio.Protocol):
    """One end: bytes that come in go out at the other end, as fast as that end takes them."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        there = self.other.transport if self.other else None
        if there is not None:
            there.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        there = self.other.transport if self.other else None
        if there is not None and not there.is_closing():
            there.close()

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()


async def tunnel(settings: BrokerSettings, tls: ssl.SSLContext | None, seconds: float) -> socket.socket:
    """Open a WebSocket to the broker within so many seconds; return the socket for the client.

    Closing it closes everything.

    Raises:
        BrokerUnreachable, OSError: see websocket.connect.

    """
    near, far = _End(), _End()
    near.other, far.other = far, near
    ours, theirs = socket.socketpair()
    try:
        await asyncio.get_running_loop().create_connection(lambda: near, sock=theirs)
        async with asyncio.timeout(seconds):
            await websocket.connect(settings, tls, far)
    except TimeoutError:
        ours.close()
        raise BrokerUnreachable(f"{settings} did not answer within {seconds:.0f} s") from None
    except BaseException:
        ours.close()  # and with it the other end
        raise
    return ours
