"""What a node says of itself in its log of events: each thing once, until it changes."""

from hub.documents.duration import format_duration
from hub.observer import Observer

__all__ = ["Voice"]


class Voice:
    """Speaks to the observer. `trouble` is why this node cannot follow the log, "" while it can."""

    def __init__(self, observer: Observer, node: str, unit: str) -> None:
        """Say nothing yet."""
        self._observer, self._node, self._unit = observer, node, unit
        self.trouble = self._waiting = self._following = self._unshortened = ""
        self._twin = False
        self.forked = False
        """Whether the trouble is that the log and the copy disagree."""
        self.owned = self.fenced = 0
        """How often this process has owned the unit, and lost it to another node."""

    def tell(self, kind: str, text: str) -> None:
        """Say what is in order: a line of its own kind."""
        self._observer.cluster(kind, text)

    def owns(self, record: int, before: str, unheard: float | None) -> None:
        """Say that this node owns, whom it follows, and for how long no device was heard."""
        self.owned += 1
        self._following = ""
        if unheard is None:
            why = "nobody has owned it before"
        else:
            why = f"{f'{before} is silent' if before else 'it was released'}; no device was heard for {_shown(unheard)}"
        self.tell("owner", f"node {self._node} owns {self._unit}, from record {record}: {why}")

    def lost(self, why: str) -> None:
        """Say that another node owns."""
        self.fenced += 1
        self.tell("standby", f"fenced: {why}; what was not durable is dropped")

    def hands_over(self, to: str) -> None:
        """Say that this node ends what it owns in good order."""
        self.tell("release", f"{self._unit} is handed over{f' to {to}' if to else ''}: finishing what is under way")

    def released(self, record: int, to: str) -> None:
        """Say that the unit is free."""
        self.tell("release", f"{self._unit} is released with record {record}; {to or 'any node'} may own it")

    def follows(self, record: int, owner: str) -> None:
        """Say that this node follows the log, where it did not before, or that another node owns than before."""
        if self.trouble:
            self.tell("log", "this node follows the log again")
        self.trouble, self._waiting, self.forked = "", "", False
        if (owner or "-") != self._following:
            whose = f"which {owner} owns" if owner and owner != self._node else "which nobody owns"
            self.tell("standby", f"node {self._node} follows {self._unit}, {whose}, from record {record}")
        self._following = owner or "-"

    def cannot_follow(self, why: str, *, forked: bool = False) -> None:
        """Say why this node cannot follow the log."""
        if why != self.trouble:
            self._observer.trouble("log", why)
        self.trouble, self.forked = why, forked

    def cannot_write(self, why: str) -> None:
        """Say why the owner cannot write the log; with "" that it can again."""
        if why:
            self._observer.trouble("log", f"{why}; commits wait, the broker keeps what comes")
        else:
            self.tell("log", "the log is written again, nothing was lost")

    def keeps_no_snapshot(self, why: str) -> None:
        """Say why no snapshot can be made or seen, so that the log grows; with "" that it is no longer so."""
        if why and why != self._unshortened:
            self._observer.trouble("log", f"no snapshot, so the log only grows: {why}")
        elif self._unshortened and not why:
            self.tell("log", "snapshots can be made again")
        self._unshortened = why

    def connection(self, why: str) -> None:
        """Say that the connection to the servers is lost, and why; with "" that it is there."""
        if why:
            self._observer.trouble("nats", f"no connection: {why.removeprefix('nats: ')}")
        else:
            self.tell("nats", "connected")

    def twin(self, address: str | None) -> None:
        """Say that another process has this node's name: orders reach either, and a look at the nodes shows one."""
        if address is not None and not self._twin:
            self._observer.trouble(
                "cluster",
                f"another process calls itself node {self._node}, at {address or 'an unknown place'}; give each node a"
                " name of its own, by `node:` under `cluster:` in its hub.yaml",
            )
        self._twin = address is not None

    def waits(self, why: str) -> None:
        """Say what this node waits for."""
        if why != self._waiting:
            self._observer.trouble("nats", why)
        self._waiting = why


def _shown(seconds: float) -> str:
    return f"{max(0.0, seconds):.1f} s" if seconds < 60 else format_duration(round(seconds))
