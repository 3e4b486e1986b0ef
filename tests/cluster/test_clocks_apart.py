"""Nodes whose wall clocks are an hour apart: a take-over makes nobody absent, and no timer an hour late."""

import asyncio
import signal
import time

import pytest

from tests.cluster.test_take_over import beyond, living, other, settled
from tests.support.hub import STEPS


@pytest.mark.time_limit(120, "three take-overs, and a device that is silent for six seconds")
async def test_no_timer_is_early_or_late_when_the_clocks_of_two_nodes_are_an_hour_apart(tmp_path, broker):
    ahead = STEPS + "\nahead.append(3600.0)\n"
    async with living(tmp_path, broker, each={"b": {"before": ahead}}) as (cluster, first, told):
        owner = first
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):  # there, back, and there again
            await beyond(told, 4)
            node = cluster.nodes[owner]
            node.signal(how)
            await node.ended()
            owner = other(cluster, owner)
            assert await cluster.owner() == owner
            assert any("clock" in line and "1h" in line for line in cluster.nodes[owner].lines)
            await node.start(connected=False)
        await beyond(told, 4)
        _, shown = await cluster.run("cluster", "status")
        assert "  b: its clock is 3600" in shown or "  b: its clock is 3599" in shown
        assert "  a: its clock" not in shown
        numbers, silent = await settled(cluster, told)
        assert silent == []
        assert len(numbers) <= len(set(numbers)) + 2  # each kill may come between sent and recorded
        quiet = time.monotonic()
        await asyncio.wait_for(told.first(lambda each: each.topic.startswith("alerts/Silent")), 30)
        assert time.monotonic() - quiet > 3
