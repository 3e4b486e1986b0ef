"""The Mirror of a node that stands by: alerts and silences as its copy of the log has them, all else from the same."""

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TypeVar

from hub.alerts.alert import Alert
from hub.alerts.matchers import Matcher
from hub.alerts.suppression.silences import Silence
from hub.clock import Clock
from hub.commands.owner import OwnerMirror, mirror_of_copy
from hub.errors import StoreError
from hub.limits import MIRROR_SHARE
from hub.project.files import Files
from hub.rules.posted.posting import PostedAlert
from hub.rules.reading.rule import Rule
from hub.store.changes import Snapshot
from hub.store.reader import Reader
from hub.store.store import Store

__all__ = ["CopyMirror"]

T = TypeVar("T")


class CopyMirror:
    """A Mirror that is as new as its last `refresh`; what each method returns, hub/commands/seams.py says.

    It stands on a core that holds alerts, silences and posted alerts, and evaluates nothing.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        tip: Callable[[], int],
        files: Callable[[], Files],
        prefix: str,
        clock: Clock,
        identified: Callable[[Mapping[str, str]], None],
    ) -> None:
        """Begin empty. `store` returns the copy, `tip` how far its file is, `files` the rules of this node.

        `identified` hears the single values of the copy, among them the keys of the hub, whenever it was read.
        """
        self._identified, self._clock = identified, clock
        self._store, self._tip, self._files, self._prefix = store, tip, files, prefix
        self._at, self._next = -1, 0.0
        self._read: OwnerMirror | None = None

    async def refresh(self) -> None:
        """Read the copy anew where it has grown; seldom where that takes long, as nothing else is done meanwhile."""
        tip, begun = self._tip(), time.monotonic()
        if tip == self._at or begun < self._next:
            return
        kept = await self._store().look(_kept)
        self._read = mirror_of_copy(kept, self._store(), self._files().rules, self._prefix, self._clock.now())
        self._identified(kept.meta)
        self._at, took = tip, time.monotonic() - begun
        self._next = time.monotonic() + took / MIRROR_SHARE

    @property
    def _mirror(self) -> OwnerMirror:
        if self._read is None:
            raise StoreError("this node has no copy of the hub's state yet; ask another node, or again soon")
        return self._read

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules of this node."""
        return self._mirror.rules

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """All alerts by fingerprint."""
        return self._mirror.alerts

    @property
    def silences(self) -> Mapping[str, Silence]:
        """All silences by id."""
        return self._mirror.silences

    def find(self, matchers: Sequence[Matcher]) -> list[tuple[str, Alert]]:
        """Return the alerts that are not over and match."""
        return self._mirror.find(matchers)

    def firing(self) -> list[tuple[str, Alert]]:
        """Return the alerts that fire."""
        return self._mirror.firing()

    def held_back_by(self, alert: Alert) -> list[str]:
        """Return the firing alerts that suppress this one."""
        return self._mirror.held_back_by(alert)

    def posted(self, alert: Alert) -> PostedAlert | None:
        """Return an alert as it was last posted."""
        return self._mirror.posted(alert)

    def look(self, read: Callable[[Reader], T]) -> Coroutine[None, None, T]:
        """Read the copy."""
        return self._store().look(read)

    def why_failing(self) -> str:
        """Return why the copy cannot be written."""
        return self._store().why_failing()


def _kept(reader: Reader) -> Snapshot:
    """Read what the desk shows, without what only an owner needs."""
    return Snapshot(alerts=reader.alert_rows(), desk=reader.desk_rows(), meta=reader.meta())
