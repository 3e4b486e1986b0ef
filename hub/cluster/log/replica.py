"""This node's copy of the state: a state file that has the log up to its tip, and no commit that the log has not."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import Empty
from typing import Any

from hub.cluster.log.log_record import Tip
from hub.cluster.log.mark import Mark
from hub.errors import StoreDamaged, StoreError, StoreUnusable
from hub.limits import REPLICA_GATHER_SECONDS, REPLICA_WAITING
from hub.store.changes import Changes, MetaRow
from hub.store.reader import COPY_ROW
from hub.store.sqlite.file_copies import meta_in
from hub.store.sqlite.writer import SqliteStore
from hub.store.store import durably

__all__ = ["COPY_ROWS", "TIP_ROW", "CopyStore", "Replica", "open_replica", "set_aside", "tip_row"]

TIP_ROW = "log:tip"
COPY_ROWS = TIP_ROW, COPY_ROW
"""What only a copy has in its `meta`."""


def tip_row(tip: Tip) -> MetaRow:
    """Return the row of `meta` that says how far a file has the log."""
    return TIP_ROW, tip.dumps()


class CopyStore(SqliteStore):
    """The file of a copy: nobody waits for it, as the log has all of it, so its writer makes few large transactions."""

    def __init__(self, path: Path, trouble: Callable[[str], None]) -> None:
        """Open the file; see SqliteStore."""
        super().__init__(path, trouble, synced=False)

    def _gather(self, seconds: float | None) -> list[tuple[Any, Any]]:
        """Take the jobs that come within REPLICA_GATHER_SECONDS, or until one of them is a question."""
        jobs = super()._gather(seconds)
        until = time.monotonic() + REPLICA_GATHER_SECONDS
        with contextlib.suppress(Empty):
            while jobs and isinstance(jobs[-1][0], Changes):
                jobs.append(self._jobs.get(timeout=max(0.0, until - time.monotonic())))
        return jobs


class Replica:
    """The open file, how far it has the log, and how far the records handed to it go."""

    def __init__(self, store: CopyStore, tip: Tip) -> None:
        """Take an open store whose file is at `tip`."""
        self.store, self.tip = store, tip
        self.written = Mark(tip.seq)
        """What the file has."""
        self._waiting: deque[Mark] = deque()
        self._news = asyncio.Event()

    @property
    def is_behind(self) -> bool:
        """Whether records wait to be written into the file."""
        return bool(self._waiting)

    @property
    def handed(self) -> Mark:
        """The last record that was handed in."""
        return self._waiting[-1] if self._waiting else self.written

    def stands(self, time: float) -> None:
        """Learn when the record was stored with which the file ends; the file itself does not say it."""
        if not self.is_behind:
            self.written = self.written._replace(time=time)

    async def reach(self, seq: int) -> None:
        """Return when the file has the record of this sequence.

        Raises:
            StoreError: the file takes nothing any more.

        """
        while self.written.seq < seq:
            if self.handed.seq >= seq:
                await self.settled()  # not only when the writer has gathered more
            else:
                await self._news.wait()

    def _is_news(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def room(self) -> None:
        """Wait where the file is far behind."""
        while len(self._waiting) >= REPLICA_WAITING:
            await self.settled()

    def apply(self, changes: Changes, tip: Tip, time: float) -> None:
        """Hand in what a record brings that was stored at this time; it is one transaction with the new tip.

        Raises:
            StoreError: the file takes nothing any more. A copy without this record must not go on as if it had it.

        """
        if self.store.ended.done():
            self.store.ended.result()
            raise StoreError(f"{self.store.path}: closed")
        self.tip = tip
        self._waiting.append(Mark(tip.seq, time))
        self._is_news()
        self.store.commit(replace(changes, meta=[*changes.meta, tip_row(tip)]), self._applied)

    def _applied(self, error: StoreError | None) -> None:
        mark = self._waiting.popleft()
        if error is None:
            self.written = mark
            self._is_news()

    async def copy_to(self, file: Path) -> Tip:
        """Write all that the file has into another one; return how far that goes.

        Raises:
            StoreError: it cannot be written.

        """
        await self.store.copy_to(file)
        meta = await asyncio.to_thread(meta_in, file)
        return Tip.loads(meta.get(TIP_ROW, ""))

    async def take(self, file: Path) -> None:
        """Replace the copy by a file that has more; what was there is deleted.

        Raises:
            StoreError: the file cannot be used.

        """
        path, trouble = self.store.path, self.store.trouble
        await self.store.close()
        try:
            await asyncio.to_thread(_replace, path, file)
        except OSError as error:
            raise StoreError(f"{path}: cannot be replaced by {file.name}: {error}") from None
        finally:
            self.store = CopyStore(path, trouble)  # what was there, or what is there now
        self.tip = Tip.loads((await self.store.load()).meta.get(TIP_ROW, ""))
        self.written = Mark(self.tip.seq)
        self._is_news()

    async def settled(self) -> None:
        """Return when the file has all that was handed in; a full disk holds that up, and a query does not show it.

        Raises:
            StoreError: the file takes nothing any more.

        """
        written = asyncio.ensure_future(durably(self.store, Changes()))
        try:
            await asyncio.sleep(0)  # until it is handed in: behind the question it would begin a gathering of its own
            await self.store.read(lambda _: None)  # a question ends the writer's gathering
            await written
        finally:
            written.cancel()


async def open_replica(path: Path, trouble: Callable[[str], None], say: Callable[[str], None], cluster: str) -> Replica:
    """Open this node's copy of a cluster's log; what cannot be its copy is set aside, and a new one is begun.

    Raises:
        StoreError: the file cannot be used, or holds the state of a single hub.

    """
    store: CopyStore | None = None
    try:
        store = CopyStore(path, trouble)
        meta = (await store.load()).meta
    except StoreDamaged as error:
        if store is not None:
            await store.close()
        say(f"{error}; it was set aside as {set_aside(path, 'damaged')}, the log has all of it")
        return await open_replica(path, trouble, say, cluster)
    found = meta.get(COPY_ROW)
    if found == cluster:
        return Replica(store, Tip.loads(meta.get(TIP_ROW, "")))
    if meta and found is None:
        await store.close()
        raise StoreUnusable(
            f"{path} holds the state of a single hub: `hub cluster import {path}` brings it into an empty cluster; then"
            " move it away, or name another file with `state:`"
        )
    if meta:
        await store.close()
        say(f"{path} is a copy of another cluster's log; it was set aside as {set_aside(path, 'other')}")
        return await open_replica(path, trouble, say, cluster)
    try:
        await durably(store, Changes(meta=[(COPY_ROW, cluster), tip_row(Tip())]))
    except BaseException:
        await store.close()
        raise
    return Replica(store, Tip())


def _replace(path: Path, file: Path) -> None:
    for end in ("-wal", "-shm"):  # what SQLite would take for the new file's
        path.with_name(path.name + end).unlink(missing_ok=True)
    file.chmod(0o600)
    file.replace(path)


def set_aside(path: Path, why: str) -> Path:
    """Give a file that cannot be used another name; return it. Nothing is deleted: it may be all that somebody has."""
    number = 1
    while (aside := path.with_name(f"{path.name}.{why}-{number}")).exists():
        number += 1
    for end in ("", "-wal", "-shm"):
        part = path.with_name(path.name + end)
        if part.exists():
            part.replace(aside.with_name(aside.name + end))
    return aside
