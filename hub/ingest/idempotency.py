"""Idempotency keys of posted events: a key that is known is not evaluated again, also after a crash.

A key is stored in the same commit as what its events caused, so that it is known exactly when they are.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable

from hub.limits import IDEMPOTENCY_KEYS, IDEMPOTENCY_SECONDS
from hub.store.keeper import Keeper

__all__ = ["Keys"]

KeyRow = tuple[str, float | None]
"""digest, when it came in seconds since 1970; None where it is to be deleted"""


class Keys(Keeper):
    """The keys of the last IDEMPOTENCY_SECONDS, IDEMPOTENCY_KEYS at most, the oldest first."""

    kind = "keys"

    def __init__(self) -> None:
        """Begin with none known."""
        self._known: OrderedDict[str, float] = OrderedDict()
        self._rows: list[KeyRow] = []

    def restore(self, rows: Iterable[tuple[str, float]]) -> None:
        """Take what a store held: digest and time, in seconds since 1970."""
        self._known.update(sorted(rows, key=lambda row: row[1]))

    def take(self, key: str, now: float) -> bool:
        """Remember a key; tell whether it is new."""
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        self._forget(now)
        if digest in self._known:
            return False
        self._known[digest] = now
        self._rows.append((digest, now))
        return True

    def _forget(self, now: float) -> None:
        while self._known:
            oldest, at = next(iter(self._known.items()))
            if now - at < IDEMPOTENCY_SECONDS and len(self._known) < IDEMPOTENCY_KEYS:
                return
            del self._known[oldest]
            self._rows.append((oldest, None))

    def take_rows(self) -> list[KeyRow]:
        """Hand out what changed since the last call."""
        rows, self._rows = self._rows, []
        return rows
