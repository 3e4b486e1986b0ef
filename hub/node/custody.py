"""Looks after the state file of a running hub: its rows can be read, the file is still there, its loss is told."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import orjson

from hub.documents.written import Written, vanished
from hub.errors import HubError, StoreUnusable
from hub.ingest.idempotency import Keys
from hub.ingest.redelivery.receipts import Receipts
from hub.limits import SAY_LOST_SECONDS
from hub.notify.subscribers import Subscribers
from hub.project.files import Files
from hub.schedules import local_zone
from hub.selfwatch.watcher import DROPPED_SO_FAR
from hub.spine.core import Core
from hub.spine.downtime import ClockDowntime
from hub.store.changes import Snapshot
from hub.store.keeper import restore_all
from hub.store.sqlite.damage import culprit
from hub.store.store import Store

__all__ = ["Custody", "earlier_filters", "naming", "try_restore"]

Restore = Callable[[Snapshot], None]


class Custody:
    """Tells that state is lost, or will be when this process ends: in the log, to the hub's own rules, and on MQTT."""

    def __init__(
        self,
        path: Path,
        store: Store,
        snapshot: Snapshot,
        trouble: Callable[[str, str], None],
        say: Callable[[str], Coroutine[Any, Any, None]],
    ) -> None:
        """Look after the file at `path`, in which `snapshot` was found; `say` tells on MQTT, if the broker is there."""
        self._path, self._store, self._trouble, self._say = path, store, trouble, say
        self._blank = not snapshot.meta  # whether it was empty when this hub started, until it has met its broker
        self._wrong = ""
        self._saying: set[asyncio.Task[None]] = set()

    def met(self, *, resumed: bool) -> None:
        """Hear that the broker is connected. Where it has `resumed` a session, a hub was here before.

        If our file was empty nevertheless, that hub's state is lost.
        """
        if self._blank and resumed:
            lost = "alerts, timers and what waited to be told are lost"
            self._lost(f"{self._path} was empty, and the broker knows us: {lost}")
        self._blank = False

    async def look(self) -> str:
        """Return what is wrong with the file, "" where it is the one that the store writes; say each fault once."""
        wrong = await self._store.look_after()
        if wrong and wrong != self._wrong:
            self._lost(wrong)
        self._wrong = wrong
        return wrong

    async def ended(self) -> None:
        """Return when the store has ended. Where its file is unusable, say so on MQTT first, within SAY_LOST_SECONDS.

        Raises:
            StoreError: it died.

        """
        try:
            await self._store.ended
        except StoreUnusable as error:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SAY_LOST_SECONDS):
                    await self._say(str(error))
            raise

    def _lost(self, detail: str) -> None:
        self._trouble("state", detail)
        task = asyncio.create_task(self._say(detail), name="say")
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)


@contextlib.contextmanager
def naming(path: Path, snapshot: Snapshot, attempt: Restore) -> Iterator[None]:
    """Name the row of the snapshot that makes the body fail, where it is a row's fault.

    `attempt` does with a snapshot what a start does, and its result is thrown away: so the row is found by trying.

    Raises:
        StoreUnusable: that row cannot be used. Other errors of ours are raised as they are.

    """
    try:
        yield
    except HubError:
        raise
    except Exception as error:
        found = culprit(path, snapshot, attempt)
        if found is None:
            raise  # a bug of ours
        raise found from error


def earlier_filters(snapshot: Snapshot) -> list[str]:
    """Return the filters that an earlier process subscribed to."""
    found: Any = orjson.loads(snapshot.meta.get("filters", "[]"))
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise TypeError("no list of filters")
    return list(found)


def try_restore(files: Files, prefix: str, now: float, snapshot: Snapshot) -> None:
    """Read all of a snapshot that a start reads, and throw the result away: `naming` looks for a damaged row so."""
    vanished(Written.loads(snapshot.meta.get("written", "")), files.written)
    earlier_filters(snapshot)
    ClockDowntime(snapshot)
    for name in ("own_serial", DROPPED_SO_FAR):
        int(snapshot.meta_float(name, 0.0))
    Receipts(snapshot.receipts)
    restore_all((Keys(), Subscribers(b"")), snapshot)
    Core(files.rules, files.registry, prefix, {}, lambda *_: None, local_zone()).restore(snapshot, now)
