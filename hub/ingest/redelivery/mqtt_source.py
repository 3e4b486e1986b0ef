"""The MQTT session as the pipeline reads it: what the broker sends more than once comes out once, in its right order.

Receipts know what was committed, Copies know what came by several subscriptions. The stages behind this module see
nothing of both. What the source has to remember goes into each commit as its position and comes back at the next start.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from hub.clock import Clock
from hub.ingest.mqtt.packet import Packet
from hub.ingest.mqtt.session import Session
from hub.ingest.redelivery.arrived import Arrived
from hub.ingest.redelivery.copies import Copies, Overlaps
from hub.ingest.redelivery.receipts import Receipts
from hub.ingest.source import Notice
from hub.limits import BATCH, REQUEUED_WAIT_SECONDS
from hub.model import BROKER, Delivery, Kept, Position

__all__ = ["MqttSource"]


class MqttSource:
    """An EventSource over a session. Its positions count all deliveries of the session, also those left out here."""

    def __init__(self, session: Session, filters: Overlaps, clock: Clock, kept: Kept, last_heard: float | None) -> None:
        """Take over the session's notices, and pass them on to whoever had them.

        `kept` is the position that the store holds. `last_heard` is when an earlier process last heard the broker, in
        seconds since 1970; None where there was none.
        """
        self._session, self._clock = session, clock
        self.on_notice, session.on_notice = session.on_notice, self._hear
        self.handed = 0
        self._receipts = Receipts(kept.entries, reuses_ids=bool(kept.text))
        self._stored = bool(kept.text)
        self._copies = Copies(filters)
        self._waiting: Sequence[Packet] = ()
        """What the session has handed over; it is handed on in bites of BATCH, from `_at` on."""
        self._at = 0
        self._seals: deque[tuple[int, int]] = deque()
        """For each bite its last position, and the number of the last receipt up to there."""
        self._through = self._receipts.count
        """The last receipt whose delivery is evaluated."""
        self._drained_at: int | None = None
        self._had_session = last_heard is not None
        self._up = False
        ago = 0.0 if last_heard is None else max(0.0, clock.now() - last_heard)
        self._lost = clock.monotonic() - ago
        """When the last connection ended, by the monotonic clock: messages that it left are not newer than that."""

    @property
    def received(self) -> int:
        """The position that the last delivery received will have when it is handed out."""
        return self._session.received

    def catch_up(self) -> None:
        """Ask the broker; see Source.catch_up."""
        self._session.catch_up()

    async def run(self, filters: Sequence[str], earlier: Iterable[str] = ()) -> None:
        """Connect and stay connected; see Source.run."""
        await self._session.run(filters, earlier)

    async def resubscribe(self, filters: Sequence[str], *, wait: bool = True) -> bool:
        """Subscribe to these; see Source.resubscribe."""
        return await self._session.resubscribe(filters, wait=wait)

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    # deliveries

    async def receive(self) -> Arrived | None:
        """Return what waits, at most BATCH deliveries; None once, when the session is closed."""
        if not self._waiting:
            self._at, self._waiting = 0, await self._session.receive()
            if self._receipts.wants_more(self._waiting):
                await asyncio.sleep(REQUEUED_WAIT_SECONDS)
                if self._session.received > self._session.handed:
                    self._waiting = [*self._waiting, *await self._session.receive()]
            if not self._waiting:
                return None
        whole, first, self._at = self._waiting, self._at, self._at + BATCH
        if self._at >= len(whole):
            self._waiting = ()
        bite = whole if len(whole) <= BATCH else whole[first : self._at]
        return self.take(bite, backlog=len(whole) >= BATCH)

    def take(self, packets: Sequence[Packet], *, backlog: bool = False) -> Arrived:
        """Leave out copies and what was committed before; date what is older than its arrival."""
        fresh = self._receipts.take(packets)
        self.handed += len(packets)
        self._seals.append((self.handed, self._receipts.count))
        repeated = len(packets) - len(fresh)
        fresh = self._copies.without(packets, fresh)
        if not self._receipts.late:
            return Arrived(len(packets), fresh, repeated=repeated, backlog=backlog)
        overtaken = {id(packet) for packet in self._receipts.late}
        late = [self._dated(packet) for packet in fresh if id(packet) in overtaken]
        fresh = [packet for packet in fresh if id(packet) not in overtaken]
        return Arrived(len(packets), fresh, late, repeated, backlog)

    def _dated(self, packet: Packet) -> Delivery:
        """Date a packet that newer ones have overtaken: it was first sent before the last connection ended."""
        at = self._clock.now() - (self._clock.monotonic() - self._lost)
        properties = getattr(packet, "user_properties", None)  # only those of an MQTT 5 session have any
        return Delivery(
            packet.topic,
            packet.payload,
            retain=packet.retain,
            time=at,
            user_properties=properties or (),
            content_type=packet.content_type,
        )

    # commits

    def positions(self, position: int) -> Mapping[str, Position]:
        """Return the receipts of what came up to `position`, as the commit that covers it stores them."""
        if self._drained_at is not None and position >= self._drained_at:
            self._receipts.drained()
        while self._seals and self._seals[0][0] <= position:
            _, self._through = self._seals.popleft()
        entry, forget = self._receipts.seal(position, self._clock.now(), self._through)
        text = None
        if self._receipts.reuses_ids is not self._stored:
            self._stored = self._receipts.reuses_ids
            text = "1" if self._stored else ""
        if entry is None and text is None and not forget:
            return {}
        return {BROKER: Position(text, entry, forget)}

    def acknowledge(self, position: int) -> None:
        """Acknowledge up to a position, and drop the receipts that are not needed any more."""
        self._session.acknowledge(position)
        self._receipts.confirmed(self._session.confirmed)

    # notices

    @property
    def reuses_ids(self) -> bool:
        """Whether the broker uses packet ids again as soon as they are free."""
        return self._receipts.reuses_ids

    def _hear(self, notice: Notice) -> None:
        if notice.kind == "renewed":  # concerns only the receipts
            self._receipts.ended(self._session.received - self.handed)
            return
        if notice.kind == "disconnected":
            self._receipts.disconnected(self._clock.now())
            self._drained_at = None
            if self._up:  # else only an attempt to connect has failed
                self._up, self._lost = False, self._clock.monotonic()
        elif notice.kind == "drained":
            if notice.detail != "again" or self._drained_at is None:
                self._drained_at = notice.position
        elif notice.kind == "connected":
            if self._had_session and notice.detail == "new":
                detail = "the broker had no session for us after a restart; subscribed anew"
                self.on_notice(Notice("session_lost", notice.position, detail))
            self._up, self._had_session = True, False  # from now on the session itself notices
        self.on_notice(notice)
