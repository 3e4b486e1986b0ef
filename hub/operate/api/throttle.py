"""Slows down who guesses: after LOGIN_FAILURES wrong tokens from one address it has to wait."""

from collections import OrderedDict
from collections.abc import Callable

from hub.limits import LOGIN_ADDRESSES, LOGIN_FAILURES, LOGIN_PAUSE_SECONDS

__all__ = ["Throttle"]


class Throttle:
    """Failures by address, in memory: LOGIN_ADDRESSES at most, those that failed longest ago are forgotten first."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Begin with nobody."""
        self._monotonic = monotonic
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return for how many seconds this address is not listened to, 0 where it is."""
        count, at = self._failures.get(address, (0, 0.0))
        left = at + LOGIN_PAUSE_SECONDS - self._monotonic()
        if left <= 0:
            self._failures.pop(address, None)
            return 0.0
        return left if count >= LOGIN_FAILURES else 0.0

    def failed(self, address: str) -> None:
        """Count a wrong token."""
        count, _ = self._failures.pop(address, (0, 0.0))
        self._failures[address] = (count + 1, self._monotonic())
        if len(self._failures) > LOGIN_ADDRESSES:
            self._failures.popitem(last=False)

    def worked(self, address: str) -> None:
        """Forget what failed before: it was the right one."""
        self._failures.pop(address, None)
