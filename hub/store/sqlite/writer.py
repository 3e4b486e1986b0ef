"""The writer: one thread that owns the database. All commits that wait when it is free become one transaction.

A commit that fails because the disk is full is tried again until it succeeds. Nothing is acknowledged meanwhile, so the
broker keeps what follows, and the QoS 1 events in memory are never more than the receive window ahead of the disk.
Queries are answered all the while.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from hub.errors import StoreError
from hub.limits import STORE_RETRY_SECONDS
from hub.store.changes import Changes, Snapshot
from hub.store.reader import Reader
from hub.store.sqlite.damage import unanswered, unusable
from hub.store.sqlite.database import Database
from hub.store.sqlite.sqlite_reader import SqliteReader
from hub.store.store import Done, Store

__all__ = ["SqliteStore"]

T = TypeVar("T")
_Job = Callable[[Database], Any]


class SqliteStore(Store):
    """The state file behind its writer thread.

    `trouble` is called on the event loop with a message when commits begin to fail, and with "" when they work again.
    """

    def __init__(self, path: Path, trouble: Callable[[str], None], *, synced: bool = True) -> None:
        """Open the file; see Database for the errors, and for `synced`. Call it on a running event loop."""
        self.path, self._database = path, Database(path, synced=synced)
        self.trouble = trouble
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[tuple[Changes | _Job | None, Any]] = SimpleQueue()
        self.failure = ""
        """Why commits fail; "" while they work."""
        self.failing = asyncio.Event()
        """Set while commits fail; it belongs to the event loop."""
        self._closed = False
        self.ended: asyncio.Future[None] = self._loop.create_future()
        """Done when the writer has ended, with an exception where it died: that must stop the process."""
        self._lookout = ThreadPoolExecutor(1, "store-reader")
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def load(self) -> Snapshot:
        """Read what the file holds, after every row was checked."""
        return await self._ask(_checked)

    async def state(self) -> Snapshot:
        """Read what the file holds, where its rows were checked before and nobody else has written it since."""
        return await self._ask(Database.load)

    def commit(self, changes: Changes, done: Done) -> None:
        """Hand the changes to the writer."""
        if self._closed:
            self._loop.call_soon(done, StoreError(f"{self.path}: closed"))
        else:
            self._jobs.put((changes, done))

    async def read(self, query: Callable[[Reader], T]) -> T:
        """Answer a query on the writer's connection."""
        return await self._ask(lambda database: query(SqliteReader(database.connection)))

    async def _ask(self, query: Callable[[Database], T]) -> T:
        if self._closed or self.ended.done():
            raise StoreError(f"{self.path}: closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((query, future))
        return await future

    async def look(self, query: Callable[[Reader], T]) -> T:
        """Answer a query beside the writer, on a connection that can only read."""
        if self._closed:
            raise StoreError(f"{self.path}: closed")
        return await self._loop.run_in_executor(self._lookout, _looked, self.path, query)

    def why_failing(self) -> str:
        """Say why commits fail, with the path; "" while they work."""
        return f"{self.path}: cannot be written: {self.failure}" if self.failure else ""

    async def look_after(self) -> str:
        """Look at the file's name and length; where the name is gone, write all of it again under that name."""
        return await self._ask(Database.look_after)

    async def copy_to(self, file: Path) -> None:
        """Write all that was committed into another file, which must not exist.

        Raises:
            StoreError: it cannot be written.

        """
        await self._ask(lambda database: database.copy_to(file))

    def stopping(self) -> None:
        """Say in the lock file beside the state file that we are stopping."""
        self._database.stopping()

    async def close(self) -> None:
        """Let the writer end, and wait for it."""
        self._closed = True
        self._jobs.put((None, None))
        self._lookout.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            with contextlib.closing(self._database):
                self._work()
        except sqlite3.DatabaseError as error:
            self._call(_finish, self.ended, self._died(error), None)
        except BaseException as error:  # noqa: BLE001 - a bug of ours; whoever waits for `ended` stops the process
            self._call(_finish, self.ended, self._bug(error), None)
        else:
            self._call(_finish, self.ended, None, None)

    def _died(self, error: sqlite3.DatabaseError) -> StoreError:
        """Say why the writer ended: the file is damaged, which is for the user to mend, or it is a bug of ours."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return unusable(self.path, error)
        return self._bug(error)

    def _bug(self, error: BaseException) -> StoreError:
        return StoreError(f"the writer of {self.path} died: {error!r}")

    def _work(self) -> None:
        pending: list[tuple[Changes, Done]] = []
        while True:
            jobs = self._gather(STORE_RETRY_SECONDS if pending else None)
            pending += [(job, done) for job, done in jobs if isinstance(job, Changes)]
            if self._commit(pending):
                pending = []
            for job, future in jobs:
                if job is not None and not isinstance(job, Changes):
                    self._answer(job, future)
            if any(job is None for job, _ in jobs):
                self._call(_tell, pending, StoreError(f"not written: {self.failure}"))
                return

    def _gather(self, seconds: float | None) -> list[tuple[Changes | _Job | None, Any]]:
        """Wait for a job, at most so many seconds (None: for ever), and take all jobs that are there."""
        jobs = []
        with contextlib.suppress(Empty):
            jobs.append(self._jobs.get(timeout=seconds))
            while True:
                jobs.append(self._jobs.get_nowait())
        return jobs

    def _commit(self, jobs: list[tuple[Changes, Done]]) -> bool:
        """Write them all as one transaction; tell whether that worked."""
        if not jobs:
            return True
        try:
            self._database.apply([changes for changes, _ in jobs])
        except sqlite3.OperationalError as error:  # any other is a bug of ours, which waiting does not mend
            begins, self.failure = not self.failure, str(error)
            if begins:
                self._call(self._fail, f"{self.path}: cannot be written: {error}")
            return False
        self._call(_tell, jobs, None)
        if self.failure:
            self.failure = ""
            self._call(self._fail, "")
        return True

    def _fail(self, message: str) -> None:
        """Tell everybody that commits begin to fail or, where `message` is empty, that they work again."""
        if message:
            self.failing.set()
        else:
            self.failing.clear()
        self.trouble(message)

    def _answer(self, query: _Job, future: "asyncio.Future[Any]") -> None:
        try:
            self._call(_finish, future, None, query(self._database))
        except sqlite3.Error as error:
            self._call(_finish, future, unanswered(self.path, error), None)
        except Exception as error:  # noqa: BLE001 - whatever a query says is for who asked; nothing was changed by it
            self._call(_finish, future, error, None)

    def _call(self, function: Callable[..., None], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(function, *args)


def _checked(database: Database) -> Snapshot:
    database.check()
    return database.load()


def _looked(path: Path, query: Callable[[Reader], T]) -> T:
    """Answer a query on a connection of its own: a new one each time, because the file may have been replaced."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return query(SqliteReader(connection))
    except sqlite3.Error as error:
        raise unanswered(path, error) from None


def _tell(jobs: list[tuple[Changes, Done]], error: StoreError | None) -> None:
    for _, done in jobs:
        done(error)


def _finish(future: "asyncio.Future[Any]", error: Exception | None, result: Any) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
