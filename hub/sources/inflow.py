"""The MQTT session and the queues as one source: all deliveries in one ordered row of positions.

The pipeline sees one Source. A batch gets its positions when it is handed out. An acknowledgement is divided: the MQTT
session and each queue get the part that is theirs. How far each queue was committed goes into the store as marks, in
the same commit.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from hub.ingest.redelivery.arrived import Arrived
from hub.ingest.source import EventSource, Notice
from hub.limits import BATCH
from hub.model import Position
from hub.sources.queue_reader import Batch, QueueReader

__all__ = ["Inflow"]


@dataclass(slots=True)
class _Part:
    """A batch that was handed out: of a queue, or of MQTT (`queue` None), whose own position was `mqtt` before it."""

    first: int
    last: int
    queue: QueueReader | None
    batch: Batch | None
    mqtt: int


class Inflow:
    """An EventSource over several. Where there is no queue, nobody makes one: the session itself is the source."""

    def __init__(self, session: EventSource) -> None:
        """Take over the session's notices, and pass them on to whoever had them."""
        self._session = session
        self._queues: list[QueueReader] = []
        self.on_notice, session.on_notice = session.on_notice, self._hear
        self.handed = 0
        self._out: deque[_Part] = deque()
        self._settled = 0
        """The session's own position up to which it was told to acknowledge."""
        self._drained: Notice | None = None
        self._marked = 0
        self._passed = 0
        """The session's own position up to which its deliveries were handed out."""
        self._stored: dict[str, dict[str, str]] = {}
        self._from_session: asyncio.Task[Arrived | None] | None = None
        self._woken = asyncio.Event()

    def add(self, queue: QueueReader) -> None:
        """Add a queue; only before `run`."""
        self._queues.append(queue)
        self._stored[queue.name] = dict(queue.marks)

    @property
    def received(self) -> int:
        """The position that the last delivery received will have when all that waits is handed out."""
        waiting = self._session.received - self._passed + sum(queue.waiting for queue in self._queues)
        return self.handed + waiting

    def catch_up(self) -> None:
        """Ask the broker; each queue knows without asking whether it is behind."""
        self._session.catch_up()

    async def run(self, filters: Sequence[str], earlier: Iterable[str] = ()) -> None:
        """Run the session and the queues; return when the session was closed."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(queue.run(), name=f"source {queue.name}") for queue in self._queues]
            await self._session.run(filters, earlier)
            for task in tasks:
                task.cancel()

    async def receive(self) -> Arrived | None:
        """Wait for deliveries; return those of whichever source has some first."""
        while True:
            self._woken.clear()
            if self._from_session is None:
                self._from_session = asyncio.create_task(self._session.receive(), name="session receives")
            if not self._from_session.done():
                for queue in self._queues:
                    if batch := queue.take():
                        count = len(batch.messages)
                        arrived = Arrived(count, dated=batch.messages, backlog=count >= BATCH)
                        return self._hand(_Part(0, 0, queue, batch, 0), arrived)
                self._look()
                await self._either(self._from_session)
            if self._from_session.done():
                came, self._from_session = self._from_session.result(), None
                if came is None:
                    return None
                return self._hand(_Part(0, 0, None, None, self._session.handed - came.count), came)

    def acknowledge(self, position: int) -> None:
        """Acknowledge up to a position: to the session and to each queue its own part."""
        while self._out and self._out[0].first <= position:
            part = self._out[0]
            count = min(position, part.last) - part.first + 1
            if part.queue is None:
                part.mqtt += count
                self._settled = part.mqtt
                self._session.acknowledge(part.mqtt)
            elif part.batch is not None:
                part.queue.acknowledge(part.batch.queue, part.batch.messages[:count])
                part.batch = Batch(part.batch.queue, part.batch.messages[count:])
            part.first += count
            if part.first > part.last:
                self._out.popleft()

    def positions(self, position: int) -> Mapping[str, Position]:
        """Return what the session has to store, and the marks of each queue that has moved, as JSON."""
        mqtt = self._settled
        for part in self._out:
            if part.queue is None and part.first <= position:
                mqtt = part.mqtt + min(position, part.last) - part.first + 1
        return {**self._session.positions(mqtt), **self._marks(position)}

    def _marks(self, position: int) -> dict[str, Position]:
        for part in self._out:
            if part.queue is None or part.batch is None or part.last <= self._marked or part.first > position:
                continue
            for message in part.batch.messages[: position - part.first + 1]:
                if message.mark:
                    part.queue.marks[message.mark[0]] = message.mark[1]
        self._marked = max(self._marked, position)
        changed = [queue for queue in self._queues if queue.marks != self._stored[queue.name]]
        self._stored |= {queue.name: dict(queue.marks) for queue in changed}
        return {queue.name: Position(orjson.dumps(queue.marks).decode()) for queue in changed}

    async def resubscribe(self, filters: Sequence[str], *, wait: bool = True) -> bool:
        """Change the subscriptions of the MQTT session; queues have none."""
        return await self._session.resubscribe(filters, wait=wait)

    async def close(self) -> None:
        """Close the session; `run` then ends the queues' tasks."""
        await self._session.close()

    async def _either(self, task: "asyncio.Task[Arrived | None]") -> None:
        woken = asyncio.create_task(self._woken.wait(), name="a queue wakes")
        try:
            await asyncio.wait((task, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()

    def wake(self) -> None:
        """Hear that a queue has something to take, or that it is not behind any more."""
        self._woken.set()

    def _hand(self, part: _Part, arrived: Arrived) -> Arrived:
        part.first, part.last = self.handed + 1, self.handed + arrived.count
        self.handed = part.last
        self._out.append(part)
        if part.queue is None:
            self._passed = part.mqtt + arrived.count
        self._look()
        return arrived

    def _hear(self, notice: Notice) -> None:
        if notice.kind == "disconnected":
            self._drained = None
        elif notice.kind == "drained" and notice.detail == "again" and not any(each.behind for each in self._queues):
            # tell it now, with the position at which all will be handed out: then it would be old news
            self.on_notice(replace(notice, position=self.received))
            return
        elif notice.kind == "drained":
            first = self._drained  # one that is not told yet; the answer to a `catch_up` contains what it says
            self._drained = notice if first is None else replace(notice, detail=first.detail)
            self.wake()
            return
        self.on_notice(replace(notice, position=self.handed))

    def _look(self) -> None:
        """Pass the notice `drained` on when it is true of the broker and of every queue."""
        drained = self._drained
        if drained and self._session.handed >= drained.position and self._from_session_is_empty():
            if any(queue.behind for queue in self._queues):
                return
            self._drained = None
            self.on_notice(replace(drained, position=self.handed))

    def _from_session_is_empty(self) -> bool:
        return self._from_session is None or not self._from_session.done()
