"""A broker that sends again late: nats-server waits its `ack_wait`, and newer messages overtake the older ones."""

import asyncio
import json
import signal
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from tests.acceptance.scene import seconds
from tests.support.ends import Web
from tests.support.hub import Hub
from tests.support.servers import NatsMqttServer

RULES = """\
receivers: {{hook: {{webhook: {{url: "{url}"}}}}}}
defaults: {{notify: [hook]}}
rules:
  - {{alert: Hot, topic: "t/{{device}}", when: v > 10}}
  - {{event: Above, topic: "t/{{device}}", when: v > 10}}
  - {{event: Mark, topic: mark}}
"""


@pytest.fixture
def nats(tmp_path):
    with NatsMqttServer(tmp_path / "nats") as running:
        yield running


@asynccontextmanager
async def device(nats, name="device"):
    who = nats.settings("device")
    async with aiomqtt.Client(
        "127.0.0.1", nats.port, username=who.username, password=who.password.reveal(), identifier=name
    ) as client:
        yield client


async def test_an_older_value_that_comes_behind_a_newer_one_fires_nothing_and_its_event_is_told(tmp_path, nats):
    def told(name):
        """Return what was told under a name: value → when it was evaluated."""
        bodies = [each["json"] for each in hook.requests if each["json"]["alertname"] == name]
        return {each["event"]["payload"]["v"]: seconds(each["since"]) for each in bodies if each["state"] != "resolved"}

    async with Web() as hook, device(nats) as client:
        async with Hub(tmp_path, nats, RULES.format(url=hook.url), protocol="3.1.1") as hub:
            for number in range(20, 120, 20):  # now and then it does send again at once, and nothing is late
                hub.signal(signal.SIGSTOP)
                await client.publish(f"t/{number}", json.dumps({"v": number}), qos=1)
                await asyncio.sleep(0.5)  # it is in the hub's socket
                await hub.kill()
                await client.publish(f"t/{number}", json.dumps({"v": 1}), qos=1)
                await client.publish("t/other", json.dumps({"v": number + 1}), qos=1)
                await hub.start()
                both = {number, number + 1}
                await hook.requests.until(lambda _, both=both: both <= told("Above").keys(), 30, "what it sent again")
                late = told("Above")[number] > told("Above")[number + 1]
                if late:
                    break
            await client.publish("mark", json.dumps({"v": 0}), qos=1)
            await hook.requests.until(lambda _: told("Mark"))
            assert await hub.stop() == 0
        assert (number in told("Hot")) is not late
