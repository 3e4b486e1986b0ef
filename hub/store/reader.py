"""What a store can be asked, whatever it keeps its rows in. Nothing here changes anything.

`SqliteReader` answers from a state file, `MemoryReader` from memory; commands, views and the outbox see only `Reader`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from hub.store.changes import TraceRow

__all__ = [
    "COPY_PREFIX",
    "COPY_ROW",
    "AuditEntry",
    "Depth",
    "HistoryEntry",
    "LastAttempt",
    "OutboxEntry",
    "QueuedRow",
    "Reader",
]

HistoryEntry = tuple[int, float, str, str, str, str, str]
"""row, at, kind, alert, rule, notification, data (JSON)"""
AuditEntry = tuple[int, float, str, str, str, str]
"""row, at, actor, via, action, detail (JSON)"""


class Depth(NamedTuple):
    """How many notifications of a receiver are queued or dead, and when the oldest was made, seconds since 1970."""

    receiver: str
    state: str
    waiting: int
    oldest: float


class LastAttempt(NamedTuple):
    """When a receiver last had this outcome (`delivered`, `failed`, `refused`), in seconds since 1970."""

    receiver: str
    outcome: str
    at: float
    reason: str


class OutboxEntry(NamedTuple):
    """A row of the outbox: `state` is `queued` or `dead`, times are seconds since 1970, `body` is JSON."""

    row: int
    id: str
    receiver: str
    lane: str
    body: str
    created: float
    state: str
    attempts: int
    next_at: float
    reason: str


class QueuedRow(NamedTuple):
    """A queued row of the outbox, as its lane takes it in; times are seconds since 1970, `body` is JSON."""

    row: int
    id: str
    receiver: str
    lane: str
    body: str
    created: float
    attempts: int
    next_at: float


COPY_PREFIX = "log:"
"""So begin the rows of `meta` that only a node's copy of a cluster's log has."""
COPY_ROW = f"{COPY_PREFIX}cluster"
"""The one that says of which."""


class Reader(Protocol):
    """One consistent look at a store: all answers of one query are of the same moment."""

    # alerts and what became of them

    def traced(self, rule: str, limit: int) -> list[str]:
        """Return the alerts of a rule that the trace knows, by fingerprint; those of the latest entries first."""
        ...

    def trace(self, alert: str, limit: int) -> list[TraceRow]:
        """Return the newest entries of an alert, in order."""
        ...

    def is_alert(self, fingerprint: str) -> bool:
        """Tell whether the trace has more than deliveries under this fingerprint; a group has nothing more."""
        ...

    def trace_with(self, alert: str, limit: int, messages: Sequence[str]) -> list[TraceRow]:
        """Return the newest entries of an alert, and the deliveries of these messages of its group, in order."""
        ...

    def members(self, notification: str, limit: int) -> list[str]:
        """Return the alerts, by fingerprint, that a message tells of."""
        ...

    def alert(self, fingerprint: str) -> Any:
        """Return an alert's row as the book writes it, None where there is none."""
        ...

    def alert_rows(self) -> list[tuple[str, str]]:
        """Return all rows of alerts: fingerprint, state as JSON."""
        ...

    def desk_rows(self) -> list[tuple[str, str, str]]:
        """Return all rows of the table `desk`: kind, key, state as JSON."""
        ...

    def meta(self) -> dict[str, str]:
        """Return the single values by name."""
        ...

    def history(self, before: int, rule: str, alert: str, limit: int) -> list[HistoryEntry]:
        """Return entries of the trace before a row, the newest first; deliveries are left out.

        An empty `rule` or `alert` means all.
        """
        ...

    def kept_since(self) -> float | None:
        """Return when the oldest entry of the trace was made, where older ones were deleted; None: all are there."""
        ...

    def last_attempts(self) -> list[LastAttempt]:
        """Return when each receiver last had each outcome, as far back as the trace goes; 0.3 s on a full trace."""
        ...

    def audit(self, before: int, limit: int) -> list[AuditEntry]:
        """Return entries of the audit log before a row, the newest first."""
        ...

    def rules(self) -> list[str]:
        """Return the names of the rules that the hub had when it last ran, and of those that the trace knows."""
        ...

    # the outbox

    def outbox(self, ids: Sequence[str], receiver: str, state: str, limit: int, after: int = 0) -> list[OutboxEntry]:
        """Return rows of the outbox in order, from behind the row `after`.

        An empty `ids`, `receiver` or `state` means all, but never the hub's own receiver.
        """
        ...

    def depths(self) -> list[Depth]:
        """Count the outbox by receiver and state, without the hub's own receiver."""
        ...

    def queued(self, receiver: str, after_row: int, limit: int) -> list[QueuedRow]:
        """Read a page of a receiver's queued rows, in order."""
        ...

    def receivers(self) -> list[str]:
        """Name the receivers that have queued rows."""
        ...

    def handed(self) -> list[tuple[str, str, str]]:
        """Return receiver, id and fallback of each firing message whose end the fallback is to hear, too."""
        ...

    def last_row(self) -> int:
        """Return the highest row of the outbox, 0 where it is empty."""
        ...
