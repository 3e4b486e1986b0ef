"""A receiver that fails again and again is left alone for a while, then tried once; whatever else waits is not spent.

closed ──failures in a row──▶ open ──pause──▶ half-open ──worked──▶ closed
                               ▲                  │
                               └───failed, longer─┘
"""

import enum
from math import inf

from hub.limits import BREAKER_FAILURES, BREAKER_SECONDS, RETRY_AFTER_SECONDS

__all__ = ["Breaker", "Circuit"]


class Circuit(enum.StrEnum):
    """What a breaker lets through: all, nothing, or one attempt."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Counts failures in a row. Those of one alert alone never open it: they may be that message's own fault."""

    __slots__ = ("failures", "first", "most", "pause", "probe", "several", "state", "until")

    def __init__(self, most: int = BREAKER_FAILURES) -> None:
        """Open after `most` failures in a row; 0: never."""
        self.most = most
        self._close()

    def _close(self) -> None:
        self.state = Circuit.CLOSED
        self.failures = 0
        self.first = ""
        self.several = False
        self.pause = BREAKER_SECONDS[0]
        self.until = -inf
        self.probe = 0

    def opens(self) -> float:
        """Return the monotonic time from which on an attempt may begin; inf while the one that probes is under way."""
        return self.until

    def began(self, row: int) -> None:
        """Hear of an attempt that begins; after a pause it is the one that probes."""
        if self.state is Circuit.OPEN:
            self.state, self.probe, self.until = Circuit.HALF_OPEN, row, inf

    def failed(self, row: int, order: str, now: float, asked: float) -> bool:
        """Hear of a failure; tell whether that opened it. `asked` is the wait that the receiver asked for, in seconds.

        What was under way when it opened tells nothing new.
        """
        self.several = self.several or (self.failures > 0 and order != self.first)
        self.first = self.first or order
        self.failures += 1
        if self.state is Circuit.CLOSED:
            if not self.most or self.failures < self.most or not self.several:
                return False
        elif self.state is Circuit.OPEN or row != self.probe:
            return False
        else:
            self.pause = min(2 * self.pause, BREAKER_SECONDS[1])
        self.state = Circuit.OPEN
        self.until = now + max(self.pause, min(asked, RETRY_AFTER_SECONDS))
        return True

    def hold(self, now: float, seconds: float) -> None:
        """Begin nothing for so long, because the receiver asked for it; one that probes is left to its end."""
        if self.state is not Circuit.HALF_OPEN:
            self.until = max(self.until, now + min(seconds, RETRY_AFTER_SECONDS))

    def worked(self) -> bool:
        """Hear that the receiver has answered; tell whether that closed it."""
        closed = self.state is not Circuit.CLOSED
        self._close()
        return closed
