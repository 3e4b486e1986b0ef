"""Values that the tests of operate put in front of observers."""

from hub.model import Event, Notification

NOW = 1_772_326_500.0  # 2026-03-01T00:55:00Z


def event(payload=b'{"temperature": -12.5}', topic="site/a/freezer/7/telemetry", time=NOW):
    return Event(topic, payload, {}, None, time, 1, False)


def body(state="firing", **changes):
    return {
        "id": "f00d-1-f",
        "alertname": "FreezerTooWarm",
        "state": state,
        "severity": "critical",
        "labels": {"alertname": "FreezerTooWarm", "severity": "critical", "site": "a", "device": "7"},
        "summary": "7 at a is -12.5 °C",
    } | changes


def notification(receiver="chat", state="firing", created=NOW, **changes):
    return Notification("f00d-1-f", receiver, "f00d", body(state, **changes), created)
