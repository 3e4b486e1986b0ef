"""kill -9 at random moments under 2,000 QoS 1 events/s: every due notification arrives, none is lost, and a duplicate
can only be one with an id that was seen before. What was due, an oracle tells that has no code of the hub."""

import asyncio
import collections
import json
import os
import random
import time
from contextlib import AsyncExitStack

import pytest

from tests.faults import oracle
from tests.support.ends import Web, lines_of, watching
from tests.support.hub import Hub
from tests.support.killed import RULES, SENTINEL, Traffic, check_told, count, distinct, slow_devices, without_nobody
from tests.support.mqtt import client
from tests.support.proxy import Proxy


async def retained(broker, device):
    """Return the states on hub/alerts/… as a program sees them that comes late: (rule, device) → body."""
    async with watching(broker, "hub/alerts/#", "end/late", name="late") as kept:
        await device.publish("end/late", "{}")  # comes behind all that is retained
        await kept.first(lambda each: each.topic == "end/late")
    bodies = {tuple(each.topic.split("/")[2:]): json.loads(each.payload) for each in kept[:-1] if each.payload}
    assert all(each.retain for each in kept[:-1])
    return {key: body for key, body in bodies.items() if body["state"] != "pending"}


@pytest.mark.time_limit(300, "five kills and starts under load, then all that is due is waited for")
async def test_nothing_is_lost_and_nothing_new_invented_when_the_hub_is_killed(tmp_path, broker, long):
    kills = 50 if long else 5
    seed = os.environ.get("KILL_SEED") or str(random.randrange(10**9))
    chance = random.Random(seed)
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        hook = await stack.enter_async_context(Web())
        told = await stack.enter_async_context(watching(broker, "alerts/#"))
        device = await stack.enter_async_context(client(broker.settings("device"), "load"))
        proxy = await stack.enter_async_context(Proxy(broker.port))
        # what the oracle tells is each time that an alert fires, also where a machine under load is late with it
        every = {"FLAPPING_SECONDS": 0.0, "LATE_SECONDS": 3600.0}
        rules = RULES.format(url=hook.url)
        hub = await stack.enter_async_context(Hub(tmp_path, broker, rules, port=proxy.port, limits=every))
        told.counts, told.spikes = collections.Counter(), 0
        traffic = Traffic(device, chance, told)
        async with asyncio.TaskGroup() as group:
            counting = group.create_task(count(told))
            sending = group.create_task(traffic.run())
            playing = group.create_task(slow_devices(traffic, told, [f"t{n}" for n in range(5)]))
            for number in range(kills):
                # most kills come under way, some while it is still starting
                await asyncio.sleep(chance.uniform(0.3, 1.6) if chance.random() < 0.8 else chance.uniform(0.0, 0.3))
                if number % 2 == 0:
                    # between commit and acknowledgement lies less than a millisecond: widen it, so that kills hit it
                    proxy.swallow = True
                    await asyncio.sleep(chance.uniform(0.0, 0.3))
                await hub.kill()
                proxy.swallow = False
                proxy.sent.clear()
                assert not hub.errors, hub.errors
                await hub.start(connected=chance.random() < 0.8)
            await hub.says(" drained ")
            traffic.more_rounds = False
            rounds = await playing
            traffic.running = False
            await sending
            counting.cancel()
        await traffic.send(("end", "x", 0))
        published = traffic.published
        await told.first(lambda each: each.topic == f"alerts/{SENTINEL}/x", 120)
        async with asyncio.timeout(120):
            while hub.rows("SELECT 1 FROM outbox LIMIT 1"):
                await asyncio.sleep(0.05)
        assert await hub.stop() == 0
        assert hub.rows("SELECT * FROM outbox") == []
        kept = await retained(broker, device)

        logged, cut = lines_of(tmp_path / "out.ndjson")
        ends = {
            "bus": [json.loads(each.payload) for each in told],
            "hook": [each["json"] for each in hook.requests],
            "log": logged,
        }
        repeated = {}
        for name, all_bodies in ends.items():
            bodies, repeated[name] = distinct(all_bodies)
            check_told(bodies, published, f"{name} (seed {seed})")
        for rule, evaluate in (("Flap", oracle.flaps), ("Sticky", oracle.sticky)):  # Held ends inactive: emptied
            shown = {device: body["state"] for (name, device), body in kept.items() if name == rule}
            assert shown == {device: told[-1] for device, told in without_nobody(evaluate(published)).items()}, rule
        assert [each["key"] for each in hook.requests] == [each["json"]["id"] for each in hook.requests]
        alerts = [told for rule in (oracle.flaps, oracle.held, oracle.sticky) for told in rule(published).values()]
        due = 2 * len(oracle.events(published)) + sum(map(len, alerts))
        rate = len(published) / (published[-1][0] - published[0][0])
        print(
            f"\n{kills} kills, {len(published)} events ({rate:.0f}/s), {due} notifications due to each of 3 receivers,"
            f" {rounds} rounds of timers, 0 lost, duplicates {repeated}, {cut} lines cut,"
            f" {time.monotonic() - began:.1f} s, seed {seed}"
        )
