"""A queue of `sources:` at work: keeps a connection to it, takes messages in order, acknowledges what was committed.

Messages wait here until the pipeline takes them. At most SOURCE_WINDOW are unacknowledged; the queue keeps the rest.
After a lost connection the reader goes on behind the last message that it read, after a crash behind the last one that
was committed.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hub.ingest.transport.backoff import Backoff
from hub.limits import BATCH, CLOSE_SECONDS, QUEUE_CONNECT_SECONDS, SOURCE_WINDOW
from hub.sources.queue import Queue, QueueKind, QueueMessage

__all__ = ["Batch", "QueueReader"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one connection, in order."""

    queue: Queue
    messages: Sequence[QueueMessage]


class QueueReader:
    """One queue. `wake` is called when something waits to be taken; `trouble` hears of lost and new connections."""

    def __init__(
        self,
        name: str,
        kind: QueueKind,
        marks: Mapping[str, str],
        wake: Callable[[], None],
        trouble: Callable[[str], None],
    ) -> None:
        """Begin behind the marks that were committed; nothing is connected yet."""
        self.name = name
        self.marks = dict(marks)
        """For each part of the queue, the position that was committed, or behind which the first start begins."""
        self.behind = True
        """Whether the queue may hold messages from before we came. False also while it cannot be reached: else one
        dead queue would keep all timers silent."""
        self._kind, self._wake, self._trouble = kind, wake, trouble
        self._read = dict(marks)
        self._waiting: deque[Batch] = deque()
        self._settled: list[QueueMessage] = []
        self._unacknowledged = 0
        self._queue: Queue | None = None
        self._room, self._due = asyncio.Event(), asyncio.Event()
        self._said = ""

    async def run(self) -> None:
        """Read until cancelled; reconnect for ever."""
        backoff, clock = Backoff(), asyncio.get_running_loop().time
        while True:
            queue = self._kind.connection()
            tasks: list[asyncio.Task[None]] = []
            try:
                await self._connect(queue, backoff)
                tasks += [asyncio.create_task(self._reading(queue)), asyncio.create_task(self._acknowledging(queue))]
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                done.pop().result()
            except Exception as error:  # noqa: BLE001 - a client library's; whatever it is, another connection is the way
                self._lost(self._kind.reason(error))
            finally:
                self._queue = None
                await _whole(asyncio.create_task(_end(queue, tasks), name="source disconnects"))
            await asyncio.sleep(backoff.wait(clock()))

    @property
    def waiting(self) -> int:
        """How many messages wait to be taken."""
        return sum(len(batch.messages) for batch in self._waiting)

    def take(self) -> Batch | None:
        """Return what waits, at most BATCH messages, or None."""
        if not self._waiting:
            return None
        batch = self._waiting.popleft()
        if len(batch.messages) > BATCH:
            self._waiting.appendleft(Batch(batch.queue, batch.messages[BATCH:]))
            batch = Batch(batch.queue, batch.messages[:BATCH])
        return batch

    def acknowledge(self, queue: Queue, messages: Sequence[QueueMessage]) -> None:
        """Hear that everything these messages caused is on disk; those of an older connection are skipped."""
        if queue is self._queue:
            self._settled += messages
            self._due.set()

    async def _connect(self, queue: Queue, backoff: Backoff) -> None:
        async with asyncio.timeout(QUEUE_CONNECT_SECONDS):
            began = await queue.open(self._read)
        for part, position in began.items():
            self._read.setdefault(part, position)
            self.marks.setdefault(part, position)
        backoff.connected(asyncio.get_running_loop().time())
        if self._said:
            self._said = ""
            self._trouble("connected again")
        if queue.resends:  # what waits here comes again by this connection
            self._waiting.clear()
        self._queue, self._unacknowledged, self._settled = queue, 0, []
        self._room.set()
        self.behind = queue.behind
        self._wake()

    async def _reading(self, queue: Queue) -> None:
        while True:
            await self._room.wait()
            messages = await queue.read()
            if messages:
                self._read |= dict(message.mark for message in messages if message.mark)
                self._waiting.append(Batch(queue, messages))
                self._unacknowledged += len(messages)
                if self._unacknowledged >= SOURCE_WINDOW:
                    self._room.clear()
            self.behind = queue.behind
            self._wake()

    async def _acknowledging(self, queue: Queue) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            messages, self._settled = self._settled, []
            if messages:
                await queue.acknowledge(messages)
            self._unacknowledged -= len(messages)
            if self._unacknowledged < SOURCE_WINDOW:
                self._room.set()

    def _lost(self, reason: str) -> None:
        self.behind = False
        if reason != self._said:  # each reason once: attempts go on for ever
            self._said = reason
            self._trouble(f"{reason}; trying again")
        self._wake()


async def _whole(closing: "asyncio.Task[None]") -> None:
    """Wait until `closing` has ended, also where we are cancelled meanwhile; it is bounded by CLOSE_SECONDS."""
    try:
        await asyncio.shield(closing)
    except asyncio.CancelledError:
        await asyncio.wait([closing])
        raise


async def _end(queue: Queue, tasks: Sequence["asyncio.Task[None]"]) -> None:
    """Close a connection and end its tasks. A client library may miss a cancellation, but not a closed connection."""
    for task in tasks:
        task.cancel()
    with contextlib.suppress(Exception):
        async with asyncio.timeout(CLOSE_SECONDS):
            await queue.close()
    if tasks:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # it is known that the connection has ended
