"""A broker that sends again late: nats-server waits its `ack_wait`, and newer messages overtake the older ones."""

import asyncio
import json
import signal
from contextlib import asynccontextmanager

import aiomqtt
import pytest

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
    def told():
        return [(each["json"]["alertname"], each["json"]["event"]["payload"]) for each in hook.requests]

    async with Web() as hook, device(nats) as client:
        async with Hub(tmp_path, nats, RULES.format(url=hook.url), protocol="3.1.1") as hub:
            hub.signal(signal.SIGSTOP)
            await client.publish("t/a", json.dumps({"v": 20}), qos=1)
            await asyncio.sleep(0.5)  # it is in the hub's socket
            await hub.kill()
            await hub.start()
            await client.publish("t/a", json.dumps({"v": 1}), qos=1)
            await client.publish("t/b", json.dumps({"v": 30}), qos=1)
            await hook.requests.until(lambda _: len(told()) >= 2)
            await hook.requests.until(lambda _: ("Above", {"v": 20}) in told(), 15, "what the broker sent again")
            await client.publish("mark", "{}", qos=1)
            await hook.requests.until(lambda _: any(name == "Mark" for name, _ in told()))
            assert await hub.stop() == 0
        assert ("Hot", {"v": 30}) in told()
        assert ("Hot", {"v": 20}) not in told()
