"""Source `zeromq`: messages that come to a SUB or PULL socket of ours, without a broker.

ZeroMQ has no acknowledgement and keeps nothing. What comes while the hub is away is lost, and so is what was read and
not committed when the hub crashes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import zmq
import zmq.asyncio

from hub.fields import Section
from hub.limits import BATCH
from hub.notify.outward.endpoint import worded
from hub.printable import one_line
from hub.sources.place import TopicPlace
from hub.sources.queue import QueueMessage
from hub.sources.source_keys import BIND, CONNECT, PATTERN, PREFIX, ZEROMQ

__all__ = ["ZeroMq", "ZeroMqOptions"]


@dataclass(frozen=True, slots=True)
class ZeroMqOptions:
    """`prefix` is what a SUB socket subscribes to: the beginning of the first frame."""

    endpoint: str
    bind: bool
    pattern: str
    prefix: str


class ZeroMq:
    """The kind: reads its options and makes sockets."""

    keys = ZEROMQ
    names = ("frame",)

    def __init__(self, options: ZeroMqOptions, topic: TopicPlace, name: str, client_id: str) -> None:  # noqa: ARG002 - as every kind
        """Open nothing yet."""
        self._options, self._topic = options, topic

    @classmethod
    def read(cls, section: Section) -> ZeroMqOptions:
        """Take one endpoint, a peer's or ours."""
        connect, bind = section.take(CONNECT), section.take(BIND)
        if ("connect" in section) == ("bind" in section):
            section.report(section.node.problem(f"{section.what} needs either 'connect' or 'bind'"))
        return ZeroMqOptions(bind or connect, "bind" in section, section.take(PATTERN), section.take(PREFIX))

    def connection(self) -> "_Socket":
        """Make a socket."""
        return _Socket(self._options, self._topic)

    def reason(self, error: BaseException) -> str:
        """Say in words why a connection failed, without secrets."""
        return one_line(f"{self._options.endpoint}: {worded(error)}")


class _Socket:
    """One connection: a Queue."""

    resends = False

    behind = False

    def __init__(self, options: ZeroMqOptions, topic: TopicPlace) -> None:
        self._options, self._topic = options, topic
        self._context = zmq.asyncio.Context(io_threads=1)
        self._socket = self._context.socket(zmq.SUB if options.pattern == "sub" else zmq.PULL)

    async def open(self, marks: Mapping[str, str]) -> Mapping[str, str]:
        options, socket = self._options, self._socket
        if options.pattern == "sub":
            socket.subscribe(options.prefix)
        (socket.bind if options.bind else socket.connect)(options.endpoint)
        return marks

    async def read(self) -> Sequence[QueueMessage]:
        came = [await self._socket.recv_multipart()]
        while len(came) < BATCH and await self._socket.poll(0):
            came.append(await self._socket.recv_multipart())
        return [self._message(frames) for frames in came]

    async def acknowledge(self, messages: Sequence[QueueMessage]) -> None:
        """Do nothing: ZeroMQ has no acknowledgement."""

    async def close(self) -> None:
        self._socket.close(0)
        self._context.term()

    def _message(self, frames: Sequence[bytes]) -> QueueMessage:
        """Make a message: the payload is the second frame, or the only one."""
        first = frames[0].decode("utf-8", "replace") if len(frames) > 1 else ""
        return QueueMessage(self._topic.topic({"frame": first}), frames[min(1, len(frames) - 1)])
