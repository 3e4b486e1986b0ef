"""How long to wait before the next attempt to connect."""

import random

from hub.limits import RECONNECT_SECONDS

__all__ = ["Backoff"]

_STEADY_SECONDS = 1.0  # a connection that lasted this long ends the outage before it
_SHARE = 4  # wait up to this part of the outage so far


class Backoff:
    """A random wait of at most a quarter of the outage so far, within RECONNECT_SECONDS.

    So the wait grows with the outage, and a broker that was away for a second is found again in a quarter of one.
    """

    def __init__(self) -> None:
        """Begin without an outage."""
        self._since: float | None = None
        self._connected: float | None = None

    def connected(self, now: float) -> None:
        """Hear that a connection was made; `now` is monotonic, in seconds."""
        self._connected = now

    def lasted(self, now: float) -> float:
        """Return how many seconds the connection that ended had lasted, 0 where none was made."""
        return 0.0 if self._connected is None else max(now - self._connected, 1e-9)

    def wait(self, now: float) -> float:
        """Return the seconds to wait after a connection ended or could not be made."""
        steady = self._connected is not None and now - self._connected >= _STEADY_SECONDS
        if self._since is None or steady:
            self._since = now
        self._connected = None
        shortest, longest = RECONNECT_SECONDS
        return random.uniform(shortest / 2, min(longest, max(shortest, (now - self._since) / _SHARE)))
