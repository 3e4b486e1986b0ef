"""Source `amqp`: a queue of RabbitMQ. What was not acknowledged when a connection ended comes again, in its old place.

It has no positions. So what was committed, but not acknowledged when the hub crashed, is evaluated twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from hub.documents.secret import Secret
from hub.fields import Section
from hub.limits import BATCH, QUEUE_CONNECT_SECONDS, SOURCE_WAIT_SECONDS, SOURCE_WINDOW
from hub.notify.client_keys import AMQP_URL
from hub.notify.outward.endpoint import endpoint_redactor, worded
from hub.sources.place import TopicPlace
from hub.sources.queue import QueueMessage
from hub.sources.source_keys import AMQP, QUEUE

__all__ = ["Amqp", "AmqpOptions"]


@dataclass(frozen=True, slots=True)
class AmqpOptions:
    """The queue must exist: whoever made it decided how it is bound and what it keeps."""

    url: Secret
    queue: str


class Amqp:
    """The kind: reads its options and makes connections."""

    keys = AMQP
    names = ("queue", "exchange", "routing_key")

    def __init__(self, options: AmqpOptions, topic: TopicPlace, name: str, client_id: str) -> None:  # noqa: ARG002 - as every kind
        """Connect to nothing yet."""
        self._options, self._topic = options, topic
        self._redact = endpoint_redactor(options.url)

    @classmethod
    def read(cls, section: Section) -> AmqpOptions:
        """Take all of its keys as they are."""
        return AmqpOptions(section.take(AMQP_URL), section.take(QUEUE))

    def connection(self) -> "_Consumer":
        """Make a connection."""
        return _Consumer(self._options, self._topic)

    def reason(self, error: BaseException) -> str:
        """Say in words why a connection failed, without secrets."""
        return self._redact(worded(error))


class _Consumer:
    """One connection: a Queue."""

    resends = True

    def __init__(self, options: AmqpOptions, topic: TopicPlace) -> None:
        self._options, self._topic = options, topic
        self._connection: aio_pika.abc.AbstractConnection | None = None
        self._came: asyncio.Queue[AbstractIncomingMessage | BaseException] = asyncio.Queue()
        self._channel: aio_pika.abc.AbstractChannel | None = None
        self._missing = 0

    @property
    def behind(self) -> bool:
        return self._missing > 0

    async def open(self, marks: Mapping[str, str]) -> Mapping[str, str]:
        self._connection = await aio_pika.connect(self._options.url.reveal(), timeout=QUEUE_CONNECT_SECONDS)
        self._channel = channel = await self._connection.channel()
        channel.close_callbacks.add(self._ended)
        await channel.set_qos(prefetch_count=SOURCE_WINDOW)
        queue = await channel.get_queue(self._options.queue)
        self._missing = queue.declaration_result.message_count or 0
        await queue.consume(self._came.put)
        return marks

    async def read(self) -> Sequence[QueueMessage]:
        try:
            async with asyncio.timeout(SOURCE_WAIT_SECONDS):
                came = [await self._came.get()]
        except TimeoutError:
            await self._look()
            return ()
        while len(came) < BATCH and not self._came.empty():
            came.append(self._came.get_nowait())
        self._missing -= len(came)
        return [self._message(each) for each in came]

    async def acknowledge(self, messages: Sequence[QueueMessage]) -> None:
        await messages[-1].token.ack(multiple=True)

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _look(self) -> None:
        """Raise where the queue was deleted: the library does not tell us that we are no longer its consumer."""
        if self._channel is not None:
            await self._channel.get_queue(self._options.queue)

    def _ended(self, _: object, error: BaseException | None) -> None:
        self._came.put_nowait(error or ConnectionError("the channel was closed"))

    def _message(self, message: AbstractIncomingMessage | BaseException) -> QueueMessage:
        if isinstance(message, BaseException):
            raise message
        names = {
            "queue": self._options.queue,
            "exchange": message.exchange or "",
            "routing_key": message.routing_key or "",
        }
        return QueueMessage(self._topic.topic(names), message.body, None, message, content_type=message.content_type)
