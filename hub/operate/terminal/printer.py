"""A thread that writes lines, so that a slow terminal or a stopped pipe never makes the pipeline wait."""

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Printer"]

T = TypeVar("T")
_HELD = 10_000  # lines that may wait for a slow terminal; a few megabytes


class Printer(Generic[T]):
    """Takes lines from any thread and writes them in order; lines beyond `held` are dropped and counted.

    `write` is called in the printer's own thread; `lost` makes the line that says how many are missing.
    """

    def __init__(self, write: Callable[[T], None], lost: Callable[[int], T], held: int = _HELD) -> None:
        """Start the thread; `held` is how many lines may wait."""
        self._write, self._lost, self._held = write, lost, held
        self._queue: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._dropped = 0
        self._broken = False
        self.on_broken: Callable[[], None] | None = None
        """Called once, in the printer's thread, when nobody reads any more."""
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)
        self._thread.start()

    @property
    def broken(self) -> bool:
        """Whether nobody reads any more (the pipe is closed); lines go nowhere then."""
        return self._broken

    def put(self, line: T) -> None:
        """Queue a line, or drop it if too many wait; this never waits."""
        if self._queue.qsize() < self._held:
            if self._dropped:
                self._queue.put(self._lost(self._dropped))
                self._dropped = 0
            self._queue.put(line)
        else:
            self._dropped += 1

    def close(self, seconds: float = 2.0) -> None:
        """Write what waits, for at most this time, and end the thread."""
        if self._dropped:
            self._queue.put(self._lost(self._dropped))
            self._dropped = 0
        self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # a closed pipe, a closed file: nobody reads
            while (line := self._queue.get()) is not None:
                self._write(line)
            return
        self._broken = True
        if self.on_broken:
            self.on_broken()
        while self._queue.get() is not None:
            pass
