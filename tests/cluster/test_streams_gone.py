"""What somebody else does to the streams: what nodes and commands say, and that the state comes back."""

import asyncio

import pytest

from hub.cluster.servers.jetstream import JetStream
from tests.cluster.test_take_over import RULES, beyond, living, settled
from tests.support.cluster import Cluster
from tests.support.nats_cluster import linked, settings_of


async def ask(cluster, what, request):
    async with linked(settings_of(cluster.servers)) as link:
        return await JetStream(link).api(what, request, 5.0)


@pytest.mark.time_limit(150, "all nodes are stopped, and started with a new log")
async def test_a_log_that_was_deleted_is_made_anew_with_the_state_of_a_copy_and_nothing_is_lost(tmp_path, broker):
    async with living(tmp_path, broker) as (cluster, first, told):
        await beyond(told, 4)
        stream, nodes = cluster.names.stream, cluster.nodes
        await ask(cluster, f"STREAM.DELETE.{stream}", {})
        for name, node in nodes.items():
            await node.says(" trouble ", *(["commits wait"] if name == first else ["stream not found"]))
        code, said = await cluster.run("cluster", "status")
        assert (code, f"there is no stream {stream}" in said, "A stream that is gone" in said) == (1, True, True)
        for node in nodes.values():
            assert await node.stop() == 0
        best = {}
        for name in nodes:
            code, said = await cluster.run("cluster", "export", "best.db", node=name)
            assert code == 0
            best[int(said.rpartition(" ")[2])] = name
        await nodes[first].start(connected=False)
        await nodes[first].says(f"there is no stream {stream} any more: hub.db is of one that was there")
        assert await nodes[first].stop() == 0
        code, said = await cluster.run("cluster", "create", node=first)
        assert (code, "hub.db has a state of before" in said) == (0, True), said
        code, said = await cluster.run("cluster", "import", "best.db", node=best[max(best)])
        assert (code, "was imported with record" in said) == (0, True), said
        for node in nodes.values():
            await node.start(connected=False)
            await node.says("hub.db is a copy of another cluster's log; it was set aside as")
        await cluster.owner()
        await beyond(told, 4)
        numbers, silent = await settled(cluster, told)
        assert silent == []
        assert len(numbers) <= len(set(numbers)) + 1  # one was sent, and its commit was the first that had no log


@pytest.mark.time_limit(90, "snapshots are missed, and made again")
async def test_without_the_snapshots_the_nodes_say_so_and_go_on_and_have_them_again(tmp_path, broker):
    async with Cluster(tmp_path, broker, RULES, limits={"SNAPSHOT_LOOK_SECONDS": 0.2}) as cluster:
        node = cluster.nodes[await cluster.owner()]
        at = len(node.lines)
        await ask(cluster, f"STREAM.DELETE.{cluster.names.snapshots}", {})
        await node.says(" trouble log: no snapshot, so the log only grows: ", "stream not found", after=at)
        code, said = await cluster.run("cluster", "status")
        assert (code, "no snapshot yet" in said) == (0, True), said
        assert await cluster.command("cluster", "create") == 0
        await node.says(" log snapshots can be made again", after=at)
        async with asyncio.timeout(20):
            while (await cluster.status())[1]["snapshot"] is None:
                await asyncio.sleep(0.1)


async def test_a_stream_that_somebody_has_edited_is_told_with_what_sets_it_right(tmp_path, broker):
    async with Cluster(tmp_path, broker, RULES, "a") as cluster:
        name = cluster.names.stream
        made = (await ask(cluster, f"STREAM.INFO.{name}", {}))["config"]
        for edit, option in (
            ({"num_replicas": 1}, "--replicas=3"),
            ({"discard": "old"}, "--discard=new"),
            ({"max_msgs": 99}, "--max-msgs=-1"),
            ({"max_msgs_per_subject": 99}, "--max-msgs-per-subject=-1"),
            ({"max_age": 10**15}, "--max-age=0"),
            ({"sealed": True}, "A stream that is gone"),
        ):
            await ask(cluster, f"STREAM.UPDATE.{name}", made | edit)
            [key] = edit
            code, said = await cluster.run("cluster", "create")
            assert code == 1
            assert f"the stream {name} is there and differs: " in said
            assert f"{key} is {edit[key]}, not {made[key]}" in said
            assert option in said
            if key != "sealed":  # which is for ever
                await ask(cluster, f"STREAM.UPDATE.{name}", made)
                assert await cluster.command("cluster", "create") == 0
