"""Long-lived tasks that live and die together: the first that dies ends the others, and none runs on unnoticed."""

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
        """Start a task; where it fails, all tasks of the crew end."""
        task = self._group.create_task(work, name=name)
        self.tasks.append(task)
        task.add_done_callback(partial(_insist_after, self.tasks))
        return task


@contextlib.asynccontextmanager
async def crew() -> AsyncIterator[Crew]:
    """Wait at the end for all tasks that were spawned inside.

    Raises:
        HubError: the error of the first task that failed. The others only ended because of it.

    """
    try:
        async with asyncio.TaskGroup() as group:
            members = Crew(group)
            try:
                yield members
            except asyncio.CancelledError:
                insist(members.tasks)
                raise
    except* HubError as errors:
        raise _first(errors) from None


def insist(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Give cancelled tasks _INSIST_SECONDS to end in order; cancel those that still run, again and again.

    A library may lose a cancellation, as asyncio.wait_for does up to Python 3.11. A hub that waited for that one task
    would neither end nor hear anything.
    """

    def again() -> None:
        left = [task for task in tasks if not task.done()]
        for task in left:
            task.cancel()
        if left:
            insist(left)

    asyncio.get_running_loop().call_later(_INSIST_SECONDS, again)


def _insist_after(tasks: Sequence[asyncio.Task[Any]], ended: asyncio.Task[Any]) -> None:
    """See that the others end, too, where a task has failed."""
    if not ended.cancelled() and ended.exception():
        insist(tasks)


def _first(errors: BaseExceptionGroup[HubError]) -> HubError:
    """Return the error that came first."""
    for error in errors.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("an exception group is never empty")
