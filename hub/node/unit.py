"""All parts that belong to one state: its store, the parts that read, evaluate and tell, and the desk that changes it.

The App is the node that a unit runs on. It makes, runs and drains the unit, and lends it what is the node's: the HTTP
client, the clock, the observer. The receivers are the unit's, as some of them speak through its session. Where the unit
loses its state to another hub (the broker has given the session away), the unit ends and not the node; the App decides
what follows.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from hub.commands.over_mqtt.desk_channel import DeskChannel
from hub.commands.service import Service
from hub.errors import HubError, SessionTakenOver
from hub.ingest.source import EventSource, Publisher
from hub.limits import DRAIN_SECONDS, GOODBYE_SECONDS
from hub.node.custody import Custody
from hub.node.receiver_pool import ReceiverPool
from hub.notify.dispatcher import Dispatcher
from hub.spine.crew import crew
from hub.spine.pipeline import Pipeline
from hub.store.store import Store

__all__ = ["Unit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One state at work. `source` and `publisher` are two sides of the same session with the broker.

    `service` is the desk; `channel`, with a session of its own, brings it requests over MQTT.
    """

    store: Store
    custody: Custody
    source: EventSource
    publisher: Publisher
    pipeline: Pipeline
    dispatcher: Dispatcher
    receivers: ReceiverPool
    service: Service
    channel: DeskChannel

    async def run(self, filters: Sequence[str], earlier: Sequence[str]) -> SessionTakenOver | None:
        """Work until drained, or until another hub takes the session: then return that error.

        `filters`, `earlier`: see Source.run.

        Raises:
            HubError: going on would be wrong: the store has died, the broker will not have us.

        """
        try:
            async with crew() as group:
                group.spawn("session", self.source.run(filters, earlier))
                group.spawn("ingest", self.pipeline.ingest())
                group.spawn("checkpoints", self.pipeline.checkpoints())
                group.spawn("timers", self.pipeline.timers.run())
                group.spawn("dispatcher", self._tell())
                group.spawn("desk", self.channel.run())
                group.spawn("store", self.custody.ended())
                await asyncio.wait(group.tasks)
        except SessionTakenOver as lost:
            return lost
        return None

    async def _tell(self) -> None:
        """Send until drained; then nobody needs the receivers any more, and they are closed, whatever ended it."""
        try:
            await self.dispatcher.run()
        finally:
            await self.receivers.close()

    async def drain(self, goodbye: Callable[[], Awaitable[None]]) -> None:
        """Take nothing more in, let sends under way end, say `goodbye`, commit, acknowledge, close: in this order.

        Each step has a bound. What a step cannot finish in time comes again after the next start.
        """
        self.store.stopping()
        await self.channel.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS / 4):
                await self.dispatcher.idle()
        await self.dispatcher.drain(DRAIN_SECONDS / 4)
        with contextlib.suppress(TimeoutError, HubError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await goodbye()
        self.pipeline.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS / 4):
                await self.pipeline.closed.wait()
        await self.source.close()
        await self.store.close()
