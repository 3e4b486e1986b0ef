"""The last message of each topic, and how often it comes, across reloads and restarts; for `hub why` and the pages.

The path of events only writes a plan's `raw` and `at`. All else happens beside it: each commit takes along some of the
rows that have changed, a bounded number per second, topics that were never written first. So a crash loses no topic,
and the last messages of about one second. What plans held before a reload, or the store before a restart, is carried
here until the topic is heard again. Durable: a row for each topic.
"""

from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Iterator, Mapping

import orjson

from hub.limits import HEARD_LEAST, HEARD_LOOKS, HEARD_ROWS, HEAVY_PAYLOAD_BYTES, PLAN_CACHE_TOPICS
from hub.rules.running.index import Plan
from hub.store.keeper import Keeper

__all__ = ["Lasts"]

HeardRow = tuple[str, str | None]
"""The topic, and JSON of time, interval in seconds, and payload as base64; None: the row is gone."""
Carried = tuple[bytes | None, float]
"""Payload (None where it was too large to be stored) and time."""


class Lasts(Keeper):
    """The last messages and the intervals of topics; times are seconds since 1970."""

    kind = "heard"

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.carried: dict[str, Carried] = {}
        """Last messages of topics that were not heard since the reload or restart, oldest first."""
        self.forgotten = 0
        """How many topics were forgotten for lack of room: an unknown topic may be one of these."""
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
        """Give a new plan the last message of its topic, if one is carried."""
        raw, at = self.carried.pop(topic, (None, 0.0))
        plan.raw, plan.at = raw or b"", at
        if topic not in self._written:
            self._fresh[topic] = None

    def oldest(self) -> str | None:
        """Return the carried topic whose last message is the oldest."""
        return next(iter(self.carried), None)

    def forget(self, topic: str) -> None:
        """Forget a topic because there are too many; count it."""
        self.forgotten += 1
        self._drop(topic)

    def learn(self, topic: str, interval: float) -> None:
        """Take the usual interval of a topic in seconds, which the API measures."""
        self._intervals[topic] = interval

    def interval(self, topic: str) -> float:
        """Return the usual seconds between two messages of a topic, 0 where that is not known."""
        return self._intervals.get(topic, 0.0)

    def carry(self, plans: Mapping[str, Plan], hears: Callable[[str], bool]) -> None:
        """Keep the last messages of plans that are about to go, but of no topic that no rule hears any longer."""
        self.carried |= {topic: (plan.raw, plan.at) for topic, plan in plans.items() if plan.at}
        for topic in [topic for topic in self.carried if not hears(topic)]:
            self._drop(topic)
        self._fresh.clear()
        self._write_carried()

    def shift(self, seconds: float) -> None:
        """Move all times: the wall clock was set by `seconds`, and no time has passed."""
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
        """Bring in the rows of the store, at the start; where there are too many topics, forget the oldest."""
        found: list[tuple[float, str, float, bytes | None]] = []
        for topic, text in rows:
            at, interval, raw = orjson.loads(text)
            payload = None if raw is None else a2b_base64(raw, strict_mode=True)  # b64decode takes twice the time
            found.append((float(at), topic, float(interval), payload))
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
        """Add rows that changed to the commit that is being made: HEARD_ROWS for each second since the last call.

        `now` is None at the end of a run: then all of them.
        """
        self._rows += self._due_rows(plans, now)

    def take_rows(self) -> list[HeardRow]:
        """Take the rows that `write` has added since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def _due_rows(self, plans: Mapping[str, Plan], now: float | None) -> list[HeardRow]:
        rows: list[HeardRow] = [(topic, None) for topic in self._gone]
        self._gone.clear()
        if self.stale:
            self.stale, self._to_look = False, len(plans)
        if now is None:
            # what is carried and not written is fresh; of the plans none changed since the last look at all of them
            topics = [*self._fresh, *(plans if self._to_look else ())]
            self._fresh.clear()
            self._to_look = 0
            return rows + [row for topic in topics if (row := self._row(plans, topic)) is not None]
        passed = min(now - self._taken, 1.0) if now >= self._taken else 1.0  # the clock may have been set back
        self._taken = now
        self._room = min(self._room + passed * HEARD_ROWS, HEARD_ROWS)
        rows += self._some(plans, max(HEARD_LEAST, int(passed * HEARD_LOOKS)))
        return rows

    def _some(self, plans: Mapping[str, Plan], looks: int) -> Iterator[HeardRow]:
        """Yield rows of topics that were never written, then of the other topics in turn."""
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
        if at in (0.0, self._written.get(topic)) or topic[0] == "$":  # the hub's own topics are not kept
            return None
        self._written[topic] = at
        text = None if raw is None or len(raw) > HEAVY_PAYLOAD_BYTES else b64encode(raw).decode()
        return topic, orjson.dumps([at, round(self.interval(topic), 3), text]).decode()
