"""Recognises the broker, so that a remedy can name the line to change in its configuration.

Some brokers say what they are below $SYS: Mosquitto, EMQX and others. nats-server and RabbitMQ do not; their answers to
two subscriptions tell (seen on nats-server 2.15 and RabbitMQ 3.10).
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hub.errors import HubError, SubscriptionDenied
from hub.ingest.mqtt.client311 import Client311, Delivery311
from hub.ingest.mqtt.session import BrokerSettings
from hub.ingest.transport.connection import tls_context
from hub.limits import CONNECT_SECONDS
from hub.operate.client.connect import connected
from hub.operate.doctor.time_left import all_until_quiet

__all__ = ["UNKNOWN", "BrokerKind", "recognise"]


@dataclass(frozen=True, slots=True)
class BrokerKind:
    """A broker: its `name` as people write it, what it has `said` of itself, and in `words` a remedy for each fault."""

    name: str
    words: Mapping[str, str] = field(default_factory=dict, repr=False)
    said: str = ""
    forgets: bool = False
    """Whether it keeps everything in memory only, however it is configured."""

    def remedy(self, what: str, prefix: str = "") -> str:
        """Return what to do against a fault; without words for this broker, what to look for in its manual."""
        text = self.words.get(what) or f"{_GENERAL[what]}; see the manual of {self.name}"
        return text.replace("PREFIX", prefix)


_GENERAL = {
    "queue": "let the broker queue without a bound for a client that is away",
    "window": "let the broker send as many unacknowledged messages as the client's receive maximum allows",
    "redelivery": "shorten the time after which it sends again; give rules a `timestamp` where there is one",
    "slow": "switch off Nagle's algorithm in the broker (TCP_NODELAY); or the network is slow",
    "rights": "let the hub's user write and read there, in the broker's access control",
    "session": "let the broker keep sessions for `session_expiry`",
    "memory": "let the broker keep sessions and their queues on disk",
    "retained": "let the broker keep retained messages and send them for wildcards too",
}
_MOSQUITTO = BrokerKind(
    "Mosquitto",
    {
        "queue": "in mosquitto.conf: max_queued_messages 0 and max_queued_bytes 0",
        "window": "in mosquitto.conf: max_inflight_messages 65534",
        "slow": "in mosquitto.conf: set_tcp_nodelay true; or the network is slow",
        "rights": "in the file that `acl_file` of mosquitto.conf names, under the hub's user: topic readwrite PREFIX/#",
        "session": "in mosquitto.conf: persistent_client_expiration no shorter than `session_expiry`",
        "memory": "in mosquitto.conf: persistence true and autosave_interval 1",
        "retained": "in mosquitto.conf: retain_available true",
    },
)
_EMQX = BrokerKind(
    "EMQX",
    {
        "queue": "in emqx.conf: mqtt.max_mqueue_len = infinity",
        "window": "in emqx.conf: mqtt.max_inflight = 65535",
        "rights": 'in acl.conf: {allow, {username, "…"}, all, ["PREFIX/#"]}.',
        "session": "in emqx.conf: mqtt.session_expiry_interval no shorter than `session_expiry`",
        "memory": "in emqx.conf: durable_sessions.enable = true",
        "retained": "in emqx.conf: retainer.enable = true",
    },
)
_NATS = BrokerKind(
    "nats-server",
    {
        "window": "in the `mqtt` block of its configuration a larger max_ack_pending; at most 65535 divided by the"
        " number of topics of your rules, because it refuses further ones",
        "redelivery": "shorten `ack_wait` in the `mqtt` block of its configuration; "
        "give rules a `timestamp` where there is one",
        "rights": "in `authorization` of its configuration: permissions to publish and subscribe for PREFIX.>",
        "memory": "in its configuration: jetstream {store_dir: …} on a disk, "
        "and no consumer_memory_storage in the `mqtt` block",
    },
)
_RABBITMQ = BrokerKind(
    "RabbitMQ",
    {
        "queue": "remove policies with max-length from queues mqtt-subscription-*: rabbitmqctl list_policies",
        "window": "in rabbitmq.conf: mqtt.prefetch = 65535",
        "rights": "rabbitmqctl set_permissions and set_topic_permissions for the hub's user and PREFIX/#",
        "session": "in rabbitmq.conf: mqtt.max_session_expiry_interval_seconds; before 3.13 mqtt.subscription_ttl (ms)",
        "memory": "in rabbitmq.conf: mqtt.durable_queue_type = quorum; before 3.12 durable queues are the rule",
        "retained": "it finds retained messages by exact topics only: where a retained value matters, name the topics "
        "in the rule, without a wildcard",
    },
)
_HIVEMQ = BrokerKind(
    "HiveMQ",
    {
        "queue": "in config.xml: <queued-messages><max-queue-size>",
        "window": "in config.xml: <receive-maximum><server-receive-maximum>",
        "session": "in config.xml: <session-expiry><max-interval>",
        "memory": "in config.xml: <persistence><mode>file</mode>",
    },
)
_VERNEMQ = BrokerKind(
    "VerneMQ",
    {
        "queue": "in vernemq.conf: max_offline_messages = -1",
        "window": "in vernemq.conf: max_inflight_messages = 0",
        "rights": "in vmq.acl, under the hub's user: topic PREFIX/#",
        "session": "in vernemq.conf: persistent_client_expiration no shorter than `session_expiry`",
    },
)
_ANOTHER = "run the hub with a broker that keeps sessions on disk, such as Mosquitto"
_AMQTT = BrokerKind("amqtt", {"memory": _ANOTHER, "session": _ANOTHER}, forgets=True)
UNKNOWN = BrokerKind("your broker")
_BY_WORD = {
    "mosquitto": _MOSQUITTO,
    "amqtt": _AMQTT,
    "hbmqtt": replace(_AMQTT, name="hbmqtt"),
    "emqx": _EMQX,
    "hivemq": _HIVEMQ,
    "vernemq": _VERNEMQ,
    "rabbitmq": _RABBITMQ,
    "nats": _NATS,
}
_SAYS_WHAT_IT_IS = ["$SYS/broker/version", "$SYS/brokers/+/sysdescr", "$SYS/brokers/+/version", "$SYS/VerneMQ/#"]


async def recognise(settings: BrokerSettings, prefix: str, mark: str) -> BrokerKind:
    """Find out which broker it is; UNKNOWN if neither $SYS nor its answers tell.

    Raises:
        HubError: the broker cannot be reached.

    """
    said = ""
    with contextlib.suppress(SubscriptionDenied):
        async with connected(settings, f"hub-doctor-{mark}", _SAYS_WHAT_IT_IS) as session:
            heard = {each.topic: each.payload for each in await all_until_quiet(session)}
            said = " ".join(heard[topic].decode("utf-8", "replace")[:100] for topic in sorted(heard))[:200]
            if any(topic.startswith("$SYS/brokers/") for topic in heard):
                said = said if "emqx" in said.lower() else f"EMQX {said}"  # no other broker publishes there
    if said:
        kind = next((kind for word, kind in _BY_WORD.items() if word in said.lower()), None)
        return replace(kind or BrokerKind(said), said=said)
    return await _by_answers(settings, prefix, mark)


class _Nobody:
    """The listener of a client that only subscribes to see the answer; it ignores what comes."""

    def connack(self, *, resumed: bool) -> None:
        """Ignore that the broker has accepted us."""

    def delivery(self, delivery: Delivery311) -> None:
        """Ignore a message."""


async def _by_answers(settings: BrokerSettings, prefix: str, mark: str) -> BrokerKind:
    """Recognise by what is granted: nats-server refuses a space in a topic, RabbitMQ grants QoS 1 instead of 2."""
    who = replace(settings, client_id=f"hub-doctor-{mark}-asks", protocol="3.1.1")
    client = Client311(who, None, tls_context(who), _Nobody())
    try:
        await client.open()
        codes = []
        for topic_filter, qos in ((f"{prefix}/doctor/{mark}/two", 2), (f"{prefix}/doctor/{mark}/a b", 1)):
            (code,) = await client.answer(client.subscribe(topic_filter, qos, timeout=CONNECT_SECONDS))
            codes.append(code if isinstance(code, int) else code.value)
            await client.answer(client.unsubscribe(topic_filter, timeout=CONNECT_SECONDS))
    except HubError:  # it may speak MQTT 5 only, or close the connection instead of refusing
        return UNKNOWN
    finally:
        await client.finish()
    if codes[1] >= 0x80 and codes[0] < 0x80:
        return _NATS
    return _RABBITMQ if codes == [1, 1] else UNKNOWN
