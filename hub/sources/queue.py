"""The seam to the queues: what a kind of source is, one file below `kinds/` each; `source` owns everything else.

A kind with a log (Kafka, JetStream, a Redis stream) is read from the position that the hub committed with its own
state; the queue's own bookkeeping only follows. One without (AMQP) sends again what was not acknowledged.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hub.fields import Section
from hub.model import Delivery
from hub.sources.place import TopicPlace

__all__ = ["Queue", "QueueKind", "QueueMessage"]


class QueueMessage(Delivery):
    """What came out of a queue.

    `mark` is where it stood there, (part, position), None where there is no such thing. `token` is the queue's own, for
    its acknowledgement. `time`: see Delivery.
    """

    __slots__ = ("mark", "token")

    def __init__(
        self,
        topic: str,
        payload: bytes,
        mark: tuple[str, str] | None = None,
        token: Any = None,
        time: float | None = None,
    ) -> None:
        """Keep what came. Rules see 0 as its `qos`: it came by no MQTT."""
        super().__init__(topic, payload, qos=0, time=time)
        self.mark, self.token = mark, token


class Queue(Protocol):
    """One connection to a queue, used once.

    `resends` tells whether what was not acknowledged comes again by the next connection, whatever was read.
    """

    resends: bool

    @property
    def behind(self) -> bool:
        """Whether the queue holds messages from before this connection that were not read yet."""
        ...

    async def open(self, marks: Mapping[str, str]) -> Mapping[str, str]:
        """Connect, to read on behind these marks; return those that it does read on behind.

        Raises:
            Exception: it cannot be reached; the source words it, tells it and tries again.

        """
        ...

    async def read(self) -> Sequence[QueueMessage]:
        """Wait for messages and return some, in order; none where it only learned that it is not behind any more."""
        ...

    async def acknowledge(self, messages: Sequence[QueueMessage]) -> None:
        """Tell the queue that everything these messages caused is on disk; they are in order of receipt."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class QueueKind(Protocol):
    """What an entry point of `hub.sources` names: a class that reads its options and makes connections.

    It may have `keys`, a KeyTable, by which `hub schema` describes it.
    """

    names: tuple[str, ...]
    """What may stand in the braces of `topic`."""

    def __init__(self, options: Any, topic: TopicPlace, name: str, client_id: str) -> None:
        """Take the options `read` made, the topic of the rules, the source's name and ours; open nothing yet."""
        ...

    @classmethod
    def read(cls, section: Section) -> Any:
        """Take the kind's keys from its mapping; the caller reports what was not taken."""
        ...

    def connection(self) -> Queue:
        """Make a connection that is not open yet."""
        ...

    def reason(self, error: BaseException) -> str:
        """Word what went wrong, without a secret."""
        ...
