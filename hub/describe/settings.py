"""hub.yaml: the broker, where files lie, the HTTP interface."""

from typing import Any

from hub.describe.parts import Key, boolean, duration, key, mapping, names, text, whole, word
from hub.describe.sources import sources

__all__ = [
    "BROKER",
    "DISCOVERY",
    "HEARTBEAT",
    "HOME_ASSISTANT",
    "HTTP",
    "SELF_WATCH",
    "SETTINGS",
    "SPARKPLUG",
    "TOKEN",
    "TRACING",
    "settings_file",
]

_BETTER = "a secret, better from !env NAME or !file PATH"

BROKER: dict[str, Key] = {
    "url": text(
        "mqtt://host:1883, mqtts://host:8883, ws://host:8083/mqtt or wss://host/mqtt, perhaps with user:password@.",
        "mqtt://localhost:1883",
    ),
    "ca": text("PEM file of the authority that signed the broker's certificate.", "ca.pem"),
    "cert": text("PEM file of the hub's certificate.", "hub.pem"),
    "key": text("PEM file of its key.", "hub.key"),
    "username": text("Login.", "hub"),
    "password": text(f"Login; {_BETTER}."),
    "client_id": text("The client id, under which the broker keeps events while the hub is away.", "hub"),
    "protocol": key("The version of MQTT.", "5", enum=["5", "3.1.1", 5]),
    "session_expiry": duration("How long the broker keeps events while the hub is away.", "7d", zero=False),
    "receive_maximum": whole("Unacknowledged events that the broker may have sent.", 1, 65535, 65535),
    "keep_alive": duration("How often the connection is tried out.", "30s", zero=False),
    "payload_bytes": whole("The largest payload that is evaluated, in bytes.", 1, 64 << 20, 262_144),
}

TOKEN: dict[str, Key] = {
    "name": text("Who has it.", "dashboard"),
    "role": word("What it may do.", "viewer", "operator", "admin"),
    "token": text(f"The token, at least 16 characters; {_BETTER}."),
}

HTTP: dict[str, Key] = {
    "listen": text("Host and port (0: any); an address that others can reach needs tokens.", "127.0.0.1:8080"),
    "tokens": key("Who may use it.", type="array", items=mapping("a token", TOKEN, required=("name", "role", "token"))),
    "url": text("How people reach it; links in messages begin with it.", "https://hub.example.org"),
    "cert": text("PEM file of its certificate chain; with `key` it speaks TLS only.", "hub.pem"),
    "key": text("PEM file of the certificate's key.", "hub.key"),
    "proxies": names("Reverse proxies, whose X-Forwarded-For is believed: addresses and networks.", ["127.0.0.1"]),
    "origins": names("Origins of pages elsewhere that may ask, with a token.", ["https://karma.example.org"]),
}

HOME_ASSISTANT: dict[str, Key] = {"prefix": text("Its prefix of discovery topics.", "homeassistant")}
DISCOVERY: dict[str, Key] = {
    "homeassistant": {"description": "Of Home Assistant.", **mapping("homeassistant", HOME_ASSISTANT)}
}

SPARKPLUG: dict[str, Key] = {
    "rebirth": boolean("Ask a node for its birth where what it sends cannot be read without.", default=False)
}
SELF_WATCH: dict[str, Key] = {
    "enabled": boolean("Whether the rules that ship, about the hub itself, are at work.", default=True),
    "notify": names("Whom they tell; without it `defaults.notify` of the rule files.", ["chat"]),
}
HEARTBEAT: dict[str, Key] = {
    "url": text(f"Where it goes; {_BETTER}."),
    "every": duration("How often.", "1m", zero=False),
    "method": word("The request.", "GET", "HEAD", "POST", default="GET"),
}

TRACING: dict[str, Key] = {
    "endpoint": text("The collector, by OTLP over HTTP.", "http://localhost:4318"),
    "sample": key("Share of the events without a traceparent that begin a trace.", 0.1, type="number")
    | {"minimum": 0, "maximum": 1},
    "service": text("What the hub is called there.", "mqtt-notification-hub"),
    "headers": key(f"Sent along, such as a login; {_BETTER}.", type="object", additionalProperties={"type": "string"}),
}

SETTINGS: dict[str, Key] = {
    "broker": {"description": "The MQTT broker.", **mapping("broker", BROKER)},
    "rules": names("Rule files and folders, relative to this file.", ["rules"]),
    "devices": names("Fleet files and folders.", ["devices"]),
    "state": text("The state file.", "hub.db"),
    "publish_prefix": text("Everything that the hub says about itself is published below it.", "hub"),
    "http": key("The HTTP interface; false switches it off.", anyOf=[{"const": False}, mapping("http", HTTP)]),
    "sources": sources(),
    "discovery": key(
        "Announces every alert to Home Assistant.",
        *("homeassistant", {"homeassistant": {"prefix": "homeassistant"}}),
        anyOf=[{"const": "homeassistant"}, mapping("discovery", DISCOVERY)],
    ),
    "sparkplug": {"description": "Of Sparkplug B.", **mapping("sparkplug", SPARKPLUG)},
    "self_watch": {"description": "The hub's own alerts.", **mapping("self_watch", SELF_WATCH)},
    "heartbeat": {
        "description": "A sign of life to an outside place, sent while the hub is well.",
        **mapping("heartbeat", HEARTBEAT, required=("url",)),
    },
    "tracing": {"description": "OpenTelemetry traces (extra `otel`).", **mapping("tracing", TRACING)},
}


def settings_file() -> dict[str, Any]:
    """Return the schema of hub.yaml."""
    return {**mapping("hub.yaml", SETTINGS), "description": "The settings of the MQTT notification hub; all optional."}
