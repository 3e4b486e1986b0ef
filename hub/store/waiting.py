"""Tells whoever asks for a change that the disk cannot be written, so that nobody waits for hours until it can.

What events cause waits as long as it takes, because the broker keeps what follows. People and programs are told to ask
again.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hub.errors import StoreBusy
from hub.store.store import Store

__all__ = ["unless_failing"]

T = TypeVar("T")


async def unless_failing(store: Store, change: Coroutine[Any, Any, T]) -> T:
    """Return what a change returns, once it is on disk. While nothing can be written, the change is not begun.

    Raises:
        StoreBusy: the disk cannot be written. Nothing was done; or the change had begun, and ends as soon as it can.

    """
    if store.failing.is_set():
        change.close()
        raise StoreBusy(f"{store.why_failing()}; nothing was done, ask again when it can")
    work = asyncio.ensure_future(change)
    failing = asyncio.ensure_future(store.failing.wait())
    try:
        await asyncio.wait({work, failing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        failing.cancel()
    if work.done():
        return work.result()
    work.add_done_callback(_ended)
    raise StoreBusy(f"{store.why_failing()}; what was asked for is done, but not safe before it can")


def _ended(work: "asyncio.Future[Any]") -> None:
    """Hear how a change ended after whoever asked was answered; where it failed, the store has said why."""
    if not work.cancelled():
        work.exception()
