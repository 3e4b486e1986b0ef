"""Receivers: the keys of each kind, and those that all kinds have. A kind of another package may describe itself."""

from importlib.metadata import entry_points
from typing import Any

from hub.describe.parts import Key, boolean, duration, key, listed, mapping, text, whole, word

__all__ = ["COMMON", "FALLBACK", "KINDS", "RETRY", "receivers"]

_TEMPLATE = "a text with {…} over the notification"
_PAYLOAD = text(f"What is sent, {_TEMPLATE}; without it the notification as JSON.", "{state}: {summary}")
_BETTER = "; a secret, better from !env NAME or !file PATH"
_USERNAME = text("Login.", "hub")
_PASSWORD = text(f"Login{_BETTER}.", minLength=1)

RETRY: dict[str, Key] = {
    "attempts": whole("The most attempts; without it only the age counts.", 1, 1000, 5),
    "age": duration("How old a notification may get, at most 31d.", "1h", zero=False),
    "first": duration("The longest wait before the second attempt, at most 1h.", "1s", zero=False),
    "longest": duration("The longest wait between attempts, at most 1h.", "5m", zero=False),
}
FALLBACK: dict[str, Key] = {
    "to": text("The receiver that is told instead.", "sms"),
    "after": duration("Already when it was not delivered for so long.", "10m", zero=False),
}
COMMON: dict[str, Key] = {
    "timeout": duration("Time limit of one attempt, at most 10m.", "15s", zero=False),
    "send_resolved": boolean("Whether it is told that an alert has ended.", default=True),
    "rate": key(
        "The most notifications in a time; the others wait.",
        *("10/m", "1/s", "100/12h"),
        type="string",
        pattern=r"^[0-9]+\s*/\s*[0-9a-z.]+$",
    ),
    "retry": {"description": "How often and how long it is tried again.", **mapping("retry", RETRY)},
    "fallback": key(
        "Who is told where this one does not take a notification.",
        *("sms", {"to": "sms", "after": "10m"}),
        anyOf=[{"type": "string"}, mapping("a fallback", FALLBACK, required=("to",))],
    ),
}

