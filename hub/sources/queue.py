"""The seam to the queues: what a kind of source has to do, one file below `kinds/` each. QueueReader does the rest.

A queue with a log (Kafka, JetStream, a Redis stream) is read from the position that the hub committed with its own
state; the queue's own bookkeeping only follows. A queue without one (AMQP) sends again what was not acknowledged.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hub.fields import Section
from hub.model import Delivery
from hub.sources.place import TopicPlace

__all__ = ["Queue", "QueueKind", "QueueMessage"]


class QueueMessage(Delivery):
    """One message of a queue.

    `mark` is its place in the queue, (part, position); None where the queue has no positions. `token` is for the kind's
    own use, to acknowledge it. `time`: see Delivery.
    """

    __slots__ = ("mark", "token")

    def __init__(
        self,
        topic: str,
        payload: bytes,
        mark: tuple[str, str] | None = None,
        token: Any = None,
        time: float | None = None,
        content_type: str | None = None,
    ) -> None:
        """Take what came. Rules see 0 as its `qos`, because it did not come by MQTT."""
        super().__init__(topic, payload, qos=0, time=time, content_type=content_type)
        self.mark, self.token = mark, token


class Queue(Protocol):
    """One connection to a queue, used once.

    `resends` tells whether messages that were read and not acknowledged come again by the next connection.
    """

    resends: bool

    @property
    def behind(self) -> bool:
        """Whether the queue holds messages from before this connection that were not read yet."""
        ...

    async def open(self, marks: Mapping[str, str]) -> Mapping[str, str]:
        """Connect, to go on behind these marks; return the marks behind which it really begins.

        Raises:
            Exception: it cannot be reached. QueueReader says so in the words of `reason`, and tries again.

        """
        ...

    async def read(self) -> Sequence[QueueMessage]:
        """Wait for messages and return some, in order; none after SOURCE_WAIT_SECONDS or when `behind` has changed."""
        ...

    async def acknowledge(self, messages: Sequence[QueueMessage]) -> None:
        """Tell the queue that everything these messages caused is on disk; they are in order of receipt."""
        ...

    async def close(self) -> None:
        """Disconnect; called also where `open` has failed."""
        ...


class QueueKind(Protocol):
    """What an entry point of `hub.sources` names: a class that reads its options and makes connections.

    It may have `keys`, a KeyTable, by which `hub schema` describes it.
    """

    names: tuple[str, ...]
    """What may stand in the braces of `topic`."""

    def __init__(self, options: Any, topic: TopicPlace, name: str, client_id: str) -> None:
        """Take the options that `read` made, the topic, the source's name and our client id; open nothing yet."""
        ...

    @classmethod
    def read(cls, section: Section) -> Any:
        """Take the kind's keys from its mapping; the caller reports keys that were not taken."""
        ...

    def connection(self) -> Queue:
        """Make a connection that is not open yet."""
        ...

    def reason(self, error: BaseException) -> str:
        """Say in words what went wrong, without a secret."""
        ...
