"""The state file itself: opened by one process, migrated, written on one connection. No threads here; see writer.py.

SQLite with WAL and synchronous=FULL: a commit that returned survives power loss. Statements take whole lists as JSON,
because each statement gives up the GIL once and has to win it back from the event loop.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

import orjson

from hub.errors import StoreDamaged, StoreUnusable
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
from hub.model import Position
from hub.store.changes import Changes, Snapshot, position_key
from hub.store.formats import newer, write_formats
from hub.store.sqlite.damage import undecodable_row, unreadable_row, unusable
from hub.store.sqlite.lock import Lock
from hub.store.sqlite.migrations import STEPS, TABLES, migrate

__all__ = ["Database"]

_INSTANCES = """
INSERT INTO instances SELECT value->>0, value->>1, value->>2 FROM json_each(?) WHERE true
ON CONFLICT DO UPDATE SET state = excluded.state"""
_DELETE_INSTANCES = "DELETE FROM instances WHERE (rule, instance) IN (SELECT value->>0, value->>1 FROM json_each(?))"
_SAMPLES = """
INSERT INTO samples SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(?) WHERE true
ON CONFLICT DO UPDATE SET state = excluded.state"""
_DELETE_SAMPLES = """
DELETE FROM samples WHERE (rule, instance, slot, number) IN
(SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?))"""
_DELETE_ALL_SAMPLES = "DELETE FROM samples WHERE (rule, instance) IN (SELECT value->>0, value->>1 FROM json_each(?))"
_ALERTS = """
INSERT INTO alerts SELECT value->>0, value->>1 FROM json_each(?) WHERE true
ON CONFLICT DO UPDATE SET state = excluded.state"""
_DELETE_ALERTS = "DELETE FROM alerts WHERE fingerprint IN (SELECT value FROM json_each(?))"
_DESK = """
INSERT INTO desk SELECT value->>0, value->>1, value->>2 FROM json_each(?) WHERE true
ON CONFLICT DO UPDATE SET state = excluded.state"""
_DELETE_DESK = "DELETE FROM desk WHERE (kind, key) IN (SELECT value->>0, value->>1 FROM json_each(?))"
_TRACE = """
INSERT INTO trace (at, kind, alert, rule, notification, data)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each(?)"""
_LESS_TRACE = "DELETE FROM trace WHERE row <= (SELECT max(row) FROM trace) - ?"
_QUEUED = """
INSERT INTO outbox (row, id, receiver, lane, body, created)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each(?) WHERE true
ON CONFLICT (id, receiver) DO NOTHING"""
_DELIVERED = "DELETE FROM outbox WHERE state = 'queued' AND row IN (SELECT value FROM json_each(?))"
_UNSETTLED = """
UPDATE outbox SET state = CASE value->>1 WHEN 'dead' THEN 'dead' ELSE 'queued' END,
    attempts = value->>2, next_at = value->>3, reason = value->>4
