"""Says what is wrong with a state file, to whoever has to mend it: with the file as a whole, or with one row."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.errors import StoreBusy, StoreDamaged, StoreError, StoreUnusable
from hub.store.changes import Snapshot

__all__ = ["culprit", "damaged_row", "unanswered", "undecodable_row", "unreadable", "unreadable_row", "unusable"]

_KEYS = {
    "meta": ("key",),
    "rules": ("rule",),
    "instances": ("rule", "instance"),
    "samples": ("rule", "instance", "slot", "number"),
    "alerts": ("fingerprint",),
    "desk": ("kind", "key"),
    "subscribers": ("endpoint",),
    "receipts": ("number",),
    "keys": ("digest",),
    "outbox": ("row",),
}
"""Table → the columns that name a row."""
_JSON = {**dict.fromkeys(("instances", "samples", "alerts", "desk", "subscribers"), "state"), "outbox": "body"}
"""Table → the column that holds JSON."""
_WAITS = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_REMEDIES = {
    sqlite3.SQLITE_ERROR: "; restore a backup, or name another with --state",  # tables are missing, or too many
    sqlite3.SQLITE_CORRUPT: "; restore a backup, or move it away and begin anew",
    sqlite3.SQLITE_NOTADB: "; restore a backup, or name another with --state",
    sqlite3.SQLITE_READONLY: "; let the user that the hub runs as write it and its folder",
    sqlite3.SQLITE_CANTOPEN: "; let the user that the hub runs as write it and its folder",
}


def unusable(path: Path, error: sqlite3.Error) -> StoreUnusable:
    """Say why SQLite cannot use the file: a StoreBusy where that will pass, such as a full disk or another writer."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the extended code says more than is needed
    kind = StoreBusy if code in _WAITS else StoreDamaged if code in _DAMAGED else StoreUnusable
    return kind(f"{path}: cannot be used as the state file: {error}{_REMEDIES.get(code, '')}")


def unreadable(path: Path, error: sqlite3.Error) -> StoreUnusable:
    """Say why the file cannot be read by a command. SQLite writes into the file's folder even to read it."""
    remedy = _REMEDIES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")
    return StoreUnusable(f"{path}: cannot be read as a hub's state file: {error}{remedy}")


def unanswered(path: Path, error: sqlite3.Error) -> StoreError:
    """Say why a query of a running hub has no answer: a StoreBusy where asking again will help."""
    reason = unusable(path, error)
    if isinstance(reason, StoreBusy):
        return reason
    return StoreError(str(reason).replace("used as the state file", "read", 1))


def damaged_row(path: Path, table: str, row: Sequence[Any], why: str) -> StoreUnusable:
    """Return the error that names a row and what to do; `row` has the columns of _KEYS first."""
    named = " AND ".join(f"{key} = {_quoted(value)}" for key, value in zip(_KEYS[table], row, strict=False))
    what = f"a row of the table {table} cannot be read ({why})"
    remedy = f"restore a backup, or let this row go, with sqlite3: DELETE FROM {table} WHERE {named}"  # noqa: S608
    return StoreDamaged(f"{path}: damaged: {what}; {remedy}")


def _quoted(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def unreadable_row(connection: sqlite3.Connection, path: Path) -> StoreUnusable | None:
    """Find a row whose JSON cannot be parsed. Whether valid JSON makes sense, only its keeper knows (`culprit`)."""
    for table, column in _JSON.items():
        names = ", ".join(_KEYS[table])
        wrong = f"NOT json_valid({column})"
        if table == "outbox":  # no keeper reads it at a start, so the check goes further here
            wrong = f"CASE WHEN json_valid({column}) THEN json_type({column}) <> 'object' ELSE 1 END"
        row = connection.execute(f"SELECT {names} FROM {table} WHERE {wrong} LIMIT 1").fetchone()  # noqa: S608 - words of our own
        if row is not None:
            return damaged_row(path, table, row, "no JSON object" if table == "outbox" else "no JSON")
    return None


def undecodable_row(connection: sqlite3.Connection, path: Path) -> StoreUnusable | None:
    """Find a row with text that is not UTF-8. What is only looked at (trace, audit) is not searched."""
    connection.text_factory = bytes
    try:
        for table, keys in _KEYS.items():
            columns = ", ".join((*keys, _JSON.get(table, "1")))
            for row in connection.execute(f"SELECT {columns} FROM {table}"):  # noqa: S608 - words of our own
                if not all(map(_is_text, row)):
                    return damaged_row(path, table, row, "no UTF-8 text")
    finally:
        connection.text_factory = str
    return None


def _is_text(value: Any) -> bool:
    if isinstance(value, bytes):
        try:
            value.decode()
        except UnicodeDecodeError:
            return False
    return True


def culprit(path: Path, snapshot: Snapshot, restore: Callable[[Snapshot], None]) -> StoreUnusable | None:
    """Find the row that `restore` cannot take, where one row is to blame: valid JSON, but not what the hub writes.

    It calls `restore` with halves of a table, again and again; only a start that fails anyway pays for that.
    """
    if _failure(restore, snapshot) is None:
        return None
    for table in ("meta", "receipts", "keys", "subscribers", "desk", "alerts", "samples", "instances"):
        rows = _rows(snapshot, table)
        if rows and _failure(restore, _with(snapshot, table, ())) is None:
            while len(rows) > 1:
                half = rows[: len(rows) // 2]
                rows = rows[len(half) :] if _failure(restore, _with(snapshot, table, half)) is None else half
            return damaged_row(path, table, rows[0], _failure(restore, _with(snapshot, table, rows)) or "unknown")
    return None


def _rows(snapshot: Snapshot, table: str) -> list[Any]:
    held = getattr(snapshot, table)
    return list(held.items()) if isinstance(held, dict) else list(held)


def _with(snapshot: Snapshot, table: str, rows: Iterable[Any]) -> Snapshot:
    kind = type(getattr(snapshot, table))
    return replace(snapshot, **{table: kind(rows)})


def _failure(restore: Callable[[Snapshot], None], snapshot: Snapshot) -> str | None:
    try:
        restore(snapshot)
    except Exception as error:  # noqa: BLE001 - a row that means nothing can fail in any way; which, is said
        return f"{type(error).__name__}: {error}"[:200]
    return None
