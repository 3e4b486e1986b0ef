"""The floor of episodes: the highest that an alert had which is known no more; one that comes anew begins above it.

So ids never come back, and nothing needs to be known of who is gone.
"""

from collections.abc import Iterable

from hub.store.keeper import Keeper

__all__ = ["Floor"]

_KEY = "floor"


class Floor(Keeper):
    """One number for all alerts, episodes and versions alike: it never goes back."""

    kind = "episode"

    def __init__(self) -> None:
        """Begin at 0, below every episode."""
        self.number = 0
        self._dirty = False

    def rise(self, *numbers: int) -> None:
        """Let an alert go that had these."""
        self.number, self._dirty = max(self.number, *numbers), True

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring in what a store held."""
        self.number = max([self.number, *(int(text) for _, text in rows)])

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the row, where it changed since the last call."""
        dirty, self._dirty = self._dirty, False
        return [(_KEY, str(self.number))] if dirty else []