FROM json_each(?) WHERE outbox.row = value->>0 AND outbox.state = 'queued'"""
_DROPPED = "DELETE FROM outbox WHERE row IN (SELECT value FROM json_each(?))"
_HANDED = "UPDATE outbox SET handed = value->>1 FROM json_each(?) WHERE outbox.row = value->>0"
_CLOSED = """
UPDATE outbox SET handed = '' FROM json_each(?)
WHERE handed <> '' AND receiver = value->>0 AND outbox.id LIKE (value->>1) || '-%'"""
_META = """
INSERT INTO meta SELECT value->>0, value->>1 FROM json_each(?) WHERE true
ON CONFLICT DO UPDATE SET value = excluded.value"""
_DELETE_META = "DELETE FROM meta WHERE key IN (SELECT value FROM json_each(?))"
_DEAD_LETTER = "INSERT INTO dead_letters (at, topic, head, reason) VALUES (?, ?, ?, ?)"
_KEYS = """
INSERT INTO keys SELECT value->>0, value->>1 FROM json_each(?) WHERE true ON CONFLICT DO UPDATE SET at = excluded.at"""
_DELETE_KEYS = "DELETE FROM keys WHERE digest IN (SELECT value FROM json_each(?))"
_SUBSCRIBERS = """
INSERT INTO subscribers SELECT value->>0, value->>1 FROM json_each(?) WHERE true
ON CONFLICT DO UPDATE SET state = excluded.state"""
_DELETE_SUBSCRIBERS = "DELETE FROM subscribers WHERE endpoint IN (SELECT value FROM json_each(?))"
_AUDIT = """
INSERT INTO audit (at, actor, via, action, detail)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(?)"""
_LESS_AUDIT = "DELETE FROM audit WHERE row <= (SELECT max(row) FROM audit) - ?"
_TOO_OLD = "DELETE FROM {table} WHERE at < ? AND row IN (SELECT row FROM {table} ORDER BY row LIMIT ?)"
_OLDEST = "SELECT at FROM {table} ORDER BY row LIMIT 1"
_FEWER_DEAD_LETTERS = "DELETE FROM dead_letters WHERE row <= (SELECT max(row) FROM dead_letters) - ?"
_COUNT_DEAD = "SELECT count(*) FROM outbox WHERE state = 'dead' AND handed = ''"
_FEWER_DEAD = """
DELETE FROM outbox WHERE state = 'dead' AND handed = '' AND row <=
(SELECT row FROM outbox WHERE state = 'dead' AND handed = '' ORDER BY row DESC LIMIT 1 OFFSET ?)"""
_COUNT_HANDED = "SELECT count(*) FROM outbox WHERE handed <> ''"
_FEWER_HANDED = """
UPDATE outbox SET handed = '' WHERE handed <> '' AND row <=
(SELECT row FROM outbox WHERE handed <> '' ORDER BY row DESC LIMIT 1 OFFSET ?)"""
_GONE = ("delivered", "superseded")


class Database:
    """An open state file. Every method blocks; all are called by one thread at a time."""

    def __init__(self, path: Path, *, synced: bool = True) -> None:
        """Lock, open and migrate the file; make it where there is none.

        Without `synced` the last commits may be lost with the power: for a file whose rows stand elsewhere, too.

        Raises:
            StoreLocked: another hub has it open.
            StoreUnusable: it cannot be opened, is no state file, or one of a newer hub; as StoreBusy: not yet.

        """
        self.path, self._synced = path, synced
        self._oldest: dict[str, float] = {}
        """For each table whose rows have an age: a time before which it holds no row, seconds since 1970."""
        self._lock = Lock(path)
        try:
            self._open()
        except sqlite3.Error as error:
            self._lock.close()
            raise unusable(path, error) from None
        except StoreUnusable:
            self._lock.close()
            raise

    def _open(self) -> None:
        """Connect and prepare; where our lock on the file itself keeps SQLite out, give that lock up first."""
        try:
            self._connect()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not self._lock.let_sqlite_in():
                raise
            self._connect()
        self._lock.opened()

    def _connect(self) -> None:
        self.connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self) -> None:
        run = self.connection.execute
        tables = {row[0] for row in run("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and not tables >= {"meta", "instances", "outbox"}:
            raise StoreUnusable(f"{self.path}: a database, but no hub's; name another file with --state")
        if why := newer(self.connection):
            raise StoreUnusable(f"{self.path}: {why}; install that version or name another file with --state")
        run("PRAGMA journal_mode = WAL")
        run(f"PRAGMA synchronous = {'FULL' if self._synced else 'NORMAL'}")
        run("PRAGMA journal_size_limit = 67108864")
        migrate(self.connection, STEPS)
        write_formats(self.connection)
        self._dead: int = self._rows(_COUNT_DEAD)[0][0]
        self._handed: int = self._rows(_COUNT_HANDED)[0][0]

    def check(self) -> None:
        """Make sure that every table is there and every row can be read, before anybody relies on it.

        Raises:
            StoreUnusable: a table is missing or a row cannot be read; it is named.

        """
        if gone := sorted(TABLES - {name for (name,) in self._rows("SELECT name FROM sqlite_master")}):
            remedy = "restore a backup, or move it away and begin anew"
            raise StoreDamaged(f"{self.path}: damaged: the table {gone[0]} is missing; {remedy}")
        found = undecodable_row(self.connection, self.path) or unreadable_row(self.connection, self.path)
        if found:
            raise found

    def load(self) -> Snapshot:
        """Read everything but the outbox."""
        rows = self._rows
        return Snapshot(
            instances=rows("SELECT rule, instance, state FROM instances"),
            samples=rows("SELECT rule, instance, slot, number, state FROM samples"),
            alerts=rows("SELECT fingerprint, state FROM alerts"),
            desk=rows("SELECT kind, key, state FROM desk"),
            receipts=rows("SELECT number, packets FROM receipts ORDER BY number"),
            rules=dict(rows("SELECT rule, signature FROM rules")),
            meta=dict(rows("SELECT key, value FROM meta")),
            last_row=rows("SELECT coalesce(max(row), 0) FROM outbox")[0][0],
            keys=rows("SELECT digest, at FROM keys"),
            subscribers=rows("SELECT endpoint, state FROM subscribers"),
        )

    def _rows(self, sql: str, *parameters: Any) -> list[Any]:
        return self.connection.execute(sql, parameters).fetchall()

    def apply(self, all_changes: list[Changes]) -> None:
        """Commit all of them as one transaction, or none.

        Raises:
            sqlite3.Error: nothing was committed.

        """
        run = self.connection.execute
        run("BEGIN IMMEDIATE")
        try:
            for changes in all_changes:
                self._apply(changes)
            run("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                run("ROLLBACK")
            raise

    def _apply(self, changes: Changes) -> None:
        self._split(changes.instances, _INSTANCES, _DELETE_INSTANCES)
        self._samples(changes.samples)
        self._split(changes.alerts, _ALERTS, _DELETE_ALERTS)
        self._split(changes.desk, _DESK, _DELETE_DESK)
        if changes.trace:
            self._list(_TRACE, changes.trace)
            self.connection.execute(_LESS_TRACE, (TRACE_ROWS,))
            self._age("trace", changes.trace, TRACE_KEPT_SECONDS)
        self._split(changes.keys, _KEYS, _DELETE_KEYS)
        self._split(changes.subscribers, _SUBSCRIBERS, _DELETE_SUBSCRIBERS)
        if changes.audit:
            self._list(_AUDIT, changes.audit)
            self.connection.execute(_LESS_AUDIT, (AUDIT_ROWS,))
            self._age("audit", changes.audit, AUDIT_KEPT_SECONDS)
        self._outbox(changes)
        self._split(changes.meta, _META, _DELETE_META)
        self._positions(changes.positions)
        if changes.rules is not None:
            self.connection.execute("DELETE FROM rules")
            self.connection.executemany("INSERT INTO rules VALUES (?, ?)", changes.rules)
        if changes.dead_letters:
            self.connection.executemany(_DEAD_LETTER, changes.dead_letters)
            self.connection.execute(_FEWER_DEAD_LETTERS, (DEAD_LETTERS,))

    def _age(self, table: str, new: Sequence[tuple[Any, ...]], seconds: float) -> None:
        """Delete entries that are older than `seconds`; the newest of the `new` entries tells the time.

        The age of the oldest entry is looked up only when it was deleted, so that most commits pay nothing for it.
        """
        before = new[-1][0] - seconds
        if self._oldest.get(table, -inf) < before:
            some = (before, AGED_ROWS * len(new))
            self.connection.execute(_TOO_OLD.format(table=table), some)
            self._oldest[table] = self._rows(_OLDEST.format(table=table))[0][0]

    def _outbox(self, changes: Changes) -> None:
        self._list(_DROPPED, changes.dropped)
        self._list(_QUEUED, changes.queued)
        if changes.settled:
            last = {row[0]: row for row in changes.settled}.values()
            self._list(_DELIVERED, [row[0] for row in last if row[1] in _GONE])
            self._list(_UNSETTLED, [row for row in last if row[1] not in _GONE])
            self._list(_HANDED, changes.handed)
            self._list(_CLOSED, changes.closed)
            self._bound_handed(len(changes.handed))
            self._bound_dead(sum(row[1] == "dead" for row in last))

    def _bound_handed(self, more: int) -> None:
        """Keep HANDED rows whose fallback is still to hear the end; older ones become ordinary dead letters."""
        self._handed += more
        if more and self._handed > HANDED + DEAD_LETTERS_SLACK:
            self.connection.execute(_FEWER_HANDED, (HANDED,))
            self._handed = self._rows(_COUNT_HANDED)[0][0]
            self._dead = self._rows(_COUNT_DEAD)[0][0]

    def _bound_dead(self, more: int) -> None:
        """Keep DEAD_LETTERS dead letters and delete older ones; one whose fallback is still to hear the end stays."""
        self._dead += more
        if more and self._dead > DEAD_LETTERS + DEAD_LETTERS_SLACK:
            self.connection.execute(_FEWER_DEAD, (DEAD_LETTERS,))
            self._dead = self._rows(_COUNT_DEAD)[0][0]

    def _samples(self, rows: Any) -> None:
        if rows:
            self._list(_DELETE_ALL_SAMPLES, [row[:2] for row in rows if row[2] is None])
            self._split([row for row in rows if row[2] is not None], _SAMPLES, _DELETE_SAMPLES)

    def _positions(self, positions: Mapping[str, Position]) -> None:
        self._list(_META, [(position_key(name), at.text) for name, at in positions.items() if at.text is not None])
        for at in positions.values():
            if at.forget:
                self.connection.execute("DELETE FROM receipts WHERE number <= ?", (at.forget,))
            if at.entry is not None:
                self.connection.execute("INSERT INTO receipts VALUES (?, ?)", at.entry)

    def _split(self, rows: Any, upsert: str, delete: str) -> None:
        """Write the rows whose last column has a value; delete, by their keys, those where it is None."""
        if rows:
            self._list(upsert, [row for row in rows if row[-1] is not None])
            gone = [row[:-1] if len(row) > 2 else row[0] for row in rows if row[-1] is None]
            self._list(delete, gone)

    def _list(self, sql: str, rows: Any) -> None:
        if rows:
            self.connection.execute(sql, (orjson.dumps(rows).decode(),))

    def look_after(self) -> str:
        """Say what others have done to the file since it was opened, "" where nothing; write it again where that helps.

        It helps where the file's name is gone: SQLite still has all of it.
        """
        try:
            wrong = self._lock.wrong()
            if not wrong.mends:
                return wrong.text
            self._write_anew()
        except OSError as error:
            return f"{self.path} cannot be looked at: {error.strerror}"
        except sqlite3.Error as error:
            return f"{wrong.text}; it cannot be written anew: {error}"
        return f"{wrong.text}; it was written anew, with all that the hub holds"

    def _write_anew(self) -> None:
        """Copy all to another file and give it this one's name; until the copy is whole, this one stays in use."""
        aside = self.path.with_name(f"{self.path.name}.anew")
        aside.unlink(missing_ok=True)
        copy = sqlite3.connect(aside)
        try:
            self.connection.backup(copy)
        finally:
            copy.close()
        aside.chmod(0o600)
        self.connection.close()
        self._lock.close()
        for end in ("-wal", "-shm"):  # what SQLite would take for the new file's
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)
        aside.replace(self.path)
        self._lock = Lock(self.path)
        self._open()

    def copy_to(self, file: Path) -> None:
        """Write all into another file, without the room of what was deleted.

        Raises:
            sqlite3.Error: it cannot be written.

        """
        file.unlink(missing_ok=True)
        self.connection.execute("VACUUM INTO ?", (str(file),))
        file.chmod(0o600)

    def stopping(self) -> None:
        """Tell the next hub that wants the file that it is worth waiting."""
        self._lock.stopping()

    def close(self) -> None:
        """Move the write-ahead log into the file, close it and release the locks."""
        self.connection.close()
        self._lock.close()
