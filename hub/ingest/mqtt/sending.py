"""What a session sends and wants answered: publishes at QoS 1 in a send window, subscriptions, and their packet ids.

A publish that is under way when the connection ends is sent again on the next one, with DUP where the broker still has
our session. So none is lost, and only those in the window may arrive twice. Two kinds are dropped: one whose caller was
cancelled, and one that was under way three times when the broker ended the connection because of a packet of ours.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import mqtt5

from hub.errors import Disconnected, PublishRefused, SessionError
from hub.ingest.mqtt import mqtt_packets
from hub.ingest.source import Properties
from hub.limits import SEND_WINDOW

__all__ = ["SendingWindow"]

_DUP = 0x08
_RETAIN = 0x01
_BLAMES = 3


class _Publish:
    """A publish whose PUBACK is awaited."""

    __slots__ = ("answer", "blamed", "data", "sent")

    def __init__(self, data: bytes, answer: asyncio.Future[None]) -> None:
        self.data = data
        self.answer = answer
        self.sent = False
        self.blamed = 0


class SendingWindow:
    """Which packet id is in use, and who waits for its answer. It lives longer than a connection."""

    def __init__(self) -> None:
        """Begin without a connection."""
        self._publishes: dict[int, _Publish] = {}
        self._unsent: deque[tuple[int, _Publish]] = deque()
        self._requests: dict[int, asyncio.Future[list[int]]] = {}
        self._room = SEND_WINDOW
        self._queue: deque[asyncio.Future[None]] = deque()
        self._last_id = 0
        self._write: Callable[[bytes], None] | None = None
        self._broker = mqtt5.ConnAckPacket()
        self._under_way = 0

    async def publish(self, topic: str, payload: bytes, *, retain: bool, properties: Properties | None = None) -> None:
        """Send at QoS 1 and wait for the PUBACK, over as many connections as it takes.

        Raises:
            PublishRefused, SessionError: see Publisher.publish.

        """
        await self._enter()
        loop = asyncio.get_running_loop()
        packet_id = self._new_id()
        entry = _Publish(
            mqtt_packets.publish(topic, payload, packet_id, retain=retain, properties=properties), loop.create_future()
        )
        self._publishes[packet_id] = entry
        self._unsent.append((packet_id, entry))
        self._pump()
        await entry.answer

    async def request(self, packet: Callable[[int], bytes]) -> list[int]:
        """Send what `packet` makes with a packet id (SUBSCRIBE, UNSUBSCRIBE); return the reason codes of the answer.

        Raises:
            Disconnected: no connection, or it ended before the answer.

        """
        if self._write is None:
            raise Disconnected("not connected")
        packet_id = self._new_id()
        answer = self._requests[packet_id] = asyncio.get_running_loop().create_future()
        self._write(packet(packet_id))
        try:
            codes: list[int] = await answer
        finally:
            self._requests.pop(packet_id, None)
        return codes

    @property
    def packet_bytes(self) -> int | None:
        """The longest packet that the broker takes."""
        return self._broker.max_packet_size

    def refused(self, data: bytes, qos: int) -> str | None:
        """Return why this broker would disconnect us for a PUBLISH, None where it would take it."""
        broker = self._broker
        if broker.max_packet_size is not None and len(data) > broker.max_packet_size:
            return f"{len(data)} bytes; the broker takes {broker.max_packet_size} at most"
        if data[0] & _RETAIN and not broker.retain_available:
            return "the broker does not keep retained messages"
        if qos > int(broker.max_qos):
            return f"the broker takes QoS {int(broker.max_qos)} at most"
        return None

    def connected(self, write: Callable[[bytes], None], broker: mqtt5.ConnAckPacket) -> None:
        """Begin a connection: all publishes under way are sent again, in order."""
        self._write, self._broker, self._under_way = write, broker, 0
        for packet_id, entry in list(self._publishes.items()):
            if entry.answer.done():
                self._leave(packet_id)
            elif entry.sent:
                first = entry.data[0] & ~_DUP | (_DUP if broker.session_present else 0)
                entry.data = bytes((first,)) + entry.data[1:]
        self._unsent = deque(self._publishes.items())
        self._pump()

    def disconnected(self, error: SessionError, *, blames_us: bool) -> None:
        """End the connection; `blames_us`: the broker said that a packet of ours was the reason.

        Nobody knows which packet. One that was under way _BLAMES times is given up, or it would end each connection.
        """
        self._write = None
        for request in self._requests.values():
            if not request.done():
                request.set_exception(error)
        for packet_id, entry in list(self._publishes.items()) if blames_us else ():
            entry.blamed += entry.sent
            if entry.blamed >= _BLAMES:
                self._answer(packet_id, error)

    def puback(self, packet: mqtt5.PubAckPacket) -> None:
        """Hear the answer to a publish (3.4.2.1)."""
        code = packet.reason_code
        if packet.packet_id not in self._publishes:
            return
        self._under_way -= 1
        error: SessionError | None = None
        if int(code) >= 0x80:
            why = f"the broker refused the message: {mqtt_packets.reason(code, packet.reason_str)}"
            later = code == mqtt5.PubAckReasonCode.QUOTA_EXCEEDED  # the only refusal that passes by itself
            error = SessionError(why) if later else PublishRefused(why)
        self._answer(packet.packet_id, error)
        self._pump()

    def suback(self, packet: mqtt5.SubAckPacket | mqtt5.UnsubAckPacket) -> None:
        """Hear the answer to a SUBSCRIBE or an UNSUBSCRIBE."""
        request = self._requests.get(packet.packet_id)
        if request is not None and not request.done():
            request.set_result(list(packet.reason_codes))

    def close(self, error: SessionError) -> None:
        """Tell all callers that no answer will come."""
        self.disconnected(error, blames_us=False)
        for packet_id in list(self._publishes):
            self._answer(packet_id, error)
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                waiter.set_exception(error)

    def _pump(self) -> None:
        """Send what may be sent: the broker's receive maximum bounds what is under way (3.3.4)."""
        while self._write is not None and self._unsent and self._under_way < self._broker.receive_max:
            packet_id, entry = self._unsent.popleft()
            if entry.answer.done():  # its caller was cancelled
                self._leave(packet_id)
            elif why := self.refused(entry.data, 1):  # a new connection may be to a broker with other limits
                self._answer(packet_id, PublishRefused(why))
            else:
                self._under_way += 1
                entry.sent = True
                self._write(entry.data)

    def _answer(self, packet_id: int, error: SessionError | None) -> None:
        answer = self._publishes[packet_id].answer
        self._leave(packet_id)
        if answer.done():
            return
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(error)

    async def _enter(self) -> None:
        """Wait for a place in the window; places are given in the order of the calls."""
        if self._room:
            self._room -= 1
            return
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._pass_on()  # the place was given in the very moment of the cancellation
            raise

    def _leave(self, packet_id: int) -> None:
        if self._publishes.pop(packet_id, None) is not None:
            self._pass_on()

    def _pass_on(self) -> None:
        """Give a place in the window to the next waiting caller."""
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._room += 1

    def _new_id(self) -> int:
        """Return a packet id that is not in use (2.2.1)."""
        packet_id = self._last_id
        while True:
            packet_id = packet_id % 65_535 + 1
            if packet_id not in self._publishes and packet_id not in self._requests:
                self._last_id = packet_id
                return packet_id
