"""How the doctor waits for messages: until none has come for QUIET_SECONDS."""

import asyncio
import contextlib

from hub.ingest.mqtt.packet import Packet
from hub.ingest.mqtt.session import Session

__all__ = ["QUIET_SECONDS", "all_until_quiet"]

QUIET_SECONDS = 1.0  # where nothing came for so long, nothing more will come


async def all_until_quiet(session: Session, *, acknowledge: bool = True) -> list[Packet]:
    """Receive until nothing came for QUIET_SECONDS; without `acknowledge` only a window of them can come."""
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
