"""Source `nats`: a stream of JetStream, read in its order, from behind the sequence that the hub committed.

Each connection makes a consumer of its own that begins there. Messages are acknowledged after the commit, for streams
that keep a message only until then, and for people who watch how far the hub is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from hub.documents.secret import Secret
from hub.fields import Section
from hub.limits import BATCH, SOURCE_WAIT_SECONDS, SOURCE_WINDOW
from hub.notify.client_keys import NATS_URL
from hub.notify.outward.endpoint import endpoint_redactor, worded
from hub.notify.receivers.nats import NatsConnection
from hub.sources.place import TopicPlace
from hub.sources.queue import QueueMessage
from hub.sources.source_keys import NATS, NATS_STREAM, START, SUBJECT

__all__ = ["Nats", "NatsOptions"]

_PART = "sequence"
_IDLE_SECONDS = 3600.0  # the server deletes the consumer of a hub that is gone; and sends nothing twice on a connection


@dataclass(frozen=True, slots=True)
class NatsOptions:
    """A `stream` of None is looked up by the subject. `start` counts only until the first mark is committed."""

    url: Secret
    subject: str
    stream: str | None
    start: str


class Nats:
    """The kind: reads its options and makes connections."""

    keys = NATS
    names = ("subject", "stream")

    def __init__(self, options: NatsOptions, topic: TopicPlace, name: str, client_id: str) -> None:  # noqa: ARG002 - as every kind
        """Connect to nothing yet."""
        self._options, self._topic, self._client_id = options, topic, client_id
        self._redact = endpoint_redactor(options.url)

    @classmethod
    def read(cls, section: Section) -> NatsOptions:
        """Take all of its keys as they are."""
        return NatsOptions(
            section.take(NATS_URL), section.take(SUBJECT), section.take(NATS_STREAM), section.take(START)
        )

    def connection(self) -> "_Consumer":
        """Make a connection."""
        return _Consumer(self._options, self._topic, self._client_id)

    def reason(self, error: BaseException) -> str:
        """Say in words why a connection failed, without secrets."""
        return self._redact(worded(error))


class _Consumer:
    """One connection: a Queue."""

    resends = False

    def __init__(self, options: NatsOptions, topic: TopicPlace, client_id: str) -> None:
        self._options, self._topic, self._client_id = options, topic, client_id
        self._server = NatsConnection()
        self._pull: JetStreamContext.PullSubscription | None = None
        self.behind = True

    async def open(self, marks: Mapping[str, str]) -> Mapping[str, str]:
        options = self._options
        await self._server.open(options.url.reveal(), self._client_id)
        stream = self._server.jetstream()
        name = options.stream or await stream.find_stream_name_by_subject(options.subject)
        last = (await stream.stream_info(name)).state.last_seq
        begin = int(marks.get(_PART, last if options.start == "new" else 0))
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=begin + 1,
            ack_policy=AckPolicy.ALL,
            ack_wait=_IDLE_SECONDS,
            inactive_threshold=_IDLE_SECONDS,
            max_ack_pending=SOURCE_WINDOW + BATCH,
        )
        self._pull = await stream.pull_subscribe(options.subject, stream=name, config=config)
        self.behind = begin < last
        return {_PART: str(begin)}

    async def read(self) -> Sequence[QueueMessage]:
        if self._pull is None:
            return ()
        fetched: list[Msg] = []
        try:
            fetched = await self._fetch(self._pull)
        except NatsTimeoutError:
            self.behind = False
            if not self._server.is_connected:
                raise ConnectionError("the connection was lost") from None
        messages = [self._message(each) for each in fetched]
        if fetched and not fetched[-1].metadata.num_pending:
            self.behind = False
        return messages

    async def acknowledge(self, messages: Sequence[QueueMessage]) -> None:
        await messages[-1].token.ack_sync(timeout=SOURCE_WAIT_SECONDS)

    async def close(self) -> None:
        try:
            if self._pull is not None and self._server.is_connected:
                info = await self._pull.consumer_info()
                await self._server.jetstream().delete_consumer(info.stream_name, info.name)
        finally:
            await self._server.close()

    async def _fetch(self, pull: "JetStreamContext.PullSubscription") -> list[Msg]:
        fetched: list[Msg] = []

        async def fetch() -> None:
            fetched.extend(await pull.fetch(BATCH, SOURCE_WAIT_SECONDS))

        await self._server.unless_lost(fetch())
        return fetched

    def _message(self, message: Msg) -> QueueMessage:
        about = message.metadata
        topic = self._topic.topic({"subject": message.subject, "stream": about.stream})
        content_type = (message.headers or {}).get("Content-Type")
        mark = _PART, str(about.sequence.stream)
        return QueueMessage(topic, message.data, mark, message, content_type=content_type)
