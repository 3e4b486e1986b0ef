"""Long-lived tasks that live and die together: the first that dies ends the others, and none of them is forgotten."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from functools import partial
from typing import Any

from hub.errors import HubError

__all__ = ["Crew", "crew", "insist"]

_INSIST_SECONDS = 3.0


class Crew:
    """The tasks of one `crew`, in one TaskGroup."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        """Begin with none."""
        self._group = group
        self.tasks: list[asyncio.Task[Any]] = []

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Let it run; where it fails, all end."""
        task = self._group.create_task(work, name=name)
        self.tasks.append(task)
        task.add_done_callback(partial(_insist_after, self.tasks))
        return task


@contextlib.asynccontextmanager
async def crew() -> AsyncIterator[Crew]:
    """Wait at the end for all that was spawned inside.

    Raises:
        HubError: what ended one of them, the first; without the others, which ended because of it.

    """
    try:
        async with asyncio.TaskGroup() as group:
            made = Crew(group)
            try:
                yield made
            except asyncio.CancelledError:
                insist(made.tasks)
                raise
    except* HubError as errors:
        raise _first(errors) from None


def insist(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Give tasks that were cancelled some time to end in order; cancel what still runs then, until it ends.

    A cancellation may get lost in a library, as in asyncio.wait_for up to Python 3.11; a hub that waits for that one
    task would neither end nor hear.
    """

    def again() -> None:
        left = [task for task in tasks if not task.done()]
        for task in left:
            task.cancel()
        if left:
            insist(left)

    asyncio.get_running_loop().call_later(_INSIST_SECONDS, again)


def _insist_after(tasks: Sequence[asyncio.Task[Any]], ended: asyncio.Task[Any]) -> None:
    """Where a task has failed, see that the others end too."""
    if not ended.cancelled() and ended.exception():
        insist(tasks)


def _first(errors: BaseExceptionGroup[HubError]) -> HubError:
    """Return the error that began it."""
    for error in errors.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("an exception group is never empty")
