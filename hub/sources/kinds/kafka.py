"""Source `kafka`: all partitions of a topic, each in its order, from the offsets that the hub committed.

After each commit the cluster is told the offsets, too, under a group named after our client id, for people who watch
how far the hub is. The group shares nothing: one hub reads all partitions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from hub.fields import Section
from hub.limits import BATCH, SOURCE_WAIT_SECONDS
from hub.notify.outward.endpoint import endpoint_redactor, worded
from hub.notify.receivers.kafka import KafkaLogin, login
from hub.sources.place import TopicPlace
from hub.sources.queue import QueueMessage
from hub.sources.source_keys import KAFKA, START, TOPIC

__all__ = ["Kafka", "KafkaOptions"]


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """`start` counts only until the first mark is committed."""

    login: KafkaLogin
    topic: str
    start: str


class Kafka:
    """The kind: reads its options and makes connections."""

    keys = KAFKA
    names = ("topic", "key", "partition")

    def __init__(self, options: KafkaOptions, topic: TopicPlace, name: str, client_id: str) -> None:
        """Connect to nothing yet."""
        self._options, self._topic = options, topic
        self._group, self._client_id = f"{client_id}-{name}", client_id
        self._redact = endpoint_redactor(None, [options.login.password])

    @classmethod
    def read(cls, section: Section) -> KafkaOptions:
        """Take the login as the receiver does."""
        return KafkaOptions(login(section), section.take(TOPIC), section.take(START))

    def connection(self) -> "_Consumer":
        """Make a connection."""
        return _Consumer(self._options, self._topic, self._group, self._client_id)

    def reason(self, error: BaseException) -> str:
        """Say in words why a connection failed, without secrets."""
        return self._redact(worded(error))


class _Consumer:
    """One connection: a Queue."""

    resends = False

    def __init__(self, options: KafkaOptions, topic: TopicPlace, group: str, client_id: str) -> None:
        self._options, self._topic = options, topic
        self._consumer = AIOKafkaConsumer(
            **options.login.arguments(),
            client_id=client_id,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # where the cluster has already deleted what the mark names
        )
        self._parts: list[TopicPartition] = []
        self._missing: dict[TopicPartition, int] = {}
        """For each partition that we are behind in: the offset up to which it must be read."""

    @property
    def behind(self) -> bool:
        return bool(self._missing)

    async def open(self, marks: Mapping[str, str]) -> Mapping[str, str]:
        consumer, new = self._consumer, self._options.start == "new"
        await consumer.start()
        topic = self._options.topic
        if topic not in await consumer.topics():
            raise ConnectionError(f"the cluster has no topic {topic!r}")
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.end_offsets([TopicPartition(topic, 0)])  # after that answer it knows the other partitions
        self._parts = [TopicPartition(topic, number) for number in self._partitions()]
        consumer.assign(self._parts)
        first, end = await consumer.beginning_offsets(self._parts), await consumer.end_offsets(self._parts)
        begin = {
            part: int(marks.get(str(part.partition), (end if new else first)[part] - 1)) + 1 for part in self._parts
        }
        for part, offset in begin.items():
            consumer.seek(part, offset)
        self._missing = {part: end[part] for part in self._parts if begin[part] < end[part]}
        return {str(part.partition): str(offset - 1) for part, offset in begin.items()}

    async def read(self) -> Sequence[QueueMessage]:
        found = await self._consumer.getmany(timeout_ms=int(SOURCE_WAIT_SECONDS * 1000), max_records=BATCH)
        for part, records in found.items():
            if records[-1].offset + 1 >= self._missing.get(part, 0):
                self._missing.pop(part, None)
        if len(self._partitions()) != len(self._parts):  # a new connection assigns all of them
            raise ConnectionError("the topic has other partitions now")
        return [self._message(part, record) for part, records in found.items() for record in records]

    async def acknowledge(self, messages: Sequence[QueueMessage]) -> None:
        await self._consumer.commit({each.token: int(each.mark[1]) + 1 for each in messages if each.mark})

    async def close(self) -> None:
        await self._consumer.stop()

    def _partitions(self) -> list[int]:
        return sorted(self._consumer.partitions_for_topic(self._options.topic) or ())

    def _message(self, part: TopicPartition, record: ConsumerRecord) -> QueueMessage:
        key = (record.key or b"").decode("utf-8", "replace")
        names = {"topic": part.topic, "key": key, "partition": str(part.partition)}
        kinds = [value for name, value in record.headers or () if name.lower() == "content-type" and value]
        return QueueMessage(
            self._topic.topic(names),
            record.value or b"",
            (names["partition"], str(record.offset)),
            part,
            content_type=kinds[0].decode("utf-8", "replace") if kinds else None,
        )
