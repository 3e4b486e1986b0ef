"""Checks the nodes of a cluster by what they say of themselves: who owns, who follows, what differs."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from hub.cluster.log.snapshots import Manifest, Snapshots
from hub.cluster.log.state_log import LogNames
from hub.cluster.overview import overview
from hub.cluster.servers.jetstream import JetStream
from hub.cluster.servers.link import Link
from hub.documents.duration import format_duration
from hub.errors import HubError
from hub.limits import CLOCKS_APART_SECONDS, SNAPSHOT_LOG_BYTES
from hub.operate.doctor.finding import Finding, bad, good, unknown, warning
from hub.settings.cluster_settings import ClusterSettings

__all__ = ["look_at_nodes"]

LAG_RECORDS = 1000  # some seconds of a busy log; what is heard of a node is half a second old
_SUBJECT = "nodes"
_Said = Mapping[str, Any]


async def look_at_nodes(link: Link, settings: ClusterSettings) -> list[Finding]:
    """Listen to the nodes for a second, and judge what they say, and how long the log has become."""
    try:
        found = await overview(link, settings)
        log = await _log(link, LogNames(settings.name))
    except HubError as error:
        return [unknown(_SUBJECT, f"cannot be asked: {error}")]
    nodes = [each for each in found["nodes"] if each["alive"]]
    gone = [_gone(each) for each in found["nodes"] if not each["alive"]]
    if not nodes:
        return [bad(_SUBJECT, "none runs", "start `hub run` on each machine"), *gone, *log]
    owners = [_owner(unit) for unit in found["units"]]
    return [*owners, *_company(nodes), *_alike(nodes), *_followers(nodes), *gone, *log]


def _gone(node: _Said) -> Finding:
    since = f" since {node['since']}" if node["since"] else ""
    text = f"belongs to the cluster, and is not heard{since}"
    return warning(f"node {node['node']}", text, f"start it again; or, for good, `hub cluster leave {node['node']}`")


def _owner(unit: _Said) -> Finding:
    if unit["owner"] is None:
        text = f"nobody owns {unit['unit']}: no event is heard"
        return bad("owner", text, "see in the nodes' logs why none takes it; a node that has left is started again")
    return good("owner", f"{unit['owner']} owns {unit['unit']}")


def _company(nodes: Sequence[_Said]) -> list[Finding]:
    """Judge whether somebody stands by, and each has a name of its own."""
    names = [each["node"] for each in nodes]
    twice = [each["node"] for each in nodes if each["processes"] > 1]
    if twice:
        text = f"several processes are called {', '.join(twice)}"
        return [warning(_SUBJECT, text, "give each a name of its own: `cluster.node`")]
    if len(nodes) == 1:
        return [warning(_SUBJECT, f"only {names[0]} runs: nobody takes over from it", "start `hub run` on another")]
    return [good(_SUBJECT, f"{len(nodes)} run: {', '.join(names)}")]


def _alike(nodes: Sequence[_Said]) -> list[Finding]:
    """Find what must be the same on all, and is not."""
    wrong = []
    for key, remedy in (
        ("version", "install the same on all: on the standbys first, then `hub cluster move`, then on the last"),
        ("rules", "bring the same rule and fleet files to all of them: after a take-over the other rules hold"),
    ):
        if len({each[key] for each in nodes}) > 1:
            listed = ", ".join(f"{each['node']} has {each[key]}" for each in nodes)
            wrong.append(warning(_SUBJECT, f"differ in their {key}: {listed}", remedy))
    first = nodes[0]
    wrong += [_clock(each) for each in nodes if abs(each["clock_seconds"]) >= CLOCKS_APART_SECONDS]
    return wrong or [good(_SUBJECT, f"version {first['version']}, rules {first['rules']}")]


def _clock(node: _Said) -> Finding:
    seconds = node["clock_seconds"]
    side = "ahead of" if seconds > 0 else "behind"
    text = f"its clock is {abs(seconds):.1f} s {side} this machine's: the times that people read are the owner's"
    return warning(f"node {node['node']}", text, "let chrony or systemd-timesyncd set the clock on both")


def _followers(nodes: Sequence[_Said]) -> list[Finding]:
    found = []
    for each in nodes:
        subject = f"node {each['node']}"
        if each["trouble"]:
            found.append(bad(subject, f"does not follow the log: {each['trouble']}", "see its log; mend or restart it"))
        elif each["lag"] > LAG_RECORDS:
            text = f"is {each['lag']} records behind: it cannot take over before it has them"
            found.append(warning(subject, text, "wait, or see whether its disk or its network is slow"))
    most = max(each["lag"] for each in nodes)
    return found or [good(_SUBJECT, f"the furthest behind is {most} records behind" if most else "none is behind")]


async def _log(link: Link, names: LogNames) -> list[Finding]:
    """Judge how long the log has become since the last snapshot, from which a new node begins."""
    info = await JetStream(link).info(names.stream)
    latest = await Snapshots(link, names).latest()
    state = info["state"] if info is not None else {"bytes": 0, "last_seq": 0}
    size = int(state["bytes"])
    text = f"{size / (1 << 20):.1f} MB, {_since(latest, int(state['last_seq']), time.time())}"
    if size > 2 * max(SNAPSHOT_LOG_BYTES, 2 * (latest.bytes if latest is not None else 0)):
        remedy = "see in the nodes' logs why no snapshot is made, or why the owner does not cut the log"
        return [warning("log", f"{text}: a node that joins has to read all of it", remedy)]
    return [good("log", text)]


def _since(latest: Manifest | None, last: int, now: float) -> str:
    if latest is None:
        return "no snapshot yet"
    age = format_duration(float(max(0, round(now - latest.made))))
    return f"{max(0, last - latest.seq)} records since the snapshot of {latest.node}, {age} ago"
