"""The state file of a running hub, looked after: it can be brought in, is still there, and its loss is told."""

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
    """Tells what is lost, or will be with this process: to who looks on, to the hub's own rules, and on MQTT."""

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
        """Hear that the broker is there, and whether it knows us: then a hub was here whose state we do not have."""
        if self._blank and resumed:
            lost = "alerts, timers and what waited to be told are lost"
            self._lost(f"{self._path} was empty, and the broker knows us: {lost}")
        self._blank = False

    async def look(self) -> str:
        """Look whether it is still what the store writes; say it once where it is not."""
        wrong = await self._store.look_after()
        if wrong and wrong != self._wrong:
            self._lost(wrong)
        self._wrong = wrong
        return wrong

    async def ended(self) -> None:
        """Return when the store has ended; where it died, say so as long as that can be said.

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
    """Where a row of the snapshot means nothing to who uses it, name it; `attempt` is a use of it to nobody's use.

    Raises:
        StoreUnusable: that row. Other errors of ours are raised as they are.

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
    """Restore parts of a snapshot, to nobody's use: all that is read of it at a start."""
    vanished(Written.loads(snapshot.meta.get("written", "")), files.written)
    earlier_filters(snapshot)
    ClockDowntime(snapshot)
    for name in ("own_serial", DROPPED_SO_FAR):
        int(snapshot.meta_float(name, 0.0))
    Receipts(snapshot.receipts)
    restore_all((Keys(), Subscribers(b"")), snapshot)
    Core(files.rules, files.registry, prefix, {}, lambda *_: None, local_zone()).restore(snapshot, now)
