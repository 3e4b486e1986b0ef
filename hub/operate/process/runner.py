"""Runs an app to its end under the signals of a terminal and of systemd: stop and drain, reload, end at once."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from hub.limits import DRAIN_SECONDS

with contextlib.suppress(ImportError):  # there is none for Windows and for 32-bit ARM
    import uvloop

__all__ = ["Runnable", "Stopper", "run_loop", "serve"]

T = TypeVar("T")
_GRACE_SECONDS = 1.5  # beyond the drain: DRAIN_SECONDS and this stay below the 10 s of `docker stop`


class Runnable(Protocol):
    """What `serve` drives; hub.app.App is one."""

    async def run(self) -> None:
        """Run until stopped."""
        ...

    def stop(self) -> None:
        """Drain, then let `run` return."""
        ...

    def reload(self) -> None:
        """Load the rules anew."""
        ...


class Stopper:
    """Turns signals into calls, and ends the process if a drain hangs where nothing in the loop can end it.

    What a process that ends without a drain had not acknowledged, the broker sends again.
    """

    def __init__(
        self,
        stop: Callable[[], None],
        at_once: Callable[[], None] = lambda: None,
        drain_seconds: float = DRAIN_SECONDS + _GRACE_SECONDS,
    ) -> None:
        """Call `stop` at the first SIGINT or SIGTERM; at a second SIGINT call `at_once` and end the process."""
        self._stop, self._at_once, self._drain_seconds = stop, at_once, drain_seconds
        self._signalled = False
        self.done = threading.Event()
        """Set when everything is drained; a process that still does not end then ends with 0."""

    def install(self, reload: Callable[[], None] | None = None) -> None:
        """Listen to the signals, on the running loop; SIGHUP calls `reload`, or stops where there is none."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.interrupt)
        loop.add_signal_handler(signal.SIGTERM, self.terminate)
        if hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, reload or self.terminate)

    def terminate(self) -> None:
        """Begin to stop, once."""
        if not self._signalled:
            self._signalled = True
            watchdog = threading.Timer(self._drain_seconds, self._end_hanging)
            watchdog.daemon = True
            watchdog.start()
            self._stop()

    def interrupt(self) -> None:
        """Begin to stop; end at once if that has begun already."""
        if not self._signalled:
            self.terminate()
            return
        self._at_once()
        _end("ended at once: what was not acknowledged to the broker comes again", 130)

    def _end_hanging(self) -> None:
        if self.done.is_set():
            _end("", 0)
        self._at_once()
        _end("the drain did not end in time: what was not acknowledged to the broker comes again", 1)


async def serve(
    app: Runnable, begun: Callable[[], None] = lambda: None, drain_seconds: float = DRAIN_SECONDS + _GRACE_SECONDS
) -> None:
    """Run the app until a signal or its own end; a drain may take `drain_seconds`.

    `begun` is called when signals are listened to: who hears of the start may stop it.

    Raises:
        HubError: as the app does.

    """
    stopper = Stopper(app.stop, drain_seconds=drain_seconds)
    stopper.install(app.reload)
    begun()
    await app.run()
    stopper.done.set()


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine on uvloop where it exists, else on asyncio's own loop."""
    factory = uvloop.new_event_loop if "uvloop" in globals() else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def _end(message: str, code: int) -> None:
    """End the process without waiting for threads that hang in somebody's network."""
    with contextlib.suppress(OSError, ValueError):
        if message:
            print(f"hub: {message}", file=sys.stderr)  # noqa: T201 - the last words of a process that ends here
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
