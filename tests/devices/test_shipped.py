"""The fleets of devices/: they load, they are what their documents say, and their demo shows something in time."""

import json

import pytest

from hub.devices.player import Player
from hub.devices.registry import Registry, load_fleets
from hub.documents.document import Problems
from hub.documents.shipped_files import shared

SHOWN = {  # topic: what is wrong with a payload during its fault
    "site/berlin/freezer/1/telemetry": lambda p: p["temperature"] > -15,
    "site/berlin/freezer/2/telemetry": lambda p: p["door_open"],
    "site/berlin/room/office/climate": lambda p: p["co2"] > 1000,
    "site/harbour/pump/p1/condition": lambda p: p["vibration"] > 7.1,
    "site/berlin/smoke/kitchen/alarm": lambda p: p["smoke"],
    "site/berlin/smoke/cellar/alarm": lambda p: p["battery"] < 10,
    "site/berlin/meter/main/power": lambda p: p["power"] > 12000,
}


@pytest.fixture(scope="module")
def fleets():
    problems = Problems()
    found = load_fleets([shared("devices")], problems)
    assert not problems, "\n".join(map(str, problems))
    return {fleet.name: fleet for fleet in found}


@pytest.fixture(scope="module")
def demo(fleets):
    return [m for fleet in fleets.values() for m in Player(fleet.for_demo(), 7).due(60, 10**6)]


def test_the_fleets_that_are_promised_are_there(fleets):
    assert {"freezers", "rooms", "pumps", "smoke", "meters", "shop", "parcels"} <= fleets.keys()


def test_each_fleet_has_a_will_a_demo_and_a_rate_that_suits_a_small_machine(fleets):
    for fleet in fleets.values():
        assert fleet.will, fleet.name
        assert fleet.demo, fleet.name
        assert 0 < fleet.for_demo().rate < 20, fleet.name


def test_payloads_are_short_json_objects(fleets):
    for fleet in fleets.values():
        messages = Player(fleet, 1).due(600, 2000)
        assert messages, fleet.name
        broken = [m for m in messages if not m.payload.endswith(b"}")]
        assert len(broken) <= len(messages) / 20
        for message in messages:
            assert len(message.payload) < 400
            if message not in broken:
                assert isinstance(json.loads(message.payload), dict)


@pytest.mark.parametrize("topic", SHOWN)
def test_the_demo_goes_wrong_within_twenty_seconds_and_is_well_again_within_forty(demo, topic):
    told = [
        (m.offset, SHOWN[topic](json.loads(m.payload))) for m in demo if m.topic == topic and m.payload[-1:] == b"}"
    ]
    wrong = [offset for offset, is_wrong in told if is_wrong]
    assert 2 < min(wrong) < 20
    assert max(wrong) - min(wrong) > 5
    assert max(wrong) < 38
    assert not told[0][1]
    assert len([offset for offset, _ in told if max(wrong) < offset < 60]) > 3


def test_in_the_demo_a_freezer_falls_silent_and_another_sends_bad_json(demo):
    silent = [m.offset for m in demo if m.topic == "site/berlin/freezer/10/telemetry"]
    assert not [offset for offset in silent if 5 < offset < 33]
    assert [offset for offset in silent if offset > 34]
    assert [m for m in demo if m.topic.startswith("site/hamburg/freezer/") and not m.payload.endswith(b"}")]


def test_in_the_demo_carts_and_parcels_come_within_half_a_minute(demo):
    carts = [m for m in demo if m.topic.startswith("shop/") and m.offset < 30]
    parcels = [m for m in demo if m.topic.startswith("parcel/") and m.offset < 30]
    assert carts
    assert parcels
    cart = json.loads(carts[0].payload)
    assert cart["total"] == pytest.approx(sum(item["price"] for item in cart["items"]))
    assert "@" in cart["email"]
    assert cart["phone"].startswith("+49")


def test_the_registry_knows_whom_to_tell(fleets):
    registry = Registry(fleets.values())
    assert registry.attributes("site/berlin/freezer/2/telemetry")["max_temperature"] == -18
    assert registry.attributes("shop/corner/cart/linus/updated")["email"] == "linus@example.org"
