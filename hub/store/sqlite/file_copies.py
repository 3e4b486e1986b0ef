"""State files that no hub has open: copied beside whoever writes them, and looked into."""

import contextlib
import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from hub.errors import StoreError
from hub.store.sqlite.lock import Lock

__all__ = ["copy_file", "drop_meta", "meta_in", "unused"]


def copy_file(source: Path, target: Path) -> None:
    """Copy a state file as it is at one moment, without the room of what was deleted; a target that is there is lost.

    Raises:
        StoreError: it cannot be read, or the target cannot be written.

    """
    try:
        with contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            target.unlink(missing_ok=True)
            connection.execute("VACUUM INTO ?", (str(target),))
        target.chmod(0o600)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{source}: cannot be copied to {target}: {error}") from None


def unused(file: Path) -> AbstractContextManager[object]:
    """Hold the lock of a hub's file, so that none has it open. A backup has none, and may lie where none can be made.

    Raises:
        StoreLocked, StoreBusy: a hub has it open.
        StoreError: there is none.

    """
    if not file.is_file():
        raise StoreError(f"{file}: there is no such file")
    beside = file.with_name(f"{file.name}.lock")
    return contextlib.closing(Lock(file)) if beside.exists() else contextlib.nullcontext()


def meta_in(file: Path) -> dict[str, str]:
    """Return the single values of a file, by name.

    Raises:
        StoreError: it cannot be read.

    """
    try:
        with contextlib.closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return dict(connection.execute("SELECT key, value FROM meta").fetchall())
    except sqlite3.Error as error:
        raise StoreError(f"{file}: cannot be read: {error}") from None


def drop_meta(file: Path, keys: Iterable[str]) -> None:
    """Delete single values of a file.

    Raises:
        StoreError: it cannot be written.

    """
    try:
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            connection.executemany("DELETE FROM meta WHERE key = ?", [(key,) for key in keys])
    except sqlite3.Error as error:
        raise StoreError(f"{file}: cannot be written: {error}") from None
