"""Opens the state file at a start: checks that it is whole, reads it, and waits for it where waiting helps."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from hub.clock import Clock
from hub.errors import StoreBusy, StoreUnusable
from hub.limits import STORE_LOOK_SECONDS
from hub.node.identity import Identity, identify
from hub.spine.downtime import ClockDowntime, Downtime
from hub.store.changes import Changes, Snapshot
from hub.store.reader import COPY_ROW
from hub.store.sqlite.writer import SqliteStore
from hub.store.store import Store, durably

__all__ = ["Opened", "Opening", "open_state", "opened"]

Say = Callable[[str], None]


class Opened(NamedTuple):
    """The store, what it held, and who the hub is by that."""

    store: Store
    snapshot: Snapshot
    identity: Identity
    downtime: Callable[[Snapshot], Downtime] = ClockDowntime
    may_begin: Callable[[], bool] | None = None
    """See Dispatcher."""


Opening = Callable[[Say, Say, asyncio.Event], Awaitable[Opened | None]]
"""Opens the state: takes `trouble`, `say` and `stop` of open_state, and returns what that returns."""


async def open_state(path: Path, trouble: Say, say: Say, stop: asyncio.Event, clock: Clock) -> Opened | None:
    """Open it; return None where the hub was told to stop before that could be done.

    `trouble` is that of SqliteStore. `say` hears what the hub waits for, each reason once: a full disk, another hub
    that is just stopping. The broker keeps what comes meanwhile.

    Raises:
        StoreError: it cannot be used, and waiting would not help.

    """
    begun, said = clock.monotonic(), ""
    while not stop.is_set():
        try:
            return await _opened(path, trouble, stop)
        except StoreBusy as error:
            if clock.monotonic() - begun > error.patience:
                raise  # a hub that says that it stops, and does not, would be waited for without end
            if str(error) != said:
                said = str(error)
                say(f"{said}; the hub waits, and starts as soon as it can")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STORE_LOOK_SECONDS):
                await stop.wait()
    return None


async def _opened(path: Path, trouble: Say, stop: asyncio.Event) -> Opened | None:
    store = SqliteStore(path, trouble)
    if COPY_ROW in await store.read(lambda reader: reader.meta()):
        await store.close()  # written past the log, the copy and the log would be two truths
        raise StoreUnusable(
            f"{path} is a node's copy of a cluster's log, and hub.yaml has no `cluster:`; `hub cluster export FILE`"
            " writes a state file for a single hub"
        )
    return await opened(store, path, stop)


async def opened(store: Store, path: Path, stop: asyncio.Event) -> Opened | None:
    """Read an open store, and make the hub's first commit to it; `path` is the file that a message names.

    Returns None, and closes the store, where the hub was told to stop first.

    Raises:
        StoreError: it cannot be read, or has ended. It is closed then.

    """
    try:
        snapshot = await store.load()
        identity, rows = identify(path, snapshot.meta)
        if await _claimed(store, Changes(meta=rows), stop):
            return Opened(store, snapshot, identity)
    except BaseException:
        await store.close()
        raise
    await store.close()
    return None


async def _claimed(store: Store, first: Changes, stop: asyncio.Event) -> bool:
    """Make the hub's first commit; tell whether it was made before the hub was told to stop."""
    claim, stopped = asyncio.ensure_future(durably(store, first)), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({claim, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return claim.done() and claim.result() is None
    finally:
        claim.cancel()
        stopped.cancel()