_MQTT: dict[str, Key] = {
    "topic": text(f"Where to publish, {_TEMPLATE}; the first level is fixed.", "notify/{site}/{device}"),
    "payload": _PAYLOAD,
    "qos": whole("Quality of service.", 0, 1),
    "retain": boolean("Whether the broker keeps it.", default=False),
    "ack_link": boolean("Whether it carries the link that acknowledges: all who read there could.", default=False),
}
_WEBHOOK: dict[str, Key] = {
    "url": text(f"http:// or https://{_BETTER}.", "https://ops.example.org/hooks/hub"),
    "method": word("The HTTP method.", "POST", "PUT", "PATCH", default="POST"),
    "headers": key(
        "Names and values of more headers.",
        {"Authorization": "Bearer …"},
        type="object",
        additionalProperties={"type": ["string", "number"]},
    ),
    "body": key(
        "json (the notification), alertmanager (its webhook, version 4), alertmanager-alerts (feeds an Alertmanager),"
        " cloudevents, or a template of your own.",
        *("json", "alertmanager", "alertmanager-alerts", "cloudevents"),
    ),
    "secret": text(f"Signs the body (X-Hub-Signature-256), and it with id and time (Standard Webhooks){_BETTER}."),
    "allow_private": boolean("Whether a url with {…} may lead to a private address.", default=False),
}
_SMTP: dict[str, Key] = {
    "host": text("The mail server.", "mail.example.org"),
    "port": whole("Its port; 587 with starttls, 465 with tls, 25 with none.", 1, 65535, 587),
    "tls": word("How the connection is encrypted.", "starttls", "tls", "none", default="starttls"),
    "username": _USERNAME,
    "password": _PASSWORD,
    "from": text("The sender.", "Freezer watch <hub@example.org>"),
    "to": listed(key("Who gets the mail.", "ops@example.org"), {"type": "string", "pattern": "@"}, least=1),
    "subject": text(f"The subject, {_TEMPLATE}.", "[{state}] {alertname}: {summary}"),
}
_KAFKA: dict[str, Key] = {
    "servers": listed(key("host:port of some of the cluster.", "kafka1:9092"), {"type": "string"}, least=1),
    "topic": text(f"Where to, {_TEMPLATE}.", "alerts.{site}"),
    "key": text(
        f"What decides the partition, {_TEMPLATE}; without it the alert, so that its messages keep their order."
    ),
    "payload": _PAYLOAD,
    "tls": boolean("Whether the connection is encrypted.", default=False),
    "username": _USERNAME,
    "password": _PASSWORD,
    "mechanism": word("The SASL mechanism.", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", default="PLAIN"),
}
_AMQP: dict[str, Key] = {
    "url": text(f"amqp://user:password@host:5672/vhost or amqps://{_BETTER}."),
    "exchange": text(f"An exchange that exists, {_TEMPLATE}.", "alerts"),
    "routing_key": text(f"Beside exchange, {_TEMPLATE}.", "{site}.{severity}"),
    "queue": text(f"A queue that exists, in place of exchange, {_TEMPLATE}.", "tickets"),
    "payload": _PAYLOAD,
}
_NATS: dict[str, Key] = {
    "url": text(f"nats://user:password@host:4222, tls://, ws:// or wss://{_BETTER}."),
    "subject": text(f"Where to, {_TEMPLATE}.", "alerts.{site}"),
    "stream": text("The JetStream stream that stores this subject; without it plain NATS.", "ALERTS"),
    "payload": _PAYLOAD,
}
_REDIS: dict[str, Key] = {
    "url": text(f"redis://user:password@host:6379/0 or rediss://{_BETTER}."),
    "stream": text(f"XADD with the fields id and payload; {_TEMPLATE}.", "alerts"),
    "list": text(f"RPUSH; {_TEMPLATE}.", "alerts"),
    "channel": text(f"PUBLISH, heard by who listens then; {_TEMPLATE}.", "alerts"),
    "maxlen": whole("Entries that a stream keeps, about.", 1, 1 << 40, 100_000),
    "payload": _PAYLOAD,
}
_ZEROMQ: dict[str, Key] = {
    "connect": text("A peer's endpoint.", "tcp://display:5556"),
    "bind": text("An endpoint of ours.", "tcp://0.0.0.0:5556"),
    "pattern": word("pub for all who subscribe, push for one of those connected.", "pub", "push", default="pub"),
    "topic": text(f"The first frame, {_TEMPLATE}.", "alerts/{site}"),
    "payload": _PAYLOAD,
}

_WEBPUSH: dict[str, Key] = {
    "contact": text("Whom a push service may write to.", "ops@example.org"),
    "allow_private": boolean("Whether a push service may be one of your own network.", default=False),
}


def _one(*keys: str) -> dict[str, Any]:
    return {"oneOf": [{"required": [name]} for name in keys]}


_BOTH = {"dependencies": {"username": ["password"], "password": ["username"]}}
_URL = text(f"An Apprise URL{_BETTER}.", "slack://…", "tgram://…", "ntfy://…")

KINDS: dict[str, Key] = {
    "mqtt": {"description": "Publishes on the hub's own broker.", **mapping("mqtt", _MQTT, required=("topic",))},
    "webhook": {"description": "Makes an HTTP request.", **mapping("webhook", _WEBHOOK, required=("url",))},
    "smtp": {
        "description": "Sends a mail.",
        **mapping("smtp", _SMTP, required=("host", "from", "to"), **_BOTH),
    },
    "file": {
        "description": "Appends one JSON line each to a file.",
        **mapping("file", {"path": text("The file; its folder must exist.", "alerts.ndjson")}, required=("path",)),
    },
    "apprise": key(
        "Any of the 100+ services of Apprise.",
        anyOf=[{"type": "string"}, mapping("apprise", {"url": _URL}, required=("url",))],
    ),
    "kafka": {
        "description": "Produces to a Kafka cluster.",
        **mapping("kafka", _KAFKA, required=("servers", "topic"), **_BOTH),
    },
    "amqp": {
        "description": "Publishes to RabbitMQ or what else speaks AMQP 0.9.1.",
        **mapping(
            "amqp", _AMQP, required=("url",), **_one("exchange", "queue"), dependencies={"routing_key": ["exchange"]}
        ),
    },
    "nats": {
        "description": "Publishes to NATS or its JetStream.",
        **mapping("nats", _NATS, required=("url", "subject")),
    },
    "redis": {
        "description": "Writes to a stream, a list or a channel of Redis.",
        **mapping(
            "redis", _REDIS, required=("url",), **_one("stream", "list", "channel"), dependencies={"maxlen": ["stream"]}
        ),
    },
    "webpush": {
        "description": "Tells every browser that subscribed in the page.",
        **mapping("webpush", _WEBPUSH),
    },
    "zeromq": {
        "description": "Sends by a socket, without an acknowledgement.",
        **mapping("zeromq", _ZEROMQ, required=("topic",), **_one("connect", "bind")),
    },
}


def receivers() -> Key:
    """Return the schema of `receivers`: the kinds here, and those that installed packages add."""
    installed = {point.name for point in entry_points(group="hub.receivers")}
    others = {name: key("A kind of another package.", type=["object", "null"]) for name in sorted(installed - {*KINDS})}
    kinds = {**KINDS, **others}
    full = mapping("a receiver", {**kinds, **COMMON}, **_one(*kinds))
    url = {"title": "an Apprise URL", "type": "string", "pattern": "^[^:]+://"}
    return key(
        "Who can be told, by name: an Apprise URL, or a mapping with one kind as its key.",
        {"chat": "slack://…", "board": {"mqtt": {"topic": "notify/{site}"}}},
        type="object",
        additionalProperties={"anyOf": [url, full]},
    )
