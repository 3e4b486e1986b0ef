"""The floor of episodes: the highest episode or version of all alerts that were forgotten. New alerts begin above it.

So no id is ever given twice, though nothing is kept of a forgotten alert.
"""

from collections.abc import Iterable

from hub.store.keeper import Keeper

__all__ = ["Floor"]

_KEY = "floor"


class Floor(Keeper):
    """One number for all alerts, and for episodes and versions alike: it never goes back."""

    kind = "episode"

    def __init__(self) -> None:
        """Begin at 0, below every episode."""
        self.number = 0
        self._dirty = False

    def rise(self, *numbers: int) -> None:
        """Raise the floor to the numbers of an alert that is forgotten."""
        self.number, self._dirty = max(self.number, *numbers), True

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Restore the number from the store."""
        self.number = max([self.number, *(int(text) for _, text in rows)])

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the row, where it changed since the last call."""
        dirty, self._dirty = self._dirty, False
        return [(_KEY, str(self.number))] if dirty else []
