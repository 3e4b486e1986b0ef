"""One connection to the NATS servers of the cluster, made anew whenever it is lost; what is sent meanwhile is not kept.

nats-py's own reconnecting is not used: it buffers what is published while there is no connection, and a commit could
be sent minutes after it was given up. Here a request fails at once, and who sent it decides what follows.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from hub.cluster.servers.nats_connection import NatsConnection
from hub.errors import HubError
from hub.limits import LINK_CONNECT_SECONDS, LINK_LEAST_PAYLOAD, LINK_REQUEST_SECONDS, LINK_WAIT_SECONDS
from hub.settings.cluster_settings import ClusterSettings

__all__ = ["Heard", "Link", "LinkError", "LinkInbox", "NobodyAnswers", "NotConnected"]

Heard = Callable[[Msg], Awaitable[None]]


class LinkError(HubError):
    """The servers cannot be asked now: no connection, or no answer in time."""


class NotConnected(LinkError):
    """There is no connection: nothing was sent."""


class NobodyAnswers(LinkError):
    """The server says that nobody listens on this subject."""


class Link:
    """The connection of one process. `said` hears when it is lost, with the reason, and "" when it is there again."""

    def __init__(
        self,
        settings: ClusterSettings,
        name: str,
        said: Callable[[str], None],
        least_payload: int = LINK_LEAST_PAYLOAD,
    ) -> None:
        """Connect to nothing yet; `name` is shown in the server's list of connections.

        A server that takes less than `least_payload` in one message is not used.
        """
        self._settings, self._name, self._said, self._least = settings, name, said, least_payload
        self._client: NatsConnection | None = None
        self._up = asyncio.Event()
        self._listeners: dict[str, Heard] = {}
        self._subscriptions: dict[str, Subscription] = {}
        """Of the listeners, on this connection."""
        self._last = 0
        self.lost: Callable[[], None] = lambda: None
        """Called at once whenever a connection has ended."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._client is not None

    @property
    def max_payload(self) -> int:
        """The most bytes that the server takes in one message; 1 MB while there is none."""
        return self._client.max_payload if self._client is not None else 1 << 20

    @property
    def server(self) -> Mapping[str, Any]:
        """What the server says of itself: its name, version, cluster and so on."""
        return self._client.about if self._client is not None else {}

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        said = set[str]()  # each reason once: a server that refuses us may also reset the connection, now and then
        try:
            while True:
                try:
                    client = await self._connect()
                except (NatsError, OSError, ssl.SSLError, ValueError) as error:
                    _unless_cancelled()
                    reason = _reason(error)
                    if reason not in said:
                        self._said(reason)
                        said.add(reason)
                    await asyncio.sleep(LINK_WAIT_SECONDS)
                    continue
                self._client = client
                _unless_cancelled()
                self._up.set()
                self._said("")
                lost = await client.until_lost()
                self._client = None
                self._up.clear()
                self.lost()
                said = {lost}
                self._said(lost)
                await client.end()
                _unless_cancelled()
        finally:
            last, self._client = self._client, None
            self._up.clear()
            if last is not None:
                await last.end()

    async def ready(self) -> None:
        """Wait until there is a connection."""
        await self._up.wait()

    async def request(
        self,
        subject: str,
        data: bytes = b"",
        headers: dict[str, str] | None = None,
        seconds: float = LINK_REQUEST_SECONDS,
    ) -> Msg:
        """Ask, and return the answer.

        Raises:
            NobodyAnswers: nobody listens there.
            NotConnected: nothing was sent.
            LinkError: no answer in time. Whether it was taken is not known.

        """
        client = self._client
        if client is None:
            raise NotConnected("no NATS server can be reached")
        try:
            return await client.unless_lost(client.request(subject, data, seconds, headers=headers), seconds)
        except NoRespondersError:
            raise NobodyAnswers(f"nobody answers on {subject}") from None
        except (NatsError, OSError, TimeoutError) as error:
            why = str(error).removeprefix("nats: ") or type(error).__name__
            raise LinkError(f"no answer on {subject}: {why}") from None

    async def publish(self, subject: str, data: bytes, reply: str = "") -> bool:
        """Send without an answer; tell whether there was a connection to send it on."""
        client = self._client
        if client is None:
            return False
        try:
            await client.publish(subject, data, reply=reply)
        except (NatsError, OSError):
            return False
        return True

    async def listen(self, subject: str, heard: Heard) -> None:
        """Call `heard` for each message on a subject, on this connection and all that follow."""
        self._listeners[subject] = heard
        if self._client is not None:
            with contextlib.suppress(NatsError, OSError):  # it has just ended: the next connection has all listeners
                self._subscriptions[subject] = await self._client.subscribe(subject, cb=heard)

    async def deafen(self, subject: str) -> None:
        """Listen no more on a subject."""
        self._listeners.pop(subject, None)
        if (subscription := self._subscriptions.pop(subject, None)) is not None:
            with contextlib.suppress(NatsError, OSError):  # the connection has gone, and the subscription with it
                await subscription.unsubscribe()

    async def inbox(self) -> "LinkInbox":
        """Return a subject of our own and what comes there, on this connection only.

        Raises:
            LinkError: there is no connection.

        """
        client = self._client
        if client is None:
            raise LinkError("no NATS server can be reached")
        made = LinkInbox(client.new_inbox())
        try:
            await made.open(client)
        except (NatsError, OSError) as error:
            raise LinkError(f"no inbox: {error}") from None
        return made

    async def _connect(self) -> NatsConnection:
        """Try the servers in turn, beginning behind the one before; raise what the last one said."""
        urls = self._settings.nats
        for attempt in range(len(urls)):
            client = NatsConnection()
            number = (self._last + attempt) % len(urls)
            try:
                async with asyncio.timeout(LINK_CONNECT_SECONDS):
                    await client.open(urls[number], self._settings, self._name)
                    client.must_take(self._least)
                    await self._subscribe(client)
            except TimeoutError:
                await client.end()
                if attempt == len(urls) - 1:
                    raise OSError(f"a server does not answer within {LINK_CONNECT_SECONDS:.0f} s") from None
            except (NatsError, OSError, ValueError):
                await client.end()
                if attempt == len(urls) - 1:
                    raise
            except BaseException:
                await client.end()
                raise
            else:
                self._last = number + 1  # where this one is lost, the next is likelier to be there
                return client
        raise LinkError("no server is named")

    async def _subscribe(self, client: NatsConnection) -> None:
        """Subscribe to what is listened to, also where a listener comes while this goes on."""
        done = set[str]()
        while missing := self._listeners.keys() - done:
            for subject in missing & self._listeners.keys():
                self._subscriptions[subject] = await client.subscribe(subject, cb=self._listeners[subject])
            await client.flush(int(LINK_CONNECT_SECONDS))
            done |= missing


