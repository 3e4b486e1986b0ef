"""When the broker has taken our acknowledgements, and when it has no more to send from the time we were away.

MQTT has no answer to a PUBACK. But packets of one connection are taken in order: the answer to a question that we sent
after our PUBACKs proves that the broker has them. And everything it held for us was sent before the answer, unless a
window was full: ours, or one of the broker's own that it does not tell of. Of that one we see only that as many are
unacknowledged as ever; so while some are, "no more to send" is believed when their number has fallen.
"""

import asyncio
from collections.abc import Callable

from hub.ingest.inbox import Inbox
from hub.limits import CONFIRM_SECONDS

__all__ = ["Fence"]


class Fence:
    """One question under way at a time, at most one per CONFIRM_SECONDS, and only while something is unproven."""

    def __init__(self, inbox: Inbox, window: int, drained: Callable[[], None]) -> None:
        """Watch `inbox`; `window` is our receive maximum; `drained` is called once for each connection."""
        self.confirmed = 0
        self._inbox, self._window, self._drained = inbox, window, drained
        self._ask: Callable[[], None] | None = None
        self._asked: int | None = None
        self._proven = 0
        self._barrier: int | None = None
        """Confirmed stands still until what the broker may have had in doubt (up to here) is acknowledged anew."""
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connected(self, ask: Callable[[], None]) -> None:
        """Begin a connection, subscribed: `ask` sends a question whose answer is told to `answered`."""
        self._ask, self._asked, self._barrier = ask, None, None
        self.ask()

    def disconnected(self) -> None:
        """End it: no answer will come."""
        self._ask = self._asked = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def acknowledged(self) -> None:
        """Hear that PUBACKs were written: have them proven soon."""
        if self._asked is not None or self._timer is not None or self._ask is None:
            return
        loop = asyncio.get_running_loop()
        wait = self._last + CONFIRM_SECONDS - loop.time()
        if wait <= 0:
            self.ask()
        else:
            self._timer = loop.call_later(wait, self.ask)

    def ask(self) -> None:
        """Ask now, unless a question is under way: after a while of silence, or at the times above."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ask is not None and self._asked is None:
            self._asked = self._inbox.acknowledged
            self._last = asyncio.get_running_loop().time()
            self._ask()

    def answered(self) -> None:
        """Hear the broker's answer."""
        if self._asked is None:
            return
        self._proven, self._asked = self._asked, None
        if self._barrier is None and not self._may_hold_back():
            self._barrier = self._inbox.received
            self._drained()
        if self._barrier is not None and self._proven >= self._barrier:
            self._barrier = 0
            self.confirmed = self._proven
        if self._inbox.acknowledged > self._proven:
            self.acknowledged()

    def _may_hold_back(self) -> bool:
        """Tell whether the broker may have more that it does not send before we acknowledge."""
        outstanding = self._inbox.outstanding
        return outstanding >= min(self._window, max(self._inbox.peak, 1))
