"""The connection on which a fleet publishes: one write for all messages that are due, and a count of acknowledgements.

The hub's own publisher waits for the answer to each message; this one sends many in batches, over the same class of
connection. Messages that were not acknowledged when a connection ended are sent again on the next one.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import mqtt5

from hub.devices.player import DeviceMessage
from hub.errors import BrokerUnreachable, Disconnected, SessionError
from hub.ingest.mqtt import mqtt_packets
from hub.ingest.mqtt.packet import Packet
from hub.ingest.mqtt.session import BrokerSettings, Will
from hub.ingest.transport.backoff import Backoff
from hub.ingest.transport.connection import Connection, tls_context
from hub.limits import CONNECT_SECONDS, FLEET_WINDOW

__all__ = ["FleetPublisher"]

_BATCH_QOS0 = 1024  # so that without acknowledgements too the socket is looked after between writes
_MAX_ID = 65_535
_PING = b"\xc0\x00"
_DISCONNECT = b"\xe0\x00"


class FleetPublisher:
    """A fleet's way to the broker; it counts messages `sent`, `acknowledged`, and `refused` by the broker."""

    def __init__(self, settings: BrokerSettings, will: Will | None = None, birth: bytes = b"") -> None:
        """Take address and login, and what is published retained when the fleet comes (`birth`) and goes (`will`).

        Raises:
            HubError: the TLS files cannot be used.

        """
        self.settings, self.will, self.birth = settings, will, birth
        self.sent = self.acknowledged = self.refused = self.connections = 0
        self.complaint = ""
        """What ended the last connection."""
        self.refusal = ""
        """Why the broker refused the last message it did."""
        self._tls = tls_context(settings)
        self._connection: Connection | None = None
        self._connack: asyncio.Future[mqtt5.ConnAckPacket] | None = None
        self._pending: dict[int, bytes] = {}  # by packet id; an announcement, which is no device's, as no bytes
        self._window = self._id = 0
        self._suspect = 0
        self._changed = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether messages can go out."""
        return self._connection is not None and not self._connection.ended.done()

    def room(self, qos: int) -> int:
        """Return how many messages may be sent now."""
        if self._connection is None or not self.connected or not self._connection.writable.is_set():
            return 0
        return max(0, self._window - len(self._pending)) if qos else _BATCH_QOS0

    async def more_room(self, qos: int) -> None:
        """Wait until there is room."""
        while not self.room(qos):
            if self._connection is not None and self.connected and not self._connection.writable.is_set():
                await self._connection.writable.wait()
            else:
                await self._change()

    def send(self, messages: Sequence[DeviceMessage], qos: int, retain: bool) -> None:
        """Send messages, at most as many as there is room for, with one write."""
        packets = []
        for message in messages:
            identifier = self._next_id() if qos else None
            packet = mqtt_packets.publish(message.topic, message.payload, identifier, retain=retain)
            if identifier is not None:
                self._pending[identifier] = packet
            packets.append(packet)
        self.sent += len(packets)
        if self._connection is not None:
            self._connection.write(b"".join(packets))

    async def connect(self) -> None:
        """Connect, announce the fleet, and send again what was not acknowledged.

        Raises:
            BrokerUnreachable, ConnectionRefused: with the address and the reason.

        """
        self._connack = asyncio.get_running_loop().create_future()
        connection = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await Connection.open(self.settings, self._tls, self)
                connection.write(mqtt_packets.connect(self.settings, self.will))
                either: list[asyncio.Future[Any]] = [self._connack, connection.ended]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            self._begin(connection, self._connack)
        except TimeoutError:
            raise BrokerUnreachable(f"{self.settings} did not answer within {CONNECT_SECONDS:.0f} s") from None
        finally:
            if connection is not None and self._connection is not connection:
                connection.fail(Disconnected("given up"))

    def _begin(self, connection: Connection, answer: asyncio.Future[mqtt5.ConnAckPacket]) -> None:
        if not answer.done():
            raise connection.ended.result()
        connack = answer.result()
        if connack.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            raise mqtt_packets.refusal(connack)[0]
        connection.keep_alive(
            self.settings.keep_alive if connack.server_keep_alive is None else connack.server_keep_alive,
            lambda: connection.write(_PING),
        )
        self._window = min(connack.receive_max, FLEET_WINDOW)
        self._connection = connection
        self.connections += 1
        again = [packet for packet in self._pending.values() if packet]
        self._pending = {identifier: packet for identifier, packet in self._pending.items() if packet}
        if self.will and self.birth:
            again.insert(0, self._announcement(self.will, self.birth))
        connection.write(b"".join(again))
        self._changed.set()

    async def run(self) -> None:
        """Stay connected until cancelled; call after the first `connect`."""
        clock, backoff = asyncio.get_running_loop().time, Backoff()
        while True:
            if self._connection is not None:
                backoff.connected(clock())
                self._lost(await asyncio.shield(self._connection.ended))
            await asyncio.sleep(backoff.wait(clock()))
            try:
                await self.connect()
            except SessionError as error:
                self.complaint = str(error)

    def _lost(self, error: SessionError) -> None:
        """Settle the messages of a connection that has ended.

        Mosquitto 2.0 ends the connection after a message that its ACL refuses, and its answer may be lost. So a message
        that was twice the oldest one without an answer is not sent a third time.
        """
        self._connection, self.complaint = None, str(error)
        oldest = next((identifier for identifier, packet in self._pending.items() if packet), 0)
        if oldest and oldest == self._suspect:
            del self._pending[oldest]
            self.refused += 1
            self.refusal = self.refusal or "the broker ended the connection behind it, twice"
        self._suspect = oldest
        self._changed.set()

    async def close(self, seconds: float) -> None:
        """Say goodbye and wait for what is not acknowledged, at most so long."""
        connection = self._connection
        if connection is None:
            return
        if self.will:
            connection.write(self._announcement(self.will, self.will.payload))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._pending and self.connected:
                    await self._change()
                connection.finish(_DISCONNECT)
                await asyncio.shield(connection.ended)

    # what a connection tells

    def connack(self, packet: mqtt5.ConnAckPacket) -> None:
        """Hear the CONNACK."""
        if self._connack is not None and not self._connack.done():
            self._connack.set_result(packet)

    def deliveries(self, packets: Sequence[Packet]) -> None:
        """Ignore PUBLISH packets: nothing is subscribed, so none come."""

    def control(self, packet: mqtt5.Packet) -> None:
        """Hear any other packet."""
        if isinstance(packet, mqtt5.PubAckPacket):
            sent = self._pending.pop(packet.packet_id, b"")
            if int(packet.reason_code) >= 0x80:  # MQTT 5, 3.4.2.1; 0x10, nobody listens, is success
                self.refusal = mqtt_packets.reason(packet.reason_code, packet.reason_str)
                self.refused += 1 if sent else 0
                self.will = self.will if sent else None  # an announcement: the next would be refused too
            elif sent:
                self.acknowledged += 1
            self._changed.set()
        elif isinstance(packet, mqtt5.DisconnectPacket) and self._connection is not None:
            why = mqtt_packets.reason(packet.reason_code, packet.reason_str)
            self._connection.fail(Disconnected(f"the broker ended the connection: {why}"))

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _announcement(self, will: Will, payload: bytes) -> bytes:
        """Return the packet that says on the will's topic whether the fleet is there; it is not counted."""
        identifier = self._next_id()
        self._pending[identifier] = b""
        return mqtt_packets.publish(will.topic, payload, identifier, retain=True)

    def _next_id(self) -> int:
        while True:
            self._id = self._id % _MAX_ID + 1
            if self._id not in self._pending:
                return self._id
