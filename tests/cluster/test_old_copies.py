"""A node's copy that is older than the log begins, and a log that is cut while all nodes follow it."""

import json

import pytest

from tests.cluster.test_take_over import beyond, living, other, settled

SHORT = {"SNAPSHOT_LOG_BYTES": 4000, "SNAPSHOT_LOOK_SECONDS": 0.3}
"""Limits by which a snapshot is made, and the log cut, all the time."""


@pytest.mark.time_limit(120, "two take-overs while the log is cut again and again")
async def test_a_copy_from_before_the_log_begins_takes_the_snapshot_and_owns_all_of_the_state(tmp_path, broker):
    async with living(tmp_path, broker, limits=SHORT) as (cluster, first, told):
        await beyond(told, 4)
        old = cluster.nodes[other(cluster, first)]
        await old.kill()
        tip = int(old.rows("SELECT value FROM meta WHERE key = 'log:tip'")[0][0].split()[0])
        owner = cluster.nodes[first]
        at = len(owner.lines)

        def cut(lines):
            said = [line for line in lines[at:] if "the log was cut below record" in line]
            return any(int(line.split("below record ")[1].split(":")[0]) > tip + 1 for line in said)

        await owner.lines.until(cut, 60, f"a cut beyond {tip}")
        await old.start(connected=False)
        await old.says("this node's copy ends with", "the snapshot of node", "was taken")
        await beyond(told, 8)  # the log is cut while it follows
        await owner.kill()
        assert await cluster.owner() == other(cluster, first)
        await beyond(told, 4)
        numbers, silent = await settled(cluster, told)
        assert silent == []
        assert len(numbers) <= len(set(numbers)) + 2
        ids = {json.loads(each.payload)["id"] for each in told if each.topic.startswith("alerts/Hot")}
        assert len(ids) == len(set(numbers)), "one event under two ids"
        assert not old.errors
        rows = old.rows("SELECT count(*) FROM instances WHERE rule = 'Silent'")[0][0]
        assert rows == 3, "the three devices of the snapshot"
