"""The MQTT 5 session over the mqtt5 codec: one lifetime over many connections.

Connection brings batches of packets, Inbox keeps what came and was not acknowledged, Fence knows what the broker has
taken, Outgoing waits for the broker's answers; here is the order in which things happen.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import mqtt5

from hub.errors import (
    BrokerUnreachable,
    ConnectionRefused,
    Disconnected,
    PublishRefused,
    SessionError,
    SessionTakenOver,
    SubscriptionDenied,
)
from hub.ingest import wire
from hub.ingest.backoff import Backoff
from hub.ingest.connection import Connection, tls_context
from hub.ingest.fence import Fence
from hub.ingest.inbox import Inbox
from hub.ingest.outgoing import Outgoing
from hub.ingest.rival import Rival, taken_over
from hub.ingest.session import BrokerSettings, Notice, Will
from hub.ingest.subscriptions import Subscriptions, check_filters
from hub.ingest.topics import check_topic
from hub.limits import CONNECT_SECONDS
from hub.model import Delivery

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


class Session5:
    """An ingest.session.Session that speaks MQTT 5."""

    def __init__(self, settings: BrokerSettings, will: Will | None, on_notice: Callable[[Notice], None]) -> None:
        """Take how to reach the broker; nothing is connected yet.

        Raises:
            HubError: the TLS files cannot be used.

        """
        self.on_notice = on_notice
        self._settings, self._will, self._tls = settings, will, tls_context(settings)
        self._inbox = Inbox()
        self._outgoing = Outgoing()
        self._fence = Fence(self._inbox, settings.receive_maximum, lambda: self._notice("drained"))
        self._connection: Connection | None = None
        self._connack: asyncio.Future[mqtt5.ConnAckPacket] | None = None
        self._connecting: asyncio.Timeout | None = None
        self._up = asyncio.Event()
        self._closed = asyncio.Event()
        self._subscriptions = Subscriptions(settings, self._subscribe, self._unsubscribe)
        self._met = False
        self._numbered = True
        self._blamed = False
        self._said = ""

    @property
    def handed(self) -> int:
        """Position of the last delivery that `receive` returned."""
        return self._inbox.handed

    @property
    def confirmed(self) -> int:
        """Position up to which the broker is known to have taken our acknowledgements."""
        return self._fence.confirmed

    async def run(self, filters: Sequence[str], earlier: Iterable[str] = ()) -> None:
        """Connect, subscribe, reconnect for ever; see Session.run."""
        self._subscriptions.want(filters, earlier)
        loop, backoff, rival = asyncio.get_running_loop(), Backoff(), Rival(self._settings.client_id)
        try:
            while not self._closed.is_set():
                try:
                    await self._live(backoff)
                except (SessionTakenOver, SubscriptionDenied):
                    raise
                except SessionError as error:
                    if isinstance(error, _ForGood) and not self._met:
                        raise ConnectionRefused(str(error)) from error
                    self._tell(error)
                    if self._closed.is_set():
                        break  # it was we who ended the connection
                    if rivalry := rival.suspect(error, backoff.lasted(loop.time())):
                        raise rivalry from error
                if not self._closed.is_set():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._closed.wait(), backoff.wait(loop.time()))
        finally:
            self._finish()

    async def receive(self) -> Sequence[Delivery]:
        """Return what waits; see Session.receive."""
        batch = await self._inbox.take()
        if self._inbox.dropped:
            count, self._inbox.dropped = self._inbox.dropped, 0
            self._notice("dropped", f"{count} events at QoS 0 found no room", count)
        return batch

    def acknowledge(self, position: int) -> None:
        """Acknowledge up to a position; see Session.acknowledge."""
        settled = self._inbox.settle(position)
        if settled and self._connection is not None:
            self._connection.write(wire.pubacks(settled))
            if self._inbox.outstanding < self._settings.receive_maximum:
                self._connection.hold(False)
        self._fence.acknowledged()

    async def resubscribe(self, filters: Sequence[str]) -> None:
        """Make these the subscribed filters; see Session.resubscribe."""
        check_filters(filters)
        while not self._closed.is_set():
            await self._up.wait()
            try:
                await self._subscriptions.align(filters)
            except Disconnected:
                await asyncio.sleep(0)  # the next connection
            else:
                return

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish; see Session.publish."""
        why = check_topic(topic)
        if why:
            raise PublishRefused(f"{topic[:200]!r} cannot be published to: {why}")
        if self._closed.is_set():
            raise Disconnected("the session is closed")
        if qos:
            await self._outgoing.publish(topic, payload, retain=retain)
            return
        data = wire.publish(topic, payload, None, retain=retain)
        connection = await self._writable()
        why = self._outgoing.refused(data, 0)
        if why:
            raise PublishRefused(why)
        connection.write(data)

    async def close(self) -> None:
        """Disconnect; see Session.close."""
        self._closed.set()
        connection = self._connection
        if self._connecting is not None:
            self._connecting.reschedule(asyncio.get_running_loop().time())
        if connection is not None:
            connection.finish(_DISCONNECT)
            await asyncio.wait([connection.ended], timeout=_CLOSE_SECONDS)
            connection.fail(Disconnected("the session was closed"))
        self._finish()

    # what a connection tells

    def connack(self, packet: mqtt5.ConnAckPacket) -> None:
        """Hear the CONNACK: what came by older connections is settled before anything new comes."""
        if packet.reason_code == mqtt5.ConnAckReasonCode.SUCCESS:
            self._inbox.connected(resumed=packet.session_present)
        if self._connack is not None and not self._connack.done():
            self._connack.set_result(packet)

    def deliveries(self, packets: Sequence[Delivery]) -> None:
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
        why = wire.reason(packet.reason_code, packet.reason_str)
        self._blamed = int(packet.reason_code) in _BLAMES_US
        if packet.reason_code == _Code.SESSION_TAKEN_OVER:
            self._fail(taken_over(self._settings.client_id, why))
        else:
            self._fail(Disconnected(f"the broker ended the connection: {why}"))

    def _fail(self, error: SessionError) -> None:
        if self._connection is not None:
            self._connection.fail(error)

    # a connection from its beginning to its end

    async def _live(self, backoff: Backoff) -> None:
        """Be connected once; raises why it ended."""
        try:
            connection, connack = await self._connect()
            if self._closed.is_set():
                connection.finish(_DISCONNECT)
                return
            backoff.connected(asyncio.get_running_loop().time())
            lost = self._met and not connack.session_present
            if not connack.session_present:
                self._subscriptions.lost()
            self._met, self._said = True, ""
            keep_alive = self._settings.keep_alive if connack.server_keep_alive is None else connack.server_keep_alive
            connection.keep_alive(keep_alive, self._fence.ask)
            self._numbered = connack.subscription_id_available
            self._outgoing.connected(connection.write, connack)
            await self._align(connection)
            if lost:
                self._notice("session_lost", "the broker had no session for us; subscribed anew")
            self._notice("connected", "resumed" if connack.session_present else "new")
            self._up.set()
            self._fence.connected(lambda: connection.write(_PING))
            raise await asyncio.shield(connection.ended)
        finally:
            if self._connection is not None:
                self._connection.fail(Disconnected("given up"))
                self._down(self._connection)

    async def _connect(self) -> tuple[Connection, mqtt5.ConnAckPacket]:
        """Make a connection and wait for its CONNACK."""
        self._connack = asyncio.get_running_loop().create_future()
        self._connecting = asyncio.timeout(0 if self._closed.is_set() else CONNECT_SECONDS)
        try:
            async with self._connecting:
                self._connection = connection = await Connection.open(self._settings, self._tls, self)
                connection.ended.add_done_callback(lambda _: self._down(connection))
                connection.write(wire.connect(self._settings, self._will))
                either: list[asyncio.Future[Any]] = [self._connack, connection.ended]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise BrokerUnreachable(f"{self._settings} did not answer within {CONNECT_SECONDS:.0f} s") from None
        finally:
            self._connecting = None
        if not self._connack.done():
            error = connection.ended.result()
            raise _ForGood(str(error)) if isinstance(error, ConnectionRefused) else error
        connack = self._connack.result()
        if connack.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
            refused, for_good = wire.refusal(connack)
            raise _ForGood(str(refused)) if for_good else refused
        return connection, connack

    async def _align(self, connection: Connection) -> None:
        """Subscribe; where the connection ends meanwhile, its own reason goes before what follows from it."""
        try:
            await self._subscriptions.align()
        except Disconnected:
            raise (await asyncio.shield(connection.ended)) from None

    async def _subscribe(self, topic_filter: str) -> str:
        numbered = self._numbered
        (code,) = await self._outgoing.request(lambda number: wire.subscribe(number, topic_filter, with_id=numbered))
        return wire.reason(code, None) if int(code) >= 0x80 else ""

    async def _unsubscribe(self, topic_filter: str) -> str:
        await self._outgoing.request(lambda number: mqtt5.UnsubscribePacket(number, [topic_filter]).write())
        return ""

    def _down(self, connection: Connection) -> None:
        """Settle, once, what belonged to a connection that has ended."""
        if self._connection is connection:
            self._connection = None
            self._up.clear()
            self._fence.disconnected()
            self._outgoing.disconnected(Disconnected(str(connection.ended.result())), blames_us=self._blamed)
            self._blamed = False

    async def _writable(self) -> Connection:
        """Wait for a connection that takes more."""
        while True:
            await self._up.wait()
            connection = self._connection
            if self._closed.is_set() or connection is None:
                raise Disconnected("the session is closed")
            if connection.writable.is_set():
                return connection
            await connection.writable.wait()

    def _tell(self, error: SessionError) -> None:
        """Report why there is no connection, each reason once."""
        if str(error) != self._said and not self._closed.is_set():
            self._said = str(error)
            self._notice("disconnected", self._said)

    def _notice(self, kind: str, detail: str = "", count: int = 0) -> None:
        self.on_notice(Notice(kind, self._inbox.received, detail, count))

    def _finish(self) -> None:
        """Wake everyone who waits for something that will not come."""
        self._closed.set()
        self._up.set()
        self._inbox.close()
        self._outgoing.close(Disconnected("the session is closed"))


class _ForGood(ConnectionRefused):
    """A refusal that stays, however often we ask."""
