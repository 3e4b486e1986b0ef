"""Who keeps what: each durable thing has one owner, which takes its rows back at a start and hands out what changed.

The core and the pipeline hold all keepers and go through them at each start and each commit. A new durable thing
touches three places:

1. its class: a Keeper with its `kind`;
2. its number in FORMATS (formats.py): its rows then stand in the table `desk`, and the store needs no change;
3. the `keepers` of its holder: Engine, Book, Core or Pipeline.

`python -m tests.store.make_state` then writes what its rows look like to the list that test_formats.py compares. Where
a later change makes them look otherwise, raise the number, and let `restore` read the old ones too, or move them with a
step (migrations.py).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from hub.errors import StoreUnusable
from hub.store.changes import Changes, Snapshot
from hub.store.formats import FORMATS, unknown_kind

__all__ = ["Journal", "Keeper", "Rows", "RowsTogether", "restore_all", "take_all"]

Rows = Sequence[tuple[Any, ...]]
"""Key columns, then the text, None where the row is to be deleted. Rows of `desk` have one key column."""
_TABLES = frozenset({"instances", "samples", "alerts", "trace", "keys", "audit", "subscribers", "dead_letters"})
"""Kinds with a table of their own; Changes and Snapshot have a field of that name."""


class Keeper(Protocol):
    """The owner of all rows of one kind."""

    kind: str

    @property
    def format(self) -> int:
        """The number of its rows' format. Raise it whenever the rows change, so that an older hub refuses the file."""
        return FORMATS[self.kind]

    def restore(self, rows: Rows) -> None:
        """Take all stored rows of the kind: once, before anything else, and without knowing the time."""
        ...

    def take_rows(self) -> Rows:
        """Hand out the rows that changed since the last call: they go into the next commit."""
        ...


class Journal(Keeper):
    """Rows that are only added. Nobody takes them back at a start; queries read them (reader.py)."""

    def __init__(self, kind: str) -> None:
        """Begin with nothing to write; several journals may write into one kind."""
        self.kind = kind
        self._rows: list[tuple[Any, ...]] = []

    def add(self, row: tuple[Any, ...]) -> None:
        """Put a row into the next commit."""
        self._rows.append(row)

    def restore(self, rows: Rows) -> None:
        """Leave them in the store: a journal reads nothing back."""

    def take_rows(self) -> Rows:
        """Hand out what was added since the last call."""
        rows, self._rows = self._rows, []
        return rows


class RowsTogether(Keeper):
    """Rows that make sense only together with rows of other kinds; they are kept as they are until all are there."""

    def __init__(self, kind: str, take: Callable[[], Rows]) -> None:
        """Begin with none; `take` hands out those that changed."""
        self.kind, self._take = kind, take
        self._stored: Rows = ()

    def restore(self, rows: Rows) -> None:
        """Put them aside for `stored`."""
        self._stored = rows

    def stored(self) -> Rows:
        """Return what was put aside, and forget it: the rows may be many."""
        rows, self._stored = self._stored, ()
        return rows

    def take_rows(self) -> Rows:
        """Hand out the rows that changed since the last call."""
        return self._take()


def restore_all(keepers: Iterable[Keeper], snapshot: Snapshot) -> None:
    """Hand each keeper its rows, in the order of keepers.

    Raises:
        StoreUnusable: there are rows of a kind that nobody knows.

    """
    desk: dict[str, list[tuple[str, str]]] = {}
    for kind, key, text in snapshot.desk:
        desk.setdefault(kind, []).append((key, text))
    for kind in desk.keys() - FORMATS.keys():
        raise StoreUnusable(unknown_kind(kind))
    for keeper in keepers:
        in_table: Rows = getattr(snapshot, keeper.kind, ()) if keeper.kind in _TABLES else ()
        keeper.restore(in_table or desk.get(keeper.kind, ()))


def take_all(keepers: Iterable[Keeper]) -> Changes:
    """Take the rows of all keepers, for one commit."""
    changes, desk = Changes(), []
    for keeper in keepers:
        rows, kind = keeper.take_rows(), keeper.kind
        if not rows:
            continue
        if kind in _TABLES:
            before = getattr(changes, kind)  # of the trace, into which several write
            setattr(changes, kind, [*before, *rows] if before else rows)
        else:
            desk += [(kind, key, text) for key, text in rows]
    changes.desk = desk
    return changes
