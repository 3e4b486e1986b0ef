"""Source `redis`: a stream, read in its order, from behind the entry that the hub committed.

That needs no consumer group, and none is made: with a group the order would be lost when a reader ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry as Attempts
from redis.backoff import NoBackoff

from hub.documents.secret import Secret
from hub.fields import Section
from hub.limits import BATCH, QUEUE_CONFIRM_SECONDS, QUEUE_CONNECT_SECONDS, SOURCE_WAIT_SECONDS
from hub.notify.client_keys import REDIS_URL
from hub.notify.outward.endpoint import endpoint_redactor, worded
from hub.sources.place import TopicPlace
from hub.sources.queue import QueueMessage
from hub.sources.source_keys import REDIS, REDIS_FIELD, REDIS_STREAM, START

__all__ = ["Redis", "RedisOptions"]

_PART = "entry"


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """`field` holds the payload of an entry; where an entry has no such field, all of its fields are the payload.

    `start` counts only until the first mark is committed.
    """

    url: Secret
    stream: str
    field: str
    start: str


class Redis:
    """The kind: reads its options and makes connections."""

    keys = REDIS
    names = ("stream",)

    def __init__(self, options: RedisOptions, topic: TopicPlace, name: str, client_id: str) -> None:  # noqa: ARG002 - as every kind
        """Connect to nothing yet."""
        self._options, self._topic, self._client_id = options, topic, client_id
        self._redact = endpoint_redactor(options.url)

    @classmethod
    def read(cls, section: Section) -> RedisOptions:
        """Take all of its keys as they are."""
        return RedisOptions(
            section.take(REDIS_URL), section.take(REDIS_STREAM), section.take(REDIS_FIELD), section.take(START)
        )

    def connection(self) -> "_Reader":
        """Make a connection."""
        return _Reader(self._options, self._topic, self._client_id)

    def reason(self, error: BaseException) -> str:
        """Say in words why a connection failed, without secrets."""
        return self._redact(worded(error))


class _Reader:
    """One connection: a Queue."""

    resends = False

    def __init__(self, options: RedisOptions, topic: TopicPlace, client_id: str) -> None:
        self._options = options
        self._client = Client.from_url(
            options.url.reveal(),
            client_name=client_id,
            socket_connect_timeout=QUEUE_CONNECT_SECONDS,
            socket_timeout=SOURCE_WAIT_SECONDS + QUEUE_CONFIRM_SECONDS,
            retry=Attempts(NoBackoff(), 0),
        )
        self._topic = topic.topic({"stream": options.stream})
        self._last = ""
        self.behind = True

    async def open(self, marks: Mapping[str, str]) -> Mapping[str, str]:
        newest: Any = await self._client.xrevrange(self._options.stream, count=1)
        end = newest[0][0].decode() if newest and self._options.start == "new" else "0-0"
        self._last = marks.get(_PART, end)
        return {_PART: self._last}

    async def read(self) -> Sequence[QueueMessage]:
        wait = None if self.behind else int(SOURCE_WAIT_SECONDS * 1000)
        found: Any = await self._client.xread({self._options.stream: self._last}, count=BATCH, block=wait)
        entries = found[0][1] if found else []
        self.behind = len(entries) == BATCH
        if entries:
            self._last = entries[-1][0].decode()
        return [self._message(key.decode(), fields) for key, fields in entries]

    async def acknowledge(self, messages: Sequence[QueueMessage]) -> None:
        """Do nothing: the position is the hub's own, and a stream keeps its entries."""

    async def close(self) -> None:
        await self._client.aclose()

    def _message(self, key: str, fields: Mapping[bytes, bytes]) -> QueueMessage:
        payload = fields.get(self._options.field.encode())
        if payload is None:  # then the producer's own fields are what rules see
            text = {name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, value in fields.items()}
            payload = orjson.dumps(text)
        return QueueMessage(self._topic, payload, (_PART, key))
