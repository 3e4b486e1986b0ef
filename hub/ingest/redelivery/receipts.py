"""Packet ids that were committed: by them a message that the broker sends again is evaluated only once.

A QoS 1 message with DUP that has the packet id, topic and payload of a remembered one was committed before. It is
acknowledged and not evaluated again. That the broker has taken our acknowledgement is no reason to forget a receipt: a
broker that dies goes on with what it last saved, and may send again what we had acknowledged. So the last RECEIPTS_KEPT
receipts are kept, half of all ids: brokers give ids in turn, so a receipt is gone before its id comes round.

Some brokers use an id again as soon as it is free; others (RabbitMQ) begin at 1 with each connection, also for what
they send again. Once a broker was seen to do so, its ids prove nothing after it has taken our acknowledgement (MQTT 5,
2.2.1), and receipts are kept only until then. That moment is known

- by the session's word for the batch's `position` (a PINGRESP came after our PUBACKs), or
- after a reconnect, when all redeliveries have come (`drained`).

Messages that waited for us in the broker's queue have no id yet. If the broker dies soon after we took them, they come
again without DUP, under the same ids, as a row of messages in the order in which they came seconds before the
connection ended. `_requeued` recognises such a row. A single message that looks like that, or one whose content is
common ("on"), is evaluated: it may be a new one.
"""

import struct
from collections import Counter, deque
from collections.abc import Container, Sequence
from dataclasses import dataclass
from zlib import crc32

from hub.ingest.mqtt.packet import Packet
from hub.limits import RECEIPT_COMMITS, RECEIPTS_KEPT, REQUEUED_SECONDS

__all__ = ["Receipts"]

_PACKED = struct.Struct("<HI")
_IDS = 65_535
Receipt = tuple[int, int, int]
"""packet id, digest of topic and payload, its number among all receipts"""


@dataclass(slots=True)
class _Batch:
    number: int
    position: int
    """The position of its last delivery; 0 where the connection that delivered it is gone."""
    packets: list[Receipt]
    held: bool
    """Whether its messages may still be sent again: then it must not be forgotten."""
    at: float
    """When it was committed, in seconds since 1970."""


