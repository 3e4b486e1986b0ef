"""Recorded events played through a rule set: what would have fired, and who would have been told.

The clock is that of the records; a record that is out of order counts at the time of the one before it. At the end,
what is due at the time of the last record is done, and nothing later.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any

import orjson

from hub.devices.known.settings import FiledDevices
from hub.ids import NotificationId
from hub.ingest.itself import Itself
from hub.ingest.topics import matches
from hub.model import Event
from hub.rules.reading.loader import RuleSet
from hub.store.changes import TraceRow
from hub.trial.records import BadLine
from hub.trial.world import World

__all__ = ["Happening", "Replay", "ReplayNotice"]

_BAD_LINES = 20  # named at the end; the others are counted


@dataclass(frozen=True, slots=True)
class ReplayNotice:
    """A notification that would have been sent: of which alert, when, to whom."""

    at: float
    rule: str
    fingerprint: str
    labels: dict[str, str]
    state: str
    step: str
    id: str
    receivers: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class Happening:
    """An alert entered a state."""

    at: float
    rule: str
    fingerprint: str
    labels: dict[str, str]
    state: str
    reason: str


@dataclass(slots=True)
class Replay:
    """One rule set over the records; `feed` them in order, then `end`."""

    rules: RuleSet
    registry: FiledDevices | None = None
    local: tzinfo = UTC
    events: int = 0
    bad: int = 0
    bad_lines: list[BadLine] = field(default_factory=list)
    first: float | None = None
    _world: World | None = None
    _encoded: list[str] | None = None

    @property
    def itself(self) -> Itself:
        """Tells which topics are the hub's own; records of these are no events."""
        return Itself(self.rules.prefix)

    def is_encoded(self, topic: str) -> bool:
        """Tell whether a rule decodes the payloads of a topic itself; the records are read accordingly."""
        if self._encoded is None:
            rules = [rule for rule in self.rules.rules.values() if rule.decode is not None]
            self._encoded = [pattern.filter for rule in rules for pattern in rule.patterns]
        return any(matches(each, topic) for each in self._encoded)

    def feed(self, records: Iterable[Event | BadLine]) -> None:
        """Play records."""
        for record in records:
            if isinstance(record, BadLine):
                self.bad += 1
                if len(self.bad_lines) < _BAD_LINES:
                    self.bad_lines.append(record)
                if record.unread is not None and not self.itself.says(record.unread.topic):
                    self._at(record.unread.time).send((), (record.unread,))
                continue
            if self.itself.says(record.topic):
                continue  # recorded with a wildcard: no event then, and none now
            self.events += 1
            self._at(record.time).send((record,))

    def _at(self, time: float) -> World:
        """Let the world's time pass until `time` and return it; the first record begins it."""
        world = self._world
        if world is None:
            self.first = time
            world = self._world = World(self.rules, self.registry, time, self.local)
        if time > world.now:
            world.pass_time(time, before=True)
        return world

    def end(self) -> None:
        """Do what is due at the time of the last record."""
        if self._world is not None:
            self._world.pass_time(self._world.now)

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """Rule, topic and message of what expressions could not say."""
        return [] if self._world is None else self._world.errors

    @property
    def trace(self) -> list[TraceRow]:
        """The trace: why everything was so."""
        return [] if self._world is None else self._world.trace

    def happenings(self) -> list[Happening]:
        """Return when which alert was pending, firing, over."""
        rows = [row for row in self.trace if row[1] == "transition"]
        return [_happening(row, orjson.loads(row[5])) for row in rows]

    def notices(self) -> list[ReplayNotice]:
        """Return what would have been told, a notification to several receivers once."""
        found: dict[str, ReplayNotice] = {}
        for each in [] if self._world is None else self._world.told:
            body = each.body
            before = found.get(each.id)
            receivers = (each.receiver,) if before is None else (*before.receivers, each.receiver)
            step = NotificationId.parse(each.id).step
            labels, name = dict(body["labels"]), str(body["alertname"])
            found[each.id] = ReplayNotice(
                each.created, name, each.order, labels, body["state"], step, each.id, receivers, body["summary"]
            )
        return list(found.values())


def _happening(row: TraceRow, data: dict[str, Any]) -> Happening:
    return Happening(row[0], row[3], row[2], data.get("labels") or {}, data["phase"], data.get("reason", ""))
