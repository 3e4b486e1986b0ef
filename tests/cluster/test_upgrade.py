"""Nodes of two versions in one cluster: upgraded one after the other under load, and what an older one does."""

import pytest

from hub.store.formats import FORMATS
from tests.cluster.test_take_over import beyond, living, settled

THEIRS = FORMATS["alerts"] + 1
NEWER = f"""
from hub.cluster import cluster_node
from hub.store.formats import FORMATS
cluster_node.__version__ = "9.9.9"
FORMATS["alerts"] = {THEIRS}
"""
"""A later hub: it has another version, and rows of a later format."""
NOT_READ = f"format {THEIRS} of 'alerts', it knows {THEIRS - 1}"


async def upgrade(node):
    """Stop a node as systemd does, and start it as a later hub."""
    assert await node.stop() == 0
    node._before = NEWER
    await node.start(connected=False)
    await node.says(" standby ")


@pytest.mark.time_limit(150, "three nodes are stopped, upgraded and started one after the other")
async def test_nodes_are_upgraded_one_after_the_other_and_nothing_is_lost_or_told_twice(tmp_path, broker):
    async with living(tmp_path, broker, "abc") as (cluster, last, told):
        standbys = sorted({*cluster.nodes} - {last})
        for name in standbys:
            await beyond(told, 4)
            await upgrade(cluster.nodes[name])
        _, status = await cluster.status()
        assert {each["node"]: each["role"] for each in status["nodes"]} == {
            **dict.fromkeys(standbys, "standby"), last: "owner"
        }  # fmt: skip
        node, at = cluster.nodes[last], len(cluster.nodes[last].lines)
        assert await cluster.run("cluster", "move", "main", standbys[1]) == (0, f"{standbys[1]} owns main now\n")
        said = await node.says(" trouble log: ", after=at)
        assert f"this one does not read its rows ({NOT_READ}); install that version here" in said
        code, shown = await cluster.run("cluster", "status")
        assert (code, f"{last}: hub " in shown, NOT_READ in shown) == (0, True, True), shown
        code, shown = await cluster.run("cluster", "move", "main", last)
        assert (code, f"there is no node '{last}' that could own it" in shown) == (1, True), shown
        await beyond(told, 4)
        await upgrade(node)
        assert await cluster.run("cluster", "move", "main", last) == (0, f"{last} owns main now\n")
        await beyond(told, 4)
        numbers, silent = await settled(cluster, told)
        assert (len(numbers), silent) == (len(set(numbers)), [])
        await _goes_not_back(cluster, cluster.nodes[standbys[0]])


async def _goes_not_back(cluster, node):
    """Start a node as the hub before: it touches neither its copy nor the log."""
    assert await node.stop() == 0
    before, node._before = node.state.read_bytes(), ""
    await node.start(connected=False)
    assert await node.ended() == 1
    assert f"written by a newer hub (format {THEIRS} of 'alerts'" in "\n".join(node.errors)
    assert node.state.read_bytes() == before
    node.state.unlink()
    await node.start(connected=False)
    await node.says(" trouble log: ", f"this one does not read its rows ({NOT_READ})")
    code, shown = await cluster.run("cluster", "backup", "saved", node=node.folder.name)
    assert (code, "has nothing of the log yet" in shown) == (1, True), shown
    assert (await cluster.status())[0] == 0
