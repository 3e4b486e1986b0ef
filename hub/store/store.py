"""The seam below the pipeline: what durable storage has to do, and nothing of how it does it.

`SqliteStore` keeps a state file, `MemoryStore` keeps all in memory. A user of `Store` sees neither a file nor a
database: changes go in by `commit`, and each query gets a `Reader`. `tests/store/test_contract.py` holds both stores to
the same promises.
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
    """Durable storage that one hub owns: what was committed is still there after the process was killed."""

    failing: asyncio.Event
    """Set while commits cannot be made and wait; it belongs to the event loop."""
    ended: "asyncio.Future[None]"
    """Done when nothing more is written: with a StoreError where not `close` was the reason; that stops the process."""

    async def load(self) -> Snapshot:
        """Return all that was committed, but for the outbox, the trace and the audit log.

        Raises:
            StoreUnusable: a part of it cannot be read; it is named.

        """
        ...

    def commit(self, changes: Changes, done: Done) -> None:
        """Make the changes durable, all or none, in the order of the calls. Then `done` is called on the event loop.

        A commit that cannot be made now waits until it can. `done` gets a StoreError only where the store was closed
        first.
        """
        ...

    async def read(self, query: Callable[[Reader], T]) -> T:
        """Answer a query that sees all that was committed before it. Commits wait for it, so it has to be quick.

        Raises:
            StoreError: it cannot be read, or the store is closed. What the query raises is raised.

        """
        ...

    async def look(self, query: Callable[[Reader], T]) -> T:
        """Answer a query beside the commits, which do not wait: what people ask may take half a second.

        Queries run one at a time; each sees all that is durable.

        Raises:
            StoreError: it cannot be read, or the store is closed. What the query raises is raised.

        """
        ...

    def why_failing(self) -> str:
        """Say why commits fail; "" while they work."""
        ...

    async def look_after(self) -> str:
        """Say what others have done to the stored state since it was opened, "" where nothing; repair it if possible.

        Raises:
            StoreError: it cannot be looked at, or the store is closed.

        """
        ...

    def stopping(self) -> None:
        """Tell the next hub that wants the stored state that it is worth waiting."""
        ...

    async def close(self) -> None:
        """Commit what was handed in, and close. What cannot be committed is given up: nobody was told it is safe."""
        ...


async def durably(store: Store, changes: Changes) -> None:
    """Commit and return when that is durable: for callers without a pipeline, at a start or on a stopped hub's file.

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
