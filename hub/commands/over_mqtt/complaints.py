"""What is told of requests that could not be answered: the first few of a minute, of the rest only how many there were.

Whoever may write to the desk may do so ten thousand times a second; a log is for people.
"""

from collections.abc import Callable

from hub.limits import COMPLAINT_SECONDS, COMPLAINTS

__all__ = ["Complaints"]


class Complaints:
    """Passes on what somebody should know of, COMPLAINTS in COMPLAINT_SECONDS at most."""

    def __init__(self, tell: Callable[[str], None], monotonic: Callable[[], float]) -> None:
        """Tell by `tell`; `monotonic` is a clock in seconds."""
        self._tell, self._monotonic = tell, monotonic
        self._since = -COMPLAINT_SECONDS
        self._told = self._untold = 0

    def add(self, message: str) -> None:
        """Tell it, or count it."""
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
