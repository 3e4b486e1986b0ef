"""`sources` of hub.yaml: queues whose messages come to the rules as if by MQTT."""

from importlib.metadata import entry_points

from hub.describe.parts import Key, boolean, key, listed, mapping, text, word

__all__ = ["SOURCES", "sources"]

_BETTER = "; a secret, better from !env NAME or !file PATH"
_START = word("Where the first start begins: with what is new, or with the first that is there.", "new", "first")

SOURCES: dict[str, Key] = {
    "amqp": mapping(
        "amqp source",
        {
            "url": text(f"amqp://user:password@host:5672/vhost or amqps://{_BETTER}."),
            "queue": text("A queue that exists.", "telemetry"),
        },
        required=("url", "queue"),
    ),
    "kafka": mapping(
        "kafka source",
        {
            "servers": listed(key("host:port of some of the cluster.", "kafka1:9092"), {"type": "string"}, least=1),
            "topic": text("The topic.", "telemetry"),
            "start": _START,
            "tls": boolean("Whether the connection is encrypted.", default=False),
            "username": text("Login.", "hub"),
            "password": text(f"Login{_BETTER}."),
            "mechanism": word("The SASL mechanism.", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", default="PLAIN"),
        },
        required=("servers", "topic"),
        dependencies={"username": ["password"], "password": ["username"]},
    ),
    "nats": mapping(
        "nats source",
        {
            "url": text(f"nats://user:password@host:4222, tls://, ws:// or wss://{_BETTER}."),
            "subject": text("The subject.", "telemetry.>"),
            "stream": text("The JetStream stream that stores it; without it plain NATS.", "TELEMETRY"),
            "start": _START,
        },
        required=("url", "subject"),
    ),
    "redis": mapping(
        "redis source",
        {
            "url": text(f"redis://user:password@host:6379/0 or rediss://{_BETTER}."),
            "stream": text("The stream.", "telemetry"),
            "field": text("The field of its entries that holds the payload.", "payload"),
            "start": _START,
        },
        required=("url", "stream"),
    ),
    "zeromq": mapping(
        "zeromq source",
        {
            "connect": text("A peer's endpoint.", "tcp://gateway:5556"),
            "bind": text("An endpoint of ours.", "tcp://0.0.0.0:5556"),
            "pattern": word("sub (what is published) or pull (what is handed out).", "sub", "pull", default="sub"),
            "prefix": text("Of sub: what the first frame begins with.", "telemetry/"),
        },
        oneOf=[{"required": ["connect"]}, {"required": ["bind"]}],
    ),
}


def sources() -> Key:
    """Return the schema of `sources`: the kinds here, and those that installed packages add."""
    installed = {point.name for point in entry_points(group="hub.sources")}
    kinds = {name: {"description": f"Reads from {name}.", **schema} for name, schema in SOURCES.items()}
    kinds |= {
        name: key("A kind of another package.", type=["object", "null"]) for name in sorted(installed - {*SOURCES})
    }
    topic = text("The topic that rules see; {…} takes parts of the message's own address.", "plant/{subject}")
    one = [{"required": [kind]} for kind in kinds]
    return key(
        "Queues whose messages come to the rules as if by MQTT, by name: one kind, and topic.",
        type="object",
        additionalProperties=mapping("a source", {**kinds, "topic": topic}, required=("topic",), oneOf=one),
    )
