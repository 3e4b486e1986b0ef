"""Receiver `amqp`: a persistent message each, for RabbitMQ; delivered when the broker has confirmed it.

FastStream publishes, on aio-pika under it. A message that no queue would get is returned by the broker and tried again:
an operator who forgot the queue can still make one.
"""

import asyncio
from dataclasses import dataclass, field

from aio_pika.exceptions import AMQPError, DeliveryError
from aiormq.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed, ProbableAuthenticationError
from faststream.rabbit import Channel, RabbitBroker, RabbitExchange

from hub.documents.secret import Secret
from hub.fields import Section
from hub.limits import QUEUE_CONFIRM_SECONDS, QUEUE_CONNECT_SECONDS, SEND_WINDOW
from hub.model import Delivered, Notification, Outcome, Rejected, Retry
from hub.notify.client_keys import AMQP, AMQP_EXCHANGE, AMQP_QUEUE, AMQP_ROUTING_KEY, AMQP_URL, PAYLOAD
from hub.notify.outward.address import Address, QueuePayload
from hub.notify.outward.endpoint import endpoint_redactor, worded
from hub.notify.outward.kept_connection import KeptConnection
from hub.notify.receiver import Toolbox

__all__ = ["Amqp", "AmqpOptions"]

_TOO_LARGE = "message size"  # what RabbitMQ says of one beyond its `max_message_size`; the code has other causes, too


@dataclass(frozen=True, slots=True)
class AmqpOptions:
    """Where to: an exchange with a routing key, or a queue (then the exchange is the broker's own, without a name)."""

    url: Secret
    exchange: Address | None
    routing_key: Address
    payload: QueuePayload = field(default_factory=QueuePayload)


class Amqp:
    """Publishes over one connection and one channel."""

    keys = AMQP
    concurrency = SEND_WINDOW

    def __init__(self, options: AmqpOptions, toolbox: Toolbox) -> None:
        """Connect to nothing yet."""
        self._options, self._client_id = options, toolbox.client_id
        self._redact = endpoint_redactor(options.url)
        self._link = KeptConnection(self._open, RabbitBroker.stop)

    @classmethod
    def read(cls, section: Section) -> AmqpOptions:
        """Take either an exchange, perhaps with a routing key, or a queue."""
        url, exchange = section.take(AMQP_URL), section.take(AMQP_EXCHANGE)
        key, queue = section.take(AMQP_ROUTING_KEY), section.take(AMQP_QUEUE)
        if ("exchange" in section) == ("queue" in section):
            section.report(section.node.problem(f"{section.what} needs either 'exchange' or 'queue'"))
        elif "queue" in section and "routing_key" in section:
            section.report(section.node.key_problem("routing_key", "'routing_key' belongs to 'exchange'"))
        return AmqpOptions(url, exchange, queue or key or Address(""), section.take(PAYLOAD))

    async def send(self, notification: Notification) -> Outcome:
        """Publish one message and wait for the broker's confirmation."""
        broker = None
        try:
            broker = await self._link.get()
            async with asyncio.timeout(QUEUE_CONFIRM_SECONDS):
                await self._publish(broker, notification)
        except DeliveryError:
            return Retry("the broker returned it: no queue is bound for it, or the queue is full", perhaps=False)
        except (AMQPError, OSError, RuntimeError) as error:  # RuntimeError: of a channel that has just been closed
            if broker is not None:
                self._link.drop(broker)
            if isinstance(error, ChannelPreconditionFailed) and _TOO_LARGE in str(error):
                return Rejected(self._redact(_worded(error)))
            return Retry(self._redact(_worded(error)), perhaps=broker is not None)
        return Delivered()

    async def close(self) -> None:
        """Disconnect."""
        await self._link.close()

    async def _publish(self, broker: RabbitBroker, notification: Notification) -> None:
        options, body = self._options, notification.body
        name = options.exchange.render(body) if options.exchange else ""
        await broker.publish(
            options.payload.render(body),
            exchange=RabbitExchange(name, declare=False) if name else None,
            routing_key=options.routing_key.render(body),
            persist=True,
            message_id=notification.id,
            correlation_id=notification.order,
            content_type=options.payload.content_type,
        )

    async def _open(self) -> RabbitBroker:
        broker = RabbitBroker(
            self._options.url.reveal(),
            timeout=QUEUE_CONNECT_SECONDS,
            app_id=self._client_id,
            default_channel=Channel(on_return_raises=True),  # or what the broker returns would count as delivered
            logger=None,
        )
        await broker.connect()
        return broker


def _worded(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "the broker did not confirm it in time"
    if isinstance(error, ProbableAuthenticationError):
        return f"the broker refuses the login: {worded(error)}"
    if isinstance(error, ChannelNotFoundEntity):
        return f"the broker knows no such exchange: {worded(error)}"
    return f"the broker has not taken it: {worded(error)}"
