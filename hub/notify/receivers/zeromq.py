"""Receiver `zeromq`: three frames each (topic, payload, id) on a socket of ours, without a broker.

ZeroMQ has no acknowledgement: delivered means handed to a peer's connection. What is on the way when one side crashes
is lost, so this kind is for messages that may be lost.
"""

import asyncio
from dataclasses import dataclass, field

import zmq
import zmq.asyncio

from hub.fields import Section
from hub.limits import QUEUE_CONFIRM_SECONDS, ZEROMQ_JOIN_SECONDS, ZEROMQ_LINGER_MILLISECONDS
from hub.model import Delivered, Notification, Outcome, Retry
from hub.notify.client_keys import PAYLOAD, ZEROMQ, ZEROMQ_BIND, ZEROMQ_CONNECT, ZEROMQ_PATTERN, ZEROMQ_TOPIC
from hub.notify.outward.address import Address, QueuePayload
from hub.notify.receiver import Toolbox
from hub.printable import one_line

__all__ = ["ZeroMq", "ZeroMqOptions"]


@dataclass(frozen=True, slots=True)
class ZeroMqOptions:
    """`endpoint` is connected to, or bound where `bind`."""

    endpoint: str
    bind: bool
    pattern: str
    topic: Address
    payload: QueuePayload = field(default_factory=QueuePayload)


class ZeroMq:
    """One PUB or PUSH socket, opened with the first notification."""

    keys = ZEROMQ
    concurrency = 1  # a socket is one queue

    def __init__(self, options: ZeroMqOptions, toolbox: Toolbox) -> None:  # noqa: ARG002 - as every kind
        """Open nothing yet."""
        self._options = options
        self._context = zmq.asyncio.Context(io_threads=1)
        self._socket: zmq.asyncio.Socket | None = None

    @classmethod
    def read(cls, section: Section) -> ZeroMqOptions:
        """Take one endpoint, a peer's or ours."""
        connect, bind = section.take(ZEROMQ_CONNECT), section.take(ZEROMQ_BIND)
        if ("connect" in section) == ("bind" in section):
            section.report(section.node.problem(f"{section.what} needs either 'connect' or 'bind'"))
        return ZeroMqOptions(
            bind or connect,
            "bind" in section,
            section.take(ZEROMQ_PATTERN),
            section.take(ZEROMQ_TOPIC),
            section.take(PAYLOAD),
        )

    async def send(self, notification: Notification) -> Outcome:
        """Hand one message over; PUSH waits for a peer, PUB waits for none."""
        options, body = self._options, notification.body
        frames = [options.topic.render(body).encode(), options.payload.render(body), notification.id.encode()]
        try:
            socket = self._socket or await self._open()
            async with asyncio.timeout(QUEUE_CONFIRM_SECONDS):
                await socket.send_multipart(frames)
        except TimeoutError:
            return Retry("nobody is connected to take it")
        except zmq.ZMQError as error:
            return Retry(one_line(f"{options.endpoint}: {error}"))
        return Delivered()

    async def close(self) -> None:
        """Close the socket; what is on its way has a moment to leave."""
        if self._socket is not None:
            self._socket.close(ZEROMQ_LINGER_MILLISECONDS)
        await asyncio.to_thread(self._context.term)  # it waits until what lingers has left

    async def _open(self) -> zmq.asyncio.Socket:
        options = self._options
        # XPUB is a PUB that tells who subscribes
        socket = self._context.socket(zmq.XPUB if options.pattern == "pub" else zmq.PUSH)
        socket.setsockopt(zmq.IMMEDIATE, 1)  # queue nothing for a peer that has not answered yet
        try:
            if options.bind:
                socket.bind(options.endpoint)
            else:
                socket.connect(options.endpoint)
        except zmq.ZMQError:
            socket.close()
            raise
        self._socket = socket
        if options.pattern == "pub":
            await socket.poll(ZEROMQ_JOIN_SECONDS * 1000)  # for the first who subscribes: they reconnect after we open
        return socket
