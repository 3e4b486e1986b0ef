"""What a hub is asked about the nodes of its cluster: by the watcher, /metrics and the status. A single hub has none.

hub/cluster implements it (company.py); what asks does not know whether there is a cluster.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

__all__ = ["ALONE", "Alone", "PeerFigure", "Peers"]


class PeerFigure(NamedTuple):
    """One figure of /metrics."""

    name: str
    words: str
    value: float
    is_counter: bool = False
    labels: Mapping[str, str] = {}


class Peers(Protocol):
    """The nodes of a cluster, as one of them sees them now."""

    @property
    def mark(self) -> Mapping[str, str]:
        """What every payload on `$hub/…` has beside its fields: which node says it."""
        ...

    def recall(self, notes: Mapping[str, str], spoken: Iterable[str]) -> None:
        """Take what an owner before noted, and the topics on which it spoke."""
        ...

    def events(self) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Return what is to be said below `$hub/`: topic and payload."""
        ...

    def notes(self) -> Mapping[str, str]:
        """Return the rows of `meta` that have changed since the last call."""
        ...

    def figures(self) -> Iterable[PeerFigure]:
        """Return what /metrics shows."""
        ...

    def status(self) -> Mapping[str, Any]:
        """Return what /api/hub/status has beside what each hub has: `node` and `cluster`."""
        ...

    def roles(self) -> Mapping[str, str]:
        """Return who shows it and who owns, for the head of the live view: `node` and `owner`."""
        ...

    def alertmanager(self) -> Mapping[str, Any]:
        """Return `cluster` as Alertmanager's status has it, with a `name` where it is not the hub's."""
        ...


class Alone:
    """No cluster."""

    mark: Mapping[str, str] = {}

    def recall(self, notes: Mapping[str, str], spoken: Iterable[str]) -> None:
        """There is nothing to recall."""

    def events(self) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Return nothing."""
        return ()

    def notes(self) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    def figures(self) -> Iterable[PeerFigure]:
        """Return nothing."""
        return ()

    def status(self) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def roles(self) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    def alertmanager(self) -> Mapping[str, Any]:
        """Say that there is no cluster."""
        return {"status": "disabled", "peers": []}


ALONE: Peers = Alone()
"""What a single hub has."""
