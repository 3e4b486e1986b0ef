"""What `limit` remembers of event rules: when the last ones were told, and the latest one that waits for room."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from hub.agenda import Agenda
from hub.alerts.suppression.tally import LimitTally
from hub.limits import LIMIT_EVENTS
from hub.rules.reading.rule import Rule
from hub.rules.reading.rule_values import Limit

__all__ = ["EventLimit", "EventLimits"]


@dataclass(frozen=True, slots=True)
class EventLimit:
    """What is counted of one rule and instance, and the notification (`waits`) that waits for room."""

    rule: str
    tally: LimitTally = LimitTally()  # noqa: RUF009 - frozen
    waits: Any = None


class EventLimits:
    """All that is counted, by the fingerprint of rule and instance; the one that changed longest ago is first."""

    def __init__(self) -> None:
        """Begin empty."""
        self.all: OrderedDict[str, EventLimit] = OrderedDict()
        self._dropped: list[str] = []
        self._agenda = Agenda[str]()
        self._dirty: set[str] = set()

    def restore(self, rows: Iterable[tuple[str, str]], limits: dict[str, Limit]) -> None:
        """Restore rows from the store; `limits` are those of the rules in force, by the rule's name."""
        for fingerprint, text in rows:
            rule, sent, held, waits = orjson.loads(text)
            self._put(fingerprint, EventLimit(rule, LimitTally(tuple(sent), held), waits), limits.get(rule))

    def told(self, fingerprint: str, rule: Rule, now: float) -> int:
        """Count a notification that is told; return how many were held back since the one before it."""
        before = self.all.get(fingerprint) or EventLimit(rule.name)
        self._put(fingerprint, EventLimit(rule.name, before.tally.told(rule.limit, now)), rule.limit)
        return before.tally.held

    def room(self, fingerprint: str, limit: Limit | None, now: float) -> bool:
        """Tell whether one more may be told now."""
        entry = self.all.get(fingerprint)
        return limit is None or entry is None or entry.tally.room_at(limit) <= now

    def hold(self, fingerprint: str, rule: Rule, body: Any) -> None:
        """Let a notification wait for room, in place of the one that waited before: only the latest is of use."""
        before = self.all.get(fingerprint) or EventLimit(rule.name)
        self._put(fingerprint, EventLimit(rule.name, before.tally.held_back(), body), rule.limit)

    def let_go(self, fingerprint: str, rule: Rule) -> None:
        """Drop what waits, because something else suppresses it now: nothing is told, and the count begins anew."""
        before = self.all[fingerprint]
        self._put(fingerprint, EventLimit(rule.name, replace(before.tally, held=0)), rule.limit)

    def next_due(self) -> float | None:
        """Return when there is room for one that waits, or an entry can be forgotten; None where there is neither."""
        return self._agenda.next_due()

    def take_due(self, now: float, limits: dict[str, Limit]) -> list[tuple[str, EventLimit]]:
        """Return the entries that wait and have room now, by fingerprint; forget those that count nothing any more."""
        with_room: list[tuple[str, EventLimit]] = []
        while (fingerprint := self._agenda.take(now)) is not None:
            entry = self.all.get(fingerprint)
            if entry is None:
                continue
            limit = limits.get(entry.rule)
            if entry.waits is not None and (limit is None or entry.tally.room_at(limit) <= now):
                with_room.append((fingerprint, entry))  # also where a reload took the `limit` away
            elif limit is None or not entry.tally.sent or entry.tally.sent[-1] + limit.seconds <= now:
                del self.all[fingerprint]
                self._dirty.add(fingerprint)
            else:  # it was told again since the alarm was set: look later
                self._wake(fingerprint, entry, limit)
        return with_room

    def shift(self, seconds: float, limits: dict[str, Limit]) -> None:
        """Move all times by `seconds`, by which somebody has set the wall clock."""
        self._agenda.clear()
        for fingerprint, entry in list(self.all.items()):
            self._put(fingerprint, replace(entry, tally=entry.tally.shifted(seconds)), limits.get(entry.rule))

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(fingerprint, self._row(fingerprint)) for fingerprint in dirty]

    def _row(self, fingerprint: str) -> str | None:
        entry = self.all.get(fingerprint)
        if entry is None:
            return None
        return orjson.dumps([entry.rule, entry.tally.sent, entry.tally.held, entry.waits]).decode()

    def take_dropped(self) -> list[str]:
        """Take the rule names of entries that were dropped since the last call because there were over LIMIT_EVENTS."""
        dropped, self._dropped = self._dropped, []
        return dropped

    def _put(self, fingerprint: str, entry: EventLimit, limit: Limit | None) -> None:
        self.all.pop(fingerprint, None)
        self.all[fingerprint] = entry
        self._dirty.add(fingerprint)
        if len(self.all) > LIMIT_EVENTS:
            oldest, gone = self.all.popitem(last=False)
            self._dirty.add(oldest)
            self._agenda.drop(oldest)
            self._dropped.append(gone.rule)
        self._wake(fingerprint, entry, limit)

    def _wake(self, fingerprint: str, entry: EventLimit, limit: Limit | None) -> None:
        """Set an entry's alarm: when it has room for what waits, or else when its count is too old to matter."""
        if limit is None or entry.waits is not None:
            self._agenda.wake(fingerprint, entry.tally.room_at(limit) if limit else 0.0)
        elif entry.tally.sent:
            self._agenda.wake(fingerprint, entry.tally.sent[-1] + limit.seconds)
