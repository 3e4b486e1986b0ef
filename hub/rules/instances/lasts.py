"""The last message of each topic, and how often it comes, over reload and restart; for who asks what there is.

The events' own path writes a plan's `raw` and `at`, as ever. What is more is done beside it: each commit takes along
what has changed, so much a second, topics never written first; so a crash loses no device, and of last messages those
of about the last second. What stood in plans before a reload, or in the store, is carried here
until its topic speaks again. Durable: a row for each topic.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping

import orjson

from hub.limits import HEARD_LEAST, HEARD_LOOKS, HEARD_ROWS, HEAVY_PAYLOAD_BYTES, PLAN_CACHE_TOPICS
from hub.rules.running.index import Plan
from hub.store.keeper import Keeper

__all__ = ["Lasts"]

HeardRow = tuple[str, str | None]
"""topic; JSON of when, how often and what"""
Carried = tuple[bytes | None, float]
"""Payload (None where it was too large to be stored) and time."""


class Lasts(Keeper):
    """What was heard last of topics; `now` is seconds since 1970."""

    kind = "heard"

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.carried: dict[str, Carried] = {}
        """Of topics that have not spoken since, oldest first."""
        self.forgotten = 0
        """How many topics had to leave, as there were too many: who is not known may be one of them."""
        self._intervals: dict[str, float] = {}
        self._written: dict[str, float] = {}
        self._fresh: dict[str, None] = {}
        self._gone: set[str] = set()
        self.stale = False
        """Set with each batch of events: there may be something to write."""
        self._turn: Iterator[str] = iter(())
        self._to_look = 0
        self._room = float(HEARD_ROWS)
        self._taken = 0.0
        self._rows: list[HeardRow] = []

    # at work

    def claim(self, topic: str, plan: Plan) -> None:
        """Let a new plan go on from what was heard of its topic before."""
        raw, at = self.carried.pop(topic, (None, 0.0))
        plan.raw, plan.at = raw or b"", at
        if topic not in self._written:
            self._fresh[topic] = None

    def oldest(self) -> str | None:
        """Name who was silent longest among those that are carried."""
        return next(iter(self.carried), None)

    def forget(self, topic: str) -> None:
        """Know nothing of a topic any more: there are too many."""
        self.forgotten += 1
        self._drop(topic)

    def learn(self, topic: str, interval: float) -> None:
        """Take the seconds between two messages of a topic, as somebody has measured them."""
        self._intervals[topic] = interval

    def interval(self, topic: str) -> float:
        """Return the usual seconds between two messages of a topic, 0 where that is not known."""
        return self._intervals.get(topic, 0.0)

    def carry(self, plans: Mapping[str, Plan], hears: Callable[[str], bool]) -> None:
        """Keep what plans hold, which are about to go; but nothing of topics that no rule hears of any more."""
        self.carried |= {topic: (plan.raw, plan.at) for topic, plan in plans.items() if plan.at}
        for topic in [topic for topic in self.carried if not hears(topic)]:
            self._drop(topic)
        self._fresh.clear()
        self._write_carried()

    def shift(self, seconds: float) -> None:
        """Move all times: the wall clock was set by so many seconds."""
        self.carried = {topic: (raw, at + seconds) for topic, (raw, at) in self.carried.items()}
        self.stale = True
        self._write_carried()

    def _write_carried(self) -> None:
        self._fresh |= dict.fromkeys(t for t, (_, at) in self.carried.items() if self._written.get(t) != at)

    def _drop(self, topic: str) -> None:
        self.carried.pop(topic, None)
        self._intervals.pop(topic, None)
        self._fresh.pop(topic, None)
        if self._written.pop(topic, None) is not None:
            self._gone.add(topic)

    # the store

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring in what a store held."""
        found: list[tuple[float, str, float, bytes | None]] = []
        for topic, text in rows:
            at, interval, raw = orjson.loads(text)
            found.append((float(at), topic, float(interval), None if raw is None else b64decode(raw, validate=True)))
        found.sort(key=lambda each: each[0])
        for at, topic, interval, raw in found:
            self.carried[topic] = (raw, at)
            self._written[topic] = at
            if interval:
                self._intervals[topic] = interval
        for _, topic, _, _ in found[: max(0, len(found) - PLAN_CACHE_TOPICS)]:
            self.forget(topic)

    @property
    def behind(self) -> bool:
        """Whether there may be something to write."""
        return self.stale or self._to_look > 0 or bool(self._gone) or bool(self._fresh)

    def write(self, plans: Mapping[str, Plan], now: float | None) -> None:
        """Let rows that changed go into the commit that is being made, as many as `now` allows.

        So many for each second since the last call; all where `now` is None, at the end.
        """
        self._rows += self._due_rows(plans, now)

    def take_rows(self) -> list[HeardRow]:
        """Take what was written since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def _due_rows(self, plans: Mapping[str, Plan], now: float | None) -> list[HeardRow]:
        rows: list[HeardRow] = [(topic, None) for topic in self._gone]
        self._gone.clear()
        if self.stale:
            self.stale, self._to_look = False, len(plans)
        if now is None:
            return rows + [row for topic in (*self.carried, *plans) if (row := self._row(plans, topic)) is not None]
        passed = min(now - self._taken, 1.0) if now >= self._taken else 1.0  # the clock may have been set back
        self._taken = now
        self._room = min(self._room + passed * HEARD_ROWS, HEARD_ROWS)
        rows += self._some(plans, max(HEARD_LEAST, int(passed * HEARD_LOOKS)))
        return rows

    def _some(self, plans: Mapping[str, Plan], looks: int) -> Iterator[HeardRow]:
        """Yield rows of topics that were never written, then of the next ones of all in turn."""
        for topic in self._due(plans, looks):
            row = self._row(plans, topic)
            if row is not None:
                self._room -= 1
                yield row

    def _due(self, plans: Mapping[str, Plan], looks: int) -> Iterator[str]:
        while self._fresh and self._room >= 1:
            yield self._fresh.popitem()[0]
        while self._to_look and looks and self._room >= 1:
            topic = next(self._turn, None)
            if topic is None:
                self._turn = iter(list(plans))
                topic = next(self._turn, "")
            self._to_look -= 1
            looks -= 1
            yield topic

    def _row(self, plans: Mapping[str, Plan], topic: str) -> HeardRow | None:
        """Write a topic's row, if it changed."""
        plan = plans.get(topic)
        raw, at = self.carried.get(topic, (None, 0.0)) if plan is None else (plan.raw, plan.at)
        if at in (0.0, self._written.get(topic)) or topic[0] == "$":  # what the hub says itself passes
            return None
        self._written[topic] = at
        text = None if raw is None or len(raw) > HEAVY_PAYLOAD_BYTES else b64encode(raw).decode()
        return topic, orjson.dumps([at, round(self.interval(topic), 3), text]).decode()
