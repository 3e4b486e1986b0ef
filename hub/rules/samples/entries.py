"""What a window keeps of its samples: each an entry, or several that lie close together folded into one."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import fsum
from typing import NamedTuple

__all__ = ["WindowEntry", "folded", "single"]


class WindowEntry(NamedTuple):
    """One sample, or some that followed each other: `time` and `value` of the last, `start` and `first` of the first.

    `deviation` is the sum of the squared distances to their mean, `drops` the sum of what they fell to a lower value
    from, `turns` how often two neighbours differed.
    """

    time: float
    value: float
    start: float
    first: float
    total: float
    low: float
    high: float
    samples: float
    deviation: float
    drops: float
    turns: float


def single(time: float, value: float) -> WindowEntry:
    """Return the entry of one sample."""
    return WindowEntry(time, value, time, value, value, value, value, 1.0, 0.0, 0.0, 0.0)


def folded(entries: Sequence[WindowEntry]) -> WindowEntry:
    """Return one entry for several that follow each other."""
    if len(entries) == 1:
        return entries[0]
    first, last = entries[0], entries[-1]
    count = sum(entry.samples for entry in entries)
    total = fsum(entry.total for entry in entries)
    seams = [(left.value, right.first) for left, right in pairwise(entries)]
    return WindowEntry(
        last.time,
        last.value,
        first.start,
        first.first,
        total,
        min(entry.low for entry in entries),
        max(entry.high for entry in entries),
        count,
        deviation(entries, total / count),
        fsum([*(entry.drops for entry in entries), *(left for left, right in seams if right < left)]),
        sum(entry.turns for entry in entries) + sum(left != right for left, right in seams),
    )


def deviation(entries: Iterable[WindowEntry], mean: float) -> float:
    """Return the sum of the squared distances of all samples to a mean."""
    return fsum(entry.deviation + entry.samples * (entry.total / entry.samples - mean) ** 2 for entry in entries)
