"""Checks what a broker keeps: the session of a hub that is away, and for how long; and retained messages."""

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
_AWAY_SECONDS = 60.0  # expiry of the session that is tried: longer than the check, and soon gone if it fails
_FORGET = (
    b"\xe0\x07\x00\x05\x11\x00\x00\x00\x00"  # DISCONNECT with a session expiry of 0: the broker deletes the session
)


async def look_at_session(settings: Settings, kind: BrokerKind, mark: str) -> list[Finding]:
    """Disconnect and come back: is the session still there, and how long would the broker keep it?"""
    client_id, notices = f"hub-doctor-{mark}-stays", list[Notice]()
    filters = [f"{settings.publish_prefix}/doctor/{mark}/stays"]  # RabbitMQ keeps no session without a subscription
    for _ in range(2):
        async with connected(settings.broker, client_id, filters, expiry=_AWAY_SECONDS, hear=notices.append):
            pass
    async with connected(settings.broker, client_id, filters):
        pass  # a session without an expiry: the broker deletes it when this ends
    details = [notice.detail for notice in notices if notice.kind == "connected"]
    if details[-1:] != ["resumed"]:
        text = "none is kept for a hub that is away: what comes meanwhile is lost"
        return [bad(_SESSION, text, kind.remedy("memory" if kind.forgets else "session"))]
    findings = await _granted(settings.broker, kind, mark) if settings.broker.protocol == "5" else []
    if kind.forgets:
        text = f"{kind.name} keeps them in memory only: what it holds for a hub is gone when it restarts"
        return [*findings, warning(_SESSION, text, kind.remedy("memory"))]
    unseen = f"no broker tells whether it also survives a restart of the broker ({kind.remedy('memory')})"
    return findings or [good(_SESSION, f"kept for a hub that is away; {unseen}")]


async def _granted(broker: BrokerSettings, kind: BrokerKind, mark: str) -> list[Finding]:
    """Connect with the session expiry of the hub; return a finding if the broker grants a shorter one."""
    connack = await _greeting(replace(broker, client_id=f"hub-doctor-{mark}-asks"))
    given = connack.session_expiry_interval
    if given is None or given >= int(broker.session_expiry):
        return []
    asked = format_duration(float(int(broker.session_expiry)))
    text = f"kept for {format_duration(float(given))} only, though {asked} are asked for: then what waits is lost"
    return [(warning if given else bad)(_SESSION, text, kind.remedy("session"))]


class _Greeted:
    """The listener of a connection that waits for the CONNACK only."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[mqtt5.ConnAckPacket] = asyncio.get_running_loop().create_future()

    def connack(self, packet: mqtt5.ConnAckPacket) -> None:
        """Take the broker's answer."""
        self.answer.set_result(packet)

    def deliveries(self, packets: object) -> None:
        """Ignore messages; without a subscription there are none."""

    def control(self, packet: object) -> None:
        """Ignore all other packets."""


async def _greeting(settings: BrokerSettings) -> mqtt5.ConnAckPacket:
    """Return the broker's CONNACK to the hub's CONNECT.

    Raises:
        SessionError: the broker refused, closed the connection, or did not answer in time.

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
    """Publish a retained message, ask for it by its topic and by a wildcard, and delete it."""
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
        text = "are not kept: rules begin without the last values, and hub/alerts/… shows an alert only when it changes"
        return [warning(_RETAINED, text, kind.remedy("retained"))]
    text = "come for an exact topic only, not by a wildcard such as site/+/co2: rules begin without the last values"
    return [warning(_RETAINED, text, kind.remedy("retained"))]


async def _retained(broker: BrokerSettings, client_id: str, topic_filter: str) -> bool:
    async with connected(broker, client_id, [topic_filter]) as session:
        return any(each.payload == b"kept" for each in await all_until_quiet(session))
