"""Checks the streams of a cluster: they are there and as `hub cluster create` makes them, whole, and have room."""

from collections.abc import Mapping
from typing import Any

from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.jetstream import JetStream, LogRefused
from hub.cluster.servers.link import LinkError
from hub.cluster.servers.streams import differences, edits, wanted
from hub.operate.doctor.finding import Finding, bad, good, warning

__all__ = ["look_at_streams"]

FREE_SHARE = 0.2
_PEERS = "start its server, and see its log; a replica that stays behind: `nats stream cluster peer-remove` and again"
_LEADER = (
    "start a majority of the servers; where they run and nothing moves, `nats stream cluster step-down` or a restart of"
    " the server that answers"
)


async def look_at_streams(stream: JetStream, names: LogNames, replicas: int) -> list[Finding]:
    """Look at each of them."""
    found: list[Finding] = []
    for name, config in wanted(names, replicas).items():
        subject = f"stream {name}"
        try:
            info = await stream.info(name)
        except (LogRefused, LinkError) as error:
            found.append(bad(subject, f"cannot be asked: {error}", _LEADER))
            continue
        if info is None:
            before = "; if it was before, see 'A stream that is gone' in docs/cluster.md first"
            text = f"is not there{before if name == names.stream else ''}"
            found.append(bad(subject, text, "`hub cluster create` makes it"))
            continue
        found += _judge(subject, config, info)
    return found


def _judge(subject: str, config: Mapping[str, Any], info: Mapping[str, Any]) -> list[Finding]:
    found = []
    if wrong := differences(config, info["config"]):
        found.append(bad(subject, "; ".join(wrong), edits(config, info["config"])))
    found += [*_replicas(subject, info.get("cluster") or {}), *_room(subject, info)]
    if found:
        return found
    said = f"{info['config']['num_replicas']} replicas, all current, {_used(info):.0%} of its room used"
    return [good(subject, said)]


def _replicas(subject: str, cluster: Mapping[str, Any]) -> list[Finding]:
    """Judge whether it has a leader, and each replica what the leader has."""
    if cluster and not cluster.get("leader"):
        return [bad(subject, "has no leader: nothing can be written", _LEADER)]
    return [
        warning(subject, f"its replica on {each['name']} {_behind(each)}", _PEERS)
        for each in cluster.get("replicas") or []
        if each.get("offline") or not each.get("current")
    ]


def _behind(replica: Mapping[str, Any]) -> str:
    if replica.get("offline"):
        return "is away"
    if lag := replica.get("lag", 0):
        return f"is {lag} records behind"
    return f"was not heard for {replica.get('active', 0) / 1e9:.0f} s"


def _room(subject: str, info: Mapping[str, Any]) -> list[Finding]:
    used = _used(info)
    if used <= 1 - FREE_SHARE:
        return []
    room = info["config"]["max_bytes"] / (1 << 20)
    text = f"{used:.0%} of its {room:.0f} MB are used; when it is full, nothing is acknowledged"
    return [warning(subject, text, "see in the nodes' logs why no snapshot is made; `nats stream edit --max-bytes`")]


def _used(info: Mapping[str, Any]) -> float:
    room = info["config"].get("max_bytes", -1)
    return float(info["state"]["bytes"] / room) if room > 0 else 0.0
