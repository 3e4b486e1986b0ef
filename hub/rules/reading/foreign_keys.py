"""What people who come from another tool write into a rule file: its keys, its automations, rules in a wrong place."""

from collections.abc import Mapping

from hub.documents.document import Node

__all__ = ["FILE_KEYS", "RULE_KEYS", "automation", "whole_file"]

_WHEN = "a condition stands under 'when'"
_AUTOMATIONS = "automations of Home Assistant: write each as a rule, with topic, when and notify"
_TEXT = "what is told stands under 'summary' and 'details'"
_TOPIC = "the MQTT topic stands under 'topic'"
_TOLD = "who is told stands under 'notify'"
RULE_KEYS: Mapping[str, str] = {
    **dict.fromkeys(
        ("if", "condition", "conditions", "expr", "value_template", "expression", "query", "state", "above", "below"),
        _WHEN,
    ),
    **dict.fromkeys(("threshold", "payload_on"), _WHEN),
    **dict.fromkeys(("message", "msg", "body", "annotations", "description", "title", "subject", "text"), _TEXT),
    **dict.fromkeys(
        ("trigger", "triggers", "platform", "topics", "state_topic", "mqtt_topic", "subscribe", "mqtt"), _TOPIC
    ),
    **dict.fromkeys(
        ("then", "do", "action", "actions", "service", "receiver", "receivers", "channels", "to", "target"), _TOLD
    ),
    **dict.fromkeys(("name", "alias", "id", "rule"), "a rule's name stands under 'alert' or 'event'"),
    **dict.fromkeys(("unit", "device_class", "unit_of_measurement"), "a text has the unit: {temperature:.1f} °C"),
    **dict.fromkeys(("duration", "hold", "delay", "delay_on"), "how long it must hold stands under 'for'"),
    **dict.fromkeys(
        ("delay_off", "keep_firing_for", "clear_after"), "how long its end must hold stands under 'clear_for'"
    ),
    **dict.fromkeys(("timeout", "expire_after", "stale", "offline_after"), "how long it may be silent: 'absent'"),
    **dict.fromkeys(("level", "priority"), "write severity: info, warning or critical"),
    **dict.fromkeys(("else", "resolved", "recovery", "until"), "what ends it stands under 'clear'"),
    **dict.fromkeys(("every", "interval", "repeat_interval", "cooldown"), "how often it is told again: 'repeat'"),
    **dict.fromkeys(("schedule", "active", "quiet", "quiet_hours"), "when nobody is told stands under 'mute'"),
    **dict.fromkeys(("disabled", "disable"), "write enabled: false"),
    **dict.fromkeys(("tz", "timezone"), "the zone stands in 'defaults' or in a schedule"),
    "inhibit": "what holds it back stands under 'unless'",
    "groupBy": "write group_by",
}
"""Keys of other tools' rules, each with the hint that names the key of ours."""

_BELOW = "a rule stands in the list below rules: (- alert: …)"
FILE_KEYS: Mapping[str, str] = {
    **dict.fromkeys(("alert", "event", "topic", "when", "notify", "summary"), _BELOW),
    "alerts": _BELOW,
    "groups": "rules of Prometheus: hub import prometheus FILE",
    "automation": _AUTOMATIONS,
    "automations": _AUTOMATIONS,
    "receiver": "names of receivers stand below receivers:",
    "notifiers": "who is told stands below receivers:",
    "schedule": "names of schedules stand below schedules:",
    "broker": "the broker stands in hub.yaml",
    "mqtt": "the broker stands in hub.yaml, under 'broker'",
    "fleet": "devices stand in a file of their own, in the folder devices",
}

_AUTOMATION = {"trigger", "triggers", "action", "actions", "alias", "condition", "conditions", "mode", "platform"}
_SIGNS = 2  # keys of an automation; one of them alone may be a slip


def automation(node: Node) -> str:
    """Say how an automation of Home Assistant becomes a rule; empty where the mapping is no automation."""
    keys = set(node.value) if isinstance(node.value, dict) else set[str]()
    if len(keys & _AUTOMATION) < _SIGNS or not keys & {"trigger", "triggers", "action", "actions"}:
        return ""
    return "its trigger's topic stands under 'topic', its condition under 'when', whom its action tells under 'notify'"


def whole_file(node: Node) -> tuple[str, str] | None:
    """Return message and hint for a file that is no rule file: a bare list of rules, or automations; else None."""
    if automation(node):
        return "this is an automation of Home Assistant, no rule file", automation(node)
    message = "a rule file must be a mapping (key: value), not a list"
    items = node.value if isinstance(node.value, list) else []
    if any(automation(item) for item in items):
        return message, _AUTOMATIONS
    keys = {key for item in items if isinstance(item.value, dict) for key in item.value}
    return (message, "write rules: above the list") if keys & {"alert", "event"} else None
