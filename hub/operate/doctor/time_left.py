"""How the doctor waits for messages: it receives until none has come for QUIET_SECONDS."""

import asyncio
import contextlib

from hub.ingest.mqtt.packet import Packet
from hub.ingest.mqtt.session import Session

__all__ = ["QUIET_SECONDS", "all_until_quiet"]

QUIET_SECONDS = 1.0  # after so long without a message none is expected any more


async def all_until_quiet(session: Session, *, acknowledge: bool = True) -> list[Packet]:
    """Receive until nothing has come for QUIET_SECONDS.

    Without `acknowledge` the broker stops sending when its window is full: so the size of the window is seen.
    """
    if acknowledge:
        session.acknowledge(session.handed)
    packets: list[Packet] = []
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(QUIET_SECONDS):
                packets += await session.receive()
            if acknowledge:
                session.acknowledge(session.handed)
    return packets
