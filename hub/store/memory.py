"""A store in memory. `hub test` and `hub replay` restart on it, and tests compare it with the SQLite store.

`Tables` is the state, without a loop; `MemoryStore` is a hub's store on it. It shares no SQL with the other store:
`tests/store/test_contract.py` gives both the same commits and asks both the same questions.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, TypeVar

import orjson

from hub.errors import StoreError
from hub.ids import fingerprint_in
from hub.limits import (
    AGED_ROWS,
    AUDIT_KEPT_SECONDS,
    AUDIT_ROWS,
    DEAD_LETTERS,
    DEAD_LETTERS_SLACK,
    HANDED,
    TRACE_KEPT_SECONDS,
    TRACE_ROWS,
)
from hub.model import OWN, Position
from hub.store.changes import AuditRow, Changes, OutboxRow, SettledRow, Snapshot, TraceRow, position_key
from hub.store.reader import AuditEntry, Depth, HistoryEntry, LastAttempt, OutboxEntry, QueuedRow, Reader
from hub.store.store import Done, Store

__all__ = ["MemoryReader", "MemoryStore", "Tables"]

T = TypeVar("T")
Key = tuple[Any, ...]
_GONE = ("delivered", "superseded")
_TOLD = ("delivered", "failed", "refused")


@dataclass(slots=True)
class Tables:
    """What was committed. Each commit makes new `Tables` out of the last, so a commit that fails changes nothing."""

    instances: dict[Key, str] = field(default_factory=dict)
    samples: dict[Key, str] = field(default_factory=dict)
    alerts: dict[Key, str] = field(default_factory=dict)
    desk: dict[Key, str] = field(default_factory=dict)
    keys: dict[Key, float] = field(default_factory=dict)
    subscribers: dict[Key, str] = field(default_factory=dict)
    meta: dict[Key, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    receipts: dict[int, bytes] = field(default_factory=dict)
    outbox: dict[int, OutboxEntry] = field(default_factory=dict)
    handed: dict[int, str] = field(default_factory=dict)
    """Row of the outbox → the fallback that is still to hear the end."""
    trace: dict[int, TraceRow] = field(default_factory=dict)
    audit: dict[int, AuditRow] = field(default_factory=dict)
    dead_letters: dict[int, tuple[float, str, bytes, str]] = field(default_factory=dict)

    def with_all(self, all_changes: Iterable[Changes]) -> "Tables":
        """Return new tables with these changes applied, in order.

        Raises:
            StoreError: a row number is used twice.

        """
        tables = Tables(*(dict(getattr(self, name)) for name in self.__slots__))
        for changes in all_changes:
            tables._take(changes)
        return tables

    def snapshot(self) -> Snapshot:
        """Return what a start reads, rows in the order of their keys."""
        return Snapshot(
            instances=_rows(self.instances),
            samples=_rows(self.samples),
            alerts=_rows(self.alerts),
            desk=_rows(self.desk),
            receipts=sorted(self.receipts.items()),
            rules=dict(self.rules),
            meta={key: value for (key,), value in self.meta.items()},
            last_row=max(self.outbox, default=0),
            keys=_rows(self.keys),
            subscribers=_rows(self.subscribers),
        )

    def _take(self, changes: Changes) -> None:
        cleared = {row[:2] for row in changes.samples if row[2] is None}
        for key in [key for key in self.samples if key[:2] in cleared]:
            del self.samples[key]
        _put(self.instances, changes.instances)
        _put(self.samples, [row for row in changes.samples if row[2] is not None])
        _put(self.alerts, changes.alerts)
        _put(self.desk, changes.desk)
        _put(self.keys, changes.keys)
        _put(self.subscribers, changes.subscribers)
        _put(self.meta, changes.meta)
        _append(self.trace, changes.trace, TRACE_ROWS, TRACE_KEPT_SECONDS)
        _append(self.audit, changes.audit, AUDIT_ROWS, AUDIT_KEPT_SECONDS)
        _append(self.dead_letters, changes.dead_letters, DEAD_LETTERS)
        for row in changes.dropped:
            self._forget(row)
        self._queue(changes.queued)
        if changes.settled:
            self._settle({row[0]: row for row in changes.settled}.values())
            self._hand_over(changes)
        for source, position in changes.positions.items():
            self._place(source, position)
        if changes.rules is not None:
            self.rules = dict(changes.rules)

    def _place(self, source: str, position: Position) -> None:
        """Note where a source stands."""
        if position.text is not None:
            self.meta[(position_key(source),)] = position.text
        for number in [number for number in self.receipts if number <= position.forget]:
            del self.receipts[number]
        if position.entry is not None:
            number, packets = position.entry
            if number in self.receipts:
                raise StoreError(f"there are receipts number {number} already")
            self.receipts[number] = packets

    # the outbox

    def _queue(self, rows: Iterable[OutboxRow]) -> None:
        known = {(each.id, each.receiver) for each in self.outbox.values()} if rows else set()
        for row, identity, receiver, lane, body, created in rows:
            if (identity, receiver) in known:
                continue  # queued by a commit whose end was not recorded: it waits already
            if row in self.outbox:
                raise StoreError(f"there is a row {row} of the outbox already")
            known.add((identity, receiver))
            self.outbox[row] = OutboxEntry(row, identity, receiver, lane, body, created, "queued", 0, 0.0, "")

    def _settle(self, settled: Iterable[SettledRow]) -> None:
        for row, state, attempts, next_at, reason in settled:
            entry = self.outbox.get(row)
            if entry is None or entry.state != "queued":
                continue  # a dead letter stays one, whatever an attempt under way still brings
            if state in _GONE:
                self._forget(row)
            else:
                now = "dead" if state == "dead" else "queued"
                self.outbox[row] = entry._replace(state=now, attempts=attempts, next_at=next_at, reason=reason)

    def _hand_over(self, changes: Changes) -> None:
        self.handed |= {row: fallback for row, fallback in changes.handed if row in self.outbox}
        for receiver, episode in changes.closed:
            for row in list(self.handed):
                entry = self.outbox[row]
                if entry.receiver == receiver and entry.id.startswith(f"{episode}-"):
                    del self.handed[row]
        if len(self.handed) > HANDED + DEAD_LETTERS_SLACK:
            self.handed = {row: self.handed[row] for row in sorted(self.handed)[-HANDED:]}
        dead = [row for row in sorted(self.outbox) if self.outbox[row].state == "dead" and row not in self.handed]
        if len(dead) > DEAD_LETTERS + DEAD_LETTERS_SLACK:
            for row in dead[:-DEAD_LETTERS]:
                self._forget(row)

    def _forget(self, row: int) -> None:
        self.outbox.pop(row, None)
        self.handed.pop(row, None)


def _put(table: dict[Key, Any], rows: Sequence[Key]) -> None:
    """Write rows under their key, all columns but the last; where the last is None, delete the row."""
    for row in rows:
        if row[-1] is not None:
            table[row[:-1]] = row[-1]
    for row in rows:  # after the others, in the order of the statements of database.py
        if row[-1] is None:
            table.pop(row[:-1], None)


def _append(table: dict[int, Any], rows: Sequence[Any], most: int, seconds: float = inf) -> None:
    """Append rows under the next numbers; delete what is beyond `most`, then some of what is older than `seconds`."""
    last = max(table, default=0)
    table.update(enumerate(rows, last + 1))
    for number in [number for number in table if number <= last + len(rows) - most]:
        del table[number]
    if rows:
        before, first = rows[-1][0] - seconds, sorted(table)[: AGED_ROWS * len(rows)]
        if first and table[first[0]][0] < before:
            for number in [number for number in first if table[number][0] < before]:
                del table[number]


def _rows(table: Mapping[Key, Any]) -> list[Any]:
    return [(*key, table[key]) for key in sorted(table)]


class MemoryReader(Reader):
    """Reads `Tables`, which nobody changes. What each method returns, Reader says."""

    def __init__(self, tables: Tables) -> None:
        """Answer from these tables."""
        self._tables = tables

    def traced(self, rule: str, limit: int) -> list[str]:
        """Return the alerts of a rule that the trace knows; those of the latest entries first."""
        latest = {row[2]: number for number, row in sorted(self._tables.trace.items()) if row[3] == rule}
        return sorted(latest, key=lambda alert: -latest[alert])[:limit]

    def trace(self, alert: str, limit: int) -> list[TraceRow]:
        """Return the newest entries of an alert, in order."""
        return self._newest(lambda row: row[2] == alert, limit)

    def is_alert(self, fingerprint: str) -> bool:
        """Tell whether anything but deliveries is known of it."""
        return any(row[2] == fingerprint and row[1] != "delivery" for row in self._tables.trace.values())

    def trace_with(self, alert: str, limit: int, messages: Sequence[str]) -> list[TraceRow]:
        """Return the newest entries of an alert and of how these messages of its group were delivered."""
        groups = {fingerprint_in(message) for message in messages}

        def counts(row: TraceRow) -> bool:
            return row[2] == alert or (row[2] in groups and row[1] == "delivery" and row[4] in messages)

        return self._newest(counts, limit)

    def _newest(self, wanted: Callable[[TraceRow], bool], limit: int) -> list[TraceRow]:
        found = [row for _, row in sorted(self._tables.trace.items()) if wanted(row)]
        return found[max(0, len(found) - limit) :]

    def members(self, notification: str, limit: int) -> list[str]:
        """Return the alerts that a message tells of, in the order in which it was told."""
        told = (row for _, row in sorted(self._tables.trace.items()) if row[4] == notification and row[1] == "notified")
        return list(dict.fromkeys(row[2] for row in told))[:limit]

    def alert(self, fingerprint: str) -> Any:
        """Return an alert's row, None where there is none."""
        found = self._tables.alerts.get((fingerprint,))
        return None if found is None else orjson.loads(found)

    def history(self, before: int, rule: str, alert: str, limit: int) -> list[HistoryEntry]:
        """Return entries of the trace before a row, the newest first; deliveries are left out."""
        found = [
            (number, *row)
            for number, row in sorted(self._tables.trace.items(), reverse=True)
            if number < before and row[1] != "delivery" and rule in ("", row[3]) and alert in ("", row[2])
        ]
        return found[:limit]

    def kept_since(self) -> float | None:
        """Return when the oldest entry of the trace was made, where older ones had to leave."""
        first = min(self._tables.trace, default=1)
        return self._tables.trace[first][0] if first > 1 else None

    def last_attempts(self) -> list[LastAttempt]:
        """Return what attempts of each receiver last came to."""
        found: dict[tuple[str, str], LastAttempt] = {}
        for _, (at, kind, _, _, _, text) in sorted(self._tables.trace.items()):
            data = orjson.loads(text) if kind == "delivery" else {}
            pair = (data.get("receiver", ""), data.get("outcome", ""))
            if pair[1] in _TOLD and (pair not in found or at > found[pair].at):
                found[pair] = LastAttempt(*pair, at, data.get("reason") or "")
        return [found[pair] for pair in sorted(found)]

    def audit(self, before: int, limit: int) -> list[AuditEntry]:
        """Return entries of the audit log before a row, the newest first."""
        found = sorted(self._tables.audit.items(), reverse=True)
        return [(number, *row) for number, row in found if number < before][:limit]

    def rules(self) -> list[str]:
        """Return the names of rules that the hub had, and of those that the trace knows."""
        return sorted({*self._tables.rules, *(row[3] for row in self._tables.trace.values())})

    def outbox(self, ids: Sequence[str], receiver: str, state: str, limit: int, after: int = 0) -> list[OutboxEntry]:
        """Return rows of the outbox in order, from behind the row `after`."""
        found = [
            each
            for row, each in sorted(self._tables.outbox.items())
            if row > after
            and (each.receiver == receiver if receiver else each.receiver != OWN)
            and state in ("", each.state)
            and (not ids or each.id in ids)
        ]
        return found[:limit]

    def alert_rows(self) -> list[tuple[str, str]]:
        """Return all rows of alerts."""
        return _rows(self._tables.alerts)

    def desk_rows(self) -> list[tuple[str, str, str]]:
        """Return all rows of the desk."""
        return _rows(self._tables.desk)

    def meta(self) -> dict[str, str]:
        """Return the single values by name."""
        return {name: value for (name,), value in self._tables.meta.items()}

    def depths(self) -> list[Depth]:
        """Count the outbox by receiver and state."""
        waiting = [each for each in self._tables.outbox.values() if each.receiver != OWN]
        counted = Counter((each.receiver, each.state) for each in waiting)
        return [
            Depth(*pair, counted[pair], min(each.created for each in waiting if (each.receiver, each.state) == pair))
            for pair in sorted(counted)
        ]

    def queued(self, receiver: str, after_row: int, limit: int) -> list[QueuedRow]:
        """Read a page of a receiver's queued rows."""
        return [
            QueuedRow(*each[:6], each.attempts, each.next_at)
            for each in self.outbox((), receiver, "queued", limit, after_row)
        ]

    def receivers(self) -> list[str]:
        """Name the receivers that have queued rows."""
        return sorted({each.receiver for each in self._tables.outbox.values() if each.state == "queued"})

    def handed(self) -> list[tuple[str, str, str]]:
        """Return receiver, id and fallback of firing messages whose end the fallback is to hear."""
        rows = sorted(self._tables.handed.items())
        return [(self._tables.outbox[row].receiver, self._tables.outbox[row].id, to) for row, to in rows]

    def last_row(self) -> int:
        """Return the highest row of the outbox."""
        return max(self._tables.outbox, default=0)


