"""Checks the state file, which a running hub may have open: is it whole, what waits, what was given up?"""

import time
from pathlib import Path

from hub.documents.duration import format_duration
from hub.errors import StoreUnusable
from hub.operate.doctor.finding import Finding, bad, good, unknown, warning
from hub.store.sqlite.checkup import Checkup, check_up
from hub.store.sqlite.lock import kind_of

__all__ = ["look_at_state"]

OLD_SECONDS = 3600.0  # if a notification waits longer, its receiver does not work
_SUBJECT = "state file"


def look_at_state(path: Path) -> list[Finding]:
    """Check the state file; one that is not there yet is no fault."""
    try:
        if not path.exists():
            return [unknown(_SUBJECT, f"{path} is not there yet; `hub run` makes it")]
        why = kind_of(path)
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        return [bad(_SUBJECT, f"{path} cannot be read: {why}", "name the hub's state file with --state")]
    try:
        checkup = check_up(path)
    except StoreUnusable as error:
        what, _, remedy = str(error).partition("; ")
        return [bad(_SUBJECT, what, remedy or "name the hub's state file with --state")]
    return [*_whole(checkup, path), *_outbox(checkup, time.time())]


def _whole(checkup: Checkup, path: Path) -> list[Finding]:
    """Say whether a hub of this version can use the file."""
    if checkup.damaged:
        remedy = (
            "stop the hub and move the file away: the hub makes a new one; the old one keeps pending timers and queued"
            " messages"
        )
        return [bad(_SUBJECT, f"{path} is damaged: {checkup.damaged}", remedy)]
    if checkup.newer:
        return [bad(_SUBJECT, f"{path} was {checkup.newer}", "install that version")]
    if checkup.unreadable:
        what, _, remedy = checkup.unreadable.partition("; ")
        return [bad(_SUBJECT, what, f"stop the hub; {remedy}")]
    findings = [good(_SUBJECT, f"{path} is whole, {path.stat().st_size / (1 << 20):.1f} MB")]
    if path.stat().st_nlink > 1:
        why = "SQLite finds its write-ahead log by the file's name"
        findings.append(
            warning(_SUBJECT, f"{path} has another name, too (a hard link): {why}", "always use the same name")
        )
    return findings


def _outbox(checkup: Checkup, now: float) -> list[Finding]:
    """Say how many notifications wait, and what was lost: dead letters, and messages that no rule could see."""
    findings = [good("outbox", f"{checkup.queued} waiting")]
    if checkup.queued and now - checkup.oldest > OLD_SECONDS:
        text = f"{checkup.queued} waiting, the oldest for {format_duration(now - checkup.oldest)}"
        findings = [warning("outbox", text, "`hub outbox list` names the receivers")]
    if checkup.dead:
        text = f"{checkup.dead} notifications were given up"
        findings.append(warning("outbox", text, "`hub outbox list` tells why, `hub outbox retry` queues them again"))
    if checkup.unread:
        text = f"{checkup.unread} messages could not be read"
        findings.append(warning("events", text, "the hub's log names their topics"))
    return findings
