"""The columns of a window and their way through the store, for all that keeps samples in the order of time."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from hub.limits import WINDOW_CHUNK

__all__ = ["Row", "Strip"]

Row = tuple[int, str | None]
"""A chunk of entries for the store: its number, and its JSON or None (gone)."""


class Strip:
    """Entries as arrays of equal length, oldest first; the first array is their times.

    `head` is the index where the window begins, `base` the number of the first entry in the columns, counted since the
    window began; `stored` are the numbers of the first and behind the last entry that are in chunks of the store.
    """

    __slots__ = ("base", "head", "seconds", "stored", "times")
    base: int
    head: int
    times: "array[float]"

    def __init__(self, seconds: float) -> None:
        """Begin empty."""
        self.seconds = seconds
        self.stored = (0, 0)
        self._take([array("d"), array("d")], 0)

    def _columns(self) -> Sequence["array[float]"]:
        """Return all columns."""
        raise NotImplementedError

    def _take(self, columns: Sequence["array[float]"], base: int) -> None:
        """Make these the entries, the first of them number `base`."""
        raise NotImplementedError

    def _measure(self) -> None:
        """Compute anew what is kept up to date beside the entries."""
        raise NotImplementedError

    def hear(self, at: float, end: float, value: float | None) -> None:
        """Take the sample of the time `at`, if any; the window ends at `end`."""
        raise NotImplementedError

    def _renew(self, columns: Sequence["array[float]"], base: int | None = None) -> None:
        """Make these the entries; without `base` they get new numbers, so that the store writes all of them anew."""
        if base is None:
            base = max(self.stored[1], -(-(self.base + len(self.times)) // WINDOW_CHUNK) * WINDOW_CHUNK)
        self._take(columns, base)
        self._measure()

    def chunks(self) -> Iterable[int]:
        """Return the numbers of its chunks in the store."""
        return range(self.stored[0] // WINDOW_CHUNK, self.stored[1] // WINDOW_CHUNK)

    def dump(self) -> tuple[list[Any], list[Row]]:
        """Return the youngest entries, fewer than a chunk, and the chunks that are new or gone since the last time."""
        size, first, end = WINDOW_CHUNK, self.base + self.head, self.base + len(self.times)
        begin, until = self.stored
        rows: list[Row] = []
        while begin < until and begin + size <= first:
            rows.append((begin // size, None))
            begin += size
        if begin == until:
            begin = until = max(until, first // size * size)
        while end - until >= size:
            rows.append((until // size, orjson.dumps(self._part(until, until + size)).decode()))
            until += size
        self.stored = begin, until
        start = max(until, first)
        return [start, self._part(start, end)], rows

    def _part(self, first: int, end: int) -> list[list[float]]:
        low = max(first - self.base, 0)
        return [column[low : end - self.base].tolist() for column in self._columns()]

    def load(self, tail: Sequence[Any], chunks: Mapping[int, str], end: float) -> None:
        """Bring in what `dump` returned: the last tail and every chunk that was not taken back."""
        start, parts = tail[:2]
        numbers = sorted(chunks)
        pieces = [orjson.loads(chunks[number]) for number in numbers] + [parts]
        columns = [array("d", [each for column in same for each in column]) for same in zip(*pieces, strict=True)]
        self._take(columns, start - len(columns[0]) + len(parts[0]))
        until = start // WINDOW_CHUNK * WINDOW_CHUNK
        self.stored = (numbers[0] * WINDOW_CHUNK if numbers else until, until)
        self._measure()
        self.hear(end, end, None)  # the oldest chunk has entries that had left
