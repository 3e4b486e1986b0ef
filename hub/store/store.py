"""The seam below the pipeline: what durable storage has to do, and nothing of how it does it.

`SqliteStore` keeps a state file, `MemoryStore` keeps all in memory. Who holds a `Store` sees neither a file nor a
database: what is to change goes in by `commit`, and what is asked gets a `Reader`. `tests/store/test_contract.py` holds
both to the same promises.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

from hub.errors import StoreError
from hub.store.changes import Changes, Snapshot
from hub.store.reader import Reader

__all__ = ["Done", "Store", "durably"]

T = TypeVar("T")
Done = Callable[[StoreError | None], None]


class Store(Protocol):
    """What one hub owns and what is still there after its process was killed."""

    failing: asyncio.Event
    """Set while commits cannot be made, and wait; on the event loop."""
    ended: "asyncio.Future[None]"
    """Done when nothing more is written; with a StoreError where that is not of `close`: it must stop the process."""

    async def load(self) -> Snapshot:
        """Return all that was committed, but for the outbox, the trace and the audit log.

        Raises:
            StoreUnusable: a part of it cannot be read; it is named.

        """
        ...

    def commit(self, changes: Changes, done: Done) -> None:
        """Make the changes durable, all or none, in the order of calls; later `done` is called on the event loop.

        A commit that cannot be made now waits until it can. `done` is handed a StoreError only where the store was
        closed before that.
        """
        ...

    async def read(self, query: Callable[[Reader], T]) -> T:
        """Answer a query that sees all that was committed before it. Commits wait for it: it has to be quick.

        Raises:
            StoreError: it cannot be read, or the store is closed. What the query raises is raised.

        """
        ...

    async def look(self, query: Callable[[Reader], T]) -> T:
        """Answer a query of somebody's beside the commits: what people ask may take half a second, and none waits.

        One at a time; it sees all that is durable.

        Raises:
            StoreError: it cannot be read, or the store is closed. What the query raises is raised.

        """
        ...

    def why_failing(self) -> str:
        """Say why commits fail; nothing while they work."""
        ...

    async def look_after(self) -> str:
        """Say what somebody has done to what is stored since it was opened, "" where nothing; mend it where one can.

        Raises:
            StoreError: it cannot be looked at, or the store is closed.

        """
        ...

    def stopping(self) -> None:
        """Let the next hub that wants what is stored know that it is worth waiting."""
        ...

    async def close(self) -> None:
        """Commit what was handed in and let go; what cannot be committed is given up, it was not promised."""
        ...


async def durably(store: Store, changes: Changes) -> None:
    """Commit and return when that is durable: for who has no pipeline, at a start and on the file of a stopped hub.

    Raises:
        StoreError: the store ended before.

    """
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def tell(error: StoreError | None) -> None:
        if done.done():
            return  # whoever waited has gone
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    store.commit(changes, tell)
    try:
        await asyncio.wait({done, store.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not done.done():  # a writer that died tells nobody but who waits for its end
            store.ended.result()
            raise StoreError("the store was closed before this was written")
        done.result()
    finally:
        done.cancel()
