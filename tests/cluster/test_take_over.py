"""What a cluster does when an owner stops, hangs or comes back, when servers die, and when a node's file is gone."""

import asyncio
import contextlib
import json
import signal
import sqlite3
import time
from contextlib import asynccontextmanager

import pytest

from tests.support.cluster import Cluster
from tests.support.ends import watching
from tests.support.mqtt import client

RULES = """\
receivers:
  bus: {mqtt: {topic: "alerts/{alertname}/{device}"}}
defaults: {notify: [bus]}
rules:
  - {event: Hot, topic: "load/{device}", when: v > 900, summary: "{n}"}
  - {alert: Silent, topic: "beat/{device}", absent: 6s}
"""


class Beats:
    """Devices that say some times a second that they live, and count how often they say that it is hot."""

    def __init__(self, device):
        self.device, self.sent, self.running = device, 0, True

    async def run(self):
        while self.running:
            for name in "xyz":
                assert await self.device.publish(f"beat/{name}", b"{}") == 0
            await self.hot()
            await asyncio.sleep(0.2)

    async def hot(self):
        self.sent += 1
        assert await self.device.publish("load/x", json.dumps({"v": 999, "n": self.sent}).encode()) == 0


@asynccontextmanager
async def living(tmp_path, broker, names="ab", **options):
    async with (
        Cluster(tmp_path, broker, RULES, names, **options) as cluster,
        watching(broker, "alerts/#") as told,
        client(broker.settings("device"), "beats") as device,
    ):
        cluster.beats = Beats(device)
        first = await cluster.owner()
        sending = cluster.sending = asyncio.create_task(cluster.beats.run())
        try:
            yield cluster, first, told
        finally:
            sending.cancel()


async def settled(cluster, told):
    """Let the devices rest, and return the numbers that were told, and whether somebody was called silent."""
    cluster.beats.running = False
    await asyncio.wait({cluster.sending})
    last = cluster.beats.sent
    await told.until(lambda told: any(_number(each) == last for each in told), 60)
    numbers = [_number(each) for each in told if each.topic.startswith("alerts/Hot")]
    assert set(numbers) == set(range(1, cluster.beats.sent + 1))
    return numbers, [each.topic for each in told if each.topic.startswith("alerts/Silent")]


def _number(message):
    body = json.loads(message.payload)
    return int(body["summary"]) if body["alertname"] == "Hot" else -1


def other(cluster, name):
    return next(each for each in cluster.nodes if each != name)


async def beyond(told, count):
    at = len(told)
    await told.until(lambda told: len(told) >= at + count, 60)


async def test_an_owner_that_stops_hands_over_and_nothing_is_told_twice(tmp_path, broker):
    async with living(tmp_path, broker) as (cluster, first, told):
        await beyond(told, 4)
        begun = time.monotonic()
        assert await cluster.nodes[first].stop() == 0
        assert await cluster.owner() == other(cluster, first)
        print("handed over in", time.monotonic() - begun)
        code, status = await cluster.status()
        assert (code, status["units"][0]["owner"]) == (0, other(cluster, first))
        await beyond(told, 4)
        numbers, silent = await settled(cluster, told)
        assert (len(numbers), silent) == (len(set(numbers)), [])


async def test_an_owner_that_was_frozen_finds_out_and_stands_by(tmp_path, broker):
    async with living(tmp_path, broker) as (cluster, first, told):
        await beyond(told, 4)
        frozen = cluster.nodes[first]
        frozen.signal(signal.SIGSTOP)
        node = cluster.nodes[other(cluster, first)]
        await node.says(" drained ")
        await beyond(told, 4)
        at = len(frozen.lines)
        frozen.signal(signal.SIGCONT)
        await frozen.says(" standby ", after=at)
        await beyond(told, 4)
        numbers, silent = await settled(cluster, told)
        assert silent == []
        assert len(numbers) <= len(set(numbers)) + 2, "more than was on its way when it froze was told twice"
        ids = [json.loads(each.payload)["id"] for each in told if each.topic.startswith("alerts/Hot")]
        assert len(set(ids)) == len(set(numbers)), "one event under two ids"
        assert await frozen.stop() == 0


@pytest.mark.time_limit(120, "all servers are away for longer than the devices may be silent")
async def test_nobody_is_called_silent_and_nothing_is_lost_when_all_servers_were_killed(tmp_path, broker):
    async with living(tmp_path, broker, own=True) as (cluster, _, told):
        await beyond(told, 4)
        for server in cluster.servers.servers:
            await asyncio.to_thread(server.kill)
        await asyncio.sleep(9)
        for server in cluster.servers.servers:
            server.process = None
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in cluster.servers.servers))
        await beyond(told, 4)
        numbers, silent = await settled(cluster, told)
        assert (len(numbers), silent) == (len(set(numbers)), [])


