"""The Reader of a state file, on the writer's connection or on one of its own, beside a hub that has the file open."""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson

from hub.errors import StoreUnusable
from hub.model import OWN
from hub.store.changes import TraceRow
from hub.store.formats import newer
from hub.store.reader import Depth, LastAttempt, OutboxEntry, QueuedRow, Reader
from hub.store.sqlite.damage import unreadable
from hub.store.sqlite.lock import kind_of

__all__ = ["SqliteReader", "ask_file"]

T = TypeVar("T")

_TRACED = """
SELECT alert FROM (SELECT alert, max(row) AS latest FROM trace WHERE rule = ? GROUP BY alert)
ORDER BY latest DESC LIMIT ?"""
_TRACE = """
SELECT at, kind, alert, rule, notification, data FROM
(SELECT * FROM trace WHERE alert = ? ORDER BY row DESC LIMIT ?) ORDER BY row"""
_TRACE_WITH = """
SELECT at, kind, alert, rule, notification, data FROM (
    SELECT * FROM trace WHERE alert = ?1 OR alert IN (SELECT substr(value, 1, instr(value, '-') - 1) FROM json_each(?3))
    AND kind = 'delivery' AND notification IN (SELECT value FROM json_each(?3)) ORDER BY row DESC LIMIT ?2
) ORDER BY row"""
_MEMBERS = """
SELECT alert FROM trace WHERE notification = ? AND kind = 'notified' GROUP BY alert ORDER BY min(row) LIMIT ?"""
_OUTBOX = """
SELECT row, id, receiver, lane, body, created, state, attempts, next_at, reason FROM outbox
WHERE (?1 = '' AND receiver <> ?2 OR receiver = ?1) AND (?3 = '' OR state = ?3)
AND (?4 = '[]' OR id IN (SELECT value FROM json_each(?4))) AND row > ?6 ORDER BY row LIMIT ?5"""
_DEPTHS = """
SELECT receiver, state, count(*), min(created) FROM outbox WHERE receiver <> ? GROUP BY receiver, state"""
_HISTORY = """
SELECT row, at, kind, alert, rule, notification, data FROM trace
WHERE row < ?1 AND (?2 = '' OR rule = ?2) AND (?3 = '' OR alert = ?3) AND kind <> 'delivery'
ORDER BY row DESC LIMIT ?4"""
_LAST_ATTEMPTS = """
SELECT data->>'receiver', data->>'outcome', max(at), coalesce(data->>'reason', '') FROM trace
WHERE kind = 'delivery' AND data->>'outcome' IN ('delivered', 'failed', 'refused') GROUP BY 1, 2"""
_OLDEST = "SELECT row, at FROM trace ORDER BY row LIMIT 1"
_PAGE = """
SELECT row, id, receiver, lane, body, created, attempts, next_at FROM outbox
WHERE receiver = ? AND state = 'queued' AND row > ? ORDER BY row LIMIT ?"""
_RECEIVERS = "SELECT DISTINCT receiver FROM outbox WHERE state = 'queued' ORDER BY receiver"
_HANDED = "SELECT receiver, id, handed FROM outbox WHERE handed <> '' ORDER BY row"
_LAST_ROW = "SELECT coalesce(max(row), 0) FROM outbox"
_AUDIT = "SELECT row, at, actor, via, action, detail FROM audit WHERE row < ? ORDER BY row DESC LIMIT ?"


