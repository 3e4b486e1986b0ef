"""What `limit` remembers of event rules: how many were told of late, and the last one that was held back."""

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
    """The tally of one identity, and the notification that waits for room."""

    rule: str
    tally: LimitTally = LimitTally()  # noqa: RUF009 - frozen
    waits: Any = None


class EventLimits:
    """By fingerprint of rule and instance, who spoke longest ago first."""

    def __init__(self) -> None:
        """Begin with none."""
        self.all: OrderedDict[str, EventLimit] = OrderedDict()
        self._dropped: list[str] = []
        self._agenda = Agenda[str]()
        self._dirty: set[str] = set()

    def restore(self, rows: Iterable[tuple[str, str]], limits: dict[str, Limit]) -> None:
        """Bring stored ones in; `limits` are those of the rules as they are now."""
        for fingerprint, text in rows:
            rule, sent, held, waits = orjson.loads(text)
            self._put(fingerprint, EventLimit(rule, LimitTally(tuple(sent), held), waits), limits.get(rule))

    def told(self, fingerprint: str, rule: Rule, now: float) -> int:
        """Note that one is told; return how many were held back before it."""
        before = self.all.get(fingerprint) or EventLimit(rule.name)
        self._put(fingerprint, EventLimit(rule.name, before.tally.told(rule.limit, now)), rule.limit)
        return before.tally.held

    def room(self, fingerprint: str, limit: Limit | None, now: float) -> bool:
        """Tell whether one more is allowed."""
        found = self.all.get(fingerprint)
        return limit is None or found is None or found.tally.room_at(limit) <= now

    def hold(self, fingerprint: str, rule: Rule, body: Any) -> None:
        """Hold one back: it waits in the place of the one that waited before."""
        before = self.all.get(fingerprint) or EventLimit(rule.name)
        self._put(fingerprint, EventLimit(rule.name, before.tally.held_back(), body), rule.limit)

    def let_go(self, fingerprint: str, rule: Rule) -> None:
        """Drop what waits: something else than `limit` holds it back now, so nothing is told and nothing counted."""
        before = self.all[fingerprint]
        self._put(fingerprint, EventLimit(rule.name, replace(before.tally, held=0)), rule.limit)

    def next_due(self) -> float | None:
        """Return when there is room for one that waits, or one can be forgotten."""
        return self._agenda.next_due()

    def take_due(self, now: float, limits: dict[str, Limit]) -> list[tuple[str, EventLimit]]:
        """Return those that wait and have room now; forget those of which nothing is left to know."""
        found: list[tuple[str, EventLimit]] = []
        while (fingerprint := self._agenda.take(now)) is not None:
            entry = self.all.get(fingerprint)
            if entry is None:
                continue
            limit = limits.get(entry.rule)
            if entry.waits is not None and (limit is None or entry.tally.room_at(limit) <= now):
                found.append((fingerprint, entry))
            elif limit is None or not entry.tally.sent or entry.tally.sent[-1] + limit.seconds <= now:
                del self.all[fingerprint]
                self._dirty.add(fingerprint)
            else:  # it has spoken again since
                self._wake(fingerprint, entry, limit)
        return found

    def shift(self, seconds: float, limits: dict[str, Limit]) -> None:
        """Move all times: the wall clock was set by so many seconds."""
        self._agenda.clear()
        for fingerprint, entry in list(self.all.items()):
            self._put(fingerprint, replace(entry, tally=entry.tally.shifted(seconds)), limits.get(entry.rule))

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(fingerprint, self._row(fingerprint)) for fingerprint in dirty]

    def _row(self, fingerprint: str) -> str | None:
        found = self.all.get(fingerprint)
        if found is None:
            return None
        return orjson.dumps([found.rule, found.tally.sent, found.tally.held, found.waits]).decode()

    def take_dropped(self) -> list[str]:
        """Take the rules of those that had to go since the last call, because there were too many."""
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
        """Look at an entry again when there is something to do for it."""
        if limit is None or entry.waits is not None:
            self._agenda.wake(fingerprint, entry.tally.room_at(limit) if limit else 0.0)
        elif entry.tally.sent:
            self._agenda.wake(fingerprint, entry.tally.sent[-1] + limit.seconds)
