"""A cluster as people see it, made of its beats: `hub cluster status` and /api/hub/status have the same picture."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hub.clock import rfc3339
from hub.cluster.log.mark import Mark, behind
from hub.cluster.log.snapshots import Manifest
from hub.cluster.log.state_log import LogNames

__all__ = ["Beat", "LogEnd", "beats_by_node", "is_standby", "marks_of", "picture"]

Beat = Mapping[str, Any]
"""What a node says of itself (ClusterNode._about), with `node` and `incarnation`."""


class LogEnd(NamedTuple):
    """What is known of the log itself: its last record, who wrote the last claim, and how much room it takes."""

    tip: Mark = Mark()
    owner: str = ""
    """The incarnation that owns by what the log says, "" where it is released."""
    bytes: int | None = None
    max_bytes: int | None = None
    snapshot: Manifest | None = None
    released: float = 0.0
    """When the unit was released, 0 where it is not."""

    @property
    def percent(self) -> float | None:
        """How much of its room is used; None where nobody knows, or it has no bound."""
        most = self.max_bytes or 0
        return round(100 * self.bytes / most, 2) if self.bytes is not None and most > 0 else None


def marks_of(beat: Beat) -> tuple[Mark, Mark]:
    """Return how far a node has the log, and how far it knows that it goes."""
    applied = Mark(int(beat.get("applied", 0)), float(beat.get("applied_time", 0.0)))
    return applied, Mark(int(beat.get("seen", 0)), float(beat.get("seen_time", 0.0)))


def is_standby(beat: Beat) -> bool:
    """Tell whether a node could take over now."""
    return not (beat.get("owns") or beat.get("trouble") or beat.get("left"))


def beats_by_node(beats: Sequence[Beat]) -> dict[str, Beat]:
    """Return the beats by node; of two processes of one name the owner, else the one that began last."""
    ordered = sorted(beats, key=lambda each: (str(each["node"]), bool(each.get("owns")), float(each.get("since", 0.0))))
    return {str(each["node"]): each for each in ordered}


def picture(names: LogNames, end: LogEnd, beats: Sequence[Beat], known: Mapping[str, float | None]) -> dict[str, Any]:
    """Put together what nodes say, what the log says, and who is missing."""
    nodes = beats_by_node(beats)
    # by the log: a process that was frozen says for a moment that it owns, as it did before
    owner = next((each for each in beats if each["incarnation"] == end.owner and each.get("owns")), None)
    applied = marks_of(owner)[0] if owner is not None else end.tip
    # since when it owns; or since when nobody does: since the release, or since the owner by the log is not heard
    since = owner.get("since") if owner is not None else end.released or known.get(end.owner.rpartition(".")[0])
    unit = {
        "unit": names.unit,
        "owner": owner["node"] if owner is not None else None,
        "since": _time(since),
        "applied": applied.seq,
        "lag_seconds": behind(applied, end.tip)[1],
    }
    gone = sorted(name for name in known if name not in nodes)
    return {
        "name": names.cluster,
        "units": [unit],
        "nodes": [
            *(_node(each, end.tip, _processes(beats, name)) for name, each in nodes.items()),
            *(_gone(name, known[name]) for name in gone),
        ],
        "log": {"bytes": end.bytes, "max_bytes": end.max_bytes, "percent": end.percent},
        "snapshot": _snapshot(end.snapshot),
    }


def _processes(beats: Sequence[Beat], node: str) -> int:
    return len({each["incarnation"] for each in beats if each["node"] == node})


def _node(beat: Beat, tip: Mark, processes: int) -> dict[str, Any]:
    applied, seen = marks_of(beat)
    lag, seconds = behind(applied, max(tip, seen))
    return {
        "node": beat["node"],
        "alive": True,
        "processes": processes,
        "role": _role(beat),
        "since": _time(beat.get("since")),
        "version": beat.get("version"),
        "rules": beat.get("rules"),
        "applied": applied.seq,
        "lag": lag,
        "lag_seconds": seconds,
        "trouble": beat.get("trouble", ""),
        "address": beat.get("address", ""),
    }


def _role(beat: Beat) -> str:
    if beat.get("owns"):
        return "owner"
    if beat.get("trouble"):
        return "stuck"
    return "left" if beat.get("left") else "standby"


def _gone(name: str, since: float | None) -> dict[str, Any]:
    nothing = dict.fromkeys(("version", "rules", "applied", "lag", "lag_seconds"))
    return {
        "node": name,
        "alive": False,
        "processes": 0,
        "role": "gone",
        "since": _time(since),
        **nothing,
        "trouble": "",
        "address": "",
    }


def _snapshot(found: Manifest | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"record": found.seq, "node": found.node, "made": rfc3339(found.made), "bytes": found.bytes}


def _time(seconds: Any) -> str | None:
    return rfc3339(float(seconds)) if seconds else None
