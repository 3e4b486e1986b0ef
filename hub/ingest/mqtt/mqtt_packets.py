"""MQTT 5 packets to and from bytes, without any I/O; numbers in brackets are sections of the standard."""

import sys
from array import array
from collections.abc import Iterable
from zlib import crc32

import mqtt5
from mqtt5 import PublishPacket, read

from hub.errors import ConnectionRefused, MalformedPacket
from hub.ingest.mqtt.packet import Packet
from hub.ingest.mqtt.session import BrokerSettings, Will
from hub.ingest.source import Properties

__all__ = ["connect", "needed", "pubacks", "publish", "reason", "refusal", "split", "subscribe", "subscription_id"]

_PUBACK = 0x4002_0000  # fixed header and remaining length of a PUBACK without properties, then the packet id (3.4)
_SWAP = sys.byteorder == "little"
_ONCE = mqtt5.QoS.AT_LEAST_ONCE
# the codec's enumerations are no ints and have no hash, whatever its stubs say
_REFUSED_FOR_GOOD = {
    int(mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION),
    int(mqtt5.ConnAckReasonCode.CLIENT_ID_NOT_VALID),
    int(mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD),
    int(mqtt5.ConnAckReasonCode.NOT_AUTHORIZED),
    int(mqtt5.ConnAckReasonCode.BANNED),
    int(mqtt5.ConnAckReasonCode.BAD_AUTHENTICATION_METHOD),
}


def connect(settings: BrokerSettings, will: Will | None) -> bytes:
    """Return the CONNECT that asks for our session.

    It announces no Maximum Packet Size: a broker would discard larger packets without a word (3.1.2.11.4).
    """
    password = settings.password.reveal().encode() if settings.password else None
    testament = mqtt5.Will(will.topic, payload=will.payload, qos=_ONCE, retain=True) if will else None
    return mqtt5.ConnectPacket(
        settings.client_id,
        username=settings.username,
        password=password,
        clean_start=False,
        will=testament,
        keep_alive=settings.keep_alive,
        session_expiry_interval=int(settings.session_expiry),
        receive_max=settings.receive_maximum,
    ).write()


def subscription_id(topic_filter: str) -> int:
    """Return the number that the broker puts on what comes by this filter; it depends on nothing but the filter."""
    return crc32(topic_filter.encode()) & 0xFFF_FFFF or 1


def subscribe(packet_id: int, topic_filter: str, *, with_id: bool) -> bytes:
    """Return the SUBSCRIBE of a filter (3.8.3).

    QoS 1; retained messages only where the subscription is new; not what we publish ourselves.
    """
    wanted = mqtt5.TopicFilter(
        topic_filter,
        max_qos=_ONCE,
        no_local=True,
        retain_as_published=False,
        retain_handling=mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS,
    )
    number = subscription_id(topic_filter) if with_id else None
    return mqtt5.SubscribePacket(packet_id, [wanted], subscription_id=number).write()


def publish(
    topic: str, payload: bytes, packet_id: int | None, *, retain: bool, properties: Properties | None = None
) -> bytes:
    """Return a PUBLISH: QoS 1 with a packet id, QoS 0 without; `properties` by the codec's names."""
    more = properties or {}
    if packet_id is None:
        return PublishPacket(topic, payload, retain=retain, **more).write()
    return PublishPacket(topic, payload, qos=_ONCE, retain=retain, packet_id=packet_id, **more).write()


def pubacks(deliveries: Iterable[Packet]) -> bytes:
    """Return the PUBACKs of deliveries at QoS 1, in their order."""
    packets = array("I", [_PUBACK | (each.packet_id or 0) for each in deliveries])
    if _SWAP:
        packets.byteswap()
    return packets.tobytes()


def split(data: bytes, deliveries: list[PublishPacket], others: list[mqtt5.Packet]) -> int:
    """Read all whole packets: PUBLISH into `deliveries`, the rest into `others`; return how many bytes they took.

    Raises:
        MalformedPacket: a packet is not MQTT 5; the packets before it are in the lists.

    """
    view, size, at = memoryview(data), len(data), 0
    try:
        while at < size:
            packet, length = read(view[at:])
            at += length
            if type(packet) is PublishPacket:
                deliveries.append(packet)
            else:
                others.append(packet)
    except IndexError:  # the codec's word for: not enough bytes
        if size - at >= needed(data[at : at + 5]):
            raise MalformedPacket("the broker sent a packet whose content is longer than its length says") from None
    except ValueError as error:
        raise MalformedPacket(f"the broker sent a malformed packet: {error}") from error
    except BaseException as error:
        # Rust panics, as for a topic that is not UTF-8, are no Exception; they have no class to import either
        if type(error).__name__ != "PanicException":
            raise
        raise MalformedPacket("the broker sent a packet that the codec cannot read") from error
    return at


def needed(head: bytes) -> int:
    """Return how many bytes the packet has that begins with `head` (2.1.4). 5 bytes suffice; with fewer, one more."""
    length = shift = 0
    for place, byte in enumerate(head[1:5]):
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return 2 + place + length
    return len(head) + 1


def reason(code: int, text: str | None) -> str:
    """Return a reason code as words, with the broker's own where it gave any."""
    name = getattr(code, "name", str(code)).replace("_", " ").lower()
    return f"{name} ({text})" if text else str(name)


def refusal(connack: mqtt5.ConnAckPacket) -> tuple[ConnectionRefused, bool]:
    """Return the error for a CONNACK with a reason code, and whether asking again is useless (3.2.2.2)."""
    why = reason(connack.reason_code, connack.reason_str)
    if connack.reason_code == mqtt5.ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION:
        why += "; set broker.protocol to 3.1.1 in hub.yaml"
    if connack.server_reference:
        why += f"; it names another server: {connack.server_reference}"
    return ConnectionRefused(f"the broker refused the connection: {why}"), int(connack.reason_code) in _REFUSED_FOR_GOOD
