"""A node's own disk is full: an owner gives up the unit where another can have it, and goes on where none can."""

import json

import pytest

from tests.cluster.test_take_over import RULES, beyond, living, other, settled
from tests.support.cluster import Cluster

# Where the file `full` stands in the node's folder, its copy cannot be written, as on a disk without room.
FULL = """
import sqlite3
from pathlib import Path
from hub.store.sqlite.database import Database

apply = Database.apply

def full(self, changes):
    if Path("full").exists():
        raise sqlite3.OperationalError("database or disk is full")
    return apply(self, changes)

Database.apply = full
"""


def fill(node, *, full=True):
    if full:
        (node.folder / "full").touch()
    else:
        (node.folder / "full").unlink()


@pytest.mark.time_limit(120, "two hand-overs, each after two looks a lease apart")
async def test_an_owner_whose_disk_is_full_hands_over_and_owns_again_when_there_is_room(tmp_path, broker):
    async with living(tmp_path, broker, before=FULL, more=", lease: 2s") as (cluster, first, told):
        await beyond(told, 4)
        owner, standby = cluster.nodes[first], cluster.nodes[other(cluster, first)]
        fill(owner)
        await owner.says("hub.db: cannot be written: database or disk is full")
        await owner.says(" release ", "is released")
        assert await cluster.owner() == other(cluster, first)
        await beyond(told, 4)
        _, status = await cluster.status()
        [row] = [each for each in status["nodes"] if each["node"] == first]
        assert (row["role"], "database or disk is full" in row["trouble"]) == ("stuck", True)
        fill(standby)
        await standby.says("hub.db: cannot be written: database or disk is full")
        await beyond(told, 10)  # nobody could own it: it goes on, and what it tells is in the log
        at = len(standby.lines)
        fill(owner, full=False)
        await standby.says(" release ", "is released", after=at)
        assert await cluster.owner() == first
        await beyond(told, 4)
        numbers, silent = await settled(cluster, told)
        assert (len(numbers), silent) == (len(set(numbers)), [])
        ids = {json.loads(each.payload)["id"] for each in told if each.topic.startswith("alerts/Hot")}
        assert len(ids) == len(set(numbers)), "one event under two ids"
        assert await standby.stop() == 0, "its disk is still full"
        assert await owner.stop() == 0


async def test_a_node_that_cannot_make_its_file_waits_for_room_and_ends_when_told_to(tmp_path, broker):
    cluster = Cluster(tmp_path, broker, RULES, "a", before=FULL)
    node = cluster.nodes["a"]
    fill(node)
    async with cluster:
        await node.says("hub.db: cannot be written: database or disk is full")
        assert await node.stop() == 0
        await node.start(connected=False)
        await node.says("hub.db: cannot be written: database or disk is full")
        fill(node, full=False)
        assert await cluster.owner() == "a"
        fill(node)
        await node.says("hub.db: cannot be written: database or disk is full")
        assert await node.stop() == 0
        assert not node.errors
