"""A link for one command: it connects, or says why it cannot."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from hub.cluster.servers.link import Link, LinkError
from hub.limits import LINK_PATIENCE_SECONDS
from hub.settings.cluster_settings import ClusterSettings

__all__ = ["command_link"]

_FINAL = ("authorization", "certificate", "max_payload", "speaks no tls")
"""Words of a refusal that another try would meet, too."""


@contextlib.asynccontextmanager
async def command_link(settings: ClusterSettings) -> AsyncIterator[Link]:
    """Give a link that is connected.

    Raises:
        LinkError: no server can be reached, or each refuses us.

    """
    refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    said = ["no answer"]

    def hear(why: str) -> None:
        said.append(why or said[-1])
        if any(word in why.lower() for word in _FINAL) and not refused.done():
            refused.set_result(why)

    link = Link(settings, "hub cluster", hear)
    running, up = asyncio.create_task(link.run()), asyncio.create_task(link.ready())
    try:
        waits: list[asyncio.Future[Any]] = [up, refused, running]
        await asyncio.wait(waits, timeout=LINK_PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()  # it ends by a fault only, which is not to be taken for servers that are away
        if not up.done():
            raise LinkError(f"no NATS server can be reached: {said[-1]}")
        yield link
    finally:
        running.cancel()
        up.cancel()
        refused.cancel()
        await asyncio.gather(running, up, return_exceptions=True)
