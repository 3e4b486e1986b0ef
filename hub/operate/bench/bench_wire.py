"""A blocking MQTT 5 connection for loads. It writes packets by hand: so it is cheap and shares no code with the hub."""

import socket
from collections.abc import Iterator

from hub.ingest.mqtt.session import BrokerSettings

__all__ = ["PUBACK", "PUBLISH", "SUBACK", "BenchWire", "packet", "utf8"]

PUBLISH, PUBACK, SUBACK = 3, 4, 9
_RECEIVE_MAXIMUM = b"\x21\xff\xff"
_READ_BYTES = 1 << 18


def utf8(text: str) -> bytes:
    """Return a text as MQTT's UTF-8 Encoded String (1.5.4)."""
    data = text.encode()
    return len(data).to_bytes(2) + data


def varint(number: int) -> bytes:
    """Return a Variable Byte Integer (1.5.5)."""
    digits = bytearray()
    while True:
        number, low = number >> 7, number & 127
        digits.append(low | 128 if number else low)
        if not number:
            return bytes(digits)


def packet(first: int, body: bytes) -> bytes:
    """Return a whole packet; `first` is its first byte, which holds type and flags (2.1.1)."""
    return bytes([first]) + varint(len(body)) + body


class BenchWire:
    """One connection, which is open from its making until `end`."""

    def __init__(self, settings: BrokerSettings, client_id: str) -> None:
        """Connect with the user and password of the settings, and wait for the CONNACK.

        Raises:
            ConnectionError: the broker refuses.

        """
        self.socket = socket.create_connection((settings.host, settings.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = utf8("MQTT") + bytes([5, 0xC2]) + b"\0\0" + varint(len(_RECEIVE_MAXIMUM)) + _RECEIVE_MAXIMUM
        password = settings.password.reveal() if settings.password else ""
        self.socket.sendall(packet(0x10, head + utf8(client_id) + utf8(settings.username or "") + utf8(password)))
        length = self.socket.recv(2, socket.MSG_WAITALL)[1]
        if self.socket.recv(length, socket.MSG_WAITALL)[1]:
            raise ConnectionError("the broker refused the load's connection")

    def subscribe(self, topic: str) -> None:
        """Subscribe to a filter at QoS 0; `packets` then yields the SUBACK."""
        self.socket.sendall(packet(0x82, b"\0\1\0" + utf8(topic) + b"\0"))

    def end(self) -> None:
        """Send a DISCONNECT: the broker closes the connection, and `packets` ends."""
        self.socket.sendall(b"\xe0\0")

    def packets(self) -> Iterator[tuple[int, bytes]]:
        """Yield the type and the body of each packet until the broker closes; then close the socket, too."""
        buffer = b""
        with self.socket:
            while data := self.socket.recv(_READ_BYTES):
                buffer += data
                place = 0
                while (head := _head(buffer, place)) is not None:
                    start, length = head
                    if len(buffer) - start < length:
                        break
                    yield buffer[place] >> 4, buffer[start : start + length]
                    place = start + length
                buffer = buffer[place:]


def _head(buffer: bytes, at: int) -> tuple[int, int] | None:
    """Return where the body of the packet at `at` begins, and its length; None where that has not come yet."""
    length = shift = 0
    for place in range(at + 1, len(buffer)):
        length |= (buffer[place] & 127) << shift
        shift += 7
        if buffer[place] < 128:
            return place + 1, length
    return None