async def test_a_node_whose_file_is_gone_or_another_clusters_begins_anew(tmp_path, broker):
    async with living(tmp_path, broker) as (cluster, first, told):
        await beyond(told, 4)
        node = cluster.nodes[other(cluster, first)]
        assert await node.stop() == 0
        node.state.unlink()
        await node.start(connected=False)
        await node.says(" standby ", f"which {first} owns")
        async with asyncio.timeout(30):
            while node.rows("SELECT count(*) FROM trace") < [(4,)]:
                await asyncio.sleep(0.02)
        assert await node.stop() == 0
        with sqlite3.connect(node.state) as connection:
            connection.execute("UPDATE meta SET value = 'other' WHERE key = 'log:cluster'")
        connection.close()
        await node.start(connected=False)
        await node.says("a copy of another cluster's log; it was set aside as")
        assert await node.stop() == 0
        for end in ("-wal", "-shm"):  # of a node that was stopped while it began: all of its file may still be in there
            node.state.with_name(f"{node.state.name}{end}").unlink(missing_ok=True)
        node.state.write_bytes(b"x" * 8192)
        await node.start(connected=False)
        await node.says("it was set aside as", "the log has all of it")
        assert await cluster.nodes[first].stop() == 0
        assert await cluster.owner() == other(cluster, first)
        await beyond(told, 4)
        numbers, silent = await settled(cluster, told)
        assert (len(numbers), silent) == (len(set(numbers)), [])


def meta_of(file):
    """Return the names of what a state file says beside how far it has the log."""
    with (
        contextlib.suppress(sqlite3.OperationalError),  # it is not made yet
        contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection,
    ):
        return [key for (key,) in connection.execute("SELECT key FROM meta WHERE key NOT LIKE 'log:%'")]
    return []


async def test_a_file_of_a_single_hub_is_not_touched(tmp_path, broker):
    async with Cluster(tmp_path, broker, RULES, "ab") as cluster:
        await cluster.owner()
        node = cluster.nodes["b"]
        async with asyncio.timeout(30):  # before the owner's first commit the file holds nobody's state
            while not meta_of(node.state):
                await asyncio.sleep(0.05)
        await node.stop()
        with sqlite3.connect(node.state) as connection:
            connection.execute("DELETE FROM meta WHERE key LIKE 'log:%'")
        connection.close()
        await node.start(connected=False)
        assert await node.ended() == 1
        assert "holds the state of a single hub: `hub cluster import" in "\n".join(node.errors)


async def test_an_operator_moves_the_unit_imports_exports_and_lets_a_node_leave(tmp_path, broker):
    async with living(tmp_path, broker) as (cluster, first, told):
        await beyond(told, 4)
        second = other(cluster, first)
        begun = time.monotonic()
        moved = await cluster.run("cluster", "move", "main", second)
        assert moved == (0, f"{second} owns main now\n"), {each: node.lines for each, node in cluster.nodes.items()}
        print("moved in", time.monotonic() - begun)
        assert await cluster.owner() == second
        await beyond(told, 4)
        code, said = await cluster.run("cluster", "export", "out.db", node=second)
        assert (code, said.startswith("out.db was written, as of record ")) == (0, True)
        code, said = await cluster.run("cluster", "import", str(cluster.nodes[second].folder / "out.db"))
        assert (code, "stop all nodes first" in said) == (1, True)
        left = await cluster.run("cluster", "leave", second)
        assert left == (0, f"{second} owns nothing any more; it may be stopped\n")
        assert await cluster.owner() == first
        await beyond(told, 4)
        numbers, silent = await settled(cluster, told)
        assert (len(numbers), silent) == (len(set(numbers)), [])
        assert (await cluster.run("cluster", "backup", "saved", node=first))[0] == 0
        code, said = await cluster.run("cluster", "move", "main", second)
        assert (code, f"there is no node '{second}' that could own it" in said) == (1, True), "it has left"
        left = await cluster.run("cluster", "leave", first)
        assert left[0] == 0
        assert "no other node is there that could: nobody owns until one is started" in left[1]
        for node in cluster.nodes.values():
            assert await node.stop() == 0
        assert (await cluster.status())[0] == 1
        assert cluster.nodes[first].rows("SELECT count(*) FROM alerts WHERE state LIKE '%Silent%'") is not None
        [saved] = (cluster.nodes[first].folder / "saved").glob("hub-*.db")
        code, said = await cluster.run("cluster", "import", str(saved), node=first)
        assert (code, "was imported with record" in said) == (0, True), said
        await cluster.nodes[second].start(connected=False)
        await cluster.nodes[second].says("another state was imported", "the snapshot of node import.")
        assert await cluster.owner() == second
        cluster.beats.running = True
        await cluster.beats.hot()
        last = cluster.beats.sent
        await told.until(lambda told: any(_number(each) == last for each in told), 60)
