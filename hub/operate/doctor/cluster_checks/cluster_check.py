"""Checks a cluster from the bottom up: the NATS servers, their disks and clocks, the streams, the nodes, the broker."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.jetstream import JetStream
from hub.ingest.mqtt.session import BrokerSettings
from hub.operate.doctor.cluster_checks.disk_probe import look_at_disks
from hub.operate.doctor.cluster_checks.node_check import look_at_nodes
from hub.operate.doctor.cluster_checks.server_check import Server, look_at_servers, reached
from hub.operate.doctor.cluster_checks.stream_check import look_at_streams
from hub.operate.doctor.finding import Finding, Level, warning
from hub.settings.cluster_settings import ClusterSettings

__all__ = ["look_at_cluster"]

_GENERAL = ("servers", "JetStream")
"""Where one of these is bad, nothing above it can be asked."""


async def look_at_cluster(settings: ClusterSettings, broker: BrokerSettings) -> list[Finding]:
    """Look at all of it; where the servers do not work, only at them."""
    async with _servers(settings) as (servers, silent):
        found = look_at_servers(settings, servers, silent)
        if not any(each.level is Level.BAD and each.subject in _GENERAL for each in found):
            found += await _above(settings, servers)
    return [*found, *_weakest(broker)]


async def _above(settings: ClusterSettings, servers: Sequence[Server]) -> list[Finding]:
    link, names = servers[0].link, LogNames(settings.name)
    streams = await look_at_streams(JetStream(link), names, settings.replicas)
    found = [*await look_at_disks(names, servers), *streams]
    if any(each.level is Level.BAD for each in streams):
        return found  # what is in them cannot be asked, or was told to be missing
    return [*found, *await look_at_nodes(link, settings)]


@contextlib.asynccontextmanager
async def _servers(settings: ClusterSettings) -> AsyncIterator[tuple[list[Server], list[str]]]:
    """Connect to each server; give those that answer, and why the others do not."""
    async with contextlib.AsyncExitStack() as stack:
        servers, silent = [], []
        for url in settings.nats:
            found = await stack.enter_async_context(reached(settings, url))
            if isinstance(found, Server):
                servers.append(found)
            else:
                silent.append(found)
        yield servers, silent


def _weakest(broker: BrokerSettings) -> list[Finding]:
    """Say that a cluster behind one broker stands and falls with it."""
    if broker.others:
        return []
    text = f"your broker is one process on one machine ({broker}): it is now the weakest part"
    remedy = "take a clustered broker and name all its addresses in broker.url; one that has a load balancer is good"
    return [warning("broker", text, remedy)]
