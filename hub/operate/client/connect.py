"""A session with the broker for one command: it connects or says why it cannot, and leaves nothing on the broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from hub.errors import BrokerUnreachable, HubError
from hub.ingest.mqtt.open_session import open_session
from hub.ingest.mqtt.session import BrokerSettings, Session
from hub.ingest.source import Notice
from hub.limits import CONNECT_SECONDS

__all__ = ["connected", "told_of"]


def told_of(broker: BrokerSettings, words: str) -> str:
    """Return what went wrong with the broker's address before it, unless it begins with that."""
    return words if words.startswith(str(broker)) else f"{broker}: {words}"


@contextlib.asynccontextmanager
async def connected(
    broker: BrokerSettings,
    client_id: str,
    filters: Sequence[str],
    *,
    expiry: float = 0.0,
    hear: Callable[[Notice], None] = lambda _: None,
) -> AsyncIterator[Session]:
    """Open a session that ends `expiry` seconds after its connection; `hear` gets its notices.

    Raises:
        SessionError: the broker cannot be reached, or refuses us.

    """
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def notice(heard: Notice) -> None:
        hear(heard)
        if ready.done():
            return
        if heard.kind == "connected":
            ready.set_result(None)
        elif heard.kind == "disconnected":
            ready.set_exception(BrokerUnreachable(told_of(broker, heard.detail)))

    session = open_session(replace(broker, client_id=client_id, session_expiry=expiry), None, notice)
    running = asyncio.create_task(session.run(list(filters)), name="session")
    try:
        done, _ = await asyncio.wait({running, ready}, timeout=CONNECT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if running in done:
            await running  # raises the error that ended the session
        if not done:
            raise BrokerUnreachable(f"{broker}: no answer within {CONNECT_SECONDS:.0f} s")
        await ready
        yield session
    finally:
        await session.close()
        with contextlib.suppress(HubError):
            await running
        if ready.done() and not ready.cancelled():
            ready.exception()  # it was raised above; asyncio would print what nobody has looked at
