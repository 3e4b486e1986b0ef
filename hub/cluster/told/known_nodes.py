"""Which nodes belong to the cluster: those that were heard, until an operator lets them leave.

The owner decides, and its record in `meta` outlives it. The other nodes take its word, so that they know it, too, when
it is gone.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

__all__ = ["NODES_ROW", "KnownNodes"]

NODES_ROW = "log:nodes"
"""The row of `meta`: the state of a single hub, as `hub cluster export` writes it, has no row of this beginning."""


class KnownNodes:
    """The names. `gone` has for each None while it is heard, else since when it is not, in seconds since 1970."""

    def __init__(self) -> None:
        """Know nobody."""
        self.gone: dict[str, float | None] = {}
        self._leaving: set[str] = set()
        self._noted = "{}"

    def look(self, beats: Iterable[Mapping[str, Any]], now: float) -> None:
        """Take who is heard now."""
        heard = {str(each["node"]): bool(each.get("left")) for each in beats}
        for name, left in heard.items():
            self.gone[name] = None
            self._leaving = self._leaving | {name} if left else self._leaving - {name}
        for name in [name for name, since in self.gone.items() if name not in heard and since is None]:
            if name in self._leaving:  # it was told to go: nobody misses it
                self.forget(name)
            else:
                self.gone[name] = now

    def follow(self, said: Mapping[str, float | None]) -> None:
        """Take the owner's word."""
        self.gone = dict(said)

    def forget(self, name: str) -> bool:
        """Let a node go; tell whether it was known."""
        self._leaving.discard(name)
        known = name in self.gone
        self.gone.pop(name, None)
        return known

    def recall(self, notes: Mapping[str, str], now: float) -> None:
        """Take what an owner before noted: who is missing by what this node heard, and was let go by then, is dropped.

        A damaged row, or none, changes nothing.
        """
        try:
            found = orjson.loads(notes.get(NODES_ROW, "{}"))
            noted = {str(name): now if since is None else float(since) for name, since in found.items()}
        except (ValueError, TypeError, AttributeError):
            return
        self._noted = notes.get(NODES_ROW, "{}")
        heard = {name: since for name, since in self.gone.items() if since is None or not noted}
        self.gone = {**noted, **{name: self.gone[name] for name in noted if name in self.gone}, **heard}

    def take_notes(self) -> dict[str, str]:
        """Return the row, where it has changed since it was last returned."""
        text = orjson.dumps(self.gone, option=orjson.OPT_SORT_KEYS).decode()
        if text == self._noted:
            return {}
        self._noted = text
        return {NODES_ROW: text}
