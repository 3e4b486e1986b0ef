"""What there is of a cluster: who owns the unit, how far each node is, by what they differ."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson
from nats.aio.msg import Msg

from hub.cluster.log.log_record import RecordKind
from hub.cluster.log.mark import Mark
from hub.cluster.log.snapshots import Snapshots
from hub.cluster.log.state_log import LogNames
from hub.cluster.orders import NotRunning, order
from hub.cluster.servers.jetstream import JetStream, LogGone
from hub.cluster.servers.link import Link
from hub.cluster.servers.streams import ClusterError
from hub.cluster.told.cluster_picture import Beat, LogEnd, picture
from hub.limits import BEAT_SECONDS, MOVE_SECONDS
from hub.settings.cluster_settings import ClusterSettings

__all__ = ["let_leave", "move_unit", "overview"]


async def overview(link: Link, settings: ClusterSettings) -> dict[str, Any]:
    """Look at the log's end, listen for beats behind it, and put both together.

    Raises:
        ClusterError: there is no such cluster.
        LinkError: the servers do not answer.

    """
    names = LogNames(settings.name)
    beats: dict[str, dict[str, Any]] = {}
    ahead: dict[str, float] = {}

    async def heard(message: Msg) -> None:
        said = orjson.loads(message.data)
        beats[str(said["incarnation"])] = said
        ahead[str(said["node"])] = float(said.get("clock", time.time())) - time.time()

    before = await _log_end(link, names)
    await link.listen(names.alive, heard)
    await asyncio.sleep(2.5 * BEAT_SECONDS)
    # the tip of before the beats: a node that keeps up has it by now. The owner of now: one that has just claimed
    # has said so in its beats
    end = (await _log_end(link, names))._replace(tip=before.tip)
    found = picture(names, end, list(beats.values()), _known(beats, end, before))
    processes = Counter(str(each["node"]) for each in beats.values())
    for node in found["nodes"]:  # two of one name are one row: whoever copied hub.yaml and forgot `node` must see it
        node["processes"] = processes[node["node"]]
        node["clock_seconds"] = round(ahead.get(node["node"], 0.0), 1)
    return found


async def _log_end(link: Link, names: LogNames) -> LogEnd:
    """Return how far the log is, who owns by it, and how large it is.

    Raises:
        ClusterError: there is no such cluster.

    """
    stream = JetStream(link)
    try:
        last = await stream.last(names.stream, names.subject)
        info = await stream.info(names.stream)
    except LogGone as gone:
        raise ClusterError(
            f"there is no stream {names.stream} of a cluster {names.cluster!r} on these servers; {gone}"
        ) from None
    try:
        snapshot = await Snapshots(link, names).latest()
    except LogGone:  # the log does without for a while; the nodes say so, and hub doctor
        snapshot = None
    found = info or {"state": {"bytes": None}, "config": {"max_bytes": None}}
    end = LogEnd(bytes=found["state"]["bytes"], max_bytes=found["config"]["max_bytes"], snapshot=snapshot)
    if last is None:
        return end
    end = end._replace(tip=Mark(last.seq, last.time))
    if last.headers.get("Hub-Kind") == RecordKind.RELEASE:
        return end._replace(released=last.time)
    return end._replace(owner=last.headers.get("Hub-Owner", ""))


def _known(beats: Mapping[str, Beat], end: LogEnd, before: LogEnd) -> Mapping[str, float | None]:
    """Return who belongs to the cluster: by the owner's word, else by that of all, and of the log itself."""
    if end.owner in beats:
        found: Mapping[str, float | None] = beats[end.owner].get("known", {})
        return found
    named = {each.owner.rpartition(".")[0]: None for each in (before, end) if each.owner}
    return named | {name: since for each in beats.values() for name, since in each.get("known", {}).items()}


async def let_leave(link: Link, settings: ClusterSettings, node: str) -> str:
    """Tell a node to own nothing any more; where it does not run, let the owner forget it. Return what was done.

    Raises:
        ClusterError: it does not, or the owner does not know it.

    """
    names = LogNames(settings.name)
    nodes = (await overview(link, settings))["nodes"]
    heirs = [each for each in nodes if each["role"] in ("owner", "standby") and each["node"] != node]
    try:
        await order(link, names, node, "leave")
    except NotRunning:
        owner = (await overview(link, settings))["units"][0]["owner"]
        if owner is None:
            raise
        await order(link, names, owner, "forget", node)
        return f"{node} does not run; it does not belong to the cluster any more, until it is started again"
    alone = "" if heirs else ", and no other node is there that could: nobody owns until one is started"
    return f"{node} owns nothing any more{alone}; it may be stopped"


async def move_unit(link: Link, settings: ClusterSettings, unit: str, node: str) -> str:
    """Let a node own a unit; return what has become of it, once it does.

    Raises:
        ClusterError: there is no such unit or node, or it does not own the unit after MOVE_SECONDS.

    """
    found = await overview(link, settings)
    owner = next((each["owner"] for each in found["units"] if each["unit"] == unit), "")
    if owner == "":
        raise ClusterError(f"there is no unit {unit!r}; the units are: {', '.join(u['unit'] for u in found['units'])}")
    if owner is None:
        raise ClusterError(f"nobody owns {unit} now, so nobody can hand it over")
    if owner == node:
        return f"{node} owns {unit} already"
    await order(link, LogNames(settings.name), owner, "move", node)
    until = time.monotonic() + MOVE_SECONDS
    while time.monotonic() < until:
        now = (await overview(link, settings))["units"][0]["owner"]
        if now == node:
            return f"{now} owns {unit} now"
        if now not in (None, owner):
            raise ClusterError(f"{now} owns {unit} now: {node} did not claim it in time; see what {node} says")
    raise ClusterError(f"{owner} has handed {unit} over, and nobody owns it after {MOVE_SECONDS:.0f} s; see the logs")
