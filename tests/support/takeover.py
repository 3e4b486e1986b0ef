"""A proxy that makes a broker end a connection that another takes over as Mosquitto 2.0.21 does: with a reason."""

import asyncio
import struct

from tests.support.proxy import Proxy


class Naming(Proxy):
    """Mosquitto 2.0.11 closes without a word; through this one MQTT 5 clients hear DISCONNECT 0x8E first."""

    def __init__(self, target):
        super().__init__(target)
        self.taken_over = []
        """The client ids, in order."""
        self._of = {}

    async def _serve(self, reader, writer):
        first = await reader.read(1 << 16)
        name = _client_id(first)
        before = self._of.get(name)
        self._of[name] = writer
        if before is not None and not before.is_closing():
            self.taken_over.append(name)
            before.write(b"\xe0\x01\x8e")
            before.close()
        whole = asyncio.StreamReader()
        whole.feed_data(first)
        feeding = asyncio.create_task(_feed(reader, whole))
        try:
            await super()._serve(whole, writer)
        finally:
            feeding.cancel()


async def _feed(reader, whole):
    try:
        while data := await reader.read(1 << 16):
            whole.feed_data(data)
    except OSError:
        pass  # the client was killed; for who reads on, that is the end as well
    finally:
        whole.feed_eof()


def _client_id(packet):
    """Read it out of a CONNECT of MQTT 5 whose lengths are short."""
    at = 1
    while packet[at] & 0x80:
        at += 1
    at += 1 + 2 + 4 + 1 + 1 + 2  # length; "MQTT" and its length; level, flags, keep-alive
    assert packet[at] < 0x80
    at += 1 + packet[at]
    (size,) = struct.unpack_from(">H", packet, at)
    return packet[at + 2 : at + 2 + size].decode()
