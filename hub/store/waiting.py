"""Who asks for a change is told when the disk cannot be written, in place of waiting for an hour until it can.

What events cause waits as long as it takes (the broker keeps what follows); people and programs are told to come again.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hub.errors import StoreBusy
from hub.store.store import Store

__all__ = ["unless_failing"]

T = TypeVar("T")


async def unless_failing(store: Store, change: Coroutine[Any, Any, T]) -> T:
    """Return what a change returns when it is on disk; it is not begun while nothing can be written.

    Raises:
        StoreBusy: the disk cannot be written: nothing was done, or it was begun before that and ends as soon as it can.

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
    """Hear of how it ended, after whoever asked was told: where it was not done, the log has why."""
    if not work.cancelled():
        work.exception()
