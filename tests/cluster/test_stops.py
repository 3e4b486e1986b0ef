"""SIGTERM at any time of a node's life, and the broker's death: a node ends with 0, and goes on with what comes."""

import asyncio
import time

import pytest

from tests.cluster.test_take_over import RULES, beyond, living, other, settled
from tests.support.cluster import Cluster
from tests.support.nats_cluster import NatsCluster


async def test_sigterm_ends_a_node_that_starts_finds_no_server_or_claims(tmp_path, broker):
    servers = NatsCluster(tmp_path / "nats", 1)
    cluster = Cluster(tmp_path, broker, RULES, "a", servers=servers)
    node = cluster.nodes["a"]
    try:
        await node.start(connected=False)
        assert await node.stop() in (0, -15), "it has said nothing yet"  # before it has a handler, SIGTERM is the end
        await node.start(connected=False)
        await node.says("nats:")
        assert await node.stop() == 0, "there is no server"
        await asyncio.to_thread(servers.__enter__)
        await node.start(connected=False)
        await node.says(f"there is no stream {cluster.names.stream} yet")
        assert await node.stop() == 0, "there is no stream"
        assert await cluster.command("cluster", "create") == 0
        await node.start(connected=False)
        await node.says(" owner ")
        assert await node.stop() == 0, "it has just claimed"
        assert not node.errors
        await node.start()
        assert await node.stop() == 0, "it owned"
        code, status = await cluster.status()
        assert (code, status["units"][0]["owner"]) == (1, None), "it did not release the unit"
    finally:
        if node.process is not None:
            await node.kill()
        if hasattr(servers, "_stack"):
            await asyncio.to_thread(servers.__exit__)


@pytest.mark.time_limit(120, "the broker is away for longer than the devices may be silent")
async def test_nobody_is_silent_and_the_owner_stays_when_the_broker_was_killed(tmp_path, broker):
    async with living(tmp_path, broker) as (cluster, first, told):
        await beyond(told, 4)
        cluster.beats.running = False
        await asyncio.sleep(0.5)  # of the 0.2 s between two beats: none is under way
        await broker.kill()
        node = cluster.nodes[first]
        await node.says(" disconnected ")
        await asyncio.sleep(8)
        at = len(node.lines)
        await broker.start()
        await node.says(" drained ", after=at)
        assert not [line for line in cluster.nodes[other(cluster, first)].lines if line.split()[1:2] == ["owner"]]
        assert "Silent" not in "".join(node.lines)
        assert await node.stop() == 0
        assert await cluster.owner() == other(cluster, first)


@pytest.mark.time_limit(120, "servers that stand still, and a stop within its bound each time")
async def test_sigterm_ends_a_node_within_its_bound_while_the_servers_stand_still(tmp_path, broker):
    async with living(tmp_path, broker, own=True) as (cluster, first, told):
        await beyond(told, 4)
        owner, standby = cluster.nodes[first], cluster.nodes[other(cluster, first)]
        for server in cluster.servers.servers:
            server.freeze()
        await owner.says(" log:")
        for node in (owner, standby):
            begun = time.monotonic()
            assert await node.stop() == 0
            assert time.monotonic() - begun < 7, "a receiver that hangs takes 4 s more, and systemd waits for 10"
        for server in cluster.servers.servers:
            server.thaw()
        for node in (owner, standby):
            await node.start(connected=False)
        await cluster.owner()
        await beyond(told, 4)
        _, silent = await settled(cluster, told)
        assert silent == []
