"""What page and API say of devices, receivers and the past, through reload, restart and kill -9."""

import asyncio
import os

import aiohttp
import pytest

from tests.support.hub import Hub
from tests.support.mqtt import client
from tests.support.record import PATIENCE

RULES = """
receivers:
  bus: {mqtt: {topic: notify/told}}
  never: {mqtt: {topic: notify/never}}
rules:
  - {alert: Hot, topic: "t/{device}", when: celsius > 30, notify: [bus]}
"""


class Asked:
    def __init__(self, hub):
        self.hub = hub

    async def get(self, path):
        url = await self.hub.url()
        async with aiohttp.ClientSession() as http, http.get(f"{url}/api/hub/{path}") as response:
            return await response.json()

    async def until(self, path, test):
        async with asyncio.timeout(PATIENCE):
            while not test(found := await self.get(path)):
                await asyncio.sleep(0.05)
            return found

    async def devices(self):
        return {each["device"]: each["last_seen"] for each in (await self.get("devices"))["devices"]}

    async def events(self):
        return {each["topic"]: each["payload"] for each in (await self.get("events?topic=t/%23"))["events"]}


@pytest.fixture
async def running(tmp_path, broker):
    async with (
        Hub(tmp_path, broker, RULES, http="{listen: '127.0.0.1:0'}") as hub,
        client(broker.settings("device"), "device") as device,
    ):
        yield hub, Asked(hub), device


async def test_devices_and_their_last_messages_survive_a_touch_of_a_rule_file(running):
    hub, asked, device = running
    await device.publish("t/a", '{"celsius": 3}')
    await asked.until("devices", lambda found: found["heard"] == 1)
    before = await asked.devices(), await asked.events()
    hub.rules.write_text(RULES.replace("30", "31"), "utf-8")
    os.utime(hub.rules)
    await hub.says(" reloaded ")
    assert (await asked.devices(), await asked.events()) == before
    assert before[1] == {"t/a": {"celsius": 3}}


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_devices_and_their_last_messages_survive_a_restart(running, how):
    hub, asked, device = running
    for number in range(5):
        await device.publish(f"t/{number}", f'{{"celsius": {number}}}')
    await asked.until("devices", lambda found: found["heard"] == 5)
    if how == "kill":  # what is on disk by the next checkpoint

        def look():
            return len(hub.rows("SELECT key FROM desk WHERE kind = 'heard' AND key LIKE 't/%'")) == 5

        async with asyncio.timeout(PATIENCE):
            while not look():
                await asyncio.sleep(0.05)
    before = await asked.devices(), await asked.events()
    await (hub.stop() if how == "stop" else hub.kill())
    await hub.start()
    assert (await asked.devices(), await asked.events()) == before


async def test_a_receiver_works_when_it_has_delivered_and_is_known_to_after_a_restart(running):
    hub, asked, device = running

    async def states():
        return {each["name"]: each["state"] for each in (await asked.get("receivers"))["receivers"]}

    assert await states() == {"bus": "untried", "never": "untried"}
    await device.publish("t/a", '{"celsius": 40}')
    await asked.until("receivers", lambda found: found["receivers"][0]["delivered"] == 1)
    assert await states() == {"bus": "works", "never": "untried"}
    await hub.stop()
    await hub.start()
    assert await states() == {"bus": "works", "never": "untried"}


async def test_history_says_whether_there_is_more(running):
    _, asked, device = running
    for celsius in (40, 20, 40):
        await device.publish("t/a", f'{{"celsius": {celsius}}}')
    await asked.until("history", lambda found: len(found["entries"]) >= 3)
    first = await asked.get("history?limit=1")
    assert (len(first["entries"]), first["more"], first["kept_since"]) == (1, True, None)
    everything = await asked.get("history?limit=1000")
    assert everything["more"] is False
    assert [(await asked.get(f"{path}="))["ok"] for path in ("history?limit", "history?before")] == [False, False]
