"""A receiver that fails again and again is left alone for a while, then tried once. What waits loses no attempts.

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
    """Counts failures in a row; times are of the monotonic clock.

    Failures of one alert alone never open it, because that message itself may be the reason.
    """

    __slots__ = ("failures", "first", "most", "pause", "probe", "several", "state", "until")

    def __init__(self, most: int = BREAKER_FAILURES) -> None:
        """Begin closed; open after `most` failures in a row, 0: never."""
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
        """Return when an attempt may begin; inf while the probe is under way."""
        return self.until

    def began(self, row: int) -> None:
        """Note that an attempt begins; the first one after a pause is the probe."""
        if self.state is Circuit.OPEN:
            self.state, self.probe, self.until = Circuit.HALF_OPEN, row, inf

    def failed(self, row: int, order: str, now: float, asked: float) -> bool:
        """Note a failure; tell whether it opened the breaker. `asked`: for how many seconds the receiver asked to wait.

        Attempts that were under way when it opened say nothing new when they fail.
        """
        self.several = self.several or (self.failures > 0 and order != self.first)
        self.first = self.first or order
        self.failures += 1
        if self.state is Circuit.CLOSED:
            if not self.most or self.failures < self.most or not self.several:
                return False
        elif self.state is Circuit.OPEN or row != self.probe:
            return False  # it was under way before
        else:  # the probe failed: the receiver is left alone for twice as long
            self.pause = min(2 * self.pause, BREAKER_SECONDS[1])
        self.state = Circuit.OPEN
        self.until = now + max(self.pause, min(asked, RETRY_AFTER_SECONDS))
        return True

    def hold(self, now: float, seconds: float) -> None:
        """Begin nothing for so many seconds, because the receiver asked for it; a probe under way goes on."""
        if self.state is not Circuit.HALF_OPEN:
            self.until = max(self.until, now + min(seconds, RETRY_AFTER_SECONDS))

    def worked(self) -> bool:
        """Note that the receiver has answered, if only to refuse; tell whether that closed the breaker."""
        closed = self.state is not Circuit.CLOSED
        self._close()
        return closed
