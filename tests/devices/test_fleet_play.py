"""Fleets at play on a real broker."""

import asyncio

import pytest

from hub.devices.fleet_play import Play, scaled
from hub.errors import BrokerUnreachable, ConnectionRefused
from hub.ingest.mqtt.session import BrokerSettings
from tests.devices.ears import ears
from tests.devices.fleets import fleet_of

FLEET = """
    fleet: t
    topic: site/{device}/t
    devices: 20
    every: 100ms
    payload: {x: {counter: 0}}
    will: {topic: fleet/t/status}
"""


def play(broker, text=FLEET, user="device", **options):
    return Play([fleet_of(text)], broker.settings(user, client_id="simulate"), **options)


async def test_everything_sent_is_acknowledged_and_heard_between_birth_and_end(broker):
    async with ears(broker) as those:
        playing = play(broker)
        await playing.run(0.5)
        tally = playing.tally()
        assert tally.sent > 10
        assert tally.sent == tally.acknowledged
        await those.until(lambda heard: heard and heard[-1].payload == b"offline")
        assert len(those.heard) == tally.sent + 2
        assert those.on("fleet/t/status") == [b"online", b"offline"]


async def test_a_fleet_at_qos_0_is_heard_too(broker):
    async with ears(broker) as those:
        playing = play(broker, FLEET + "    qos: 0\n")
        await playing.run(0.5)
        tally = playing.tally()
        assert tally.unanswered == tally.sent > 10
        await those.until(lambda heard: len(heard) == tally.sent + 2)


async def test_stop_ends_it_in_order(broker):
    playing = play(broker)
    running = asyncio.create_task(playing.run())
    while not playing.tally().acknowledged:
        await asyncio.sleep(0.01)
    playing.stop()
    await asyncio.wait_for(running, 10)
    assert playing.tally().sent == playing.tally().acknowledged


async def test_a_broker_that_comes_back_loses_no_event_and_repeats_only_what_it_had_not_acknowledged(broker):
    playing = play(broker)
    running = asyncio.create_task(playing.run())
    async with ears(broker) as those:
        await those.until(lambda heard: len(heard) > 50)
        await broker.stop()
        while playing.connected:
            await asyncio.sleep(0.01)
        sent = playing.tally().sent
        await asyncio.sleep(0.3)
        assert playing.tally().sent == sent  # the fleet's time stands still
        await broker.start()
        await those.until(lambda heard: len(heard) > sent + 50)
        playing.stop()
        await running
        tally = playing.tally()
        assert tally.sent == tally.acknowledged
        assert tally.reconnects == 1
        wanted = {b'{"x":%d}' % n for n in range(tally.sent // 20 - 1)}
        await those.until(lambda _: wanted <= set(those.on("site/7/t")))
        for n in range(1, 21):
            numbers = list(dict.fromkeys(those.on(f"site/{n}/t")))
            assert numbers == [b'{"x":%d}' % i for i in range(len(numbers))]


async def test_a_refused_message_is_counted_with_the_brokers_reason_and_holds_up_no_other(broker):
    text = FLEET.replace("devices: 20", "devices: [{device: forged, on: hub}, {count: 3, on: site}]")
    playing = play(broker, text.replace("site/{device}/t", "'{on}/{device}/t'"))
    running = asyncio.create_task(playing.run())
    async with asyncio.timeout(30):
        while playing.tally().refused < 2 or playing.tally().acknowledged < 10 or not playing.tally().refusal:
            await asyncio.sleep(0.01)
    playing.stop()
    await running
    # behind a refused message Mosquitto ends the connection, and its answer can be lost with it
    assert playing.tally().refusal in {"not authorized", "the broker ended the connection behind it, twice"}
    assert playing.tally().refused < playing.tally().sent / 2


async def test_a_wrong_password_is_told_before_anything_is_sent(broker):
    settings = BrokerSettings("127.0.0.1", broker.port, client_id="x")
    with pytest.raises(ConnectionRefused, match="not authorized"):
        await Play([fleet_of(FLEET)], settings).run(1)


async def test_nobody_at_the_address_is_told(unused_tcp_port_factory):
    with pytest.raises(BrokerUnreachable, match="cannot be reached"):
        await Play([fleet_of(FLEET)], BrokerSettings("127.0.0.1", unused_tcp_port_factory())).run(1)


async def test_rate_and_speed_set_the_pace(broker):
    assert play(broker).rate == pytest.approx(200)
    assert play(broker, speed=3).rate == pytest.approx(600)
    playing = play(broker, rate=1000, speed=10)
    assert playing.rate == pytest.approx(1000)
    await playing.run(1)
    assert 50 < playing.tally().sent < 1200


@pytest.mark.parametrize("size", [1, 2, 3, 7, 60, 1000])
def test_devices_are_shared_out_as_they_were(size):
    fleets = [fleet_of(FLEET), fleet_of(FLEET.replace("fleet: t", "fleet: u").replace("devices: 20", "devices: 10"))]
    sizes = {fleet.name: len(fleet.devices) for fleet in scaled(fleets, size)}
    assert sum(sizes.values()) == size
    assert sizes.get("t", 0) == pytest.approx(size * 2 / 3, abs=1)
    assert 0 not in sizes.values()
