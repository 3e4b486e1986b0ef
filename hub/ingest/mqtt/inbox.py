"""What a session has received: waiting, handed out, acknowledged. Both sessions use it.

A delivery gets its position when it is handed out. An acknowledgement belongs to a connection: what came by an older
one cannot be acknowledged any more, and comes again where the broker still has our session.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from hub.ingest.mqtt.packet import Packet
from hub.limits import INBOX_QOS0

__all__ = ["Inbox"]


class Inbox:
    """Deliveries in order of receipt."""

    def __init__(self) -> None:
        """Begin empty, at position 0."""
        self.handed = 0
        self.acknowledged = 0
        self.outstanding = 0
        """How many QoS 1 deliveries of the present connection are not acknowledged."""
        self.peak = 0
        """The most that `outstanding` was on this connection."""
        self.dropped = 0
        """How many QoS 0 deliveries found no room since this was last set to 0."""
        self.missing: set[int] = set()
        """Packet ids that came by an older connection and were not acknowledged: the broker has to send them again."""
        self._waiting: list[Packet] = []
        self._older: list[Packet] = []
        self._connection = 0
        self._out: deque[tuple[int, int, Sequence[Packet]]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    @property
    def received(self) -> int:
        """The position that the last delivery received will have when it is handed out."""
        return self.handed + len(self._older) + len(self._waiting)

    def put(self, fresh: Sequence[Packet]) -> None:
        """Take what came. Where INBOX_QOS0 wait already, drop QoS 0; QoS 1 is bounded by the receive maximum."""
        held = [each for each in fresh if each.packet_id]
        if self.missing:
            self.missing.difference_update([each.packet_id for each in held if each.packet_id])
        if len(self._waiting) >= INBOX_QOS0:
            self.dropped += len(fresh) - len(held)
            fresh = held
        self.outstanding += len(held)
        self.peak = max(self.peak, self.outstanding)
        self._waiting += fresh
        self._wake()

    async def take(self) -> Sequence[Packet]:
        """Wait for deliveries and hand out all; return () when closed. A cancelled wait takes none."""
        while not (self._waiting or self._older):
            if self._closed:
                return ()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._older:
            batch, self._older, connection = self._older, [], -1
        else:
            batch, self._waiting, connection = self._waiting, [], self._connection
        self._out.append((connection, self.handed + 1, batch))
        self.handed += len(batch)
        return batch

    def settle(self, position: int) -> list[Packet]:
        """Forget everything up to `position`; return those that can be acknowledged, in order of receipt."""
        settled: list[Packet] = []
        position = min(position, self.handed)
        while self._out and self._out[0][1] <= position:
            connection, first, batch = self._out.popleft()
            count = position - first + 1
            if count < len(batch):
                self._out.appendleft((connection, first + count, batch[count:]))
                batch = batch[:count]
            if connection == self._connection:
                settled += [each for each in batch if each.packet_id]
        self.outstanding -= len(settled)
        self.acknowledged = max(self.acknowledged, position)
        return settled

    def disconnected(self) -> None:
        """End a connection: nothing that came by it can be acknowledged."""
        ours = [batch for connection, _, batch in self._out if connection == self._connection]
        self.missing.update(each.packet_id for batch in (*ours, self._waiting) for each in batch if each.packet_id)
        self._connection += 1
        self.outstanding = 0

    def connected(self, *, resumed: bool) -> None:
        """Begin a connection. Where the broker has our session, what waits at QoS 1 comes again and is dropped here."""
        if not resumed:
            self.missing.clear()
        waiting = [each for each in self._waiting if not (resumed and each.packet_id)]
        older = [each for each in self._older if not (resumed and each.packet_id)]
        self._older, self._waiting = older + waiting, []
        self._connection += 1
        self.outstanding = self.peak = 0

    def close(self) -> None:
        """Wake whoever waits in `take`. What is here can still be taken; nothing comes after that."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
