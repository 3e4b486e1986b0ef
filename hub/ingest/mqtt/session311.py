"""The MQTT 3.1.1 session, on aiomqtt and paho-mqtt: for brokers that know nothing newer.

The older protocol lacks some things. It has no receive maximum: beyond ours we stop reading the socket. It gives no
reasons: a denied publish looks like one that was taken, and a takeover shows only as Rival says. It has no session
expiry: the broker decides. Retained messages come again with the first subscription of each process. The question
whose answer proves that the broker has our acknowledgements (see Fence) is an UNSUBSCRIBE of a filter that nobody uses,
because paho shows no PINGRESP.
"""

import asyncio
import math

from hub.errors import Disconnected, PublishRefused, SessionError
from hub.ingest.mqtt.client311 import Client311, Delivery311
from hub.ingest.mqtt.lifetime import Lifetime
from hub.ingest.source import Properties
from hub.limits import SEND_WINDOW

__all__ = ["Session311"]

_QUESTION = "hub/-/question"


class Session311(Lifetime):
    """A Session that speaks MQTT 3.1.1."""

    def _prepare(self) -> None:
        """Make what only this protocol needs; see Lifetime."""
        self._client: Client311 | None = None
        self._places = asyncio.Semaphore(SEND_WINDOW)
        self._question: asyncio.Task[None] | None = None

    def acknowledge(self, position: int) -> None:
        """Acknowledge up to a position; see Source.acknowledge."""
        settled = self._inbox.settle(position)
        if settled and self._client is not None:
            self._client.acknowledge(settled)
            if self._inbox.outstanding < self._settings.receive_maximum:
                self._client.hold(False)
        self._fence.acknowledged()

    async def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int = 1,
        retain: bool = False,
        properties: Properties | None = None,  # noqa: ARG002 - MQTT 3.1.1 has none
    ) -> None:
        """Publish, without properties; see Publisher.publish. A publish that is sent again has no DUP."""
        self._check_publish(topic)
        async with self._places:
            while True:
                client = await self._connected()
                try:
                    await client.answer(client.publish(topic, payload, qos, retain, timeout=math.inf))
                except Disconnected:
                    continue
                except ValueError as error:
                    raise PublishRefused(f"{topic[:200]!r} cannot be published to: {error}") from error
                return

    async def _hang_up(self) -> None:
        """End the connection in good order, where there is one."""
        client = self._client
        if client is not None and self._up.is_set():
            await client.finish()
        elif client is not None:
            client.abort()

    # what a connection tells

    def connack(self, *, resumed: bool) -> None:
        """Hear that the broker took us."""
        self._inbox.connected(resumed=resumed)

    def delivery(self, delivery: Delivery311) -> None:
        """Hear a PUBLISH."""
        self._inbox.put([delivery])
        if self._inbox.outstanding >= self._settings.receive_maximum and self._client is not None:
            self._client.hold(True)

    # a connection from its beginning to its end

    async def _live(self) -> None:
        """Make one connection and stay until it ends; raise why it ended."""
        client = self._client = Client311(self._turns.now, self._will, self._tls, self, self._turns.seconds)
        try:
            async with self._until_closed(None, f"{self._settings} did not answer before we closed"):
                await client.open()
            if self._closed.is_set():
                await client.finish()
                return
            client.keep_alive(self._fence.ask)
            lost = self._greeted(resumed=client.resumed)
            refused = await self._subscriptions.greet()
            self._subscribed(lambda: self._ask(client), refused, resumed=client.resumed, lost=lost)
            raise await client.ended()
        finally:
            self._down(client)

    def _down(self, client: Client311) -> None:
        """Settle what belonged to a connection that has ended."""
        self._client = None
        self._up.clear()
        self._fence.disconnected()
        self._inbox.disconnected()
        if self._question is not None:
            self._question.cancel()
        client.abort()

    async def _subscribe(self, topic_filter: str) -> str:
        client = self._client
        if client is None:
            raise Disconnected("not connected")
        (code,) = await client.answer(client.subscribe(topic_filter, 1, timeout=math.inf))
        return str(code).lower() if getattr(code, "value", code) >= 0x80 else ""

    async def _unsubscribe(self, topic_filter: str) -> str:
        client = self._client
        if client is None:
            raise Disconnected("not connected")
        await client.answer(client.unsubscribe(topic_filter, timeout=math.inf))
        return ""

    def _ask(self, client: Client311) -> None:
        self._question = asyncio.create_task(self._ask_and_wait(client), name="mqtt question")

    async def _ask_and_wait(self, client: Client311) -> None:
        try:
            await client.answer(client.unsubscribe(_QUESTION, timeout=math.inf))
        except SessionError:
            return  # the connection has ended: its own task knows
        self._fence.answered()

    async def _connected(self) -> Client311:
        while True:
            await self._up.wait()
            self._check_open()
            if self._client is not None:
                return self._client
            await asyncio.sleep(0)