class Receipts:
    """The receipts of the last commits, oldest first, and of the commit that is being filled.

    `reuses_ids` tells whether the broker uses ids again at once; the store remembers that for the next start.
    """

    def __init__(
        self, stored: Sequence[tuple[int, bytes]], *, reuses_ids: bool = False, kept: int = RECEIPTS_KEPT
    ) -> None:
        """Begin with what the store holds: commit number and packed ids, oldest first."""
        self.reuses_ids = reuses_ids
        self._kept = kept
        self._known: dict[int, Receipt] = {}
        # the same tuple as in its batch: a later one with the same id is another object
        self._batches: deque[_Batch] = deque()
        self._remembered = 0
        """How many receipts the batches hold."""
        self._open: list[Receipt] = []
        self._number = 1
        self._forget = 0
        self._hold = False
        self.count = 0
        """The number of the last receipt."""
        for number, blob in stored:
            packets = [self._stored(packet, digest) for packet, digest in _PACKED.iter_unpack(blob)]
            self._batches.append(_Batch(number, 0, packets, held=True, at=0.0))
            self._remembered += len(packets)
            self._number = number + 1
        self._since = self.count + 1
        """The first number of the present connection."""
        self._newer = False
        """Whether a message without DUP has come by the present connection."""
        self._first = True
        """Whether no message has come by it yet."""
        self.late: list[Packet] = []
        """Those of the last `take` that newer messages have overtaken: they were first sent on an older connection."""
        self._back_to: int | None = None
        """The lowest number whose id the broker has given to another message: from there on it has begun again."""
        self._row = _Row(range(0))
        self._young = bool(self._known)
        """Whether the next messages may still show that ids have begun anew with the connection."""
        self._confirmed, self._proven = 0, self.count
        """The position up to which the broker had our acknowledgements, and the last number of older connections for
        which it had them. For an earlier process we take it that it had all."""
        self._left: int | None = None
        """How many deliveries of a session that has ended are still to be taken; None where none has ended."""

    def __len__(self) -> int:
        return len(self._known)

    def _stored(self, packet: int, digest: int) -> Receipt:
        self.count += 1
        receipt = self._known[packet] = (packet, digest, self.count)
        return receipt

    def take(self, deliveries: Sequence[Packet]) -> Sequence[Packet]:
        """Note those at QoS 1 for the commit that is being filled; return the deliveries that were not taken before."""
        if self._young:
            self._look_whether_ids_begin_anew(deliveries)
        known, add, count, self.late = self._known, self._open.append, self.count, []
        seen = self._requeued(deliveries) if self._row.open else set()
        for place, delivery in enumerate(deliveries):
            packet = delivery.packet_id
            if not packet:
                continue
            count += 1
            receipt = (packet, _digest(delivery), count)
            before = known.get(packet)
            if not delivery.duplicate:
                self._newer = True
                if before is not None:
                    self._given_anew(before, count)
            elif before is not None and before[1] == receipt[1]:
                seen.add(place)
            elif self._newer:
                self.late.append(delivery)
            known[packet] = receipt
            add(receipt)
        self.count = count
        if self._left is not None:
            self.ended(self._left - len(deliveries))
        if not seen:
            return deliveries
        return [delivery for place, delivery in enumerate(deliveries) if place not in seen]

    def wants_more(self, deliveries: Sequence[Packet]) -> bool:
        """Tell whether these are one message that looks like an earlier one: the next message shows whether it is."""
        fresh = [each for each in deliveries if each.packet_id and not each.duplicate]
        if not self._row.open or self._row.believed or len(fresh) != 1:
            return False
        before = self._known.get(fresh[0].packet_id or 0)
        return before is not None and before[1] == _digest(fresh[0])

    def _look_whether_ids_begin_anew(self, deliveries: Sequence[Packet]) -> None:
        """Look for an id that was another, acknowledged message's; then no id of an older connection proves anything.

        A broker that died and started again sends, with DUP, the same message under an id as before. A first message
        without DUP that has the id 1 comes from a broker that has saved nothing for long, or that begins to count with
        each connection.
        """
        for delivery in deliveries:
            packet = delivery.packet_id
            if not packet:
                continue
            first, self._first = self._first, False
            before = self._known.get(packet)
            if before is None or before[2] > self._proven:
                continue
            other = before[1] != _digest(delivery)
            if (delivery.duplicate and other) or (
                first and packet == 1 and not delivery.duplicate and (other or not self._row.may_have(before))
            ):
                self.reuses_ids, self._young, self._row.open = True, False, False
                for void in [each for each in self._known.values() if each[2] <= self._proven]:
                    del self._known[void[0]]
                return

    def _given_anew(self, before: Receipt, count: int) -> None:
        """Hear that the broker has given the id of `before` to another message."""
        number = before[2]
        if number < self._since:  # of an older connection: the broker has begun again at what it had saved
            self._back_to = number if self._back_to is None else min(self._back_to, number)
        elif count - number <= self._kept:
            self.reuses_ids = True

    def _requeued(self, deliveries: Sequence[Packet]) -> set[int]:
        """Return the places of those that came seconds before the last connection ended and come again without DUP."""
        places: set[int] = set()
        for place, delivery in enumerate(deliveries):
            if not delivery.packet_id or delivery.duplicate:
                continue
            before = self._known.get(delivery.packet_id)
            if before is None or not self._row.goes_on(before, _digest(delivery), self._common()):
                self._row.open = False
                break
            places.add(place)
        return places if self._row.believed else set()

    def _common(self) -> set[int]:
        """Return the digests that several messages of older connections had: they identify none of them."""
        if self._row.common is None:
            counts = Counter(digest for _, digest, number in self._known.values() if number < self._since)
            self._row.common = {digest for digest, count in counts.items() if count > 1}
        return self._row.common

    def seal(self, position: int, now: float = 0.0, through: int | None = None) -> tuple[tuple[int, bytes] | None, int]:
        """End the commit that is being filled, which reaches to `position`; `now` is its time in seconds since 1970.

        `through` is the number of the last receipt that it covers, where not all that came was evaluated; receipts
        behind it wait for the next commit.

        Returns (number, packed ids) to store, or None, and the commit number up to which stored entries are to be
        deleted (0: none).
        """
        forget, self._forget = self._forget, 0
        if not self._open:
            return None, forget
        number, packets, left = self._number, self._open, list[Receipt]()
        if through is not None and packets[-1][2] > through:
            packets, left = _split(packets, through)
            if not packets:
                return None, forget
        self._batches.append(_Batch(number, position, packets, self._hold, now))
        self._remembered += len(packets)
        self._number, self._open, self._hold = number + 1, left, self._hold and bool(left)
        return (number, b"".join([_PACKED.pack(packet, digest) for packet, digest, _ in packets])), forget

    def confirmed(self, position: int) -> None:
        """Hear up to which position the broker has our acknowledgements; drop the receipts that are not kept longer."""
        self._confirmed = position
        while self._batches and not self._batches[0].held and self._batches[0].position <= position:
            if not self.reuses_ids and self._remembered <= self._kept and len(self._batches) <= RECEIPT_COMMITS:
                return
            self._drop(self._batches.popleft())

    def _drop(self, batch: _Batch) -> None:
        self._remembered -= len(batch.packets)
        for receipt in batch.packets:
            if self._known.get(receipt[0]) is receipt:
                del self._known[receipt[0]]
        self._forget = batch.number

    def disconnected(self, now: float = 0.0) -> None:
        """Hear that the connection ended: what is not confirmed may come again, and all else if the broker crashed."""
        if self._row.open and self._since == self.count + 1:
            return  # nothing has come since the last connection ended: an attempt has failed
        self._hold, self._newer = bool(self._open), False
        first = self.count + 1
        self._young = self._first = True
        for batch in self._batches:
            if not batch.held and batch.position <= self._confirmed and batch.packets:
                self._proven = batch.packets[-1][2]
            batch.held, batch.position = True, 0
            if batch.at >= now - REQUEUED_SECONDS and batch.packets:  # a stored row may be empty
                first = min(first, batch.packets[0][2])
        self._since = self.count + 1
        first = min([first, *(receipt[2] for receipt in self._open[:1])])
        self._row = _Row(range(first, self._since), open=True)

    def drained(self) -> None:
        """Hear that all that the lost connection left has come and was taken again: its receipts are not needed.

        Where the broker has begun again at what it had saved, it gives the ids from there on to other messages.
        """
        self._hold = self._row.open = self._young = False
        for batch in self._batches:
            batch.held = False
        if self._back_to is not None:
            void = [packet for packet, _, number in self._known.values() if self._back_to <= number < self._since]
            for packet in void:
                del self._known[packet]
            self._back_to = None

    def ended(self, left: int) -> None:
        """Hear that the broker has no session of ours any more: nothing comes again, and ids begin anew.

        `left` is how many deliveries of the old session are still to be taken; its receipts are needed until then.
        """
        self._left = left if left > 0 else None
        if self._left is not None:
            return
        while self._batches:
            self._drop(self._batches.popleft())
        self._known, self._open, self._hold = {}, [], False
        self._since, self._back_to, self._row.open, self._young = self.count + 1, None, False, False
        self.reuses_ids = False  # it may be another broker


