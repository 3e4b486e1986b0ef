"""The format number of each kind of row, and the check that no newer hub has written a file, before anything is read.

The version of the file (PRAGMA user_version) counts its migration steps. The number of a kind counts how often the look
of its rows has changed, and may be raised alone. A file says which numbers its hub had.
"""

import sqlite3
from collections.abc import Mapping

from hub.store.sqlite.migrations import STEPS

__all__ = ["FORMATS", "newer", "unknown_kind", "write_formats"]

FORMATS: Mapping[str, int] = {
    # what has a table of its own
    "instances": 1,
    "samples": 1,
    "rules": 1,
    "alerts": 1,
    "outbox": 1,
    "receipts": 1,
    "dead_letters": 1,
    "trace": 1,
    "keys": 1,
    "audit": 1,
    "subscribers": 1,
    "meta": 1,
    # rows of the table `desk`
    "silence": 1,
    "conversation": 1,
    "limit": 1,
    "episode": 1,
    "posted": 1,
    "discovery": 1,
    "birth": 1,
    "metrics": 1,
    "metrics since": 1,
    "presence": 1,
    "heard": 1,
    "setting": 1,
    "latest": 1,
    "late": 1,
    "member": 1,
}
"""Kind → number; raise it in the git commit that changes what the rows of a kind look like (test_formats.py)."""
_KINDS = """
WITH RECURSIVE found (kind) AS (
    SELECT min(kind) FROM desk UNION ALL SELECT (SELECT min(kind) FROM desk WHERE kind > found.kind) FROM found
    WHERE found.kind IS NOT NULL
) SELECT CAST(kind AS BLOB) FROM found WHERE kind IS NOT NULL"""  # a look at each kind, not at each row
_ONCE = "group"  # a kind that step 7 has renamed


def newer(connection: sqlite3.Connection) -> str:
    """Say that a newer hub has written this file, and by what that shows; "" where none has.

    Everybody who opens a state file asks this first: rows of a newer hub must neither be misread nor lost. A file that
    lacks a table is damaged; that is not checked here.

    Raises:
        sqlite3.Error: it cannot be read.

    """
    version, known = connection.execute("PRAGMA user_version").fetchone()[0], len(STEPS)
    if version > known:
        return f"written by a newer hub (state version {version}, this one knows {known})"
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    stored = connection.execute("SELECT kind, format FROM formats").fetchall() if "formats" in tables else []
    for kind, number in sorted(stored):
        if kind not in FORMATS:
            return unknown_kind(kind)
        if number > FORMATS[kind]:
            return f"written by a newer hub (format {number} of {kind!r}, this one knows {FORMATS[kind]})"
    found = connection.execute(_KINDS).fetchall() if "desk" in tables else []
    strange = [kind.decode("utf-8", "replace") for (kind,) in found]
    return next(
        (unknown_kind(each) for each in strange if each not in FORMATS and each != _ONCE and _is_word(each)), ""
    )


def _is_word(kind: str) -> bool:
    """Tell whether a hub may have written this. If not, the row is damaged, and the check of all rows names it."""
    return "\ufffd" not in kind


def unknown_kind(kind: str) -> str:
    """Say that rows are of a kind that this hub does not know: only a newer hub can have written them."""
    return f"written by a newer hub (rows of the kind {kind!r}, which this one does not know)"


def write_formats(connection: sqlite3.Connection) -> None:
    """Note in a migrated file which numbers this hub has: from now on an older hub refuses it."""
    try:
        stored = dict(connection.execute("SELECT kind, format FROM formats"))
    except sqlite3.OperationalError:
        return  # the table is missing: the check of all tables says so
    if stored != dict(FORMATS):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT OR REPLACE INTO formats VALUES (?, ?)", FORMATS.items())
        connection.execute("COMMIT")
