"""The state file, read beside a hub that may have it open: is it whole, what waits, what was given up."""

import os
import sqlite3
import time
from pathlib import Path

from hub.duration import format_duration
from hub.operate.doctor.finding import Finding, bad, good, unknown, warning
from hub.store.damage import undecodable_row, unreadable, unreadable_row
from hub.store.formats import newer
from hub.store.lock import kind_of

__all__ = ["look_at_state"]

OLD_SECONDS = 3600.0  # what waits longer than this waits for a receiver that does not work
_SUBJECT = "state file"


def look_at_state(path: Path) -> list[Finding]:
    """Look at the state file."""
    try:
        if not path.exists():
            return [unknown(_SUBJECT, f"{path} is not there yet; `hub run` makes it")]
        why = kind_of(path)
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        return [bad(_SUBJECT, f"{path} cannot be read: {why}", "name the hub's state file with --state")]
    try:
        connection = sqlite3.connect(f"{Path(os.path.realpath(path)).as_uri()}?mode=ro", uri=True)
        try:
            return [*_whole(connection, path), *_outbox(connection, time.time())]
        finally:
            connection.close()
    except sqlite3.Error as error:
        what, _, remedy = str(unreadable(path, error)).partition("; ")
        return [bad(_SUBJECT, what, remedy or "name the hub's state file with --state")]


def _whole(connection: sqlite3.Connection, path: Path) -> list[Finding]:
    said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        remedy = (
            "stop the hub and move it away: the hub makes a new one; pending timers and queued messages are in the old"
        )
        return [bad(_SUBJECT, f"{path} is damaged: {said}", remedy)]
    if why := newer(connection):
        return [bad(_SUBJECT, f"{path} was {why}", "install that version")]
    if row := undecodable_row(connection, path) or unreadable_row(connection, path):
        what, _, remedy = str(row).partition("; ")
        return [bad(_SUBJECT, what, f"stop the hub; {remedy}")]
    found = [good(_SUBJECT, f"{path} is whole, {path.stat().st_size / (1 << 20):.1f} MB")]
    if path.stat().st_nlink > 1:
        why = "SQLite finds what it has not yet brought into the file by the file's name"
        found.append(warning(_SUBJECT, f"{path} has another name, too (a hard link): {why}", "use one name, always"))
    return found


def _outbox(connection: sqlite3.Connection, now: float) -> list[Finding]:
    waiting, oldest = connection.execute("SELECT count(*), min(created) FROM outbox WHERE state = 'queued'").fetchone()
    dead = connection.execute("SELECT count(*) FROM outbox WHERE state = 'dead'").fetchone()[0]
    unread = connection.execute("SELECT count(*) FROM dead_letters").fetchone()[0]
    found = [good("outbox", f"{waiting} waiting")]
    if waiting and now - oldest > OLD_SECONDS:
        text = f"{waiting} waiting, the oldest for {format_duration(now - oldest)}"
        found = [warning("outbox", text, "`hub outbox list` names the receivers")]
    if dead:
        found.append(
            warning("outbox", f"{dead} notifications were given up", "`hub outbox list` tells why; then retry")
        )
    if unread:
        found.append(warning("events", f"{unread} messages could not be read", "the hub's log names their topics"))
    return found
