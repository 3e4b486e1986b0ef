"""Receiver `nats`: a message each; with `stream` delivered when JetStream has stored it, else when the server has it.

It stands on nats-py, without FastStream: that one loses a connection that was refused without closing it. nats-py's own
reconnecting is not used: it keeps what is published meanwhile, and would send it after we had given it up.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError, SecureConnWantedError
from nats.js.errors import BadRequestError, NoStreamResponseError

from hub.documents.secret import Secret
from hub.fields import Section
from hub.limits import QUEUE_CONFIRM_SECONDS, QUEUE_CONNECT_SECONDS, SEND_WINDOW
from hub.model import Delivered, Notification, Outcome, Rejected, Retry
from hub.notify.client_keys import NATS, NATS_STREAM, NATS_SUBJECT, NATS_URL, PAYLOAD
from hub.notify.outward.address import Address, QueuePayload
from hub.notify.outward.endpoint import endpoint_redactor, worded
from hub.notify.outward.kept_connection import KeptConnection
from hub.notify.receiver import Toolbox

__all__ = ["Nats", "NatsOptions"]


@dataclass(frozen=True, slots=True)
class NatsOptions:
    """`stream` is JetStream's, None for plain NATS, which keeps nothing."""

    url: Secret
    subject: Address
    stream: Address | None
    payload: QueuePayload = field(default_factory=QueuePayload)


class Nats:
    """Publishes over one connection. JetStream drops a repetition by the header Nats-Msg-Id."""

    keys = NATS
    concurrency = SEND_WINDOW

    def __init__(self, options: NatsOptions, toolbox: Toolbox) -> None:
        """Connect to nothing yet."""
        self._options, self._client_id = options, toolbox.client_id
        self._redact = endpoint_redactor(options.url)
        self._link = KeptConnection(self._open, NatsConnection.close)

    @classmethod
    def read(cls, section: Section) -> NatsOptions:
        """Read `url`, `subject`, `stream` and `payload`."""
        return NatsOptions(
            section.take(NATS_URL), section.take(NATS_SUBJECT), section.take(NATS_STREAM), section.take(PAYLOAD)
        )

    async def send(self, notification: Notification) -> Outcome:
        """Publish one message and wait for the server's word."""
        server = None
        try:
            server = await self._link.get()
            async with asyncio.timeout(QUEUE_CONFIRM_SECONDS):
                await server.unless_lost(self._publish(server, notification))
        except (MaxPayloadError, BadRequestError) as error:
            return Rejected(self._redact(f"the server refuses it: {error}"))
        except NoStreamResponseError:
            return Retry("no stream answers for this subject", perhaps=False)
        except (NatsError, OSError) as error:
            if server is not None:
                self._link.drop(server)
            said = "it was not confirmed in time" if isinstance(error, TimeoutError) else worded(error)
            return Retry(self._redact(f"the server has not taken it: {said}"), perhaps=server is not None)
        return Delivered()

    async def close(self) -> None:
        """Disconnect."""
        await self._link.close()

    async def _publish(self, server: "NatsConnection", notification: Notification) -> None:
        options, body = self._options, notification.body
        data, subject = options.payload.render(body), options.subject.render(body)
        headers = {"Nats-Msg-Id": notification.id, "Content-Type": options.payload.content_type}
        if options.stream is None:
            await server.publish(subject, data, headers=headers)
            await server.flush(int(QUEUE_CONFIRM_SECONDS))  # the answer to a PING: the server has it
        else:
            stream = options.stream.render(body)
            await server.jetstream().publish(subject, data, QUEUE_CONFIRM_SECONDS, stream, headers)

    async def _open(self) -> "NatsConnection":
        server = NatsConnection()
        try:
            await server.open(self._options.url.reveal(), self._client_id)
        except BaseException:
            await server.close()
            raise
        return server


class NatsConnection(Client):
    """A connection that fails at once what waits for an answer when it ends, where nats-py lets it wait."""

    async def open(self, url: str, client_id: str) -> None:
        """Connect once."""
        self._lost, self._ever_up = asyncio.Event(), False
        parts = urlsplit(url)
        # nats-py would take user and password as they are written, %40 and all
        user, password = (unquote(each) if each else None for each in (parts.username, parts.password))
        await self.connect(
            urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])),
            user=user if password else None,
            password=password,
            token=None if password else user,
            name=client_id,
            allow_reconnect=False,
            connect_timeout=int(QUEUE_CONNECT_SECONDS),
            error_cb=self._failed,
            closed_cb=self._closed,
        )
        self._ever_up = True

    async def unless_lost(self, work: Coroutine[Any, Any, None]) -> None:
        """Do some work on this connection.

        Raises:
            OSError: the connection ended first.

        """
        tasks = asyncio.create_task(work), asyncio.create_task(self._lost.wait())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not tasks[0].done():
                raise ConnectionError("the connection was lost")
            tasks[0].result()
        finally:
            for task in tasks:
                task.cancel()

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        """Hear what the server offers, before anything is said to it: nats-py would go on without the TLS of tls://."""
        asked = self._current_server is not None and self._current_server.uri.scheme == "tls"
        if asked and initial_connection and not info.get("tls_required"):
            if not info.get("tls_available"):
                raise SecureConnWantedError
            info["tls_required"] = True  # it takes both, and we want that
        await super()._process_info(info, initial_connection)

    async def _failed(self, error: Exception) -> None:
        if not self._ever_up:
            raise error  # or nats-py would try again, without end, and never say why

    async def _closed(self) -> None:
        self._lost.set()
