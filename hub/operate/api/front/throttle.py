"""Makes clients wait that send wrong tokens: one token from one address again and again, or many from one address.

A right token is always taken, also from an address that has to wait: behind a proxy or a router, many people have the
same address, and one who guesses must not lock the others out. It is the length of a token (TOKEN_CHARS) that keeps it
from being guessed. The wait tells a client with an old token to stop, and the log tells that somebody guesses.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable

from hub.limits import LOGIN_ADDRESSES, LOGIN_FAILURES, LOGIN_PAUSE_SECONDS
from hub.operate.api.front.origin import household

__all__ = ["Throttle"]

_Key = tuple[str, bytes]


class Throttle:
    """Counts failures in memory, for at most LOGIN_ADDRESSES keys; the oldest are forgotten first.

    A key is an address with a digest of a token that it sent. The key with an empty digest counts the different tokens
    of that address.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Begin with no failures; `monotonic` is a clock in seconds."""
        self._monotonic = monotonic
        self._failures: OrderedDict[_Key, tuple[int, float]] = OrderedDict()

    def failed(self, address: str, token: str) -> tuple[float, bool]:
        """Count a wrong token. Return how many seconds its client has to wait (0: none), and whether a wait begins."""
        of_all, of_one = self._keys(address, token)
        left = max(self._wait(of_all), self._wait(of_one))
        if left > 0:
            return left, False
        fresh = of_one not in self._failures
        reached = self._count(of_one)
        if fresh:
            reached = self._count(of_all) or reached
        return 0.0, reached

    def _keys(self, address: str, token: str) -> tuple[_Key, _Key]:
        home = household(address)
        return (home, b""), (home, hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()[:8])

    def _wait(self, key: _Key) -> float:
        count, at = self._failures.get(key, (0, 0.0))
        left = at + LOGIN_PAUSE_SECONDS - self._monotonic()
        if left <= 0:
            self._failures.pop(key, None)
            return 0.0
        return left if count >= LOGIN_FAILURES else 0.0

    def _count(self, key: _Key) -> bool:
        """Count a failure; tell whether the key has reached LOGIN_FAILURES now."""
        count, _ = self._failures.pop(key, (0, 0.0))
        self._failures[key] = (count + 1, self._monotonic())
        if len(self._failures) > LOGIN_ADDRESSES:
            self._failures.popitem(last=False)
        return count + 1 == LOGIN_FAILURES
