"""The state file of a running hub, looked after: it can be brought in, is still there, and its loss is told."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from hub.core import Core
from hub.errors import HubError, StoreUnusable
from hub.files import Files
from hub.ingest.idempotency import Keys
from hub.ingest.receipts import Receipts
from hub.limits import SAY_LOST_SECONDS
from hub.schedules import local_zone
from hub.store.changes import Snapshot
from hub.store.damage import culprit
from hub.store.database import Database
from hub.store.writer import Store
from hub.written import Written

__all__ = ["Custody", "try_restore"]

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

    def restore(self, snapshot: Snapshot, restore: Restore, attempt: Restore) -> None:
        """Bring in what the store held; where a row of it means nothing, name it.

        `attempt` is a restore to nobody's use.

        Raises:
            StoreUnusable: that row. What `restore` raises is raised.

        """
        try:
            restore(snapshot)
        except HubError:
            raise
        except Exception as error:
            found = culprit(self._path, snapshot, attempt)
            if found is None:
                raise  # a bug of ours
            raise found from error

    def met(self, *, resumed: bool) -> None:
        """Hear that the broker is there, and whether it knows us: then a hub was here whose state we do not have."""
        if self._blank and resumed:
            lost = "alerts, timers and what waited to be told are lost"
            self._lost(f"{self._path} was empty, and the broker knows us: {lost}")
        self._blank = False

    async def look(self) -> str:
        """Look whether it is still what the store writes; say it once where it is not."""
        wrong = await self._store.read(Database.look_after)
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


def try_restore(files: Files, prefix: str, now: float, snapshot: Snapshot) -> None:
    """Restore parts of a snapshot, to nobody's use."""
    Written.loads(snapshot.meta.get("written", ""))
    for name in ("alive", "own_serial", "broker_dropped"):
        snapshot.meta_float(name, 0.0)
    Receipts(snapshot.receipts)
    Keys(snapshot.keys)
    Core(files.rules, files.registry, prefix, {}, lambda *_: None, local_zone()).restore(snapshot, now)
