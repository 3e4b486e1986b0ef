"""The keys of the sources: kafka, amqp, nats, redis, zeromq. How to reach a queue is said by its receiver's keys.

They stand apart from the kinds so that `hub schema` can describe them where a queue's client library is not installed.
"""

from hub.documents.value_schema import one_required
from hub.fields import Key, KeyTable, one_of, text
from hub.notify.client_keys import (
    AMQP_URL,
    BOTH,
    KAFKA_MECHANISM,
    KAFKA_SERVERS,
    KAFKA_TLS,
    NATS_URL,
    PASSWORD,
    REDIS_URL,
    USERNAME,
    zeromq_endpoint,
)

__all__ = ["TABLES"]

START = Key(
    "start",
    one_of("new", "first"),
    "new",
    "Where the first start begins: with what is new, or with the first that is there.",
    usual="new",
)

QUEUE = Key("queue", text, "", "A queue that exists.", "telemetry", required=True)
AMQP = KeyTable("amqp source", AMQP_URL, QUEUE)

TOPIC = Key("topic", text, "", "The topic.", "telemetry", required=True)
KAFKA = KeyTable("kafka source", *(KAFKA_SERVERS, TOPIC, START, KAFKA_TLS, USERNAME, PASSWORD, KAFKA_MECHANISM), **BOTH)

SUBJECT = Key("subject", text, "", "The subject.", "telemetry.>", required=True)
NATS_STREAM = Key(
    "stream", text, None, "The JetStream stream that stores it; without it, it is looked up.", "TELEMETRY"
)
NATS = KeyTable("nats source", NATS_URL, SUBJECT, NATS_STREAM, START)

REDIS_STREAM = Key("stream", text, "", "The stream.", "telemetry", required=True)
REDIS_FIELD = Key("field", text, "payload", "The field of its entries that holds the payload.", "payload")
REDIS = KeyTable("redis source", REDIS_URL, REDIS_STREAM, REDIS_FIELD, START)

CONNECT = Key("connect", zeromq_endpoint, "", "A peer's endpoint.", "tcp://gateway:5556")
BIND = Key("bind", zeromq_endpoint, "", "An endpoint of ours.", "tcp://0.0.0.0:5556")
PATTERN = Key(
    "pattern",
    one_of("sub", "pull"),
    "sub",
    "sub (what is published) or pull (what is handed out).",
    usual="sub",
)
PREFIX = Key("prefix", text, "", "Of sub: what the first frame begins with.", "telemetry/")
ZEROMQ = KeyTable("zeromq source", CONNECT, BIND, PATTERN, PREFIX, **one_required("connect", "bind"))

TABLES = {"amqp": AMQP, "kafka": KAFKA, "nats": NATS, "redis": REDIS, "zeromq": ZEROMQ}
