"""Watches whether the broker still lives: a machine that hangs keeps its connections open and answers nothing.

Everything that comes is a sign of life, and every half keep-alive a question goes out that makes something come. What
we send proves nothing: it goes into the buffers of a broker that hangs, too. Both sessions use it.
"""

import asyncio
from collections.abc import Callable

from hub.errors import Disconnected

__all__ = ["Pulse"]

_PATIENCE = 1.5  # keep-alives without a sign of life: as long as a broker has with us (MQTT 5, 3.1.2.10)
_LATE = 0.25  # of a keep-alive: where our timer comes so late, our own loop was held up


class Pulse:
    """Asks every half keep-alive, and tells when nothing came for one and a half."""

    def __init__(
        self,
        seconds: float,
        heard: Callable[[], float],
        ask: Callable[[], None],
        over: Callable[[Disconnected], None],
        deaf: Callable[[], bool],
    ) -> None:
        """Begin, with a keep-alive of `seconds`; `heard` returns when something came last, by the loop's clock.

        `ask` sends a question, unless one is under way. `over` is called once, when the broker is dead. While `deaf`
        returns True, we do not read ourselves, so that nothing heard proves nothing.
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
