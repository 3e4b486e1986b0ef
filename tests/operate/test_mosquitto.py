"""hub/operate/mosquitto.py: the shipped configuration runs, and its users and ACL hold."""

import asyncio

import pytest

from hub.documents.secret import Secret
from hub.errors import HubError
from hub.operate import mosquitto as module
from hub.operate.mosquitto import Mosquitto
from tests.support.mqtt import bounded, client, packet, utf8


async def test_it_starts_on_a_free_port_and_again_on_the_same_after_a_kill(broker):
    port, pid = broker.port, broker.pid
    await broker.kill()
    assert broker.pid == 0
    await broker.start()
    assert broker.port == port
    assert broker.pid not in (0, pid)


async def test_a_port_taken_in_between_is_left_for_another(tmp_path, broker, monkeypatch):
    ports = iter([broker.port, broker.port])
    free = module.free_port
    monkeypatch.setattr(module, "free_port", lambda: next(ports, None) or free())
    async with Mosquitto(tmp_path / "second") as second:
        assert second.port != broker.port


async def test_a_line_it_does_not_know_is_reported_with_its_own_words(tmp_path):
    with pytest.raises(HubError, match=r"Unknown configuration variable.*frobnicate"):
        await Mosquitto(tmp_path, extra=["frobnicate true"]).start()


async def test_without_mosquitto_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(module, "_PLACES", ())
    with pytest.raises(HubError, match="apt-get install mosquitto"):
        await Mosquitto(tmp_path).start()


async def test_only_port_paths_and_user_differ_from_the_shipped_file(broker):
    shipped = set(module.shared("mosquitto.conf").read_text().splitlines())
    ours = set((broker.directory / "mosquitto.conf").read_text().splitlines())
    changed = {line.split(" ")[0] for line in shipped ^ ours}
    assert changed <= {"listener", "password_file", "acl_file", "persistence_location", "user"}


@pytest.mark.parametrize(
    ("user", "topic", "allowed"),
    [
        ("hub", "hub/status", True),
        ("hub", "alerts/freezer", True),
        ("hub", "notify/shop/1", True),
        ("hub", "site/a/freezer/1/telemetry", False),
        ("device", "site/a/freezer/1/telemetry", True),
        ("device", "shop/cart", True),
        ("device", "hub/status", False),
        ("device", "hub/command/ack", False),
        ("device", "alerts/freezer", False),
        ("device", "notify/shop/1", False),
        ("device", "hub/answers/hub-cli-1", False),
        ("device", "homeassistant/status", False),
        ("device", "homeassistant/binary_sensor/x/config", False),
        ("device", "homeassistant", False),
        ("operator", "homeassistant/status", False),
        ("homeassistant", "homeassistant/status", True),
        ("homeassistant", "hub/status", False),
        ("hub", "homeassistant/button/x/config", True),
        ("hub", "homeassistant/status", False),
        ("hub", "hub/answers/hub-cli-1", True),
        ("operator", "hub/command/ack", True),
        ("operator", "hub/status", False),
        ("operator", "site/a", False),
        ("viewer", "hub/command/ack", False),
        ("viewer", "site/a", False),
    ],
)
async def test_only_the_hub_writes_its_topics_and_everyone_what_is_theirs(broker, user, topic, allowed):
    async with client(broker.settings(user)) as publisher:
        assert (await publisher.publish(topic, "x") < 0x80) == allowed


@pytest.mark.parametrize(("user", "reads"), [("hub", True), ("viewer", True), ("operator", True), ("device", False)])
async def test_devices_do_not_read_what_others_send(broker, user, reads):
    async with client(broker.settings(user)) as reader, client(broker.settings("device"), "other") as publisher:
        await reader.subscribe("#")
        await publisher.publish("site/a", "x")
        if reads:
            assert (await reader.message()).payload == b"x"
        else:
            await reader.subscribe("other")  # its answer comes behind what the publish would have brought
            assert reader.messages.empty()


