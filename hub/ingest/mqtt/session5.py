"""The MQTT 5 session over the mqtt5 codec: one lifetime over many connections.

Connection brings batches of packets, Inbox keeps what came and was not acknowledged, Fence knows what the broker has
taken, SendingWindow waits for the broker's answers. This module decides the order in which things happen.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import mqtt5

from hub.errors import ConnectionRefused, Disconnected, PublishRefused, SessionError
from hub.ingest.mqtt import mqtt_packets
from hub.ingest.mqtt.lifetime import Lifetime, RefusedForGood
from hub.ingest.mqtt.packet import Packet
from hub.ingest.mqtt.sending import SendingWindow
from hub.ingest.source import Properties
from hub.ingest.transport.connection import Connection
from hub.ingest.transport.rival import taken_over

__all__ = ["Session5"]

_PING = b"\xc0\x00"
_DISCONNECT = b"\xe0\x00"
_CLOSE_SECONDS = 2.0
_Code = mqtt5.DisconnectReasonCode
_BLAMES_US = {
    int(_Code.MALFORMED_PACKET),
    int(_Code.PROTOCOL_ERROR),
    int(_Code.NOT_AUTHORIZED),
    int(_Code.TOPIC_NAME_INVALID),
    int(_Code.PACKET_TOO_LARGE),
    int(_Code.PAYLOAD_FORMAT_INVALID),
    int(_Code.RETAIN_NOT_SUPPORTED),
    int(_Code.QOS_NOT_SUPPORTED),
}


class Session5(Lifetime):
    """A Session that speaks MQTT 5."""

    def _prepare(self) -> None:
        """Make what only this protocol needs; see Lifetime."""
        self._outgoing = SendingWindow()
        self._connection: Connection | None = None
        self._connack: asyncio.Future[mqtt5.ConnAckPacket] | None = None
        self._numbered = True
        self._blamed = False

    @property
    def packet_bytes(self) -> int | None:
        """The longest packet that the broker takes, as its last CONNACK says."""
        return self._outgoing.packet_bytes

    def acknowledge(self, position: int) -> None:
        """Acknowledge up to a position; see Source.acknowledge."""
        settled = self._inbox.settle(position)
        if settled and self._connection is not None:
            self._connection.write(mqtt_packets.pubacks(settled))
            if self._inbox.outstanding < self._settings.receive_maximum:
                self._connection.hold(False)
        self._fence.acknowledged()

    async def publish(
        self, topic: str, payload: bytes, qos: int = 1, retain: bool = False, properties: Properties | None = None
    ) -> None:
        """Publish; see Publisher.publish."""
        self._check_publish(topic)
        if qos:
            await self._outgoing.publish(topic, payload, retain=retain, properties=properties)
            return
        data = mqtt_packets.publish(topic, payload, None, retain=retain, properties=properties)
        connection = await self._writable()
        why = self._outgoing.refused(data, 0)
        if why:
            raise PublishRefused(why)
        connection.write(data)

    async def _hang_up(self) -> None:
        """End the connection in good order, where there is one."""
        connection = self._connection
        if connection is not None:
            connection.finish(_DISCONNECT)
            await asyncio.wait([connection.ended], timeout=_CLOSE_SECONDS)
            connection.fail(Disconnected("the session was closed"))

    # what a connection tells

    def connack(self, packet: mqtt5.ConnAckPacket) -> None:
        """Hear the CONNACK: the inbox settles what came by older connections before anything new comes."""
        if packet.reason_code == mqtt5.ConnAckReasonCode.SUCCESS:
            self._inbox.connected(resumed=packet.session_present)
        if self._connack is not None and not self._connack.done():
            self._connack.set_result(packet)

    def deliveries(self, packets: Sequence[Packet]) -> None:
        """Hear PUBLISH packets."""
        self._inbox.put(packets)
        if self._inbox.outstanding > self._settings.receive_maximum and self._connection is not None:
            self._connection.hold(True)

    def control(self, packet: mqtt5.Packet) -> None:
        """Hear any other packet."""
        match packet:
            case mqtt5.PubAckPacket():
                self._outgoing.puback(packet)
            case mqtt5.PingRespPacket():
                self._fence.answered()
            case mqtt5.SubAckPacket() | mqtt5.UnsubAckPacket():
                self._outgoing.suback(packet)
            case mqtt5.DisconnectPacket():
                self._disconnect(packet)
            case _:
                name = type(packet).__name__.removesuffix("Packet").upper()
                self._fail(Disconnected(f"the broker sent {name}, which we did not ask for"))

    def _disconnect(self, packet: mqtt5.DisconnectPacket) -> None:
        why = mqtt_packets.reason(packet.reason_code, packet.reason_str)
        self._blamed = int(packet.reason_code) in _BLAMES_US
        if packet.reason_code == _Code.SESSION_TAKEN_OVER:
            self._fail(taken_over(self._settings.client_id, why))
        else:
            self._fail(Disconnected(f"the broker ended the connection: {why}"))

    def _fail(self, error: SessionError) -> None:
        if self._connection is not None:
            self._connection.fail(error)

    # a connection from its beginning to its end

    async def _live(self) -> None:
        """Make one connection and stay until it ends; raise why it ended."""
        try:
            connection, connack = await self._connect()
            if self._closed.is_set():
                connection.finish(_DISCONNECT)
                return
            resumed = connack.session_present
            lost = self._greeted(resumed=resumed)
            # a broker may want more signs of life than we send (3.2.2.3.14); where it wants fewer, ours stay: they show
            # us whether the broker lives
            keep_alive = min(self._settings.keep_alive, connack.server_keep_alive or self._settings.keep_alive)
            connection.keep_alive(keep_alive, self._fence.ask)
            self._numbered = connack.subscription_id_available
            self._outgoing.connected(connection.write, connack)
            refused = await self._align(connection)
            self._subscribed(lambda: connection.write(_PING), refused, resumed=resumed, lost=lost)
            raise await asyncio.shield(connection.ended)
        finally:
            if self._connection is not None:
                self._connection.fail(Disconnected("given up"))
                self._down(self._connection)

    async def _connect(self) -> tuple[Connection, mqtt5.ConnAckPacket]:
        """Make a connection and wait for its CONNACK."""
        broker, seconds = self._turns.now, self._turns.seconds
        self._connack = asyncio.get_running_loop().create_future()
        async with self._until_closed(seconds, f"{broker} did not answer within {seconds:.0f} s"):
            self._connection = connection = await Connection.open(broker, self._tls, self)
            connection.ended.add_done_callback(lambda _: self._down(connection))
            connection.write(mqtt_packets.connect(self._settings, self._will))
            either: list[asyncio.Future[Any]] = [self._connack, connection.ended]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._connack.done():
            error = connection.ended.result()
            raise RefusedForGood(str(error)) if isinstance(error, ConnectionRefused) else error
        connack = self._connack.result()
        if connack.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            refused, for_good = mqtt_packets.refusal(connack)
            raise RefusedForGood(str(refused)) if for_good else refused
        return connection, connack

    async def _align(self, connection: Connection) -> str:
        """Subscribe. Where the connection ends meanwhile, raise its own reason and not what follows from that."""
        try:
            return await self._subscriptions.greet()
        except Disconnected:
            raise (await asyncio.shield(connection.ended)) from None

    async def _subscribe(self, topic_filter: str) -> str:
        numbered = self._numbered
        (code,) = await self._outgoing.request(
            lambda number: mqtt_packets.subscribe(number, topic_filter, with_id=numbered)
        )
        return mqtt_packets.reason(code, None) if int(code) >= 0x80 else ""

    async def _unsubscribe(self, topic_filter: str) -> str:
        await self._outgoing.request(lambda number: mqtt5.UnsubscribePacket(number, [topic_filter]).write())
        return ""

    def _down(self, connection: Connection) -> None:
        """Clean up, once, after a connection that has ended."""
        if self._connection is connection:
            self._connection = None
            self._up.clear()
            self._fence.disconnected()
            self._inbox.disconnected()
            self._outgoing.disconnected(Disconnected(str(connection.ended.result())), blames_us=self._blamed)
            self._blamed = False

    async def _writable(self) -> Connection:
        """Wait for a connection that takes more."""
        while True:
            await self._up.wait()
            self._check_open()
            connection = self._connection
            if connection is None:
                await asyncio.sleep(0)
            elif connection.writable.is_set():
                return connection
            else:
                await connection.writable.wait()

    def _finish(self) -> None:
        super()._finish()
        self._outgoing.close(Disconnected("the session is closed"))
