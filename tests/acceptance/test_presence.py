"""Devices that die with a last will on a real broker, seen by a whole hub: the alert comes at once, not by a timer."""

import os
import signal
import time

import pytest

from hub.ingest.decode import decode
from tests.acceptance.scene import SLACK, scene, seconds
from tests.rules.making import Packet
from tests.support.ends import watching
from tests.support.mqtt import client
from tests.support.sparkplug import metric, payload

RULES = """
  - alert: Silent
    topic: homie/{device}/+/+
    by: device
    absent: 1d
    summary: "{device} is silent"
  - alert: Oven
    topic: spBv1.0/{group}/DDATA/{node}/{device}
    absent: 1d
    when: temperature < -3
    summary: "{device}: {temperature}"
"""
NODE, OVEN = "spBv1.0/plant/N{}/line1", "spBv1.0/plant/D{}/line1/oven"


@pytest.fixture
async def floor(tmp_path, broker):
    async with scene(tmp_path, broker, RULES) as made:
        yield made


def homie(broker, name="kitchen"):
    return client(broker.settings("device"), name, will=(f"homie/{name}/$state", b"lost", True))


def node(broker, number, name="node"):
    will = NODE.format("DEATH"), payload(metric("bdSeq", number, "Int64")), False
    return client(broker.settings("device"), name, will=will)


async def birth(this, number):
    await this.publish(NODE.format("BIRTH"), payload(metric("bdSeq", number, "Int64"), seq=0))
    await this.publish(OVEN.format("BIRTH"), payload(metric("temperature", 200, "Int32", alias=5), seq=1))


def data(degrees, seq):
    return payload(metric(None, degrees, "Int32", alias=5, typed=False), seq=seq)


async def test_a_homie_device_whose_connection_is_cut_is_absent_at_once_and_back_with_its_state(floor, broker):
    async with homie(broker) as kitchen:
        await kitchen.publish("homie/kitchen/$state", "ready", retain=True)
        await kitchen.publish("homie/kitchen/sensor/temperature", "21.5", retain=True)
        await floor.settled()
        cut = time.time()
        kitchen.die()
        told = await floor.notified("Silent", "firing", device="kitchen")
        assert seconds(told["since"]) - cut < SLACK
        assert (await floor.shown("Silent/kitchen", "firing"))["reason"] == "reported offline"
    async with homie(broker) as kitchen:
        await kitchen.publish("homie/kitchen/$state", "ready", retain=True)
        await floor.notified("Silent", "resolved", device="kitchen")


async def test_who_was_lost_before_the_hub_came_is_absent_from_its_start(tmp_path, broker):
    async with homie(broker) as kitchen:
        await kitchen.publish("homie/kitchen/sensor/temperature", "21.5", retain=True)
        await kitchen.publish("homie/kitchen/$state", "ready", retain=True)
        kitchen.die()
    async with scene(tmp_path, broker, RULES) as floor:
        await floor.notified("Silent", "firing", device="kitchen")


async def test_a_sparkplug_node_that_dies_takes_its_devices_along_and_aliases_live_through_a_killed_hub(floor, broker):
    async with node(broker, 3) as line:
        await birth(line, 3)
        await line.publish(OVEN.format("DATA"), data(200, 2))
        await floor.settled()
        await floor.hub.kill()
        await floor.hub.start()
        await line.publish(OVEN.format("DATA"), data(-5, 3))
        assert (await floor.notified("Oven", "firing", device="oven"))["summary"] == "oven: -5"
        await line.publish(OVEN.format("DATA"), data(200, 4))
        await floor.notified("Oven", "resolved", device="oven")
        line.die()
        told = await floor.notified("Oven", "firing", device="oven", reason="absent")
        assert told["labels"]["node"] == "line1"
    async with node(broker, 4) as line:
        await birth(line, 4)
        await floor.notified("Oven", "resolved", device="oven", reason="absent")


async def test_the_will_of_the_connection_before_is_no_death(floor, broker):
    async with node(broker, 3) as old, node(broker, 4, "node-again") as line:
        await birth(old, 3)
        await birth(line, 4)
        await line.publish(OVEN.format("DATA"), data(200, 2))
        await floor.settled()
        old.die()
        await line.publish(OVEN.format("DATA"), data(-5, 3))
        await floor.notified("Oven", "firing", device="oven")
        await floor.settled()
        assert not floor.notifications("Oven", reason="absent")
        line.die()
        await floor.notified("Oven", "firing", device="oven", reason="absent")


async def test_a_node_whose_birth_nobody_heard_is_asked_for_it_once_where_that_is_wanted(tmp_path, broker):
    access = broker.directory / "mosquitto.acl"
    access.write_text(access.read_text("utf-8").replace("# topic write spBv1.0", "topic write spBv1.0"), "utf-8")
    os.kill(broker.pid, signal.SIGHUP)
    async with (
        node(broker, 3) as line,
        watching(broker, NODE.format("CMD"), name="commands") as commands,
        scene(tmp_path, broker, RULES, settings="sparkplug: {rebirth: true}\n") as floor,
    ):
        for number in range(5):
            await line.publish(OVEN.format("DATA"), data(-5, number))
        command = await commands.first(lambda message: message.topic == NODE.format("CMD"), SLACK, "a command")
        assert decode(Packet(command.topic, command.payload), 0.0).fields["Node Control/Rebirth"] is True
        await birth(line, 3)
        await line.publish(OVEN.format("DATA"), data(-5, 2))
        await floor.notified("Oven", "firing", device="oven")
        assert len(commands) == 1