def _unless_cancelled() -> None:
    """End a task that was cancelled and did not hear of it.

    nats-py waits by asyncio.wait_for, which up to Python 3.11 loses a cancellation that comes together with what it
    waits for: a connection that is refused, as a dead server does it at once. The task would go on for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class LinkInbox:
    """A subject of our own, and what comes there, in order.

    nats-py's own `next_msg` is not used: it waits by asyncio.wait_for, which up to Python 3.11 loses a cancellation
    that comes together with a message. A follower that is not ended keeps its node from owning what it has claimed.
    """

    def __init__(self, subject: str) -> None:
        """Hear nothing yet."""
        self.subject = subject
        self._came: asyncio.Queue[Msg] = asyncio.Queue()
        self._subscription: Subscription | None = None

    async def open(self, client: Client) -> None:
        """Begin to hear."""
        self._subscription = await client.subscribe(
            self.subject, cb=self._came.put, pending_msgs_limit=0, pending_bytes_limit=0
        )

    async def next(self, seconds: float) -> Msg | None:
        """Return the next message; None where none comes in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self._came.get()
        except TimeoutError:
            return None

    async def close(self) -> None:
        """Hear no more."""
        with contextlib.suppress(NatsError, OSError):  # the connection is gone, and the subscription with it
            if self._subscription is not None:
                await self._subscription.unsubscribe()


def _reason(error: Exception) -> str:
    """Say why there is no connection, and where to look: who reads it may have set up a server for the first time."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"a server's certificate is refused: {error.verify_message}; see `ca` and the addresses in `cluster`"
    said = str(error).removeprefix("nats: ") or type(error).__name__
    if "authorization" in said.lower():
        return f"{said}: a server refuses the login; see `user` and `password`, or `credentials`, in `cluster`"
    return said