def _split(packets: list[Receipt], through: int) -> tuple[list[Receipt], list[Receipt]]:
    """Return the receipts up to a number, and those behind it."""
    return [each for each in packets if each[2] <= through], [each for each in packets if each[2] > through]


class _Row:
    """A row of messages that come again in the order in which they came: consecutive ids, the same content.

    `recent` are the numbers of the receipts that may be among them. `common` are digests that several messages have.
    """

    def __init__(self, recent: range, *, open: bool = False) -> None:  # noqa: A002 - the word for a row that may go on
        """Begin before the first message."""
        self.open = open
        self.common: set[int] | None = None
        self._recent = recent
        self._next: int | None = None
        self._digests: set[int] = set()

    def may_have(self, before: Receipt) -> bool:
        """Tell whether the message of this receipt may come again without DUP."""
        return before[2] in self._recent

    @property
    def believed(self) -> bool:
        """Whether the row cannot be chance: two different messages came in their old places."""
        return len(self._digests) > 1

    def goes_on(self, before: Receipt, digest: int, common: Container[int]) -> bool:
        """Tell whether a message with this digest and the id of `before` continues the row; if so, add it."""
        packet, was, number = before
        if was != digest or number not in self._recent or self._next not in (None, packet) or digest in common:
            return False
        self._next = packet % _IDS + 1
        if not self.believed:
            self._digests.add(digest)
        return True


def _digest(packet: Packet) -> int:
    return crc32(packet.payload, crc32(packet.topic.encode()))
