"""Rules with a wildcard in the first level, beside a hub whose own topics the broker brings to them."""

import asyncio

import pytest

from tests.support.ends import lines_of
from tests.support.hub import Hub
from tests.support.mqtt import client
from tests.support.record import PATIENCE

RULES = """
receivers: {log: {file: {path: told.ndjson}}}
defaults: {notify: [log]}
rules:
  - {event: All, topic: "#", summary: "{topic}"}
  - {alert: EspHome, topic: "{node}/sensor/{name}/state", when: value > 30}
  - {alert: Status, topic: "{node}/status", when: 'value == "offline" || payload.?status.orValue("") == "offline"'}
  - {alert: Availability, topic: "+/{dev}/availability", when: state == "offline"}
"""
SENT = [
    ("esp/sensor/t/state", "31"),
    ("esp/status", "offline"),
    ("z/plug/availability", '{"state": "offline"}'),
    ("shelly/events/rpc", '{"method": "NotifyStatus"}'),
]


@pytest.mark.parametrize("prefix", ["hub", "hub/one"])
async def test_devices_are_heard_on_topics_that_begin_with_their_names_and_the_hub_itself_never_is(
    tmp_path, broker, prefix
):
    hub = Hub(tmp_path, broker, RULES, settings=f"publish_prefix: {prefix}\n")

    async def told(name, count):
        async with asyncio.timeout(PATIENCE):
            while len(found := [each for each in _written(tmp_path) if each["alertname"] == name]) < count:
                await asyncio.sleep(0.05)
        return found

    people = client(broker.settings("hub"), "people")  # devices may not write below hub/
    async with client(broker.settings("device"), "esp") as device, people as operator, hub:
        for topic, payload in SENT:
            assert await device.publish(topic, payload) < 0x80
        await told("EspHome", 1)
        await told("Status", 1)
        await told("Availability", 1)
        assert await hub.stop() == 0
        await hub.start()  # its status was `offline` and is `online`, three alerts are retained: the broker brings all
        assert await operator.publish(f"{prefix}/command/nothing", b"\xff\xfe") < 0x80
        assert await device.publish("esp/last", "1") < 0x80
        heard = [each["summary"] for each in await told("All", len(SENT) + 1)]
    assert heard == [*(topic for topic, _ in SENT), "esp/last"]
    assert [each["labels"]["node"] for each in await told("Status", 1)] == ["esp"]
    assert hub.rows("SELECT topic FROM dead_letters") == []


def _written(folder):
    return lines_of(folder / "told.ndjson")[0]
