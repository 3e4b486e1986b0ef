"""kill -9 of the owner under 2,000 events/s: another node goes on, and what was due, an oracle tells."""

import asyncio
import collections
import json
import os
import random
import time
from contextlib import AsyncExitStack

import pytest

from tests.support.cluster import Cluster
from tests.support.ends import Web, lines_of, watching
from tests.support.killed import RULES, Traffic, check_told, count, distinct, slow_devices
from tests.support.mqtt import client
from tests.support.proxy import Proxy

LOSSY = """
import random
from hub.cluster.servers.jetstream import JetStream
from hub.cluster.servers.link import LinkError

append = JetStream.append

async def lossy(self, *record):
    answer = await append(self, *record)
    if random.random() < 0.25:
        raise LinkError("the test has lost the answer")
    return answer

JetStream.append = lossy
"""
"""A quarter of the log's answers get lost: the record is there, and its writer does not know."""


@pytest.mark.time_limit(300, "takes over several times under load, then all that is due is waited for")
async def test_nothing_is_lost_when_the_owner_is_killed_again_and_again(tmp_path, broker, long):
    kills = 20 if long else 3
    seed = os.environ.get("KILL_SEED") or str(random.randrange(10**9))
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        hook = await stack.enter_async_context(Web())
        told = await stack.enter_async_context(watching(broker, "alerts/#"))
        device = await stack.enter_async_context(client(broker.settings("device"), "load"))
        proxy = await stack.enter_async_context(Proxy(broker.port))
        every = {"FLAPPING_SECONDS": 0.0, "LATE_SECONDS": 3600.0}
        rules = RULES.format(url=hook.url)
        cluster = await stack.enter_async_context(
            Cluster(tmp_path, broker, rules, port=proxy.port, limits=every, before=LOSSY)
        )
        told.counts, told.spikes = collections.Counter(), 0
        traffic = Traffic(device, chance, told)
        silences = []
        async with asyncio.TaskGroup() as group:
            counting = group.create_task(count(told))
            await cluster.owner()
            sending = group.create_task(traffic.run())
            playing = group.create_task(slow_devices(traffic, told, [f"t{n}" for n in range(5)]))
            for number in range(kills):
                name = await cluster.owner()
                await asyncio.sleep(chance.uniform(0.3, 1.6))
                if number % 2 == 0:
                    proxy.swallow = True
                    await asyncio.sleep(chance.uniform(0.0, 0.3))
                node = cluster.nodes[name]
                at, begun = len(told), time.monotonic()
                await node.kill()
                proxy.swallow = False
                proxy.sent.clear()
                assert not node.errors, node.errors
                await told.until(lambda told, at=at: len(told) > at, 60)
                silences.append(time.monotonic() - begun)
                await node.start(connected=False)
            await cluster.owner()
            traffic.more_rounds = False
            await playing
            traffic.running = False
            await sending
            counting.cancel()
        await traffic.send(("end", "x", 0))
        published = traffic.published
        await told.first(lambda each: each.topic == "alerts/End/x", 120)
        node = cluster.nodes[await cluster.owner()]
        async with asyncio.timeout(120):
            while node.rows("SELECT 1 FROM outbox LIMIT 1"):
                await asyncio.sleep(0.05)
        for node in cluster.nodes.values():
            assert await node.stop() == 0
        logged = [body for each in cluster.nodes.values() for body in lines_of(each.folder / "out.ndjson")[0]]
        ends = {
            "bus": [json.loads(each.payload) for each in told],
            "hook": [each["json"] for each in hook.requests],
            "log": logged,
        }
        repeated = {}
        for name, all_bodies in ends.items():
            bodies, repeated[name] = distinct(all_bodies)
            # the log has two files: which of two lines came first, only the others tell
            check_told(bodies, published, f"{name} (seed {seed})", in_order=name != "log")
        rate = len(published) / (published[-1][0] - published[0][0])
        print(
            f"\n{kills} kills, {len(published)} events ({rate:.0f}/s), silences {[round(x, 1) for x in silences]},"
            f" duplicates {repeated}, seed {seed}"
        )
