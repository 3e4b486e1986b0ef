"""Configs against the field lists of Home Assistant's documentation, written out by hand."""

import json

from hub.alerts.alert import Alert
from hub.discovery.homeassistant import entities

ALERT = Alert("FreezerTooWarm", (("site", "berlin"), ("freezer", "n/7")))
MARK = ALERT.fingerprint

# https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery, binary_sensor.mqtt, button.mqtt
SHARED = {"availability", "availability_mode", "device", "origin", "qos", "name", "unique_id", "icon"}
SENSOR = SHARED | {
    "device_class",
    "state_topic",
    "value_template",
    "json_attributes_topic",
    "json_attributes_template",
}
BUTTON = SHARED | {"command_topic", "payload_press"}


def made(**changes):
    return entities(ALERT, **({"prefix": "hub", "discovery": "homeassistant", "version": "1.2"} | changes))


def test_an_alert_is_a_problem_sensor_whose_state_is_the_retained_topic():
    assert made()[f"homeassistant/binary_sensor/hub_{MARK}/config"] == {
        "name": None,
        "unique_id": f"hub_{MARK}",
        "device_class": "problem",
        "state_topic": "hub/alerts/FreezerTooWarm/berlin/n%2F7",
        "value_template": "{{ 'ON' if value_json is defined and value_json.state == 'firing' else 'OFF' }}",
        "json_attributes_topic": "hub/alerts/FreezerTooWarm/berlin/n%2F7",
        "json_attributes_template": "{{ value or '{}' }}",
        "availability": [{"topic": "hub/status", "value_template": "{{ value_json.status }}"}],
        "qos": 1,
        "device": {
            "identifiers": [f"hub_{MARK}"],
            "name": "FreezerTooWarm berlin n/7",
            "manufacturer": "MQTT notification hub",
            "model": "FreezerTooWarm",
        },
        "origin": {"name": "MQTT notification hub", "sw_version": "1.2"},
    }


def test_its_button_acknowledges_it_and_can_be_pressed_only_while_that_makes_sense():
    sensor, button = made().values()
    assert button == {
        "name": "Acknowledge",
        "unique_id": f"hub_{MARK}_ack",
        "icon": "mdi:check",
        "command_topic": "hub/command/ack",
        "payload_press": f'{{"id":"{MARK}","by":"Home Assistant"}}',
        "availability": [
            {"topic": "hub/status", "value_template": "{{ value_json.status }}"},
            {
                "topic": "hub/alerts/FreezerTooWarm/berlin/n%2F7",
                "value_template": "{{ 'online' if value_json is defined and value_json.state == 'firing'"
                " and not value_json.acknowledged else 'offline' }}",
            },
        ],
        "availability_mode": "all",
        "qos": 1,
        "device": sensor["device"],
        "origin": sensor["origin"],
    }


def test_there_is_no_field_that_home_assistant_does_not_know():
    sensor, button = made().values()
    assert set(sensor) <= SENSOR
    assert set(button) <= BUTTON
    assert json.loads(button["payload_press"])["id"] == MARK


def test_prefixes_are_the_users_and_an_id_has_only_what_home_assistant_allows_in_a_topic():
    topics = list(made(prefix="plant 1/hub", discovery="ha"))
    assert topics == [
        f"ha/binary_sensor/plant_1_hub_{MARK}/config",
        f"ha/button/plant_1_hub_{MARK}_ack/config",
    ]
