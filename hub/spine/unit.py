"""What belongs to one state: the store, what is read, evaluated and told from it, and the desk that may change it.

The App, the node that it runs on, makes it, runs it, drains it, and lends it what is the node's: receivers, the HTTP
client, the clock, who looks on. Who has lost the state to another (the broker has given the session away) is at an end
with the unit, and not with the node; what follows from that, the App decides.
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
from hub.notify.dispatcher import Dispatcher
from hub.spine.crew import crew
from hub.spine.pipeline import Pipeline
from hub.store.store import Store

__all__ = ["Unit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One state at work. `source` and `publisher` are the same session with the broker.

    `service` is the desk; `channel`, with a session of its own, is its way over MQTT.
    """

    store: Store
    custody: Custody
    source: EventSource
    publisher: Publisher
    pipeline: Pipeline
    dispatcher: Dispatcher
    service: Service
    channel: DeskChannel

    async def run(self, filters: Sequence[str], earlier: Sequence[str]) -> SessionTakenOver | None:
        """Work until it is drained; or until another takes the session, and then return that.

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
                group.spawn("dispatcher", self.dispatcher.run())
                group.spawn("desk", self.channel.run())
                group.spawn("store", self.custody.ended())
                await asyncio.wait(group.tasks)
        except SessionTakenOver as lost:
            return lost
        return None

    async def drain(self, goodbye: Callable[[], Awaitable[None]]) -> None:
        """Take in nothing more, let what is under way end, say `goodbye`, commit, acknowledge, close."""
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
