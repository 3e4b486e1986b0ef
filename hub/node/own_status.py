"""What the hub says of itself on MQTT, past the outbox: whether it is there (`…/status`), or its state is lost."""

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
        """Say nothing yet: the session with the broker takes the will first."""
        self._prefix, self._since, self._clock = prefix, since, clock
        self._topic = f"{prefix}/status"
        self._saying: set[asyncio.Task[None]] = set()

    @property
    def will(self) -> Will:
        """What the broker says when we vanish."""
        return Will(self._topic, self._payload("offline"))

    def online(self, publisher: Publisher) -> None:
        """Say that the hub is there, beside all else: a broker that is slow to take it holds up nothing."""
        task = asyncio.create_task(self._online(publisher), name="say")
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    async def _online(self, publisher: Publisher) -> None:
        with contextlib.suppress(HubError):
            await publisher.publish(self._topic, self._payload("online"), retain=True)

    async def offline(self, publisher: Publisher) -> None:
        """Say that it goes.

        Raises:
            SessionError: the broker does not take it.

        """
        await publisher.publish(self._topic, self._payload("offline"), retain=True)

    async def lost(self, publisher: Publisher, detail: str) -> None:
        """Say that state is lost, if the broker can be told."""
        payload = {"event": "state_lost", "detail": detail, "time": rfc3339(self._clock.now())}
        with contextlib.suppress(HubError):
            await publisher.publish(f"{self._prefix}/events/state_lost", orjson.dumps(payload))

    def _payload(self, status: str) -> bytes:
        return orjson.dumps({"status": status, "version": __version__, "since": self._since})
