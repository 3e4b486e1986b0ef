"""Receiver `redis`: an entry of a stream or a list, or a message on a channel; delivered when the server has answered.

It stands on redis-py, without FastStream: that one puts each message into a binary envelope that
only FastStream reads.
"""

from dataclasses import dataclass, field

from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry as Attempts
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError

from hub.documents.secret import Secret
from hub.fields import Section
from hub.limits import QUEUE_CONFIRM_SECONDS, QUEUE_CONNECT_SECONDS
from hub.model import Delivered, Notification, Outcome, Retry
from hub.notify.client_keys import PAYLOAD, REDIS, REDIS_CHANNEL, REDIS_LIST, REDIS_MAXLEN, REDIS_STREAM, REDIS_URL
from hub.notify.outward.address import Address, QueuePayload
from hub.notify.outward.endpoint import endpoint_redactor, worded
from hub.notify.receiver import Toolbox

__all__ = ["Redis", "RedisOptions"]

_KINDS = (REDIS_STREAM, REDIS_LIST, REDIS_CHANNEL)


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """`kind` tells what `key` names: a stream, a list or a channel."""

    url: Secret
    kind: str
    key: Address
    maxlen: int | None
    payload: QueuePayload = field(default_factory=QueuePayload)


class Redis:
    """XADD with the fields `id` and `payload`, RPUSH, or PUBLISH; the client's pool keeps the connections."""

    keys = REDIS

    def __init__(self, options: RedisOptions, toolbox: Toolbox) -> None:
        """Connect to nothing yet."""
        self._options = options
        self._redact = endpoint_redactor(options.url)
        self._client = Client.from_url(
            options.url.reveal(),
            client_name=toolbox.client_id,
            socket_connect_timeout=QUEUE_CONNECT_SECONDS,
            socket_timeout=QUEUE_CONFIRM_SECONDS,
            retry=Attempts(NoBackoff(), 0),  # the dispatcher's retry is the only one
        )

    @classmethod
    def read(cls, section: Section) -> RedisOptions:
        """Take one of a stream, a list and a channel; only a stream has a length."""
        url = section.take(REDIS_URL, default=Secret("redis://localhost"))
        found = {key.name: section.take(key) for key in _KINDS}
        written = [key.name for key in _KINDS if key in section]
        if len(written) != 1:
            section.report(section.node.problem(f"{section.what} needs one of 'stream', 'list', 'channel'"))
        kind = written[0] if written else REDIS_STREAM.name
        maxlen = section.take(REDIS_MAXLEN)
        if maxlen is not None and kind != "stream":
            section.report(section.node.key_problem("maxlen", "'maxlen' belongs to 'stream'"))
        return RedisOptions(url, kind, found[kind] or Address(""), maxlen, section.take(PAYLOAD))

    async def send(self, notification: Notification) -> Outcome:
        """Make one command and wait for the answer."""
        try:
            await self._command(notification)
        except AuthenticationError as error:
            return Retry(self._redact(f"the server refuses the login: {error}"))
        except (RedisError, OSError) as error:
            return Retry(self._redact(f"the server has not taken it: {worded(error)}"))
        return Delivered()

    async def close(self) -> None:
        """Disconnect."""
        await self._client.aclose()

    async def _command(self, notification: Notification) -> None:
        options, body = self._options, notification.body
        key, data = options.key.render(body), options.payload.render(body)
        if options.kind == "stream":
            await self._client.xadd(key, {"id": notification.id, "payload": data}, maxlen=options.maxlen)
        elif options.kind == "list":
            await self._client.rpush(key, data)
        else:
            await self._client.publish(key, data)
