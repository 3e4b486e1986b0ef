"""`rate`: how many attempts at a receiver may begin in a time, by a sliding window. Plain state, asked by the lane."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

__all__ = ["Pace", "Rate"]


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` attempts begin in any `seconds`."""

    count: int
    seconds: float


class Pace:
    """When attempts may begin under a rate. Times are of the monotonic clock."""

    __slots__ = ("begun", "rate")

    def __init__(self, rate: Rate, begun: Iterable[float] = ()) -> None:
        """Begin with the times of the latest attempts, which a reload passes on; after a restart there are none."""
        self.rate = rate
        self.begun = deque(begun, rate.count)

    def opens(self) -> float:
        """Return when the next attempt may begin; -inf: at once."""
        return self.begun[0] + self.rate.seconds if len(self.begun) == self.rate.count else -inf

    def began(self, now: float) -> None:
        """Note that an attempt begins."""
        self.begun.append(now)
