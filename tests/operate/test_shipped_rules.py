"""The rules that are shipped: each one fires on what it is for, with a text that has no gap, and is over again."""

import json
from types import SimpleNamespace

import pytest

from hub.alerts.book import Book
from hub.app import check
from hub.devices.registry import Registry, load_fleets
from hub.documents.document import Problems
from hub.documents.shipped_files import shared
from hub.ingest.decode import decode_again
from hub.model import OWN, Phase
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import load_rules
from hub.rules.running.engine import Engine
from tests.operate.support import NOW

FREEZER = "site/berlin/freezer/1/telemetry"
ROOM = "site/berlin/room/office/climate"
PUMP = "site/harbour/pump/p1/condition"
SMOKE = "site/berlin/smoke/kitchen/alarm"
METER = "site/berlin/meter/main/power"
AIR = {"temperature": 21.5, "humidity": 45, "co2": 600}

# rule: topic, what fires it, seconds until it does, what ends it, seconds until it does, its text
ALERTS = {
    "FreezerTooWarm": (FREEZER, {"temperature": -14}, 300, {"temperature": -19}, 0, "Freezer 1 at berlin: -14.0 °C"),
    "FreezerThawing": (
        FREEZER,
        {"temperature": -7},
        0,
        {"temperature": -16},
        0,
        "Freezer 1 at berlin is thawing: -7.0 °C",
    ),
    "FreezerDoorOpen": (
        FREEZER,
        {"door_open": True},
        15,
        {"door_open": False},
        0,
        "Close the door of freezer 1 at berlin",
    ),
    "RoomAirStale": (
        ROOM,
        AIR | {"co2": 1001},
        0,
        AIR | {"co2": 799},
        0,
        "Open a window in office at berlin: 1001 ppm CO2",
    ),
    "RoomTooDry": (
        ROOM,
        AIR | {"humidity": 29},
        3600,
        AIR | {"humidity": 36},
        0,
        "office at berlin is dry: 29 % humidity",
    ),
    "MouldRisk": (
        ROOM,
        AIR | {"humidity": 66},
        6 * 3600,
        AIR,
        0,
        "Mould can grow in office at berlin: 66 % humidity at 21.5 °C",
    ),
    "PumpVibration": (
        PUMP,
        {"vibration": 7.2},
        5,
        {"vibration": 2.3},
        2,
        "Pump p1 at harbour vibrates: 7.2 of 7.1 mm/s",
    ),
    "PumpBearingHot": (
        PUMP,
        {"running": True, "bearing_temperature": 81},
        0,
        {"running": False, "bearing_temperature": 69},
        0,
        "Bearing of pump p1 at harbour: 81 °C",
    ),
    "SmokeDetected": (SMOKE, {"smoke": True}, 0, {"smoke": False}, 0, "Smoke at berlin, kitchen (floor 0)"),
    "SmokeDetectorBattery": (
        SMOKE,
        {"battery": 9},
        0,
        {"battery": 100},
        0,
        "Change the battery of smoke detector kitchen at berlin: 9 %",
    ),
    "PowerOverLimit": (METER, {"power": 13000}, 10, {"power": 900}, 0, "main at berlin draws 13,000 W of 12,000 W"),
    "VoltageOutOfRange": (METER, {"voltage": 254}, 10, {"voltage": 230}, 0, "main at berlin has 254 V"),
    "FleetOffline": (
        "fleet/pumps/status",
        "offline",
        10,
        "online",
        0,
        "Fleet pumps is offline: its gateway lost the connection",
    ),
}
EVENTS = {
    "CartUpdated": (
        "shop/corner/cart/ada/updated",
        {"name": "Ada", "items": [{"price": 9.5}, {"price": 34.9}], "total": 44.4},
        "Ada, your cart at corner: 2 items, 44.40 €",
        {"cart_owner", "shop"},
    ),
    "ParcelArrived": (
        "parcel/central/arrived",
        {"parcel": 1041, "name": "Grace", "phone": "+491713920002", "locker": 7},
        "Parcel 1041 for Grace (+491713920002) is in locker 7 at central",
        {"sms"},
    ),
}
ABSENT = {"FreezerTooWarm", "DeviceSilent"}


