"""The lease for telling: an owner may begin to send only while its last confirmed record is young.

A process that was frozen wakes with a lease that is over, and an owner that is cut from the log loses it, so it does
not send what the next owner sends, too. What was on the wire before is the bounded repetition, with the same id.
"""

import time
from collections.abc import Callable

__all__ = ["Lease"]

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux counts there while the machine sleeps, too


class Lease:
    """Holds for so many seconds behind the moment at which the last confirmed record was sent."""

    def __init__(self, seconds: float, wanted: Callable[[], None] = lambda: None) -> None:
        """Begin without one. `wanted` is called where somebody asks for it and it is over."""
        self._seconds, self._wanted = seconds, wanted
        self._until = self._ended = 0.0

    @staticmethod
    def now() -> float:
        """Seconds of a clock that goes on while the process, or the machine, does not."""
        return time.clock_gettime(_CLOCK)

    def renew(self, begun: float) -> None:
        """Let it hold from `begun`: when the record was sent, not when its confirmation was read.

        One that was first sent before the lease was ended says nothing of the time behind that.
        """
        if begun >= self._ended:
            self._until = max(self._until, begun + self._seconds)

    def end(self) -> None:
        """Let it hold no longer: the connection is lost, and another node may see that this process is not there."""
        self._until, self._ended = 0.0, self.now()

    def holds(self) -> bool:
        """Tell whether an attempt may begin. Where not, a record is written that renews it."""
        if self.now() < self._until:
            return True
        self._wanted()
        return False