class MemoryStore(Store):
    """A store of one process: what it holds is gone with the object, unless somebody keeps its `tables`."""

    def __init__(self, tables: Tables | None = None) -> None:
        """Begin with `tables`, or with nothing. Call it on a running event loop."""
        self.tables = tables or Tables()
        self.failing = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._refusal = ""
        self._waiting: list[tuple[Changes, Done]] = []

    async def load(self) -> Snapshot:
        """Return all but the outbox, the trace and the audit log."""
        self._insist()
        return self.tables.snapshot()

    def commit(self, changes: Changes, done: Done) -> None:
        """Take the changes at once; `done` is called in a later turn of the loop."""
        if self.ended.done():
            self._loop.call_soon(done, StoreError("closed"))
            return
        self._waiting.append((changes, done))
        if not self._refusal:
            self._write()

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            self.tables = self.tables.with_all(changes for changes, _ in waiting)
        except StoreError as error:  # a bug of ours, as where SQLite's writer dies: nobody may go on
            self.ended.set_exception(error)
            return
        for _, done in waiting:
            self._loop.call_soon(done, None)

    def refuse(self, why: str) -> None:
        """Let commits wait, as on a full disk, until this is called with ""; for tests."""
        self._refusal = why
        if why:
            self.failing.set()
        else:
            self.failing.clear()
            self._write()

    def why_failing(self) -> str:
        """Say why commits wait."""
        return self._refusal

    async def read(self, query: Callable[[Reader], T]) -> T:
        """Answer a query."""
        self._insist()
        return query(MemoryReader(self.tables))

    async def look(self, query: Callable[[Reader], T]) -> T:
        """Answer a query; nothing waits for it here."""
        return await self.read(query)

    async def look_after(self) -> str:
        """Return "": nobody else can reach what is in memory."""
        self._insist()
        return ""

    def stopping(self) -> None:
        """Do nothing: no other process waits for it."""

    async def close(self) -> None:
        """End; what could not be written is given up."""
        waiting, self._waiting = self._waiting, []
        for _, done in waiting:
            self._loop.call_soon(done, StoreError(f"not written: {self._refusal}"))
        if not self.ended.done():
            self.ended.set_result(None)

    def _insist(self) -> None:
        if self.ended.done():
            raise StoreError("closed")
