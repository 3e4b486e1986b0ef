"""What one commit makes durable together, and what a start reads back. The pipeline fills it, the store applies it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.model import BROKER, Kept, Position

__all__ = [
    "AuditRow",
    "Changes",
    "MetaRow",
    "OutboxRow",
    "SettledRow",
    "Snapshot",
    "TraceRow",
    "position_key",
]

OutboxRow = tuple[int, str, str, str, str, float]
"""row, id, receiver, lane, body (JSON), created"""
TraceRow = tuple[float, str, str, str, str, str]
"""at, kind, alert, rule, notification, data (JSON)"""
AuditRow = tuple[float, str, str, str, str]
"""at, actor, via ("mqtt" | "http" | "link"), action, detail (JSON)"""
MetaRow = tuple[str, str | None]
"""key, value"""
SettledRow = tuple[int, str, int, float, str]
"""row, state ("delivered" | "retry" | "dead" | "superseded"), attempts, next_at, reason"""


@dataclass(slots=True)
class Changes:
    """One transaction. The JSON texts are the keepers' own; None in the place of a text deletes the row."""

    instances: Sequence[tuple[str, str, str | None]] = ()
    """rule, instance, state"""
    alerts: Sequence[tuple[str, str | None]] = ()
    """fingerprint, state"""
    queued: Sequence[OutboxRow] = ()
    settled: Sequence[SettledRow] = ()
    dropped: Sequence[int] = ()
    """Rows of the outbox that are deleted whatever their state, before `queued` is added."""
    handed: Sequence[tuple[int, str]] = ()
    """row, the fallback to which its firing message went"""
    closed: Sequence[tuple[str, str]] = ()
    """receiver, episode id: the fallback has heard the end of this episode"""
    dead_letters: Sequence[tuple[float, str, bytes, str]] = ()
    """at, topic, head, reason"""
    positions: Mapping[str, Position] = field(default_factory=dict)
    """By source. Only the broker's position has entries: the receipts (commit number, packed packet ids)."""
    meta: Sequence[MetaRow] = ()
    """Single values by name: the hub's keys, ended logins, filters, counters; None deletes one."""
    rules: Sequence[tuple[str, str]] | None = None
    """All rules and their signatures, when they changed."""
    samples: Sequence[tuple[str, str, str | None, int, str | None]] = ()
    """rule, instance, slot, number, state; a row without a slot deletes all of the instance, before the others"""
    desk: Sequence[tuple[str, str, str | None]] = ()
    """kind (one of FORMATS in formats.py), key, state"""
    trace: Sequence[TraceRow] = ()
    keys: Sequence[tuple[str, float | None]] = ()
    """Idempotency keys of posted events: digest, when it came in seconds since 1970; None deletes it."""
    audit: Sequence[AuditRow] = ()
    subscribers: Sequence[tuple[str, str | None]] = ()
    """Browsers that are told by push: endpoint, the rest as JSON; None deletes it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the state file held when it was opened."""

    instances: list[tuple[str, str, str]] = field(default_factory=list)
    alerts: list[tuple[str, str]] = field(default_factory=list)
    receipts: list[tuple[int, bytes]] = field(default_factory=list)
    rules: dict[str, str] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    last_row: int = 0
    """The highest outbox row."""
    samples: list[tuple[str, str, str, int, str]] = field(default_factory=list)
    desk: list[tuple[str, str, str]] = field(default_factory=list)
    keys: list[tuple[str, float]] = field(default_factory=list)
    subscribers: list[tuple[str, str]] = field(default_factory=list)

    def position(self, source: str) -> Kept:
        """Return the stored position of a source."""
        return Kept(self.meta.get(position_key(source), ""), self.receipts if source == BROKER else ())

    def meta_float(self, key: str, default: float) -> float:
        """Read a number of `meta`, or `default` where there is no such row.

        Raises:
            ValueError: the row is no number, or infinite.

        """
        value: Any = self.meta.get(key)
        if value is None:
            return default
        if not math.isfinite(number := float(value)):
            raise ValueError(f"{value!r} is no number to go on with")
        return number


def position_key(source: str) -> str:
    """Return the key under which `meta` holds the text of a source's position."""
    return "reuses_ids" if source == BROKER else f"source:{source}"
