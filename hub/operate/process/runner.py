"""Runs an app under the signals of a terminal and of systemd: drain and stop, reload, end at once."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from hub.limits import DRAIN_SECONDS

with contextlib.suppress(ImportError):  # uvloop does not exist for Windows and 32-bit ARM
    import uvloop

__all__ = ["Runnable", "Stopper", "run_loop", "serve"]

T = TypeVar("T")
_GRACE_SECONDS = 1.5  # beyond the drain: DRAIN_SECONDS and this stay below the 10 s of `docker stop`


class Runnable(Protocol):
    """What `serve` runs; hub.app.App is one."""

    async def run(self) -> None:
        """Run until `stop` is called or something fails."""
        ...

    def stop(self) -> None:
        """Drain, then let `run` return."""
        ...

    def reload(self) -> None:
        """Load the rules again."""
        ...


class Stopper:
    """Turns signals into calls, and ends the process when a drain hangs, from a thread that needs no loop.

    Ending without a drain loses nothing: the broker sends again what was not acknowledged.
    """

    def __init__(
        self,
        stop: Callable[[], None],
        at_once: Callable[[], None] = lambda: None,
        drain_seconds: float = DRAIN_SECONDS + _GRACE_SECONDS,
    ) -> None:
        """Call `stop` at the first SIGINT or SIGTERM. A second SIGINT calls `at_once` and ends the process."""
        self._stop, self._at_once, self._drain_seconds = stop, at_once, drain_seconds
        self._signalled = False
        self.done = threading.Event()
        """Set when everything is drained. If a thread then keeps the process from ending, it is ended with 0."""

    def install(self, reload: Callable[[], None] | None = None) -> None:
        """Listen to the signals on the running loop; SIGHUP calls `reload`, or stops if that is None."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.interrupt)
        loop.add_signal_handler(signal.SIGTERM, self.terminate)
        if hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, reload or self.terminate)

    def terminate(self) -> None:
        """Begin to stop; further calls do nothing: a second SIGTERM must not cut the drain short."""
        if not self._signalled:
            self._signalled = True
            watchdog = threading.Timer(self._drain_seconds, self._end_hanging)
            watchdog.daemon = True
            watchdog.start()
            self._stop()

    def interrupt(self) -> None:
        """Begin to stop; if that has begun already, end at once: a person has pressed Ctrl-C twice."""
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

    `begun` is called after the signal handlers are set: whoever is told of the start may stop the app.

    Raises:
        HubError: the app has raised it.

    """
    stopper = Stopper(app.stop, drain_seconds=drain_seconds)
    stopper.install(app.reload)
    begun()
    await app.run()
    stopper.done.set()


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine on uvloop if it is installed, else on asyncio's own loop."""
    factory = uvloop.new_event_loop if "uvloop" in globals() else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def _end(message: str, code: int) -> None:
    """End the process without waiting for threads, which may hang in a network."""
    with contextlib.suppress(OSError, ValueError):
        if message:
            print(f"hub: {message}", file=sys.stderr)  # noqa: T201 - the last words of a process that ends here
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
