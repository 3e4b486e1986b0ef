"""The store of an owner: a commit is durable when a majority of the log's servers has it; then it goes into the file.

The file is this node's copy and holds only what the log has. So an owner that is fenced need not repair anything: what
it had not committed was acknowledged to no device, and nobody was told of it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from hub.cluster.log.lease import Lease
from hub.cluster.log.log_record import RecordKind, encode_changes
from hub.cluster.log.replica import COPY_ROWS, Replica
from hub.cluster.log.state_log import StateLog
from hub.errors import StoreError
from hub.store.changes import Changes, Snapshot
from hub.store.reader import Reader
from hub.store.store import Done, Store

__all__ = ["ReplicatedStore"]

T = TypeVar("T")


class ReplicatedStore(Store):
    """A Store over the log and the local file. It closes neither: both are the node's.

    `headers` returns what each record says beside its kind, `stored` what the clock of the log's servers says now.
    """

    def __init__(
        self,
        log: StateLog,
        replica: Replica,
        lease: Lease,
        headers: Callable[[], Mapping[str, str]],
        stored: Callable[[], float],
    ) -> None:
        """Begin to write what is committed; call it on a running event loop."""
        self._log, self._replica, self._lease, self._headers = log, replica, lease, headers
        self._copy, self._stored = replica.store, stored
        self._waiting: deque[tuple[str, Changes | bytes, Done]] = deque()
        self._news = asyncio.Event()
        self._handed = self._written = 0
        self.commits = 0
        """How many were handed in."""
        self._moved = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self.failing = asyncio.Event()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._task = asyncio.create_task(self._write(), name="log")
        self._copy.ended.add_done_callback(self._copy_ended)

    async def load(self) -> Snapshot:
        """Read the local copy, which has all of the log up to the claim, without what only a copy says."""
        self._must_be_open()
        found = await self._copy.state()
        return replace(found, meta={key: value for key, value in found.meta.items() if key not in COPY_ROWS})

    def commit(self, changes: Changes, done: Done) -> None:
        """Write the changes behind those before."""
        if self._closed or self.ended.done():
            self._loop.call_soon(done, StoreError("the log is closed"))
            return
        self.commits += 1
        self._hand_in(RecordKind.DELTA, changes, done)

    def _hand_in(self, kind: str, what: Changes | bytes, done: Done) -> None:
        self._waiting.append((kind, what, done))
        self._handed += 1
        self._news.set()

    async def note(self, kind: str, body: bytes) -> None:
        """Write a record that changes nothing, in its turn.

        Raises:
            StoreError: it cannot be written any more.

        """
        written: asyncio.Future[None] = self._loop.create_future()

        def done(error: StoreError | None) -> None:
            if written.done():
                return  # whoever waited has gone
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)

        self._must_be_open()
        self._hand_in(kind, body, done)
        await written

    def touch(self) -> None:
        """Renew the lease by an empty record, where nothing else is written; called when a send waits for it."""
        if not self._waiting and not self._closed and not self.ended.done():
            self.commit(Changes(), lambda _: None)

    async def read(self, query: Callable[[Reader], T]) -> T:
        """Answer from the local copy, behind all commits before; without those that the log does not take now."""
        self._must_be_open()
        before = self._handed
        while self._written < before and not self.failing.is_set() and not self.ended.done():
            self._moved.clear()
            await self._moved.wait()
        if self._copy.failing.is_set():  # its writer answers all the same, without the commits that wait for the disk
            await self._replica.settled()
        return await self._copy.read(query)

    async def look(self, query: Callable[[Reader], T]) -> T:
        """Answer from the local copy beside its writer, which may have the last commits still before it."""
        self._must_be_open()
        if self._replica.is_behind:
            await self._replica.settled()
        return await self._copy.look(query)

    def why_failing(self) -> str:
        """Say why commits wait: the log, or the copy's disk; "" while they work."""
        return self._log.why_failing or self._copy.why_failing()

    def failed(self, why: str) -> None:
        """Hear from the log that records cannot be written, or with "" that they can."""
        if why:
            self.failing.set()
        else:
            self.failing.clear()
        self._moved.set()

    async def look_after(self) -> str:
        """Look at the local file."""
        self._must_be_open()
        return await self._copy.look_after()

    def stopping(self) -> None:
        """Nobody waits for the file."""

    async def close(self) -> None:
        """Write what was handed in, for the log's `patience` at most. What cannot be written is given up."""
        self._closed = True
        self._news.set()
        await asyncio.wait({self._task}, timeout=self._log.patience)  # which may be done, or cancelled before
        self._task.cancel()
        await asyncio.wait({self._task})
        self._give_up(StoreError("not written: the log's servers do not answer"))
        if not self.ended.done():
            self.ended.set_result(None)

    def _must_be_open(self) -> None:
        if self._closed or self.ended.done():
            raise StoreError("the log is closed")

    async def _write(self) -> None:
        """Write one record for each commit, in order."""
        try:
            while self._waiting or not self._closed:
                if not self._waiting:
                    self._news.clear()
                    await self._news.wait()
                    continue
                kind, what, done = self._waiting[0]
                await self._replica.room()  # where the copy's disk is full, what waits for it is bounded
                begun, body = self._lease.now(), what if isinstance(what, bytes) else encode_changes(what)
                tip = await self._log.append(kind, body, self._headers())
                self._lease.renew(begun)
                self._replica.apply(Changes() if isinstance(what, bytes) else what, tip, self._stored())
                self._waiting.popleft()  # not before: where the copy takes nothing any more, it is told to who waits
                self._written += 1
                self._moved.set()
                done(None)
        except StoreError as error:  # fenced: what waits was promised to nobody
            self._end(error)
            self._give_up(error)
        except Exception as error:
            self._end(StoreError(f"the writer of the log died: {error!r}"))
            raise

    def _copy_ended(self, ended: "asyncio.Future[None]") -> None:
        if not ended.cancelled() and (error := ended.exception()) is not None:
            self._end(error)

    def _end(self, error: BaseException) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)
            self._moved.set()
            self.ended.exception()  # who waits for it gets it; else it is said nowhere that nobody asked

    def _give_up(self, error: StoreError) -> None:
        while self._waiting:
            self._waiting.popleft()[2](error)
