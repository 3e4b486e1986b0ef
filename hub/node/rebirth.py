"""Asks Sparkplug nodes to send their births again, where their data cannot be read without (rules/presence/births.py).

It is a command to a machine, so users have to switch it on: `sparkplug: {rebirth: true}`. It is best effort, at QoS 0
as Sparkplug wants its commands. Where a request is lost, the next message that cannot be read asks again.
"""

import asyncio
import contextlib

from hub.clock import Clock
from hub.errors import HubError
from hub.ingest.source import Publisher
from hub.ingest.sparkplug import rebirth_request
from hub.limits import REBIRTH_NODES, REBIRTH_SECONDS

__all__ = ["Rebirths"]


class Rebirths:
    """The nodes that were asked lately: at most REBIRTH_NODES in REBIRTH_SECONDS, and none of them twice."""

    def __init__(self, publisher: Publisher, clock: Clock) -> None:
        """Publish the requests by `publisher`."""
        self._publisher, self._clock = publisher, clock
        self._asked: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, node: str) -> None:
        """Ask a node (`spBv1.0/{group}/{node}`), unless it was asked lately. Called on the loop, for each message."""
        now = self._clock.monotonic()
        while self._asked and now - next(iter(self._asked.values())) >= REBIRTH_SECONDS:
            del self._asked[next(iter(self._asked))]
        if node in self._asked or len(self._asked) >= REBIRTH_NODES:
            return  # its birth may still be on its way; or somebody invents nodes to make the hub write
        self._asked[node] = now
        task = asyncio.create_task(self._send(node), name="rebirth")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, node: str) -> None:
        space, group, name = node.split("/")
        with contextlib.suppress(HubError, TimeoutError):
            async with asyncio.timeout(REBIRTH_SECONDS):
                request = rebirth_request(self._clock.now())
                await self._publisher.publish(f"{space}/{group}/NCMD/{name}", request, 0, False)