@pytest.mark.parametrize(("user", "reads"), [("operator", True), ("hub", True), ("viewer", False), ("device", False)])
async def test_answers_to_requests_reach_operators_alone_for_they_may_hold_tokens(broker, user, reads):
    async with client(broker.settings(user)) as reader, client(broker.settings("hub"), "asked") as hub:
        await reader.subscribe("hub/answers/#")
        assert await hub.publish("hub/answers/hub-cli-1", "x") < 0x80
        if reads:
            assert (await reader.message()).payload == b"x"
        else:
            await reader.subscribe("other")  # its answer comes behind what the publish would have brought
            assert reader.messages.empty()


@pytest.mark.parametrize("keep_alive", [0, 3600, 65_535])
async def test_a_client_that_asks_for_a_long_keep_alive_or_none_is_told_of_no_shorter_one(broker, keep_alive):
    async with client(broker.settings("device"), "sleepy", keep_alive=keep_alive) as device:
        # Mosquitto 2.0.21 disconnects whoever has the longest that it allows, which is what it then tells of
        assert b"\x13" not in device.properties or b"\x13\xff\xff" in device.properties
        assert await device.publish("site/a", "x") < 0x80


async def test_more_events_than_packet_ids_wait_each_under_an_id_of_its_own_and_come_again_in_order(broker):
    window = 65_534
    async with client(broker.settings("hub"), "hub", clean=False, expiry=60, acknowledge=False) as hub:
        await hub.subscribe("site/#")
        async with client(broker.settings("device"), "device") as device:
            for first in range(0, window + 500, 6003):
                await device.publish_all([("site/a", str(n)) for n in range(first, min(first + 6003, window + 500))])
        sent = [await hub.message() for _ in range(window)]
        assert [each.payload for each in sent] == [b"%d" % n for n in range(window)]
        assert len({each.packet_id for each in sent}) == window
        await hub.subscribe("other")  # its answer comes behind anything more
        assert hub.messages.empty()
        hub.die()
    async with client(broker.settings("hub"), "hub", clean=False, expiry=60) as hub:
        again = [await hub.message() for _ in range(window + 500)]
    assert [(each.packet_id, each.payload) for each in again[:window]] == [(m.packet_id, m.payload) for m in sent]
    assert [each.payload for each in again[window:]] == [b"%d" % n for n in range(window, window + 500)]


async def test_a_wrong_password_is_refused(broker):
    settings = broker.settings("device", password=Secret("wrong"))
    with pytest.raises(AssertionError, match="CONNACK 0x8"):
        async with client(settings):
            pass


async def test_a_packet_beyond_the_limit_ends_the_connection_and_reaches_nobody(broker):
    async with client(broker.settings("viewer")) as viewer, client(broker.settings("device"), "device") as publisher:
        await viewer.subscribe("#")
        assert await publisher.publish("site/a", b"x" * ((1 << 20) - 100)) < 0x80
        assert len((await viewer.message()).payload) == (1 << 20) - 100
        publisher.expect(0x40)
        publisher.writer.write(packet(0x30, utf8("site/a") + b"\0" + b"x" * (1 << 20)))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await bounded(publisher.ended)
        await viewer.subscribe("other")
        assert viewer.messages.empty()


async def test_everything_waits_for_an_absent_client_beyond_the_brokers_own_defaults(broker):
    async with client(broker.settings("hub"), "hub", clean=False, expiry=60) as hub:
        await hub.subscribe("site/#")
    async with client(broker.settings("device"), "device") as device:
        await device.publish_all([("site/a", str(n)) for n in range(5000)])
    async with client(broker.settings("hub"), "hub", clean=False, expiry=60) as hub:
        assert hub.session_present
        assert [(await hub.message()).payload for n in range(5000)] == [b"%d" % n for n in range(5000)]


async def test_what_was_accepted_two_seconds_before_a_kill_is_there_after_it(broker):
    async with client(broker.settings("hub"), "hub", clean=False, expiry=60) as hub:
        await hub.subscribe("site/#")
    async with client(broker.settings("device"), "device") as device:
        await device.publish_all([("site/a", str(n)) for n in range(500)])
        saved = broker.log.count("Saving in-memory database")
        async with asyncio.timeout(10):
            while broker.log.count("Saving in-memory database") < saved + 1:
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
    await broker.kill()
    await broker.start()
    async with client(broker.settings("hub"), "hub", clean=False, expiry=60) as hub:
        assert [(await hub.message()).payload for n in range(500)] == [b"%d" % n for n in range(500)]
