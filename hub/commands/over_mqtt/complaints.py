"""Complaints about requests that could not be answered: the first few of a minute, and the number of the others.

A client that may send requests can send ten thousand a second, and people read the log.
"""

from collections.abc import Callable

from hub.limits import COMPLAINT_SECONDS, COMPLAINTS

__all__ = ["Complaints"]


class Complaints:
    """Passes complaints on, at most COMPLAINTS in COMPLAINT_SECONDS."""

    def __init__(self, tell: Callable[[str], None], monotonic: Callable[[], float]) -> None:
        """Pass them to `tell`; `monotonic` is a clock in seconds."""
        self._tell, self._monotonic = tell, monotonic
        self._since = -COMPLAINT_SECONDS
        self._told = self._untold = 0

    def add(self, message: str) -> None:
        """Pass a complaint on, or only count it where too many came."""
        now = self._monotonic()
        if now - self._since >= COMPLAINT_SECONDS:
            more = f" ({self._untold} more of which nothing was said)" if self._untold else ""
            self._since, self._told, self._untold = now, 0, 0
            message += more
        if self._told >= COMPLAINTS:
            self._untold += 1
            return
        self._told += 1
        self._tell(message)
