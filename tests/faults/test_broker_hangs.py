"""The broker hangs: its connections stand, nothing comes, nobody is told. A keep-alive of 2 s instead of 30 s."""

import asyncio
import signal
import time

import aiohttp
import pytest

from hub.config import Settings
from hub.operate.client.ask import ask
from tests.support.brokers import frozen
from tests.support.ends import watching
from tests.support.hub import Hub
from tests.support.mqtt import bounded, client

RULES = """\
receivers: {bus: {mqtt: {topic: "alerts/{alertname}/{device}"}}}
rules: [{event: Rang, topic: "bell/{device}", notify: [bus]}]
"""
KEEP_ALIVE = 2


async def ready(url, token=""):
    shown = {"authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=shown) as session, session.get(f"{url}/readyz") as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_broker_that_hangs_makes_the_hub_not_ready_until_it_goes_on_and_nothing_is_lost(
    tmp_path, broker, protocol
):
    limits = {"KEEP_ALIVE_SECONDS": KEEP_ALIVE}
    async with Hub(tmp_path, broker, RULES, protocol=protocol, limits=limits, http="{listen: '127.0.0.1:0'}") as hub:
        url = await hub.url()
        assert await ready(url) == (200, {"ok": True})
        with frozen(broker):
            begun = time.monotonic()
            await hub.says(" disconnected ", "nothing heard from the broker for 3 s")
            assert time.monotonic() - begun < 1.5 * KEEP_ALIVE + 1.5
            status, said = await ready(url)
            assert status == 503
            assert "no session with the broker: nothing heard from the broker for 3 s" in said["error"]
        gone = next(place for place, line in enumerate(hub.lines) if " disconnected " in line)
        await hub.says(" connected ", after=gone)
        async with watching(broker, "alerts/Rang/#") as told, client(broker.settings("device"), "bell") as device:
            await device.publish("bell/7", "1")
            await told.first(lambda each: each.topic == "alerts/Rang/7", what="the bell")
        if protocol == "5":
            settings = Settings(broker=broker.settings("hub", client_id="asks"))
            assert (await bounded(ask(settings, "alerts", {})))["ok"]
        assert (await ready(url))[0] == 200
        assert await hub.stop() == 0


async def test_a_hub_is_stopped_in_time_while_its_broker_hangs(tmp_path, broker):
    async with Hub(tmp_path, broker, RULES) as hub:
        with frozen(broker):
            begun = time.monotonic()
            hub.signal(signal.SIGTERM)
            assert await bounded(asyncio.create_task(hub.process.wait())) == 0
            assert time.monotonic() - begun < 10.0


async def test_why_it_is_not_ready_is_for_those_with_a_token(tmp_path, broker):
    tokens = "{listen: '127.0.0.1:0', tokens: [{name: wall, role: viewer, token: see-more-than-16-letters}]}"
    async with Hub(tmp_path, broker, RULES, limits={"KEEP_ALIVE_SECONDS": 1}, http=tokens) as hub:
        url = await hub.url()
        await broker.stop()
        await hub.says(" disconnected ")
        deaf = {"ok": False, "error": "deaf", "code": "unavailable"}
        assert await ready(url) == await ready(url, "wrong") == (503, deaf)
        status, said = await ready(url, "see-more-than-16-letters")
        assert status == 503
        assert "no session with the broker: " in said["error"]