@pytest.fixture(scope="module")
def files():
    problems = Problems()
    rules = load_rules([shared("rules")], problems, read_receivers, "hub")
    registry = Registry(load_fleets([shared("devices")], problems))
    assert not problems
    return SimpleNamespace(rules=rules.rules, registry=registry)


class Hub:
    """One rule at work, with its texts, under a clock of its own."""

    def __init__(self, files, name):
        self.errors = []
        self.engine = Engine([files.rules[name]], files.registry, self.complain)
        self.book = Book("hub", {}, self.complain)
        self.now = NOW
        self.engine.restore([], {}, NOW)

    def complain(self, *error):
        self.errors.append(error)

    def send(self, topic, payload):
        raw = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
        self.engine.process([decode_again(topic, raw, self.now)], self.now)
        return self.turn()

    def wait(self, seconds):
        self.now += seconds
        self.engine.tick(self.now)
        return self.turn()

    def turn(self):
        self.book.apply(self.engine.take_transitions(), self.now)
        told = [each for each in self.book.take_notifications() if each.receiver != OWN]
        assert not self.errors
        return told


def test_the_shipped_rules_and_devices_are_clean_without_any_environment():
    assert check(None, [shared("rules"), shared("devices")]) == []


def test_every_shipped_rule_is_tried_here(files):
    assert ALERTS.keys() | EVENTS.keys() | ABSENT == files.rules.keys()


def about_the_value(told):
    return [each for each in told if each.body["labels"].get("reason") != "absent"]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_fires_after_its_time_says_what_is_the_matter_and_is_over_again(files, name):
    topic, bad, hold, good, clear, text = ALERTS[name]
    hub = Hub(files, name)
    told = hub.send(topic, bad)
    if hold:
        assert not told
        assert not about_the_value(hub.wait(hold - 0.5))
        assert not about_the_value(hub.send(topic, bad))  # which also tells that the device is not silent
        told = hub.wait(0.5)
    assert {each.receiver for each in told} == set(files.rules[name].notify)
    assert {each.body["state"] for each in told} == {Phase.FIRING}
    assert {each.body["summary"] for each in told} == {text}
    told = hub.send(topic, good)
    if clear:
        assert not told
        told = hub.wait(clear)
    assert {each.receiver for each in told} == set(files.rules[name].notify)
    assert {each.body["state"] for each in told} == {Phase.RESOLVED}


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_tells_everybody_once_for_each_message(files, name):
    topic, payload, text, receivers = EVENTS[name]
    hub = Hub(files, name)
    for _ in range(2):
        told = hub.send(topic, payload)
        assert {each.receiver for each in told} == receivers
        assert {each.body["summary"] for each in told} == {text}


def test_a_freezer_that_falls_silent_is_told_as_such(files):
    hub = Hub(files, "FreezerTooWarm")
    hub.send("site/nowhere/freezer/9/telemetry", {"temperature": -20})
    told = [each for each in hub.wait(26) if each.body["labels"]["site"] == "nowhere"]
    assert {each.body["summary"] for each in told} == {"site nowhere, freezer 9: silent for 26 s, last -20.0 °C"}
    assert {each.body["labels"]["reason"] for each in told} == {"absent"}
    told = hub.send("site/nowhere/freezer/9/telemetry", {"temperature": -20})
    assert {each.body["state"] for each in told} == {Phase.RESOLVED}


def test_a_device_of_any_kind_that_falls_silent_is_told_after_ten_minutes(files):
    hub = Hub(files, "DeviceSilent")
    hub.send("site/nowhere/lamp/3/state", "on")
    assert not hub.wait(599)
    told = [each for each in hub.wait(2) if each.body["labels"]["site"] == "nowhere"]
    assert [each.body["summary"] for each in told] == ["No word from lamp 3 at nowhere for ten minutes"]


def test_a_rule_file_is_short_and_says_what_it_is_for():
    for path in shared("rules").glob("*.yaml"):
        lines = path.read_text("utf-8").splitlines()
        assert lines[0].startswith("# "), path
        rules = "\n".join(lines).partition("\ntests:")[0].split("\n\n")
        assert all(len(rule.splitlines()) <= 12 for rule in rules), path
