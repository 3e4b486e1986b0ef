"""The nodes of a cluster as one of them sees them (selfwatch/peers.py): for its own rules, /metrics and the status."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hub.clock import Clock
from hub.cluster.log.mark import Mark, behind
from hub.cluster.log.state_log import LogNames
from hub.cluster.members import Members
from hub.cluster.told.cluster_picture import Beat, LogEnd, beats_by_node, is_standby, marks_of, picture
from hub.cluster.told.known_nodes import KnownNodes
from hub.cluster.voice import Voice
from hub.limits import SELF_WATCH_CALM_SECONDS
from hub.model import OWN_TOPICS
from hub.selfwatch.peers import PeerFigure

__all__ = ["Company"]

_NODE = f"{OWN_TOPICS}node/"
_ROOMY = {"free_bytes": 1 << 62, "free_percent": 100.0}
"""The disk of a node that does not belong to the cluster any more: what was said of it must end."""


class Company:
    """`end` returns what this node knows of the log, `lost_answers` how many acknowledgements were lost."""

    def __init__(
        self,
        *,
        names: LogNames,
        members: Members,
        voice: Voice,
        clock: Clock,
        end: Callable[[], LogEnd],
        lost_answers: Callable[[], int],
    ) -> None:
        """Look at nothing yet."""
        self._names, self._members, self._voice, self._clock = names, members, voice, clock
        self._end, self._lost_answers = end, lost_answers
        self.known = KnownNodes()
        self._calm: dict[str, float] = {}
        """Names that do not belong to the cluster any more, and since when, by the clock that is never set."""

    # who is there

    def look(self, *, left: bool) -> None:
        """Take who was heard; each beat of this node does, which tells whether it has `left` itself."""
        others = self._members.others()
        owner = self._owner(others)
        if owner is not None:
            self.known.follow(owner.get("known", {}))
        self.known.look([{"node": self._members.node, "left": left}, *others], self._clock.now())

    def forget(self, name: str) -> str:
        """Let a node go that does not come back; return what is wrong, or ""."""
        if any(each["node"] == name for each in self._heard()):
            return f"{name} is there; tell it to leave"
        if not self.known.forget(name):
            return f"there is no node {name!r}"
        self._calm[name] = self._clock.monotonic()
        return ""

    def _heard(self) -> list[Beat]:
        return self._members.beats()

    def _owner(self, beats: Iterable[Beat]) -> Beat | None:
        owner = self._end().owner
        return next((each for each in beats if each["incarnation"] == owner and each.get("owns")), None)

    def _tip(self, beats: Sequence[Beat]) -> Mark:
        """Return the last record that any node knows of."""
        return max((mark for each in beats for mark in marks_of(each)), default=Mark())

    def picture(self) -> dict[str, Any]:
        """Return what `hub cluster status --json` shows."""
        beats = self._heard()
        return picture(self._names, self._end()._replace(tip=self._tip(beats)), beats, self.known.gone)

    # what is asked: see Peers

    @property
    def mark(self) -> Mapping[str, str]:
        """Every payload has the node that says it."""
        return {"node": self._members.node}

    def recall(self, notes: Mapping[str, str], spoken: Iterable[str]) -> None:
        """Take the names that an owner before knew. Of others it spoke: these are calm until they are forgotten."""
        self.known.recall(notes, self._clock.now())
        names = (topic.removeprefix(_NODE) for topic in spoken if topic.startswith(_NODE))
        self._calm |= {name: self._clock.monotonic() for name in names if name not in self.known.gone}

    def notes(self) -> Mapping[str, str]:
        """Return the names, where they have changed."""
        return self.known.take_notes()

    def events(self) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Say how the cluster is, and each node; and what only a node itself knows, for those that stand by."""
        now = self._clock.now()
        beats = self._heard()
        nodes, me, tip = beats_by_node(beats), self._members.node, self._tip(beats)
        found: list[tuple[str, Mapping[str, Any]]] = [("cluster", {**self._cluster(nodes, now), "node": me})]
        rules = nodes[me].get("rules")
        for name, gone in self.known.gone.items():
            beat = nodes.get(name)
            found.append((f"node/{name}", {**_said_of(beat, rules, tip, gone, now), "node": name}))
            if name != me:
                found += _for(name, beat, (beat or {}).get("disk"))
        return [*found, *self._of_forgotten()]

    def _cluster(self, nodes: Mapping[str, Beat], now: float) -> dict[str, Any]:
        end = self._end()
        return {
            "nodes": len(self.known.gone),
            "heard": len(nodes),
            "standbys": sum(map(is_standby, nodes.values())),
            "gone": ", ".join(sorted(name for name in self.known.gone if name not in nodes)),
            "log_bytes": end.bytes,
            "log_percent": end.percent,
            "snapshot_seconds": round(max(0.0, now - end.snapshot.made), 1) if end.snapshot is not None else None,
        }

    def _of_forgotten(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Say of nodes that have left that nothing is the matter, for as long as rules look back at them."""
        now, found = self._clock.monotonic(), list[tuple[str, Mapping[str, Any]]]()
        for name, since in list(self._calm.items()):
            if name in self.known.gone or now - since > SELF_WATCH_CALM_SECONDS:
                del self._calm[name]
                continue
            found.append((f"node/{name}", {**_said_of(None, None, Mark(), None, now), "node": name}))
            found += _for(name, None, _ROOMY)
        return found

    def figures(self) -> Iterable[PeerFigure]:
        """Return the series of this node."""
        beats, unit = self._heard(), {"unit": self._names.unit}
        me = next(each for each in beats if each["incarnation"] == self._members.incarnation)
        records, seconds = behind(marks_of(me)[0], self._tip(beats))
        voice, end = self._voice, self._end()
        yield PeerFigure("hub_unit_owned", "1 while this node owns the unit.", bool(me.get("owns")), labels=unit)
        yield PeerFigure(
            "hub_unit_lag_records", "Records of the log that this node has yet to apply.", records, labels=unit
        )
        yield PeerFigure(
            "hub_unit_lag_seconds",
            "Between the store's times of the last record that it knows of and of the last that it has.",
            seconds,
            labels=unit,
        )
        yield PeerFigure("hub_takeovers", "Times that this process has become the owner.", voice.owned, is_counter=True)
        yield PeerFigure("hub_fenced", "Times that another node took the unit from it.", voice.fenced, is_counter=True)
        if end.bytes is not None:
            yield PeerFigure("hub_log_bytes", "The log on each of its servers.", end.bytes)
        yield PeerFigure(
            "hub_log_lost_answers",
            "Records found in the log whose acknowledgement was lost.",
            self._lost_answers(),
            is_counter=True,
        )

    def status(self) -> Mapping[str, Any]:
        """Return this node's name, and the cluster."""
        return {"node": self._members.node, "cluster": self.picture()}

    def roles(self) -> Mapping[str, str]:
        """Return this node's name, and the owner's."""
        owner = self._owner(self._heard())
        return {"node": self._members.node, "owner": str(owner["node"]) if owner is not None else ""}

    def alertmanager(self) -> Mapping[str, Any]:
        """Return the nodes that are heard as peers; it is `settling` while nobody owns."""
        beats = self._heard()
        peers = [{"name": node, "address": str(each.get("address", ""))} for node, each in beats_by_node(beats).items()]
        status = "ready" if self._owner(beats) is not None else "settling"
        return {"name": self._members.node, "status": status, "peers": peers}


def _said_of(beat: Beat | None, rules: Any, tip: Mark, gone: float | None, now: float) -> dict[str, Any]:
    """Return how a node is; of one that is not heard only for how long."""
    if beat is None:
        away = 0.0 if gone is None else round(max(0.0, now - gone), 1)
        nothing = {"version": "", "rules_differ": False, "records_behind": 0, "seconds_behind": 0.0}
        return {"alive": False, "gone_seconds": away, **nothing, "forked": False, "detail": ""}
    records, seconds = behind(marks_of(beat)[0], tip)
    return {
        "alive": True,
        "gone_seconds": 0.0,
        "version": beat.get("version", ""),
        "rules_differ": beat.get("rules") != rules,
        "records_behind": records,
        "seconds_behind": seconds,
        "forked": bool(beat.get("forked")),
        "detail": beat.get("trouble", ""),
    }


def _for(name: str, beat: Beat | None, disk: Mapping[str, Any] | None) -> list[tuple[str, Mapping[str, Any]]]:
    """Say for a node that stands by what the owner says of itself; of a disk that nobody knows nothing is said."""
    refused, node = str((beat or {}).get("refused", "")), {"node": name}
    return [
        ("rules", {"refused": bool(refused), "detail": refused, **node}),
        ("state", {"lost": 0, "detail": "", **node}),
        ("clock", {"steps": 0, "seconds": 0.0, **node}),
        *([("disk", {**disk, **node})] if disk else []),
    ]