class SqliteReader(Reader):
    """Reads a state file on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take the connection; the caller closes it."""
        self._connection = connection

    def traced(self, rule: str, limit: int) -> list[str]:
        """Return the alerts of a rule that the trace knows, by fingerprint; those of the latest entries first."""
        return [row[0] for row in self._connection.execute(_TRACED, (rule, limit))]

    def trace(self, alert: str, limit: int) -> list[TraceRow]:
        """Return the newest entries of an alert, in order."""
        return self._connection.execute(_TRACE, (alert, limit)).fetchall()

    def is_alert(self, fingerprint: str) -> bool:
        """Tell whether the trace has more than deliveries under this fingerprint; a group has nothing more."""
        found = self._connection.execute(
            "SELECT 1 FROM trace WHERE alert = ? AND kind <> 'delivery' LIMIT 1", (fingerprint,)
        )
        return found.fetchone() is not None

    def trace_with(self, alert: str, limit: int, messages: Sequence[str]) -> list[TraceRow]:
        """Return the newest entries of an alert, and the deliveries of these messages of its group, in order."""
        wanted = (alert, limit, orjson.dumps(list(messages)).decode())
        return self._connection.execute(_TRACE_WITH, wanted).fetchall()

    def members(self, notification: str, limit: int) -> list[str]:
        """Return the alerts, by fingerprint, that a message tells of."""
        return [row[0] for row in self._connection.execute(_MEMBERS, (notification, limit))]

    def alert(self, fingerprint: str) -> Any:
        """Return an alert's row as the book writes it, None where there is none."""
        row = self._connection.execute("SELECT state FROM alerts WHERE fingerprint = ?", (fingerprint,)).fetchone()
        return None if row is None else orjson.loads(row[0])

    def outbox(self, ids: Sequence[str], receiver: str, state: str, limit: int, after: int = 0) -> list[OutboxEntry]:
        """Return rows of the outbox in order, from behind the row `after`.

        An empty `ids`, `receiver` or `state` means all, but never the hub's own receiver.
        """
        wanted = (receiver, OWN, state, orjson.dumps(list(ids)).decode(), limit, after)
        return [OutboxEntry(*row) for row in self._connection.execute(_OUTBOX, wanted)]

    def depths(self) -> list[Depth]:
        """Count the outbox by receiver and state, without the hub's own receiver."""
        return [Depth(*row) for row in self._connection.execute(_DEPTHS, (OWN,))]

    def alert_rows(self) -> list[tuple[str, str]]:
        """Return all rows of alerts."""
        return self._connection.execute("SELECT fingerprint, state FROM alerts").fetchall()

    def desk_rows(self) -> list[tuple[str, str, str]]:
        """Return all rows of the desk."""
        return self._connection.execute("SELECT kind, key, state FROM desk").fetchall()

    def meta(self) -> dict[str, str]:
        """Return the single values by name."""
        return dict(self._connection.execute("SELECT key, value FROM meta").fetchall())

    def history(self, before: int, rule: str, alert: str, limit: int) -> list[tuple[int, *tuple[Any, ...]]]:
        """Return entries of the trace before a row, the newest first, each with its row; deliveries are left out."""
        return self._connection.execute(_HISTORY, (before, rule, alert, limit)).fetchall()

    def kept_since(self) -> float | None:
        """Return when the oldest entry of the trace was made, where older ones were deleted; None: all are there."""
        row, at = self._connection.execute(_OLDEST).fetchone() or (1, None)
        return at if row > 1 else None

    def last_attempts(self) -> list[LastAttempt]:
        """Return when each receiver last had each outcome, as far back as the trace goes; 0.3 s on a full trace."""
        return [LastAttempt(*row) for row in self._connection.execute(_LAST_ATTEMPTS)]

    def audit(self, before: int, limit: int) -> list[tuple[int, float, str, str, str, str]]:
        """Return entries of the audit log before a row, the newest first: row, at, actor, via, action, detail."""
        return self._connection.execute(_AUDIT, (before, limit)).fetchall()

    def rules(self) -> list[str]:
        """Return the names of the rules that the hub had when it last ran, and of those that the trace knows."""
        found = self._connection.execute("SELECT rule FROM rules UNION SELECT DISTINCT rule FROM trace").fetchall()
        return sorted(row[0] for row in found)

    def queued(self, receiver: str, after_row: int, limit: int) -> list[QueuedRow]:
        """Read a page of a receiver's queued rows, in order."""
        return [QueuedRow(*row) for row in self._connection.execute(_PAGE, (receiver, after_row, limit))]

    def receivers(self) -> list[str]:
        """Name the receivers that have queued rows."""
        return [row[0] for row in self._connection.execute(_RECEIVERS)]

    def handed(self) -> list[tuple[str, str, str]]:
        """Return receiver, id and fallback of each firing message whose end the fallback is to hear, too."""
        return self._connection.execute(_HANDED).fetchall()

    def last_row(self) -> int:
        """Return the highest row of the outbox, 0 where it is empty."""
        found: int = self._connection.execute(_LAST_ROW).fetchone()[0]
        return found


def ask_file(path: Path, query: Callable[[Reader], T]) -> T:
    """Answer a query from a state file; a hub may have it open.

    Raises:
        StoreUnusable: there is none, it is no hub's, or it cannot be read. What the query raises is raised.

    """
    try:
        why = kind_of(path) if path.exists() else "no such state file (name it with --state, or the settings with -c)"
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
    if why:
        raise StoreUnusable(f"{path}: {why}")
    place = f"{Path(os.path.realpath(path)).as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(place, uri=True)) as connection:
            connection.execute("SELECT 1 FROM trace LIMIT 1")
            if why := newer(connection):
                raise StoreUnusable(f"{path}: {why}; use that version of this command")
            return query(SqliteReader(connection))
    except sqlite3.Error as error:
        raise unreadable(path, error) from None
