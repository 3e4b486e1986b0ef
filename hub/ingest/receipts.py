"""Packet ids that were committed and perhaps not yet seen by the broker: what makes a redelivery evaluated only once.

A QoS 1 message that comes with DUP and has the packet id, topic and payload of a remembered one was committed before;
it is acknowledged and not evaluated again. Ids are reused once acknowledged (MQTT 5, 2.2.1), so a receipt must be
forgotten as soon as the broker is known to have taken its acknowledgement, and not earlier:

- `position` of a batch confirmed by the session (its PINGRESP came after our PUBACKs), or
- after a reconnect, when all redeliveries have come (`drained`).
"""

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from hub.model import Delivery

__all__ = ["Receipts"]

_PACKED = struct.Struct("<HI")


@dataclass(slots=True)
class _Batch:
    number: int
    position: int
    """Of its last delivery; 0 where the connection that delivered it is gone."""
    packets: list[tuple[int, int]]
    held: bool
    """Its redeliveries may yet come: not to be forgotten."""


class Receipts:
    """The receipts of the last commits, oldest first, and of the commit that is being filled."""

    def __init__(self, stored: Sequence[tuple[int, bytes]]) -> None:
        """Begin with what the store holds: commit number and packed ids, oldest first."""
        self._known: dict[int, tuple[int, int]] = {}
        # the same tuple as in its batch: a later one with the same id is another object
        self._batches: deque[_Batch] = deque()
        self._open: list[tuple[int, int]] = []
        self._number = 1
        self._forget = 0
        self._hold = False
        for number, blob in stored:
            packets: list[tuple[int, int]] = list(_PACKED.iter_unpack(blob))
            self._batches.append(_Batch(number, 0, packets, held=True))
            self._known.update((receipt[0], receipt) for receipt in packets)
            self._number = number + 1

    def __len__(self) -> int:
        return len(self._known)

    def take(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Remember those at QoS 1 with the commit that is being filled; return what was not taken before."""
        known, add = self._known, self._open.append
        seen: set[int] = set()
        for place, delivery in enumerate(deliveries):
            packet = delivery.packet_id
            if not packet:
                continue
            receipt = (packet, crc32(delivery.payload, crc32(delivery.topic.encode())))
            if delivery.duplicate and known.get(packet) == receipt:
                seen.add(place)
            known[packet] = receipt
            add(receipt)
        if not seen:
            return deliveries
        return [delivery for place, delivery in enumerate(deliveries) if place not in seen]

    def seal(self, position: int) -> tuple[tuple[int, bytes] | None, int]:
        """End the commit being filled, which reaches to `position`.

        Returns (number, packed ids) to store, None where there is nothing to, and the commit number up to which stored
        ones are to be deleted (0: none).
        """
        forget, self._forget = self._forget, 0
        if not self._open:
            return None, forget
        number, packets = self._number, self._open
        self._batches.append(_Batch(number, position, packets, self._hold))
        self._number, self._open, self._hold = number + 1, [], False
        return (number, b"".join([_PACKED.pack(packet, digest) for packet, digest in packets])), forget

    def confirmed(self, position: int) -> None:
        """Forget what the broker is known to have seen acknowledged: all batches up to this position."""
        while self._batches and not self._batches[0].held and self._batches[0].position <= position:
            batch = self._batches.popleft()
            for receipt in batch.packets:
                if self._known.get(receipt[0]) is receipt:
                    del self._known[receipt[0]]
            self._forget = batch.number

    def disconnected(self) -> None:
        """The connection is gone: what is not confirmed may be redelivered."""
        self._hold = bool(self._open)
        for batch in self._batches:
            batch.held, batch.position = True, 0

    def drained(self) -> None:
        """All redeliveries of the lost connection have come and been taken anew: its receipts have served."""
        self._hold = False
        for batch in self._batches:
            batch.held = False
