"""What the hub says of itself on MQTT, past the outbox: that it is there (`…/status`), or that its state is lost.

It goes past the outbox because an old "online" must not be sent later, and because the outbox may be what is lost.
"""

import asyncio
import contextlib

import orjson

from hub import __version__
from hub.clock import Clock, rfc3339
from hub.errors import HubError
from hub.ingest.mqtt.session import Will
from hub.ingest.source import Publisher

__all__ = ["OwnStatus"]


class OwnStatus:
    """Speaks below the hub's prefix. `since` is when this process was started."""

    def __init__(self, prefix: str, since: str, clock: Clock) -> None:
        """Take what the messages say; nothing is published yet, because the session needs the will first."""
        self._prefix, self._since, self._clock = prefix, since, clock
        self._topic = f"{prefix}/status"
        self._saying: set[asyncio.Task[None]] = set()

    @property
    def will(self) -> Will:
        """What the broker publishes for us when we vanish."""
        return Will(self._topic, self._payload("offline"))

    def online(self, publisher: Publisher) -> None:
        """Say that the hub is there, in a task of its own: a broker that is slow to take it holds up nothing."""
        task = asyncio.create_task(self._online(publisher), name="say")
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    async def _online(self, publisher: Publisher) -> None:
        with contextlib.suppress(HubError):
            await publisher.publish(self._topic, self._payload("online"), retain=True)

    async def offline(self, publisher: Publisher) -> None:
        """Say that the hub ends in good order.

        Raises:
            SessionError: the broker does not take it.

        """
        await publisher.publish(self._topic, self._payload("offline"), retain=True)

    async def lost(self, publisher: Publisher, detail: str) -> None:
        """Say that state is lost. Where the broker cannot be told, nothing is done: the log has it anyway."""
        payload = {"event": "state_lost", "detail": detail, "time": rfc3339(self._clock.now())}
        with contextlib.suppress(HubError):
            await publisher.publish(f"{self._prefix}/events/state_lost", orjson.dumps(payload))

    def _payload(self, status: str) -> bytes:
        return orjson.dumps({"status": status, "version": __version__, "since": self._since})
