"""Whoever may ask the hub, or reads the broker, does not speak with the hub's voice: real hub, real broker, its ACL."""

import asyncio
import json

import mqtt5

from hub.limits import COMPLAINTS
from tests.acceptance.scene import scene
from tests.support.ends import watching
from tests.support.mqtt import client

RULES = """
  - {alert: Hot, topic: "t/{device}", when: value > 30, notify: [bus, asked]}
"""
DISCOVERY = "discovery: homeassistant\n"
ASKED = 'asked: {mqtt: {topic: "notify/asked/{alertname}", ack_link: true}}'


async def ask(broker, request, response):
    """Publish a request as an operator; return when the broker has it."""
    settings = broker.settings("operator")
    reader, writer = await asyncio.open_connection(settings.host, settings.port)
    password = settings.password.reveal().encode()
    writer.write(mqtt5.ConnectPacket("asker", username="operator", password=password, clean_start=True).write())
    await reader.readexactly(2)
    packet = mqtt5.PublishPacket(
        "hub/command/ack", request, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1, response_topic=response
    )
    writer.write(packet.write())
    while not (await reader.read(1 << 12)).endswith(b"\x40\x02\x00\x01"):
        assert not reader.at_eof()
    writer.close()


async def test_an_answer_is_no_way_to_speak_as_a_device_an_alert_or_home_assistant(tmp_path, broker):
    request = json.dumps({"alertname": "Hot", "by": "mallory", "comment": '{"state": "resolved"}'}).encode()
    wanted = ["hub/alerts/Hot/1", "alerts/Hot", "notify/x", "hub/status", "homeassistant/button/x/config", "t/1"]
    async with (
        watching(broker, "#", user="operator", name="all") as heard,
        scene(tmp_path, broker, RULES, ASKED) as made,
    ):
        await made.send("t/1", "35")
        await made.notified("Hot", "firing")
        await made.shown("Hot/1", "firing")
        await made.settled()
        before = len(heard)
        for topic in wanted * 5:
            await ask(broker, request, topic)
        await ask(broker, b'{"alertname": "Hot", "by": "ann"}', "hub/answers/me")
        await heard.first(lambda each: each.topic == "hub/answers/me", what="the answer that may be given")
        said = [(each.topic, each.payload) for each in heard[before:] if each.topic in wanted]
        assert not [each for each in said if b"mallory" in each[1]]
        assert {topic for topic, _ in said} <= {"hub/alerts/Hot/1"}  # ann's acknowledgement
        shown = await made.states.first(lambda m: m.payload and json.loads(m.payload)["acknowledged"], 10, "ack")
        assert json.loads(shown.payload)["acknowledged"]["by"] == "ann"
        lines = [line for line in made.hub.lines if "trouble command" in line]
        assert len(lines) == COMPLAINTS
        assert all("is not below hub/answers/" in line for line in lines)


async def test_who_reads_topics_finds_no_link_that_acknowledges_but_where_it_was_asked_for(tmp_path, broker):
    tokens = "[{name: a, role: admin, token: 0123456789abcdef}]"
    http = f"{{listen: '127.0.0.1:0', url: 'https://hub.example.org', tokens: {tokens}}}"
    async with (
        watching(broker, "#", user="viewer", name="reader") as read,
        scene(tmp_path, broker, RULES, ASKED, http=http) as made,
    ):
        await made.send("t/1", "35")
        await made.notified("Hot", "firing")
        asked = await read.first(lambda each: each.topic == "notify/asked/Hot", what="asked")
        await made.shown("Hot/1", "firing")
        await made.settled()
        assert json.loads(asked.payload)["ack_url"].startswith("https://hub.example.org/ack/")
        linked = {each.topic for each in read if b"/ack/" in each.payload or b"ack_url" in each.payload}
        assert linked == {"notify/asked/Hot"}


async def test_home_assistant_that_says_online_a_thousand_times_has_all_announced_twice(tmp_path, broker):
    async with (
        watching(broker, "homeassistant/+/+/config", name="home") as heard,
        scene(tmp_path, broker, RULES, ASKED, settings=DISCOVERY, limits={"DISCOVERY_AGAIN_SECONDS": 3.0}) as made,
        client(broker.settings("homeassistant"), "ha") as home,
    ):
        await made.send("t/1", "35")
        await heard.until(lambda got: len(got) >= 2, 10, "announced")
        for _ in range(10):
            await home.publish_all([("homeassistant/status", "online")] * 100)
        await heard.until(lambda got: len(got) >= 6, 10, "announced at once, and once more for the last")
        await made.settled()
        assert len(heard) == 6


async def test_an_online_that_was_put_off_outlives_a_crash(tmp_path, broker):
    async with (
        watching(broker, "homeassistant/+/+/config", name="home") as heard,
        scene(tmp_path, broker, RULES, ASKED, settings=DISCOVERY, limits={"DISCOVERY_AGAIN_SECONDS": 5.0}) as made,
        client(broker.settings("homeassistant"), "ha") as home,
    ):
        await made.send("t/1", "35")
        await heard.until(lambda got: len(got) >= 2, 10, "announced")
        await home.publish_all([("homeassistant/status", "online")] * 2)
        await heard.until(lambda got: len(got) >= 4, 10, "announced at once")
        async with asyncio.timeout(4):
            while made.hub.rows("SELECT value FROM meta WHERE key = 'discovery_owed'") != [("1",)]:
                await asyncio.sleep(0.02)
        await made.hub.kill()
        await made.hub.start()
        await heard.until(lambda got: len(got) >= 6, 20, "announced after the crash")
