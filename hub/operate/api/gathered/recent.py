"""The last values and the interval of each topic. They are sampled once a second, so that events do not pay for it."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from hub.commands.seams import Ask
from hub.ingest.decode import decode_again
from hub.limits import RECENT_FIELDS, RECENT_POINTS, RECENT_RAW_BYTES, RECENT_SLICE, RECENT_TOPICS

__all__ = ["Recent", "RecentValues"]

_SLOWER = 0.25
"""How much a new interval counts in the learned one."""
_OUTAGE = 5.0
"""A pause counts as at most so many intervals: the device was away, or the hub did not hear its broker."""


class RecentValues:
    """The samples of one topic: times and payloads.

    When it is full, every other sample is dropped, and from then on half as many are taken: so it reaches back twice as
    far. When it reaches back about a day, the oldest sample is dropped instead.
    """

    __slots__ = ("at", "interval", "points", "spacing")
    _LONGEST = 86400.0 / RECENT_POINTS

    def __init__(self, interval: float = 0.0) -> None:
        """Begin empty, with the interval that was known before (0: none)."""
        self.at = 0.0
        self.interval = interval
        self.spacing = 0.0
        self.points: list[tuple[float, bytes]] = []

    def take(self, at: float, raw: bytes) -> None:
        """Take the topic's latest message; `at` is in seconds since 1970."""
        if self.at:
            step = max(0.0, at - self.at)  # a clock that was set back is no interval
            if self.interval:
                step = min(step, _OUTAGE * self.interval)
            self.interval = step if not self.interval else self.interval + _SLOWER * (step - self.interval)
        self.at = at
        if len(raw) > RECENT_RAW_BYTES or (self.points and at - self.points[-1][0] < self.spacing):
            return
        self.points.append((at, raw))
        if len(self.points) <= RECENT_POINTS:
            return
        if self.spacing >= self._LONGEST:
            del self.points[0]
        else:
            self.points = self.points[::2]
            self.spacing = min(2 * max(self.spacing, 1.0), self._LONGEST)

    def fields(self, topic: str) -> Mapping[str, list[tuple[float, float]]]:
        """Return the numbers of the payloads by field, each with its time; `value` is a payload that is a number."""
        series: dict[str, list[tuple[float, float]]] = {}
        for at, raw in self.points:
            for name, number in _numbers(decode_again(topic, raw, at).value):
                if name in series or len(series) < RECENT_FIELDS:
                    series.setdefault(name, []).append((at, number))
        return series


class Recent:
    """The samples of up to RECENT_TOPICS topics."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._series: dict[str, RecentValues] = {}

    def of(self, topic: str) -> RecentValues | None:
        """Return the samples of a topic; None where it has none."""
        return self._series.get(topic)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for further topics."""
        return len(self._series) >= RECENT_TOPICS

    def topics(self) -> list[str]:
        """Return all topics that have samples."""
        return list(self._series)

    def fields(self, topic: str) -> Mapping[str, list[tuple[float, float]]]:
        """Return the numbers of a topic by field, as RecentValues.fields does."""
        return self._series[topic].fields(topic)

    async def look(self, ask: Ask) -> None:
        """Take what has come since the last look, a slice at a time, so that events do not wait for it."""
        for place, (topic, raw, at) in enumerate(list(ask.last_messages())):
            self._take(ask, topic, raw, at)
            if place % RECENT_SLICE == RECENT_SLICE - 1:
                await asyncio.sleep(0)

    def _take(self, ask: Ask, topic: str, raw: bytes, at: float) -> None:
        """Take a topic's latest message, unless it was taken before, and tell the rules the interval learned."""
        series = self._series.get(topic)
        if series is None:
            if len(self._series) >= RECENT_TOPICS:  # no room: nothing is known of this topic
                return
            series = self._series[topic] = RecentValues(ask.interval(topic))
        if at != series.at:
            series.take(at, raw)
            if series.interval:
                ask.learn(topic, series.interval)


def _numbers(value: Any) -> Iterator[tuple[str, float]]:
    fields = value if isinstance(value, dict) else {"value": value}
    for name, each in fields.items():
        if isinstance(each, int | float) and not isinstance(each, bool):
            yield name, float(each)
