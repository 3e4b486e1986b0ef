"""Values in order, equal ones too, into which one is put and from which one is taken at the cost of a few steps.

It answers the lowest, the highest and the k-th. The values stand in blocks; a tree of sums (Fenwick) over the blocks'
sizes finds the k-th, and is made anew when a block is split or empty, which happens once for many changes.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterator, MutableSequence
from typing import Any

__all__ = ["BLOCK", "Ranking"]

BLOCK = 2048  # values of one block, at most: to move 16 KB costs less than a step more in the tree


class Ranking:
    """A sorted multiset of doubles, or (`texts`) of texts."""

    __slots__ = ("_blocks", "_highest", "_new", "_tree", "size")

    def __init__(self, *, texts: bool = False) -> None:
        """Begin with nothing."""
        self._new: Any = list if texts else _doubles
        self._blocks: list[MutableSequence[Any]] = []
        self._highest: list[Any] = []
        self._tree: list[int] | None = None
        self.size = 0

    def add(self, value: Any) -> None:
        """Put a value in."""
        self.size += 1
        if not self._blocks:
            self._blocks, self._highest, self._tree = [self._new([value])], [value], None
            return
        place = min(bisect_left(self._highest, value), len(self._blocks) - 1)
        block = self._blocks[place]
        insort(block, value)
        self._highest[place] = block[-1]
        self._count(place, 1)
        if len(block) > BLOCK:
            half = BLOCK // 2
            self._blocks[place : place + 1] = [block[:half], block[half:]]
            self._highest[place : place + 1] = [block[half - 1], block[-1]]
            self._tree = None

    def take(self, value: Any) -> None:
        """Take out a value that is in."""
        place = bisect_left(self._highest, value)
        block = self._blocks[place]
        del block[bisect_left(block, value)]
        self.size -= 1
        if block:
            self._highest[place] = block[-1]
            self._count(place, -1)
        else:
            del self._blocks[place], self._highest[place]
            self._tree = None

    def _count(self, place: int, change: int) -> None:
        tree = self._tree
        if tree is not None:
            place += 1
            while place < len(tree):
                tree[place] += change
                place += place & -place

    def at(self, rank: int) -> Any:
        """Return the value with this rank: 0 is the lowest."""
        tree = self._tree
        if tree is None:
            tree = self._tree = _tree_of([len(block) for block in self._blocks])
        place, step = 0, 1 << (len(tree) - 1).bit_length()
        while step:
            if place + step < len(tree) and tree[place + step] <= rank:
                place += step
                rank -= tree[place]
            step >>= 1
        return self._blocks[place][rank]

    def lowest(self) -> Any:
        """Return the lowest; there must be one."""
        return self._blocks[0][0]

    def highest(self) -> Any:
        """Return the highest; there must be one."""
        return self._highest[-1]

    def __iter__(self) -> Iterator[Any]:
        for block in self._blocks:
            yield from block


def _doubles(values: list[float]) -> MutableSequence[float]:
    return array("d", values)


def _tree_of(sizes: list[int]) -> list[int]:
    tree = [0, *sizes]
    for place in range(1, len(tree)):
        above = place + (place & -place)
        if above < len(tree):
            tree[above] += tree[place]
    return tree
