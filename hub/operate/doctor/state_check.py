"""Checks the state file, which a running hub may have open: whether it is whole, what waits, what was given up."""

import time
from pathlib import Path

from hub.documents.duration import format_duration
from hub.errors import StoreUnusable
from hub.operate.doctor.finding import Finding, bad, good, unknown, warning
from hub.store.sqlite.checkup import Checkup, check_up
from hub.store.sqlite.lock import kind_of

__all__ = ["look_at_state"]

OLD_SECONDS = 3600.0  # a notification that waits longer waits for a receiver that does not work
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
        found = check_up(path)
    except StoreUnusable as error:
        what, _, remedy = str(error).partition("; ")
        return [bad(_SUBJECT, what, remedy or "name the hub's state file with --state")]
    return [*_whole(found, path), *_outbox(found, time.time())]


def _whole(found: Checkup, path: Path) -> list[Finding]:
    if found.damaged:
        remedy = (
            "stop the hub and move it away: the hub makes a new one; pending timers and queued messages are in the old"
        )
        return [bad(_SUBJECT, f"{path} is damaged: {found.damaged}", remedy)]
    if found.newer:
        return [bad(_SUBJECT, f"{path} was {found.newer}", "install that version")]
    if found.unreadable:
        what, _, remedy = found.unreadable.partition("; ")
        return [bad(_SUBJECT, what, f"stop the hub; {remedy}")]
    findings = [good(_SUBJECT, f"{path} is whole, {path.stat().st_size / (1 << 20):.1f} MB")]
    if path.stat().st_nlink > 1:
        why = "SQLite finds what it has not yet brought into the file by the file's name"
        findings.append(warning(_SUBJECT, f"{path} has another name, too (a hard link): {why}", "use one name, always"))
    return findings


def _outbox(found: Checkup, now: float) -> list[Finding]:
    findings = [good("outbox", f"{found.queued} waiting")]
    if found.queued and now - found.oldest > OLD_SECONDS:
        text = f"{found.queued} waiting, the oldest for {format_duration(now - found.oldest)}"
        findings = [warning("outbox", text, "`hub outbox list` names the receivers")]
    if found.dead:
        text = f"{found.dead} notifications were given up"
        findings.append(warning("outbox", text, "`hub outbox list` tells why; then retry"))
    if found.unread:
        text = f"{found.unread} messages could not be read"
        findings.append(warning("events", text, "the hub's log names their topics"))
    return findings
