"""A look at a state file from outside, for `hub doctor`: whether it is whole, what waits, which topics it remembers.

A running hub may have the file open, so everything is read on a connection that cannot write.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hub.store.formats import newer
from hub.store.sqlite.damage import undecodable_row, unreadable, unreadable_row

__all__ = ["Checkup", "check_up", "remembered"]


class Checkup(NamedTuple):
    """What was found. At most one of the first three is not empty; then this hub cannot use the file."""

    damaged: str
    """What SQLite says of the file as a whole."""
    newer: str
    """That a newer hub has written it."""
    unreadable: str
    """Which row cannot be read, and after "; " what to do."""
    queued: int
    oldest: float
    """When the oldest queued notification was made, in seconds since 1970; 0 where none is queued."""
    dead: int
    unread: int
    """How many messages of devices could not be read and are kept."""


def check_up(path: Path) -> Checkup:
    """Look at all of a state file.

    Raises:
        StoreUnusable: it cannot be read as one.

    """
    try:
        with _read_only(Path(os.path.realpath(path))) as connection:
            return _examined(connection, path)
    except sqlite3.Error as error:
        raise unreadable(path, error) from None


def _examined(connection: sqlite3.Connection, path: Path) -> Checkup:
    damaged, too_new, wrong = connection.execute("PRAGMA quick_check(1)").fetchone()[0].removeprefix("ok"), "", ""
    if not damaged:
        too_new = newer(connection)
    if not damaged and not too_new:
        row = undecodable_row(connection, path) or unreadable_row(connection, path)
        wrong = "" if row is None else str(row)
    queued, oldest = connection.execute("SELECT count(*), min(created) FROM outbox WHERE state = 'queued'").fetchone()
    dead = connection.execute("SELECT count(*) FROM outbox WHERE state = 'dead'").fetchone()[0]
    unread = connection.execute("SELECT count(*) FROM dead_letters").fetchone()[0]
    return Checkup(damaged, too_new, wrong, queued, oldest or 0.0, dead, unread)


def remembered(path: Path, kind: str, limit: int) -> tuple[list[str], list[str]]:
    """Return the keys of the desk rows of a kind, and states of instances (JSON), at most `limit` of each.

    Both are empty where the file cannot be read: `check_up` tells what is wrong with it.
    """
    try:
        with _read_only(path.resolve()) as connection:
            keys = connection.execute("SELECT key FROM desk WHERE kind = ? LIMIT ?", (kind, limit)).fetchall()
            states = connection.execute("SELECT state FROM instances LIMIT ?", (limit,)).fetchall()
    except (OSError, sqlite3.Error):
        return [], []
    return [key for (key,) in keys], [state for (state,) in states]


@contextlib.contextmanager
def _read_only(place: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"{place.as_uri()}?mode=ro", uri=True)) as connection:
        yield connection
