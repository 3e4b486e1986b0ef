"""Home Assistant's side of discovery, played by an MQTT client against a whole hub."""

import json

import pytest

from tests.acceptance.scene import document, scene
from tests.support.ends import watching
from tests.support.mqtt import client

RULES = """
  - {alert: Hot, topic: "t/{device}", when: value > 30}
  - {alert: Cold, topic: "t/{device}", when: value < 0}
"""
COLD = """
  - {alert: Cold, topic: "t/{device}", when: value < 0}
"""


@pytest.fixture
async def home(tmp_path, broker):
    """Return a scene and what comes to homeassistant/#."""
    async with (
        watching(broker, "homeassistant/#", name="home") as heard,
        scene(tmp_path, broker, RULES, settings="discovery: homeassistant\n") as made,
    ):
        yield made, heard


async def config(heard, kind, after=0):
    """Wait for a config of this kind of entity and return its topic and what is in it, None where it is emptied."""
    message = await heard.first(lambda m: m.topic.startswith(f"homeassistant/{kind}/"), 10, kind, after)
    return message.topic, json.loads(message.payload) if message.payload else None


async def retained(broker, topic_filter, number):
    """Return what a client that comes now is given, topic by topic."""
    async with watching(broker, topic_filter, name="late") as late:
        await late.until(lambda got: len(got) >= number, 10, f"{number} retained")
        return {each.topic: json.loads(each.payload) for each in late}


async def test_an_alert_comes_up_as_a_sensor_and_pressing_its_button_acknowledges_it(home, broker):
    made, heard = home
    await made.send("t/1", "35")
    await config(heard, "binary_sensor")
    await config(heard, "button")
    kept = await retained(broker, "homeassistant/+/+/config", 2)
    button, sensor = sorted(kept.values(), key=lambda each: "state_topic" in each)
    assert sensor["state_topic"] == "hub/alerts/Hot/1"
    assert (await retained(broker, sensor["state_topic"], 1))[sensor["state_topic"]]["state"] == "firing"
    status = sensor["availability"][0]["topic"]
    assert (await retained(broker, status, 1))[status]["status"] == "online"
    async with client(broker.settings("homeassistant"), "press") as finger:
        assert await finger.publish(button["command_topic"], button["payload_press"]) < 0x80
    shown = await made.states.first(lambda m: m.payload and json.loads(m.payload)["acknowledged"], 10, "acknowledged")
    assert json.loads(shown.payload)["acknowledged"]["by"] == "Home Assistant"


async def test_entities_go_with_their_rule_and_all_of_them_with_the_switch(home):
    made, heard = home
    await made.send("t/1", "35")
    topic, _ = await config(heard, "button")
    before = len(heard)
    made.hub.rules.write_text(document(COLD), "utf-8")
    assert await config(heard, "button", before) == (topic, None)
    assert (await config(heard, "binary_sensor", before))[1] is None
    await made.send("t/1", "-5")
    topic, _ = await config(heard, "button", len(heard))
    await made.hub.stop()
    made.hub.configure("")
    before = len(heard)
    await made.hub.start()
    assert await config(heard, "button", before) == (topic, None)


async def test_when_home_assistant_starts_it_is_told_everything_again(home, broker):
    made, heard = home
    await made.send("t/1", "35")
    await config(heard, "button")
    before = len(heard)
    async with client(broker.settings("homeassistant"), "birth") as assistant:
        await assistant.publish("homeassistant/status", "online")
    again = await config(heard, "button", before)
    assert again[1]["command_topic"] == "hub/command/ack"


async def test_what_has_been_announced_is_not_announced_again_after_a_crash(home):
    made, heard = home
    await made.send("t/1", "35")
    await config(heard, "button")
    await made.settled()
    before = len(heard)
    await made.hub.kill()
    await made.hub.start()
    await made.send("t/2", "35")
    _, first = await config(heard, "binary_sensor", before)
    assert first["device"]["name"] == "Hot 2"
