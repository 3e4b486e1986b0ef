"""Checks what a broker keeps: a session while the hub is away, and for how long; and retained messages."""

import asyncio
from dataclasses import replace
from typing import Any

import mqtt5

from hub.config import Settings
from hub.documents.duration import format_duration
from hub.errors import BrokerUnreachable, Disconnected
from hub.ingest.mqtt import mqtt_packets
from hub.ingest.mqtt.session import BrokerSettings
from hub.ingest.source import Notice
from hub.ingest.transport.connection import Connection, tls_context
from hub.limits import CONNECT_SECONDS
from hub.operate.client.connect import connected
from hub.operate.doctor.broker_kinds import BrokerKind
from hub.operate.doctor.finding import Finding, bad, good, warning
from hub.operate.doctor.time_left import all_until_quiet

__all__ = ["look_at_retained", "look_at_session"]

_SESSION = "session"
_RETAINED = "retained messages"
_AWAY_SECONDS = 60.0
_FORGET = b"\xe0\x07\x00\x05\x11\x00\x00\x00\x00"  # DISCONNECT with a session expiry of 0: nothing stays behind


async def look_at_session(settings: Settings, kind: BrokerKind, mark: str) -> list[Finding]:
    """Disconnect and come back: see whether the session is still there, and for how long the broker would keep it."""
    client_id, told = f"hub-doctor-{mark}-stays", list[Notice]()
    filters = [f"{settings.publish_prefix}/doctor/{mark}/stays"]  # RabbitMQ has no session without any
    for _ in range(2):
        async with connected(settings.broker, client_id, filters, expiry=_AWAY_SECONDS, hear=told.append):
            pass
    async with connected(settings.broker, client_id, filters):
        pass  # a session without an expiry: the broker deletes it when this ends
    details = [notice.detail for notice in told if notice.kind == "connected"]
    if details[-1:] != ["resumed"]:
        text = "none is kept for a hub that is away: what comes meanwhile is lost"
        return [bad(_SESSION, text, kind.remedy("memory" if kind.forgets else "session"))]
    found = [*await _granted(settings.broker, kind, mark)] if settings.broker.protocol == "5" else []
    if kind.forgets:
        text = f"{kind.name} keeps them in memory only: what it holds for a hub is gone when it restarts"
        return [*found, warning(_SESSION, text, kind.remedy("memory"))]
    unseen = f"whether over its own restart, no broker tells ({kind.remedy('memory')})"
    return found or [good(_SESSION, f"kept for a hub that is away; {unseen}")]


async def _granted(broker: BrokerSettings, kind: BrokerKind, mark: str) -> list[Finding]:
    """Ask for the session that the hub asks for; find that it is given for a shorter time."""
    connack = await _greeting(replace(broker, client_id=f"hub-doctor-{mark}-asks"))
    given = connack.session_expiry_interval
    if given is None or given >= int(broker.session_expiry):
        return []
    asked = format_duration(float(int(broker.session_expiry)))
    text = f"kept for {format_duration(float(given))} only, though {asked} are asked for: then what waits is lost"
    return [(warning if given else bad)(_SESSION, text, kind.remedy("session"))]


class _Greeted:
    """Hears a CONNACK."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[mqtt5.ConnAckPacket] = asyncio.get_running_loop().create_future()

    def connack(self, packet: mqtt5.ConnAckPacket) -> None:
        """Hear it."""
        self.answer.set_result(packet)

    def deliveries(self, packets: object) -> None:
        """Hear messages: there are none."""

    def control(self, packet: object) -> None:
        """Hear what else may come."""


async def _greeting(settings: BrokerSettings) -> mqtt5.ConnAckPacket:
    """Return the broker's CONNACK to the hub's CONNECT.

    Raises:
        SessionError: none came.

    """
    greeted = _Greeted()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await Connection.open(settings, tls_context(settings), greeted)
            try:
                connection.write(mqtt_packets.connect(settings, None))
                either: list[asyncio.Future[Any]] = [greeted.answer, connection.ended]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if not greeted.answer.done():
                    raise connection.ended.result()
                return greeted.answer.result()
            finally:
                connection.finish(_FORGET)
                await asyncio.wait([connection.ended], timeout=1)
                connection.fail(Disconnected("asked"))
    except TimeoutError:
        raise BrokerUnreachable(f"{settings} did not answer within {CONNECT_SECONDS:.0f} s") from None


async def look_at_retained(settings: Settings, kind: BrokerKind, mark: str) -> list[Finding]:
    """Publish a retained message and ask for it by its topic and by a wildcard; then take it back."""
    topic = f"{settings.publish_prefix}/doctor/{mark}/kept"
    async with connected(settings.broker, f"hub-doctor-{mark}-w", []) as writer:
        await writer.publish(topic, b"kept", retain=True)
        try:
            exact = await _retained(settings.broker, f"hub-doctor-{mark}-e", topic)
            wild = await _retained(settings.broker, f"hub-doctor-{mark}-k", f"{topic.rpartition('/')[0]}/+")
        finally:
            await writer.publish(topic, b"", retain=True)
    if exact and wild:
        return [good(_RETAINED, "are kept, and come by a wildcard")]
    if not exact:
        text = "are not kept: rules begin without the last values, and alerts on hub/alerts/… are seen as they happen"
        return [warning(_RETAINED, text, kind.remedy("retained"))]
    text = "come for an exact topic only, not by a wildcard such as site/+/co2: rules begin without the last values"
    return [warning(_RETAINED, text, kind.remedy("retained"))]


async def _retained(broker: BrokerSettings, client_id: str, topic_filter: str) -> bool:
    async with connected(broker, client_id, [topic_filter]) as session:
        return any(each.payload == b"kept" for each in await all_until_quiet(session))
