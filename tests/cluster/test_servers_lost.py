"""What a cluster does when the servers of its log are full, lose their disk, or die under it."""

import asyncio
import shutil

import pytest

from hub.cluster.servers.jetstream import JetStream
from hub.cluster.servers.link import Link
from tests.cluster.test_take_over import beyond, living, settled
from tests.support.nats_cluster import settings_of


class Onlooker:
    """A connection beside the nodes, which asks the servers, and sets the stream's bounds."""

    def __init__(self, cluster):
        self.servers, self.names = cluster.servers, cluster.names
        self.link = Link(settings_of(self.servers), "onlooker", lambda _: None)
        self.stream = JetStream(self.link)

    async def __aenter__(self):
        self.running = asyncio.create_task(self.link.run())
        await self.link.ready()
        return self

    async def __aexit__(self, *_):
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    async def room(self, more):
        """Leave so many bytes in the stream of the log."""
        info = await self.stream.info(self.names.stream)
        config = info["config"] | {"max_bytes": info["state"]["bytes"] + more}
        await self.stream.api(f"STREAM.UPDATE.{self.names.stream}", config)

    async def leader(self):
        """Return the server that leads the stream."""
        info = await self.stream.info(self.names.stream)
        return next(each for each in self.servers.servers if each.name == info["cluster"]["leader"])

    async def all_current(self):
        """Wait until every replica of the stream has all of it."""
        async with asyncio.timeout(60):
            while True:
                await self.link.ready()
                try:
                    cluster = (await self.stream.info(self.names.stream))["cluster"]
                except Exception:  # noqa: BLE001 - they have no leader yet, or the link is lost: ask again
                    cluster = {}
                replicas = cluster.get("replicas", ())
                if cluster.get("leader") and len(replicas) == 2 and all(each["current"] for each in replicas):
                    return
                await asyncio.sleep(0.1)


@pytest.mark.time_limit(120, "the log is full for longer than the devices may be silent")
async def test_devices_are_held_back_and_nobody_is_silent_while_the_log_is_full(tmp_path, broker):
    async with living(tmp_path, broker) as (cluster, first, told), Onlooker(cluster) as onlooker:
        await beyond(told, 4)
        await onlooker.room(0)
        node = cluster.nodes[first]
        await node.says("log:", "the log is full", "commits wait until there is room")
        at, sent = len(told), cluster.beats.sent
        await asyncio.sleep(8)
        assert cluster.beats.sent > sent + 10
        assert len(told) <= at + 1, "told before it was durable"
        await onlooker.room(1 << 28)
        await node.says("the log is written again, nothing was lost")
        numbers, silent = await settled(cluster, told)
        assert (len(numbers), silent) == (len(set(numbers)), [])
        assert await cluster.owner() == first, "a full log is no reason to hand over"


@pytest.mark.time_limit(120, "an election, and a server that fetches the whole log again")
async def test_nothing_is_lost_when_the_logs_leader_dies_and_its_disk_is_gone(tmp_path, broker):
    async with living(tmp_path, broker, own=True) as (cluster, first, told), Onlooker(cluster) as onlooker:
        await beyond(told, 4)
        for _ in range(2):
            lost = await onlooker.leader()
            await asyncio.to_thread(lost.kill)
            await asyncio.to_thread(shutil.rmtree, lost.folder / "data")
            await beyond(told, 4)
            await asyncio.to_thread(lost.start)
            await onlooker.all_current()
        await beyond(told, 4)
        numbers, silent = await settled(cluster, told)
        assert (len(numbers), silent) == (len(set(numbers)), [])
        assert await cluster.owner() == first, "a server's death is no reason to hand over"


@pytest.mark.time_limit(200, "two of three servers are away for longer than the devices may be silent")
async def test_nothing_is_lost_and_nobody_silent_when_two_of_three_servers_are_away_for_a_while(tmp_path, broker, long):
    if not long:
        pytest.skip("--long: all three are killed in test_take_over")
    async with living(tmp_path, broker, own=True) as (cluster, _, told):
        for freeze in (False, True):
            await beyond(told, 4)
            away = cluster.servers.servers[:2]
            for server in away:
                await asyncio.to_thread(server.freeze if freeze else server.kill)
            await asyncio.sleep(9)
            for server in away:
                await asyncio.to_thread(server.thaw if freeze else server.start)
            await beyond(told, 4)
        numbers, silent = await settled(cluster, told)
        assert silent == []
        assert len(numbers) == len(set(numbers))
