"""One connection to the broker: bytes to packets and back, keep-alive, why it ended. It knows nothing of sessions.

The packets of one read of the socket are handed over as one batch; there is no callback, coroutine or object for each.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import mqtt5

from hub.errors import BrokerUnreachable, ConnectionRefused, HubError, MalformedPacket, SessionError
from hub.ingest.mqtt import mqtt_packets
from hub.ingest.mqtt.packet import Packet
from hub.ingest.mqtt.session import BrokerSettings
from hub.ingest.transport import websocket
from hub.ingest.transport.pulse import Pulse
from hub.ingest.transport.rival import Hangup
from hub.limits import READ_PAUSE_RATE, READ_PAUSE_SECONDS

__all__ = ["Connection", "Listener", "tls_context"]

_RATE_SECONDS = 0.02  # how long the rate of events is counted before it is judged
_HTTP = b"HTTP/"
_OLD_CONNACK = b"\x20\x02"  # MQTT 3.1.1's has two bytes, MQTT 5's at least three


class Listener(Protocol):
    """The session, as a connection sees it; its methods are called on the event loop, one after the other."""

    def connack(self, packet: mqtt5.ConnAckPacket) -> None:
        """Hear the CONNACK before anything that came with it."""
        ...

    def deliveries(self, packets: Sequence[Packet]) -> None:
        """Hear the PUBLISH packets of one read."""
        ...

    def control(self, packet: mqtt5.Packet) -> None:
        """Hear any other packet, after the PUBLISH packets of its read."""
        ...


class Connection(asyncio.Protocol):
    """A TCP, TLS or WebSocket connection that carries MQTT 5. `ended` resolves to the reason when it is over."""

    def __init__(self, listener: Listener) -> None:
        """Begin unconnected; `listener` hears what comes."""
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[SessionError] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._greeted = False
        self._part = bytearray()
        self._needed = 0
        self._heard = 0.0
        self._counted_since, self._counted, self._busy = 0.0, 0, False
        self._held = self._resting = False
        self._reading = True
        self._writable = asyncio.Event()
        self._pulse: Pulse | None = None

    @staticmethod
    async def open(settings: BrokerSettings, tls: ssl.SSLContext | None, listener: Listener) -> "Connection":
        """Connect; nothing is sent yet.

        Raises:
            BrokerUnreachable: nobody listens, the name is unknown, TLS does not agree.

        """
        connection = Connection(listener)
        try:
            if settings.websocket:
                await websocket.connect(settings, tls, connection)
            else:
                await connection._loop.create_connection(lambda: connection, settings.host, settings.port, ssl=tls)
        except OSError as error:  # ssl.SSLError and socket.gaierror are OSErrors
            raise BrokerUnreachable(f"{settings} cannot be reached: {error.strerror or error}") from error
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hear from asyncio that the connection is made."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its bases
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._heard = self._loop.time()
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Hear the bytes of one read: hand over all whole packets, keep the rest until more comes."""
        self._heard = self._loop.time()
        if self._part:
            self._part += data
            if len(self._part) < self._needed:
                return
            data = bytes(self._part)
            self._part.clear()
        try:
            used = self._greet(data) if not self._greeted else 0
            if self._greeted:
                used += self._hand_over(data[used:] if used else data)
        except SessionError as error:
            self.fail(error)
            return
        if used < len(data):
            self._part += data[used:]
            self._needed = mqtt_packets.needed(data[used : used + 5])
        if self._busy:
            self._rest(True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear from asyncio that the connection has ended."""
        why = f"the connection broke: {exc}" if exc else "the broker closed the connection"
        self._end(Hangup(why) if self._greeted else BrokerUnreachable(f"{why} before it answered"))

    def pause_writing(self) -> None:
        """Hear from asyncio that the broker reads too slowly."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Hear from asyncio that it has caught up."""
        self._writable.set()

    @property
    def writable(self) -> asyncio.Event:
        """Set while the broker reads as fast as we write, and when the connection has ended."""
        return self._writable

    def write(self, data: bytes) -> None:
        """Send; do nothing where the connection has ended."""
        if self._transport is not None and not self.ended.done():
            self._transport.write(data)

    def keep_alive(self, seconds: float, ask: Callable[[], None]) -> None:
        """Call `ask` (to send a PINGREQ) every half of `seconds`, and end after 1.5 times `seconds` without a byte."""
        if not self.ended.done():
            self._pulse = Pulse(seconds, lambda: self._heard, ask, self.fail, lambda: self._held)

    def hold(self, on: bool) -> None:
        """Stop reading, or go on: the last means against a broker that sends more than our receive maximum."""
        self._held = on
        self._read_or_not()

    def fail(self, error: SessionError) -> None:
        """End the connection at once, for this reason."""
        self._end(error)
        if self._transport is not None:
            self._transport.abort()

    def finish(self, last: bytes) -> None:
        """Send a last packet, and close when everything is written."""
        self.write(last)
        if self._transport is not None:
            self._transport.close()

    def _greet(self, data: bytes) -> int:
        """Read the CONNACK alone, and tell it first: it says to which session the packets behind it belong."""
        if data.startswith(_OLD_CONNACK):
            raise ConnectionRefused("the broker speaks only MQTT 3.1.1: set broker.protocol to 3.1.1 in hub.yaml")
        if data.startswith(_HTTP):
            raise MalformedPacket("what listens there speaks HTTP, not MQTT: is it a WebSocket listener? write ws://…")
        if len(data) < mqtt_packets.needed(data[:5]):
            return 0
        deliveries: list[mqtt5.PublishPacket] = []
        others: list[mqtt5.Packet] = []
        used = mqtt_packets.split(data[: mqtt_packets.needed(data[:5])], deliveries, others)
        if not others or not isinstance(others[0], mqtt5.ConnAckPacket):
            raise MalformedPacket("the broker answered CONNECT with something else than CONNACK")
        self._greeted = True
        self._listener.connack(others[0])
        return used

    def _hand_over(self, data: bytes) -> int:
        deliveries: list[mqtt5.PublishPacket] = []
        others: list[mqtt5.Packet] = []
        try:
            return mqtt_packets.split(data, deliveries, others)
        finally:
            if deliveries:
                self._listener.deliveries(deliveries)
                self._count(len(deliveries))
            for packet in others:
                self._listener.control(packet)

    def _count(self, deliveries: int) -> None:
        """Decide from time to time whether so many events come that fewer and larger reads are cheaper."""
        self._counted += deliveries
        past = self._heard - self._counted_since
        if past >= _RATE_SECONDS:
            self._busy = self._counted > READ_PAUSE_RATE * past
            self._counted_since, self._counted = self._heard, 0

    def _rest(self, on: bool) -> None:
        """Stop reading for READ_PAUSE_SECONDS, so that the next read brings more."""
        self._resting = on
        self._read_or_not()
        if on:
            self._loop.call_later(READ_PAUSE_SECONDS, self._rest, False)

    def _read_or_not(self) -> None:
        reading = not (self._held or self._resting)
        if self._transport is None or self._transport.is_closing() or reading == self._reading:
            return
        self._reading = reading
        if reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _end(self, error: SessionError) -> None:
        if self._pulse is not None:
            self._pulse.stop()
        self._writable.set()
        if not self.ended.done():
            self.ended.set_result(error)


def tls_context(settings: BrokerSettings) -> ssl.SSLContext | None:
    """Return the TLS context: whom we trust, and our certificate; None without TLS.

    Raises:
        HubError: a file is missing or cannot be used.

    """
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        if settings.cert is not None:
            context.load_cert_chain(settings.cert, settings.key)
    except OSError as error:  # ssl.SSLError is one
        files = ", ".join(str(path) for path in (settings.ca, settings.cert, settings.key) if path)
        raise HubError(f"TLS files for {settings} ({files}) cannot be used: {error.strerror or error}") from error
    return context
