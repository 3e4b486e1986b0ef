"""How the doctor waits: until nothing comes any more."""

import asyncio
import contextlib

from hub.ingest.mqtt.packet import Packet
from hub.ingest.mqtt.session import Session

__all__ = ["QUIET_SECONDS", "all_until_quiet"]

QUIET_SECONDS = 1.0  # nothing more comes when nothing came for so long


async def all_until_quiet(session: Session, *, acknowledge: bool = True) -> list[Packet]:
    """Receive until nothing comes any more."""
    if acknowledge:
        session.acknowledge(session.handed)
    found: list[Packet] = []
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(QUIET_SECONDS):
                found += await session.receive()
            if acknowledge:
                session.acknowledge(session.handed)
    return found
