"""Copies of one message: a broker sends one for each of our overlapping subscriptions, and only one may be an event."""

from collections.abc import Sequence
from typing import Protocol

from hub.ingest.mqtt.packet import Packet

__all__ = ["Copies", "Overlaps"]


class Overlaps(Protocol):
    """The part that knows the subscribed filters; the engine does."""

    @property
    def overlaps(self) -> bool:
        """Whether a message may come by several of them."""
        ...

    def copies(self, topic: str) -> int:
        """Return how many of the filters match a topic."""
        ...


class Copies:
    """Remembers the last message. Copies come one directly after the other.

    Each has the identifier of its subscription (MQTT 5, 3.3.4). Without identifiers no message counts as a copy.
    """

    def __init__(self, filters: Overlaps) -> None:
        """Ask `filters` which messages may have copies: most filters do not overlap, and then this costs nothing."""
        self._filters = filters
        self._last: tuple[str, bytes, set[int]] | None = None

    def without(self, packets: Sequence[Packet], fresh: Sequence[Packet]) -> Sequence[Packet]:
        """Return those of `fresh` that are no copy of another packet; `packets` are all that came.

        A packet that is not fresh was committed before; a copy of it may come only now.
        """
        if not self._filters.overlaps:
            return fresh
        copies = {id(packet) for packet in packets if self._is_copy(packet)}
        return [packet for packet in fresh if id(packet) not in copies]

    def _is_copy(self, packet: Packet) -> bool:
        if self._filters.copies(packet.topic) < 2:
            self._last = None
            return False
        ids = set(packet.subscription_ids)
        last = self._last
        if last and ids and last[0] == packet.topic and last[1] == packet.payload and not last[2] & ids:
            last[2].update(ids)
            return True
        self._last = (packet.topic, packet.payload, ids)
        return False
