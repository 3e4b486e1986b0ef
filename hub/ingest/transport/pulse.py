"""Does the broker still live? A machine that hangs keeps its connections open and answers nothing; both sessions ask.

Whatever comes is a sign of life, and every half keep-alive a question goes out that makes one come. What we send says
nothing: it goes into the buffers of a broker that hangs, too.
"""

import asyncio
from collections.abc import Callable

from hub.errors import Disconnected

__all__ = ["Pulse"]

_PATIENCE = 1.5  # keep-alives without a sign of life: as long as a broker has with us (MQTT 5, 3.1.2.10)
_LATE = 0.25  # of a keep-alive: a timer that comes so late tells of our own loop, which was held up


class Pulse:
    """Asks every half keep-alive, and says when the broker was silent for one and a half."""

    def __init__(
        self,
        seconds: float,
        heard: Callable[[], float],
        ask: Callable[[], None],
        over: Callable[[Disconnected], None],
        deaf: Callable[[], bool],
    ) -> None:
        """Begin, with a keep-alive of `seconds`: `heard` is when something came last, by the loop's clock.

        `ask` sends a question, unless one is under way; `over` is told once; while it is we who do not read (`deaf`)
        silence says nothing.
        """
        self._seconds, self._heard, self._ask, self._over, self._deaf = seconds, heard, ask, over, deaf
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._set(self._since + seconds / 2)

    def stop(self) -> None:
        """Ask no more."""
        self._timer.cancel()

    def _set(self, due: float) -> None:
        self._due = due
        self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        if self._deaf() or now - self._due > self._seconds * _LATE:
            self._since = now  # what came in the meantime is not read yet
        last = max(self._since, self._heard())
        if now >= last + self._seconds * _PATIENCE:
            self._over(Disconnected(f"nothing heard from the broker for {now - last:.0f} s"))
            return
        self._ask()
        self._set(min(now + self._seconds / 2, last + self._seconds * _PATIENCE))
