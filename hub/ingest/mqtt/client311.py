"""One connection of MQTT 3.1.1: aiomqtt's client, made to leave the acknowledgement to us.

aiomqtt 2 acknowledges on receipt and hides whether the session was resumed; paho-mqtt below it can do both. So this
file, and no other, overrides some private hooks of aiomqtt, and the version is pinned.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt import client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from hub.errors import BrokerUnreachable, ConnectionRefused, Disconnected, SessionError
from hub.ingest.mqtt.lifetime import RefusedForGood
from hub.ingest.mqtt.packet import Packet
from hub.ingest.mqtt.session import BrokerSettings, Will
from hub.ingest.transport.pulse import Pulse
from hub.ingest.transport.rival import Hangup
from hub.ingest.transport.tunnel import tunnel
from hub.limits import CONNECT_SECONDS, SEND_WINDOW

__all__ = ["Client311", "Delivery311", "Listener311"]

T = TypeVar("T")
_CLOSE_SECONDS = 2.0  # for a broker that does not take our DISCONNECT
_FOR_GOOD = {0x84, 0x85, 0x86, 0x87}  # protocol version, client id, user name or password, not authorized


class Delivery311:
    """A PUBLISH of MQTT 3.1.1, as a Packet."""

    __slots__ = ("content_type", "duplicate", "packet_id", "payload", "qos", "retain", "subscription_ids", "topic")

    def __init__(self, message: paho.MQTTMessage) -> None:
        """Take what the hub needs of paho's message."""
        self.topic = message.topic
        self.payload = bytes(message.payload)
        self.qos = message.qos
        self.retain = message.retain
        self.packet_id = message.mid if message.qos else None
        self.duplicate = message.dup
        self.content_type = None
        self.subscription_ids: list[int] = []


class Listener311(Protocol):
    """Whom a connection tells what came."""

    def connack(self, *, resumed: bool) -> None:
        """Hear that the broker took us, before anything that came with it."""
        ...

    def delivery(self, delivery: Delivery311) -> None:
        """Hear one PUBLISH."""
        ...


class Client311(aiomqtt.Client):
    """A connection; used once."""

    def __init__(
        self,
        settings: BrokerSettings,
        will: Will | None,
        tls: ssl.SSLContext | None,
        listener: Listener311,
        seconds: float = CONNECT_SECONDS,
    ) -> None:
        """Take the settings; `open` connects, within so many seconds."""
        super().__init__(
            settings.host,
            settings.port,
            username=settings.username,
            password=settings.password.reveal() if settings.password else None,
            identifier=settings.client_id,
            protocol=aiomqtt.ProtocolVersion.V311,
            will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=True) if will else None,
            clean_session=False,
            timeout=seconds,
            keepalive=settings.keep_alive,
            max_inflight_messages=SEND_WINDOW,
            tls_context=None if settings.websocket else tls,
            socket_options=[] if settings.websocket else [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        self._settings, self._tls, self._seconds = settings, tls, seconds
        self._listener = listener
        self._client.manual_ack_set(True)
        self._client.connect_timeout = min(seconds, self._client.connect_timeout)  # of the socket alone
        self.pending_calls_threshold = 1 << 16  # aiomqtt would warn of many calls; SEND_WINDOW bounds ours
        self.resumed = False
        self._held = False
        self._heard = self._loop.time()
        self._pulse: Pulse | None = None
        self._why: SessionError | None = None

    async def open(self) -> None:
        """Connect and wait for the CONNACK.

        Raises:
            BrokerUnreachable: nobody answers there.
            ConnectionRefused: the broker refused us; RefusedForGood where asking again is useless.

        """
        try:
            if self._settings.websocket:
                through = await tunnel(self._settings, self._tls, self._seconds)
                self._client._create_socket = lambda: through  # type: ignore[method-assign]  # noqa: SLF001 - TLS is the tunnel's
            await self.__aenter__()
        except OSError as error:
            raise BrokerUnreachable(f"{self._settings} cannot be reached: {error.strerror or error}") from error
        except MqttConnectError as error:
            why = f"the broker refused the connection: {str(error.rc).lower()}"
            if getattr(error.rc, "value", error.rc) in _FOR_GOOD:
                raise RefusedForGood(why) from error
            raise ConnectionRefused(why) from error
        except aiomqtt.MqttError as error:
            raise BrokerUnreachable(f"{self._settings} cannot be reached: {error}") from error
        if (sock := self._client.socket()) is not None:
            self._loop.add_reader(sock.fileno(), self._read)  # in the place of aiomqtt's own

    def keep_alive(self, ask: Callable[[], None]) -> None:
        """Call `ask` from time to time, and end when the broker does not answer; paho's own watch takes longer."""
        self._heard = self._loop.time()
        seconds = self._settings.keep_alive
        self._pulse = Pulse(seconds, lambda: self._heard, ask, self._fail, lambda: self._held)

    async def ended(self) -> SessionError:
        """Wait until the connection has ended; return why."""
        await asyncio.wait([self._disconnected])
        if self._why is not None:
            return self._why
        if self._disconnected.cancelled() or self._disconnected.exception() is None:  # cancelled: it took too long
            return Disconnected("we ended the connection")
        return Hangup("the broker closed the connection, or the connection broke")

    async def answer(self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for a call to the broker.

        Raises:
            Disconnected: the connection ended first.

        """
        task = asyncio.create_task(call, name="mqtt call")
        try:
            either: list[asyncio.Future[Any]] = [task, self._disconnected]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise await self.ended()
            try:
                return task.result()
            except aiomqtt.MqttError as error:
                raise Disconnected(str(error)) from error
        finally:
            task.cancel()

    def acknowledge(self, deliveries: Sequence[Packet]) -> None:
        """Send PUBACKs, in order."""
        for each in deliveries:
            if each.packet_id:
                self._client.ack(each.packet_id, 1)

    def hold(self, on: bool) -> None:
        """Stop reading, or go on: MQTT 3.1.1 has no other way to slow a broker down."""
        sock = self._client.socket()
        if sock is not None and on != self._held:
            self._held = on
            if on:
                self._loop.remove_reader(sock.fileno())
            else:
                self._loop.add_reader(sock.fileno(), self._read)

    async def finish(self) -> None:
        """Disconnect in good order, so that the broker does not publish our will."""
        with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.__aexit__(None, None, None)
                return
        self.abort()

    def abort(self) -> None:
        """Close the socket at once; the broker publishes our will."""
        if self._pulse is not None:
            self._pulse.stop()
        self._client._sock_close()  # noqa: SLF001 - its public way sends DISCONNECT, which takes the will back
        if not self._disconnected.done():
            self._disconnected.set_result(None)

    def _fail(self, error: SessionError) -> None:
        """End the connection at once, for this reason."""
        self._why = error
        self.abort()

    def _read(self) -> None:
        """Read what has come, as aiomqtt's own reader does, and note the time as a sign of life."""
        self._heard = self._loop.time()
        try:
            self._client.loop_read()
            # the socket does not announce what TLS has decrypted already
            while isinstance(sock := self._client.socket(), ssl.SSLSocket) and sock.pending():
                self._client.loop_read()
        except Exception as error:  # noqa: BLE001 - whatever it is, the connection is of no use any more
            if not self._disconnected.done():
                self._disconnected.set_exception(error)

    def _on_connect(
        self,
        client: paho.Client,
        userdata: Any,
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if not self._connected.done() and reason_code == 0:
            self.resumed = flags.session_present
            self._listener.connack(resumed=self.resumed)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:  # noqa: ARG002 - paho's
        self._listener.delivery(Delivery311(message))
