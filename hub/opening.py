"""The state file as a hub finds it at its start: opened, seen to be whole, read; waited for where waiting helps."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from hub.clock import Clock
from hub.errors import StoreBusy
from hub.limits import STORE_LOOK_SECONDS
from hub.store.changes import Snapshot
from hub.store.database import Database
from hub.store.writer import Store

__all__ = ["Opened", "open_state"]

Say = Callable[[str], None]


class Opened(NamedTuple):
    """The store, what it held, and the secrets of this state file by name."""

    store: Store
    snapshot: Snapshot
    keys: Mapping[str, bytes]


async def open_state(path: Path, trouble: Say, say: Say, stop: asyncio.Event, clock: Clock) -> Opened | None:
    """Open it; None where the hub was told to stop before that could be done.

    `trouble` is the store's own (see Store), `say` hears what is waited for, each reason once: a full disk, a hub that
    is just stopping. The broker keeps what comes meanwhile.

    Raises:
        StoreError: it cannot be used, and waiting would not help.

    """
    begun, said = clock.monotonic(), ""
    while not stop.is_set():
        try:
            return await _opened(path, trouble)
        except StoreBusy as error:
            if clock.monotonic() - begun > error.patience:
                raise
            if str(error) != said:
                said = str(error)
                say(f"{said}; the hub waits, and starts as soon as it can")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STORE_LOOK_SECONDS):
                await stop.wait()
    return None


async def _opened(path: Path, trouble: Say) -> Opened:
    store = Store(path, trouble)
    try:
        await store.read(Database.check)
        snapshot = await store.load()
        keys = {name: await store.read(partial(Database.key, name=name)) for name in ("token", "vapid")}
    except BaseException:
        await store.close()
        raise
    return Opened(store, snapshot, keys)
