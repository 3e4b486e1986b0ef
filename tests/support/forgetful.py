"""A broker of MQTT 5 that keeps as little as a test wants: no sessions, or for a short time; no retained messages."""

import asyncio
from contextlib import asynccontextmanager

import mqtt5

from hub.ingest.mqtt.session import BrokerSettings
from hub.ingest.topics import covers


class Forgetful:
    """What it says of itself (topic → text, as retained messages), and for how long it grants a session."""

    def __init__(self, said=None, expiry=None):
        self.said, self.expiry, self.sessions, self.readers = said or {}, expiry, set(), {}

    async def __call__(self, reader, writer):
        rest = b""
        self.readers[writer] = []
        try:
            while data := await reader.read(1 << 16):
                rest += data
                while rest:
                    try:
                        packet, length = mqtt5.read(rest)
                    except IndexError:
                        break
                    except ValueError:  # another version of MQTT
                        return
                    rest = rest[length:]
                    self._take(packet, writer)
        finally:
            del self.readers[writer]
            writer.close()

    def _take(self, packet, writer):
        match packet:
            case mqtt5.ConnectPacket():
                known = self.expiry is not None and packet.client_id in self.sessions
                self.sessions.add(packet.client_id)
                cut = packet.session_expiry_interval > (self.expiry or 0)
                given = {"session_expiry_interval": self.expiry or 0} if cut else {}
                writer.write(mqtt5.ConnAckPacket(session_present=known, **given).write())
            case mqtt5.SubscribePacket():
                wanted = [each.pattern for each in packet.topic_filters]
                self.readers[writer] += wanted
                writer.write(
                    mqtt5.SubAckPacket(
                        packet.packet_id, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * len(packet.topic_filters)
                    ).write()
                )
                for topic, text in self.said.items():
                    if any(covers(each, topic) for each in wanted):
                        writer.write(mqtt5.PublishPacket(topic, text.encode(), retain=True).write())
            case mqtt5.PublishPacket():
                if packet.packet_id:
                    writer.write(mqtt5.PubAckPacket(packet.packet_id).write())
                for other, filters in self.readers.items():
                    if any(covers(each, packet.topic) for each in filters):
                        other.write(mqtt5.PublishPacket(packet.topic, packet.payload).write())
            case mqtt5.UnsubscribePacket():
                writer.write(mqtt5.UnsubAckPacket(packet.packet_id, [mqtt5.UnsubAckReasonCode.SUCCESS]).write())
            case mqtt5.PingReqPacket():
                writer.write(mqtt5.PingRespPacket().write())


@asynccontextmanager
async def forgetful(said=None, expiry=None):
    """Run one; yield how to reach it."""
    server = await asyncio.start_server(Forgetful(said, expiry), "127.0.0.1", 0)
    try:
        yield BrokerSettings(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    finally:
        server.close()
