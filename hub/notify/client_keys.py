"""The keys of the receivers that need a client library: kafka, amqp, nats, redis, zeromq, webpush, apprise.

They are apart from the receivers because `hub schema` describes them without importing the library, which may be an
extra that is not installed, or Apprise, which costs 0.4 s. The sources of the same queues share some keys. What reads
them (`read`) is in the receiver's own module.
"""

from typing import Any
from urllib.parse import urlsplit

from hub.documents.document import Node
from hub.documents.secret import Secret
from hub.documents.value_schema import TEXT, Schema, list_schema, one_required, with_schema
from hub.fields import Bad, Key, KeyTable, boolean, integer, late, list_of, one_of, secret, text
from hub.notify.outward.address import Address, QueuePayload, address, payload
from hub.notify.outward.endpoint import endpoint

__all__ = ["BETTER", "BOTH", "PASSWORD", "PAYLOAD", "TABLES", "TEMPLATE", "USERNAME"]

TEMPLATE = "a text with {…} over the notification"
BETTER = "; a secret, better from !env NAME or !file PATH"
PAYLOAD = Key(
    "payload",
    payload,
    QueuePayload(),
    f"What is sent, {TEMPLATE}; without it the notification as JSON.",
    "{state}: {summary}",
)
USERNAME = Key("username", text, None, "Login.", "hub")
PASSWORD = Key("password", secret, None, f"Login{BETTER}.")
BOTH: dict[str, Any] = {"dependencies": {"username": ["password"], "password": ["username"]}}
"""JSON Schema: a login has both, or neither."""
_PRINTABLE = r"\x20-\x7e"  # of which everybody can type every character
_TOKENS = r"\x21-\x29\x2b-\x3d\x3f-\x7e"  # of a subject: printable, but no space, * or >


def server(node: Node) -> str:
    """Read `host:port`."""
    whole = text(node)
    host, _, port = whole.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65536:
        raise Bad(node, f"is not host:port: {whole[:80]!r}", "as in kafka.example.org:9092")
    return whole


@with_schema(list_schema({"type": "string"}, least=1))
def servers(node: Node) -> tuple[str, ...]:
    """Read a list of a cluster's servers; an empty one is refused, because the client would wait for ever."""
    if node.value == []:
        raise Bad(node, "names no server", "as in kafka.example.org:9092")
    return list_of(server)(node)


@with_schema(TEXT)
def zeromq_endpoint(node: Node) -> str:
    """Read the endpoint that a socket is bound or connected to, tcp:// or ipc://."""
    whole = text(node)
    scheme, _, rest = whole.partition("://")
    try:
        good = scheme in ("tcp", "ipc") and bool(rest) and (scheme != "tcp" or bool(urlsplit(whole).port))
    except ValueError:
        good = False
    if not good:
        raise Bad(node, f"is no endpoint of ZeroMQ: {whole[:80]!r}", "as in tcp://host:5556 or ipc:///run/hub.sock")
    return whole


def queue_url(example: str, words: str, *schemes: str) -> Key[Secret]:
    """Declare the key `url` of a queue's server; `example` is shown in the hint where a URL cannot be read."""
    return Key("url", endpoint(example, *schemes), Secret(""), f"{example}{words}{BETTER}.", required=True)


KAFKA_SERVERS: Key[tuple[str, ...]] = Key(
    "servers",
    servers,
    (),
    "host:port of some of the cluster.",
    "kafka1:9092",
    required=True,
)
KAFKA_TLS = Key("tls", boolean, False, "Whether the connection is encrypted.", usual=False)
KAFKA_MECHANISM = Key(
    "mechanism",
    one_of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
    "PLAIN",
    "The SASL mechanism.",
    usual="PLAIN",
)
KAFKA_TOPIC = Key(
    "topic",
    address("A-Za-z0-9._-", "topic of Kafka"),
    Address(""),
    f"Where to, {TEMPLATE}.",
    "alerts.{site}",
    required=True,
)
KAFKA_KEY = Key(
    "key",
    payload,
    None,
    f"What decides the partition, {TEMPLATE}; without it the alert, so that its messages keep their order.",
)
KAFKA = KeyTable(
    "kafka",
    *(KAFKA_SERVERS, KAFKA_TOPIC, KAFKA_KEY, PAYLOAD, KAFKA_TLS, USERNAME, PASSWORD, KAFKA_MECHANISM),
    words="Produces to a Kafka cluster.",
    **BOTH,
)

