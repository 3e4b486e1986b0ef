"""`group_by`: alerts of one rule with equal values of these labels are told in one notification.

A group waits GROUP_WAIT_SECONDS after its first alert, then speaks at most once each GROUP_INTERVAL_SECONDS, and only
where something changed. What it knows is durable, so neither a restart nor a storm tells twice.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import orjson

from hub.alerts.agenda import Agenda
from hub.limits import GROUP_ALERTS, GROUP_INTERVAL_SECONDS, GROUP_WAIT_SECONDS

__all__ = ["Group", "Groups"]


@dataclass(slots=True)
class Group:
    """One group. `waiting` are alerts (by fingerprint) to be told, `told` those that fire and were, with their episode.

    `news` are notifications of what is over, or of events, to be shown in the next one; `count` is how many there were.
    """

    rule: str
    labels: dict[str, str]
    serial: int = 0
    last: float = 0.0
    due: float = inf
    waiting: dict[str, None] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    news: list[Any] = field(default_factory=list)
    count: int = 0
    receivers: list[str] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """What identifies it: 16 hex digits."""
        return mark_of(self.rule, self.labels)

    def wake(self, now: float) -> None:
        """Something changed: speak after the wait, but not too soon after the last time."""
        self.due = min(
            self.due, max(now + GROUP_WAIT_SECONDS, self.last + GROUP_INTERVAL_SECONDS if self.last else 0.0)
        )

    def report(self, body: Any, now: float) -> None:
        """Show this in the next notification."""
        self.count += 1
        if len(self.news) < GROUP_ALERTS:
            self.news.append(body)
        self.wake(now)

    def spoken(self, now: float, receivers: Iterable[str]) -> None:
        """Note that it has just spoken to these."""
        self.serial += 1
        self.last, self.due = now, inf
        self.news, self.count = [], 0
        self.waiting = {}
        self.receivers = list(dict.fromkeys((*self.receivers, *receivers))) if self.told else []

    def dump(self) -> str:
        """Write it for the store."""
        due = None if self.due == inf else self.due
        parts = [self.rule, self.labels, self.serial, self.last, due, list(self.waiting), self.told, self.news]
        return orjson.dumps([*parts, self.count, self.receivers]).decode()

    @classmethod
    def load(cls, text: str) -> "Group":
        """Read what `dump` wrote."""
        rule, labels, serial, last, due, waiting, told, news, count, receivers = orjson.loads(text)
        due = inf if due is None else due
        return cls(rule, labels, serial, last, due, dict.fromkeys(waiting), told, news, count, receivers)


class Groups:
    """All groups by mark."""

    def __init__(self) -> None:
        """Begin with none."""
        self.all: dict[str, Group] = {}
        self._dirty: set[str] = set()
        self._agenda = Agenda()
        self._moved: set[str] = set()
        """Those whose time may have changed since the agenda was asked: a look at all of them would cost each batch."""

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring stored ones in."""
        self.all = {mark: Group.load(text) for mark, text in rows}
        self._moved = set(self.all)

    def of(self, rule: str, names: Sequence[str], labels: Mapping[str, str]) -> Group:
        """Return the group of an alert with these labels; it counts as changed."""
        values = {name: labels.get(name, "") for name in names}
        mark = mark_of(rule, values)
        self._dirty.add(mark)
        self._moved.add(mark)
        return self.all.setdefault(mark, Group(rule, values))

    def touch(self, group: Group) -> None:
        """Mark as to be written with the next commit."""
        mark = group.mark
        self._dirty.add(mark)
        self._moved.add(mark)

    def shift(self, seconds: float) -> None:
        """Move all times: the wall clock was set by so many seconds."""
        self._agenda.clear()
        for mark, group in self.all.items():
            group.last = group.last and group.last + seconds
            group.due += seconds
            self._dirty.add(mark)
            self._moved.add(mark)

    def next_due(self) -> float | None:
        """Return when the next one wants to speak, or to be looked at; None where none ever does."""
        self._follow()
        return self._agenda.next_due()

    def take_due(self, now: float) -> list[Group]:
        """Return those whose time has come."""
        self._follow()
        due = []
        while (mark := self._agenda.take(now)) is not None:
            group = self.all[mark]
            if group.due <= now:
                due.append(group)
            self._moved.add(mark)
        return due

    def _follow(self) -> None:
        for mark in self._moved:
            self._agenda.wake(mark, self.all[mark].due)
        self._moved.clear()

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(mark, self.all[mark].dump()) for mark in dirty]


def mark_of(rule: str, labels: Mapping[str, str]) -> str:
    """Identify a group by its rule and its labels."""
    return hashlib.blake2b(orjson.dumps(["group", rule, labels]), digest_size=8).hexdigest()
