"""An alert as Home Assistant discovers it: a problem sensor, and a button that acknowledges. Pure: alert → configs.

Fields are those of https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery, binary_sensor.mqtt, button.mqtt.
One message for each entity, because that form is understood by every version since 2021.12, and by openHAB and others.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from hub.alerts.alert import Alert
from hub.documents.document import Problems
from hub.errors import Problem
from hub.rules.reading.rule import Rule

__all__ = ["check_discovery", "entities", "status_topic"]

MAKER = "MQTT notification hub"
# An alert that is over has its retained topic emptied: an empty payload, which is no JSON, is OFF.
_IS_ON = "{{ 'ON' if value_json is defined and value_json.state == 'firing' else 'OFF' }}"
_ATTRIBUTES = "{{ value or '{}' }}"
_WANTS_ACK = (
    "{{ 'online' if value_json is defined and value_json.state == 'firing' and not value_json.acknowledged"
    " else 'offline' }}"
)
_NO_ID = re.compile(r"[^a-zA-Z0-9_-]+")


def status_topic(discovery: str) -> str:
    """Return where Home Assistant says `online` when it has started; `discovery` is its prefix."""
    return f"{discovery}/status"


def entities(alert: Alert, prefix: str, discovery: str, version: str) -> dict[str, Mapping[str, Any]]:
    """Return topic and config of each entity; `prefix` is the hub's, `discovery` Home Assistant's.

    Nothing in them changes while the rule and the instance are the same: they are published once.
    """
    identity = f"{_NO_ID.sub('_', prefix)}_{alert.fingerprint}"
    state = alert.topic(prefix)
    alive = {"topic": f"{prefix}/status", "value_template": "{{ value_json.status }}"}
    shared = {
        "qos": 1,
        "device": {
            "identifiers": [identity],
            "name": " ".join([alert.alertname, *(value for _, value in alert.instance)]),
            "manufacturer": MAKER,
            "model": alert.alertname,
        },
        "origin": {"name": MAKER, "sw_version": version},
    }
    sensor = {
        "name": None,
        "unique_id": identity,
        "device_class": "problem",
        "state_topic": state,
        "value_template": _IS_ON,
        "json_attributes_topic": state,
        "json_attributes_template": _ATTRIBUTES,
        "availability": [alive],
    }
    button = {
        "name": "Acknowledge",
        "unique_id": f"{identity}_ack",
        "icon": "mdi:check",
        "command_topic": f"{prefix}/command/ack",
        "payload_press": orjson.dumps({"id": alert.fingerprint, "by": "Home Assistant"}).decode(),
        "availability": [alive, {"topic": state, "value_template": _WANTS_ACK}],
        "availability_mode": "all",
    }
    return {
        f"{discovery}/binary_sensor/{identity}/config": sensor | shared,
        f"{discovery}/button/{identity}_ack/config": button | shared,
    }


def check_discovery(rules: Mapping[str, Rule], discovery: str, problems: Problems) -> None:
    """Refuse rules that could hear announcements: each would make an instance, which would be announced."""
    topic = f"{discovery}/+/+/config"
    for rule in rules.values() if discovery else ():
        for pattern in rule.patterns:
            if pattern.overlaps(topic):
                message = f"rule {rule.name!r} listens to {pattern.text}, which can match {topic} ('discovery'): a loop"
                problems.append(Problem(rule.path, rule.line, 1, message, "make the topic narrower"))