AMQP_URL = queue_url("amqp://user:password@host:5672/vhost", " or amqps://", "amqp", "amqps")
AMQP_EXCHANGE = Key(
    "exchange",
    address(_PRINTABLE, "name of an exchange"),
    None,
    f"An exchange that exists, {TEMPLATE}.",
    "alerts",
)
AMQP_ROUTING_KEY = Key(
    "routing_key", address(_PRINTABLE, "routing key"), None, f"Beside exchange, {TEMPLATE}.", "{site}.{severity}"
)
AMQP_QUEUE = Key(
    "queue",
    address(_PRINTABLE, "name of a queue"),
    None,
    f"A queue that exists, in place of exchange, {TEMPLATE}.",
    "tickets",
)
AMQP = KeyTable(
    "amqp",
    *(AMQP_URL, AMQP_EXCHANGE, AMQP_ROUTING_KEY, AMQP_QUEUE, PAYLOAD),
    words="Publishes to RabbitMQ or what else speaks AMQP 0.9.1.",
    **one_required("exchange", "queue"),
    dependencies={"routing_key": ["exchange"]},
)

NATS_URL = queue_url("nats://user:password@host:4222", ", tls://, ws:// or wss://", "nats", "tls", "ws", "wss")
NATS_SUBJECT = Key(
    "subject", address(_TOKENS, "subject"), Address(""), f"Where to, {TEMPLATE}.", "alerts.{site}", required=True
)
NATS_STREAM = Key(
    "stream",
    address("A-Za-z0-9_-", "name of a stream"),
    None,
    "The JetStream stream that stores this subject; without it plain NATS.",
    "ALERTS",
)
NATS = KeyTable(
    "nats",
    *(NATS_URL, NATS_SUBJECT, NATS_STREAM, PAYLOAD),
    words="Publishes to NATS or its JetStream.",
)

REDIS_URL = queue_url("redis://user:password@host:6379/0", " or rediss://", "redis", "rediss")
REDIS_STREAM = Key(
    "stream",
    address(_PRINTABLE, "name of a stream"),
    None,
    f"XADD with the fields id and payload; {TEMPLATE}.",
    "alerts",
)
REDIS_LIST = Key("list", address(_PRINTABLE, "name of a list"), None, f"RPUSH; {TEMPLATE}.", "alerts")
REDIS_CHANNEL = Key(
    "channel",
    address(_PRINTABLE, "name of a channel"),
    None,
    f"PUBLISH, heard by who listens then; {TEMPLATE}.",
    "alerts",
)
REDIS_MAXLEN = Key("maxlen", integer(1, 1 << 40), None, "Entries that a stream keeps, about.", 100_000)
REDIS = KeyTable(
    "redis",
    *(REDIS_URL, REDIS_STREAM, REDIS_LIST, REDIS_CHANNEL, REDIS_MAXLEN, PAYLOAD),
    words="Writes to a stream, a list or a channel of Redis.",
    **one_required("stream", "list", "channel"),
    dependencies={"maxlen": ["stream"]},
)

ZEROMQ_CONNECT = Key("connect", zeromq_endpoint, "", "A peer's endpoint.", "tcp://display:5556")
ZEROMQ_BIND = Key("bind", zeromq_endpoint, "", "An endpoint of ours.", "tcp://0.0.0.0:5556")
ZEROMQ_PATTERN = Key(
    "pattern",
    one_of("pub", "push"),
    "pub",
    "pub for all who subscribe, push for one of those connected.",
    usual="pub",
)
ZEROMQ_TOPIC = Key(
    "topic", address(_PRINTABLE, "topic"), Address(""), f"The first frame, {TEMPLATE}.", "alerts/{site}", required=True
)
ZEROMQ = KeyTable(
    "zeromq",
    *(ZEROMQ_CONNECT, ZEROMQ_BIND, ZEROMQ_PATTERN, ZEROMQ_TOPIC, PAYLOAD),
    words="Sends by a socket, without an acknowledgement.",
    **one_required("connect", "bind"),
)

WEBPUSH_CONTACT: Key[str] = Key(
    "contact",
    late,  # the library that signs says what it takes
    "mailto:hub@localhost",
    "Whom a push service may write to.",
    "ops@example.org",
    schema=TEXT,
)
WEBPUSH_ALLOW_PRIVATE = Key(
    "allow_private", boolean, False, "Whether a push service may be one of your own network.", usual=False
)
WEBPUSH = KeyTable(
    "webpush",
    *(WEBPUSH_CONTACT, WEBPUSH_ALLOW_PRIVATE),
    words="Tells every browser that subscribed in the page.",
)


class _AppriseTable(KeyTable):
    """The table of Apprise, whose URL may be written alone in place of the mapping."""

    @property
    def schema(self) -> Schema:
        """The JSON Schema: a text, or the mapping."""
        whole = dict(super().schema)
        return {"description": whole.pop("description"), "anyOf": [{"type": "string"}, whole]}


APPRISE_URL: Key[Any] = Key(
    "url",
    late,  # Apprise says what it takes
    None,
    f"An Apprise URL{BETTER}.",
    *("slack://…", "tgram://…", "ntfy://…"),
    required=True,
    schema=TEXT,
)
APPRISE = _AppriseTable(
    "apprise",
    APPRISE_URL,
    words="Any of the 100+ services of Apprise.",
)

TABLES = {table.title: table for table in (KAFKA, AMQP, NATS, REDIS, ZEROMQ, WEBPUSH, APPRISE)}
