"""Receiver `kafka`: a record each, delivered when all in-sync replicas have it.

It stands on aiokafka, without FastStream: that one loses a producer that could not connect without closing it, and
opens a connection for administration beside each.
"""

import asyncio
import ssl
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidTopicError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from hub.documents.secret import Secret
from hub.fields import Section
from hub.limits import QUEUE_CONFIRM_SECONDS, SEND_WINDOW
from hub.model import Delivered, Notification, Outcome, Rejected, Retry
from hub.notify.client_keys import (
    KAFKA,
    KAFKA_KEY,
    KAFKA_MECHANISM,
    KAFKA_SERVERS,
    KAFKA_TLS,
    KAFKA_TOPIC,
    PASSWORD,
    PAYLOAD,
    USERNAME,
)
from hub.notify.outward.address import Address, QueuePayload
from hub.notify.outward.endpoint import endpoint_redactor, worded
from hub.notify.outward.kept_connection import KeptConnection
from hub.notify.receiver import Toolbox

__all__ = ["Kafka", "KafkaLogin", "KafkaOptions", "login"]


@dataclass(frozen=True, slots=True)
class KafkaLogin:
    """How to reach a cluster and who we are there."""

    servers: tuple[str, ...] = ()
    tls: bool = False
    username: str | None = None
    password: Secret | None = None
    mechanism: str = KAFKA_MECHANISM.default

    def arguments(self) -> dict[str, object]:
        """Return it as aiokafka's clients take it."""
        known: dict[str, object] = {
            "bootstrap_servers": list(self.servers),
            "security_protocol": ("SASL_" if self.username else "") + ("SSL" if self.tls else "PLAINTEXT"),
            "ssl_context": ssl.create_default_context() if self.tls else None,
        }
        if self.username and self.password:
            known |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password.reveal(),
            }
        return known


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """`key` decides the partition: without one the alert does, so that what belongs to it stays in order."""

    login: KafkaLogin
    topic: Address
    key: QueuePayload | None
    payload: QueuePayload = field(default_factory=QueuePayload)


class Kafka:
    """Sends with acks=all.

    The producer is not idempotent in Kafka's sense: such a one of aiokafka keeps what a cluster does not confirm and
    tries for ever, beside our own retry. The header `id` tells a repetition.
    """

    keys = KAFKA
    concurrency = SEND_WINDOW

    def __init__(self, options: KafkaOptions, toolbox: Toolbox) -> None:
        """Connect to nothing yet."""
        self._options, self._client_id = options, toolbox.client_id
        self._redact = endpoint_redactor(None, [options.login.password])
        self._link = KeptConnection(self._open, AIOKafkaProducer.stop)

    @classmethod
    def read(cls, section: Section) -> KafkaOptions:
        """Read the login, then what is sent where; problems come in the order of the documentation."""
        return KafkaOptions(login(section), section.take(KAFKA_TOPIC), section.take(KAFKA_KEY), section.take(PAYLOAD))

    async def send(self, notification: Notification) -> Outcome:
        """Produce one record and wait for the cluster's word."""
        producer = None
        try:
            producer = await self._link.get()
            async with asyncio.timeout(QUEUE_CONFIRM_SECONDS):
                await self._produce(producer, notification)
        except (MessageSizeTooLargeError, RecordListTooLargeError, InvalidTopicError) as error:
            return Rejected(self._redact(f"the cluster refuses it: {worded(error)}"))
        except TimeoutError:
            return Retry("the cluster did not confirm it in time")
        except (KafkaError, OSError, ValueError) as error:
            reason = self._redact(f"the cluster has not taken it: {worded(error)}")
            return Retry(reason, perhaps=producer is not None)
        return Delivered()

    async def close(self) -> None:
        """Disconnect."""
        await self._link.close()

    async def _produce(self, producer: AIOKafkaProducer, notification: Notification) -> None:
        options, body = self._options, notification.body
        key = options.key.render(body) if options.key else notification.order.encode()
        headers = [("id", notification.id.encode()), ("content-type", options.payload.content_type.encode())]
        topic, value = options.topic.render(body), options.payload.render(body)
        await (await producer.send(topic, value, key=key, headers=headers))

    async def _open(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._options.login.arguments(),
            client_id=self._client_id,
            acks="all",
            request_timeout_ms=int(QUEUE_CONFIRM_SECONDS * 1000),
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()  # or it would complain when it is thrown away
            raise
        return producer


def login(section: Section) -> KafkaLogin:
    """Take the keys that say where a cluster is and who we are."""
    made = KafkaLogin(
        section.take(KAFKA_SERVERS),
        section.take(KAFKA_TLS),
        section.take(USERNAME),
        section.take(PASSWORD),
        section.take(KAFKA_MECHANISM),
    )
    if (made.username is None) != (made.password is None):
        section.report(section.node.problem(f"{section.what} needs both username and password, or neither"))
    return made
