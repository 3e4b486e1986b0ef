"""An MQTT 5 client for tests that shares nothing with the project: bytes by hand, so both cannot be wrong alike."""

import asyncio
import struct
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Message:
    topic: str
    payload: bytes
    qos: int
    retain: bool
    packet_id: int | None


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    messages: asyncio.Queue = field(default_factory=asyncio.Queue)
    answers: dict = field(default_factory=dict)
    acknowledge: bool = True
    session_present: bool = False
    properties: bytes = b""
    """Of the CONNACK."""
    ended: asyncio.Task = None
    """Ends, with IncompleteReadError, when the broker closes."""
    _id: int = 0

    async def publish(self, topic, payload, *, qos=1, retain=False):
        """Publish; at QoS 1 return the PUBACK's reason code."""
        return (await self.publish_all([(topic, payload)], qos=qos, retain=retain))[0]

    async def publish_all(self, messages, *, qos=1, retain=False):
        """Publish in one go and return the reason codes (QoS 1), in order."""
        waits, data = [], bytearray()
        for topic, content in messages:
            payload = content.encode() if isinstance(content, str) else content
            body = utf8(topic)
            if qos:
                number, answer = self.expect(0x40)
                waits.append(answer)
                body += struct.pack(">H", number)
            data += packet(0x30 | qos << 1 | retain, body + b"\x00" + payload)
        self.writer.write(data)
        await self.writer.drain()
        return [body[2] if len(body) > 2 else 0 for body in await bounded(asyncio.gather(*waits))] or [0]

    async def subscribe(self, topic_filter, *, qos=1):
        """Subscribe and return the reason code."""
        number, answer = self.expect(0x90)
        self.writer.write(packet(0x82, struct.pack(">H", number) + b"\x00" + utf8(topic_filter) + bytes([qos])))
        return (await bounded(answer))[-1]

    def die(self):
        """Let the connection be cut, so that the broker publishes the will."""
        self.writer.transport.abort()

    async def message(self):
        """Wait for the next message."""
        return await bounded(self.messages.get())

    def expect(self, kind):
        self._id = self._id % 65535 + 1
        answer = self.answers[kind, self._id] = asyncio.get_running_loop().create_future()
        return self._id, answer

    async def listen(self):
        while True:
            head = await self.reader.readexactly(1)
            length = shift = 0
            while True:
                byte = (await self.reader.readexactly(1))[0]
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            self.hear(head[0], await self.reader.readexactly(length))

    def hear(self, first, body):
        kind = first & 0xF0
        if kind == 0x30:
            size = struct.unpack_from(">H", body)[0]
            at, qos, number = 2 + size, first >> 1 & 3, None
            if qos:
                number = struct.unpack_from(">H", body, at)[0]
                at += 2
                if self.acknowledge:
                    self.writer.write(packet(0x40, struct.pack(">H", number)))
            length, at = varint_at(body, at)
            payload = body[at + length :]
            self.messages.put_nowait(Message(body[2 : 2 + size].decode(), payload, qos, bool(first & 1), number))
        elif kind in (0x40, 0x90, 0xB0):
            self.answers.pop((kind, struct.unpack_from(">H", body)[0])).set_result(body)


@asynccontextmanager
async def client(settings, client_id="raw", *, clean=True, expiry=0, acknowledge=True, will=None, keep_alive=0):
    """Connect as the settings' user; leaving disconnects. `will`: topic, payload, retain."""
    reader, writer = await asyncio.open_connection(settings.host, settings.port)
    properties = b"\x11" + struct.pack(">I", expiry)
    flags = 0xC0 | clean << 1 | (0 if will is None else 0x0C | will[2] << 5)
    body = utf8("MQTT") + bytes([5, flags]) + struct.pack(">H", keep_alive) + varint(len(properties)) + properties
    body += utf8(client_id)
    if will is not None:
        body += b"\0" + utf8(will[0]) + struct.pack(">H", len(will[1])) + will[1]
    body += utf8(settings.username) + utf8(settings.password.reveal())
    listening = None
    try:
        writer.write(packet(0x10, body))
        head = await bounded(reader.readexactly(2))
        answer = await bounded(reader.readexactly(head[1]))
        assert head[0] == 0x20, head + answer
        assert answer[1] == 0, f"CONNACK {answer[1]:#x}"
        this = Client(reader, writer, acknowledge=acknowledge, session_present=bool(answer[0]))
        this.properties = answer[3:]
        listening = this.ended = asyncio.create_task(this.listen())
        yield this
    finally:
        if listening is not None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            writer.write(b"\xe0\x00")
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def bounded(awaitable, seconds=20):
    """Wait, but not for ever: a test that hangs says so."""
    async with asyncio.timeout(seconds):  # asyncio.wait_for of Python 3.11 can swallow a cancellation
        return await awaitable


def packets(stream):
    """Take a recorded stream apart: (first byte, body) of each whole packet."""
    at, found = 0, []
    while at < len(stream):
        try:
            length, start = varint_at(stream, at + 1)
        except IndexError:
            break
        found.append((stream[at], bytes(stream[start : start + length])))
        at = start + length
    return found


def utf8(text):
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def packet(first, body):
    return bytes([first]) + varint(len(body)) + body


def varint(number):
    out = bytearray()
    while True:
        number, byte = number >> 7, number & 127
        out.append(byte | (128 if number else 0))
        if not number:
            return bytes(out)


def varint_at(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 127) << shift
        shift += 7
        at += 1
        if byte < 128:
            return number, at
