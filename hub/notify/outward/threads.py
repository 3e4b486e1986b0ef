"""Blocking work of receivers on daemon threads: few at once, and the process does not wait for them at its end.

A ThreadPoolExecutor does not do: Python joins its threads at exit, so one hung connection would block the shutdown. And
its queue would make all work wait behind the thread that hangs.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["Threads", "ThreadsBusy"]

T = TypeVar("T")


class ThreadsBusy(Exception):
    """All threads are at work. Attempts have a time limit, so these hang."""


class Threads:
    """Runs functions on at most `most` threads; more are refused, not queued."""

    def __init__(self, name: str, most: int) -> None:
        """Begin without threads; `name` is theirs in a list of threads."""
        self.name, self.most, self.busy = name, most, 0

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Run `work` on a thread; cancelling the future leaves the thread to itself.

        Raises:
            ThreadsBusy: `most` threads are at work.

        """
        if self.busy >= self.most:
            raise ThreadsBusy(f"{self.busy} earlier attempts still hang")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self.busy += 1
        threading.Thread(target=self._work, args=(work, loop, future), name=self.name, daemon=True).start()
        return future

    def _work(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop, future: asyncio.Future[T]) -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 - SystemExit too: it belongs to whoever waits for the result
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._done, future, result, error)

    def _done(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self.busy -= 1
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
