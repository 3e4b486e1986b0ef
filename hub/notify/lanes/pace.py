"""How fast a receiver is told: `rate`, a sliding window over the attempts. Plain state; the lane asks before each."""

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
    """Keeps a rate. Times are of the clock that never steps."""

    __slots__ = ("begun", "rate")

    def __init__(self, rate: Rate, begun: Iterable[float] = ()) -> None:
        """Begin with the attempts `begun` lately; a restart of the hub knows of none."""
        self.rate = rate
        self.begun = deque(begun, rate.count)

    def opens(self) -> float:
        """Return the time from which on the next attempt may begin."""
        return self.begun[0] + self.rate.seconds if len(self.begun) == self.rate.count else -inf

    def began(self, now: float) -> None:
        """Count an attempt."""
        self.begun.append(now)
