"""A session with the broker for one command: it connects or says why it cannot, and leaves nothing on the broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace

from hub.errors import BrokerUnreachable, HubError
from hub.ingest.mqtt.open_session import open_session
from hub.ingest.mqtt.session import BrokerSettings, Session
from hub.ingest.source import Notice
from hub.limits import CONNECT_SECONDS, NEXT_BROKER_SECONDS

__all__ = ["connected"]


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

    Of several addresses it takes the first that answers.

    Raises:
        SessionError: the broker cannot be reached, or refuses us.

    """
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    failed: dict[str, str] = {}
    seconds = max(CONNECT_SECONDS, NEXT_BROKER_SECONDS * (len(broker.each) + 1))

    def notice(heard: Notice) -> None:
        hear(heard)
        if ready.done():
            return
        if heard.kind == "connected":
            ready.set_result(None)
        elif heard.kind == "disconnected":
            failed[heard.broker] = heard.detail
            if len(failed) == len(broker.each):  # else the next one may answer
                ready.set_exception(BrokerUnreachable(_together(broker, failed)))

    session = open_session(replace(broker, client_id=client_id, session_expiry=expiry), None, notice)
    running = asyncio.create_task(session.run(list(filters)), name="session")
    try:
        done, _ = await asyncio.wait({running, ready}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if running in done:
            await running  # raises the error that ended the session
        if not done:
            raise BrokerUnreachable(f"{broker}: no answer within {seconds:.0f} s")
        await ready
        yield session
    finally:
        await session.close()
        with contextlib.suppress(HubError):
            await running
        if ready.done() and not ready.cancelled():
            ready.exception()  # it was raised above; asyncio would print what nobody has looked at


def _together(broker: BrokerSettings, failed: Mapping[str, str]) -> str:
    """Say what went wrong, at each address."""
    return "; ".join(broker.told(words) if not name else words for name, words in failed.items())
