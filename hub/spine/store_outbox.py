"""The outbox over the store. A notification goes in with the commit that caused it, its result with a later commit.

It stands between `notify`, which knows no database, and `store`, which knows no notification.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import orjson

from hub.ids import episode_id
from hub.limits import SETTLE_SECONDS, SETTLE_WINDOW
from hub.model import Notification
from hub.notify.outbox_port import Entered, Queued, Settled
from hub.store.changes import OutboxRow, SettledRow
from hub.store.reader import OutboxEntry
from hub.store.store import Store

__all__ = ["StoreOutbox", "outbox_row", "revived"]


class StoreOutbox:
    """The Outbox of notify/outbox_port.py on a Store; the pipeline, which commits, sets `want_commit`."""

    def __init__(self, store: Store, last_row: int) -> None:
        """Number new rows after `last_row`."""
        self._store, self._row, self._before = store, last_row, last_row
        self.want_commit: Callable[[], None] = lambda: None
        """Called when the results have to be committed now."""
        self._settled: list[SettledRow] = []
        self._entering: list[Notification] = []
        self._handed: list[tuple[int, str]] = []
        self._closed: list[tuple[str, str]] = []
        self._dropped: list[int] = []
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, notifications: Sequence[Notification], now: float, monotonic: float) -> list[Queued]:
        """Give each notification its row number; the caller commits them.

        `born` is by the monotonic clock: somebody may set the wall clock while they are committed. `now` and
        `monotonic` are both clocks at one moment, `now` by the clock that the notifications were created by.
        """
        first = self._row + 1
        self._row += len(notifications)
        return [
            Queued(row, each, born=monotonic - max(0.0, now - each.created))
            for row, each in enumerate(notifications, first)
        ]

    def settle(self, results: Sequence[Settled]) -> None:
        """Put results into a commit within SETTLE_SECONDS: what was sent and is not recorded would be sent twice."""
        self._settled.extend((r.row, r.state, r.attempts, r.next_at, r.reason) for r in results)
        for result in results:
            if result.entered is not None:
                self._hand_over(result.row, result.entered)
            for entered in result.heirs:
                self._hand_over(result.row, entered)
        if len(self._settled) >= SETTLE_WINDOW:
            self.want_commit()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self.want_commit)

    def _hand_over(self, row: int, entered: Entered) -> None:
        self._entering.append(entered.notification)
        if entered.handed:
            self._handed.append((row, entered.notification.receiver))
        if entered.closes:
            self._closed.append((entered.closes, episode_id(entered.notification.id)))

    def take_entering(self) -> list[Notification]:
        """Take what results (fallbacks, heirs) and commands queue again; the caller passes it to `enter`."""
        entering, self._entering = self._entering, []
        return entering

    def take_marks(self) -> tuple[list[tuple[int, str]], list[tuple[str, str]], list[int]]:
        """Take what goes with the results: rows handed over, episodes closed, rows dropped (fields of Changes)."""
        marks = self._handed, self._closed, self._dropped
        self._handed, self._closed, self._dropped = [], [], []
        return marks

    def drop(self, rows: Iterable[int]) -> None:
        """Delete rows with the next commit, whatever their state."""
        self._dropped.extend(rows)

    def revive(self, entries: Sequence[OutboxEntry], now: float) -> None:
        """Queue dead letters again with the next commit, each as a new row behind all others."""
        self.drop(entry.row for entry in entries)
        self._entering.extend(revived(entries, now))

    def take_settled(self) -> list[SettledRow]:
        """Take the results, for the commit that is being made."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        settled, self._settled = self._settled, []
        return settled

    async def queued(self, receiver: str, after_row: int, limit: int) -> list[Queued]:
        """Read a page of a receiver's queued rows."""
        rows = await self._store.read(lambda reader: reader.queued(receiver, after_row, limit))
        return [
            Queued(
                row,
                Notification(identity, name, lane, orjson.loads(body), created),
                attempts,
                next_at,
                perhaps=row <= self._before or attempts > 0,
            )
            for row, identity, name, lane, body, created, attempts, next_at in rows
        ]

    async def receivers(self) -> list[str]:
        """Name the receivers that have queued rows."""
        return await self._store.read(lambda reader: reader.receivers())

    async def handed(self) -> list[tuple[str, str, str]]:
        """Return receiver, id and fallback of each firing message that went to a fallback, which is to hear the end."""
        return await self._store.read(lambda reader: reader.handed())


def revived(entries: Iterable[OutboxEntry], now: float) -> list[Notification]:
    """Make notifications of dead letters, created `now`: their time to be delivered begins anew."""
    return [Notification(each.id, each.receiver, each.lane, orjson.loads(each.body), now) for each in entries]


def outbox_row(queued: Queued) -> OutboxRow:
    """Return a queued notification as a row of the outbox."""
    told = queued.notification
    return queued.row, told.id, told.receiver, told.order, orjson.dumps(told.body).decode(), told.created
