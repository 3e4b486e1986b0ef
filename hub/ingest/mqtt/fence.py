"""Knows when the broker has taken our acknowledgements, and when it has sent all that it held while we were away.

MQTT has no answer to a PUBACK. But a broker takes the packets of one connection in order: the answer to a question that
we sent after our PUBACKs proves that it has them. It also has sent before that answer everything that it held for us,
unless a window was full: our receive maximum, or a window of its own that it does not announce. Of such a window we see
only that as many deliveries are unacknowledged as ever before. So while some are unacknowledged, we believe that there
is no more only when their number has fallen. And what we had received and not acknowledged has to come again first;
some brokers take their time for that (nats-server its `ack_wait`, 30 s).
"""

import asyncio
from collections.abc import Callable

from hub.ingest.mqtt.inbox import Inbox
from hub.limits import CONFIRM_SECONDS, REDELIVERY_LOOK_SECONDS, REDELIVERY_SECONDS

__all__ = ["Fence"]


class Fence:
    """One question under way at a time, at most one per CONFIRM_SECONDS, and only while something is unproven."""

    def __init__(self, inbox: Inbox, window: int, drained: Callable[[str], None]) -> None:
        """Watch `inbox`; `window` is our receive maximum.

        `drained` is called once for each connection, with the detail of its notice, and with "again" for each
        `catch_up`.
        """
        self.confirmed = 0
        self._inbox, self._window, self._drained = inbox, window, drained
        self._ask: Callable[[], None] | None = None
        self._asked: int | None = None
        self._proven = 0
        self._barrier: int | None = None
        """`confirmed` stands still until everything up to this position is acknowledged: it was sent again."""
        self._last = 0.0
        self._patient_until: dict[int, float] = {}
        """For each packet id that was missing when the connection began: until when we wait for it (loop time)."""
        self._patience: dict[int, float] = {}
        """Seconds that are left to wait for missing packet ids; without it a connection that breaks every minute would
        wait without end."""
        self._questions = 0
        self._catching_up: int | None = None
        """The number of the first question whose answer says that all that was sent before `catch_up` is here."""
        self._timer: asyncio.TimerHandle | None = None

    def connected(self, ask: Callable[[], None]) -> None:
        """Begin a connection on which all is subscribed. `ask` sends a question; its answer is told to `answered`."""
        self._ask, self._asked, self._barrier, self._catching_up = ask, None, None, None
        now, left = asyncio.get_running_loop().time(), self._patience
        self._patient_until = {packet: now + left.get(packet, REDELIVERY_SECONDS) for packet in self._inbox.missing}
        self.ask()

    def catch_up(self) -> None:
        """Ask whether all that the broker has sent by now is here: `drained` is called again when it is."""
        if self._ask is not None:
            self._catching_up = self._questions + 1  # a question under way was perhaps answered before that
            self.ask()

    def disconnected(self) -> None:
        """End the connection: no answer will come. Call it before the inbox hears of the end."""
        if self._ask is not None:
            now, until = asyncio.get_running_loop().time(), self._patient_until
            self._patience = {packet: until[packet] - now for packet in self._inbox.missing if packet in until}
        self._ask = self._asked = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def acknowledged(self) -> None:
        """Hear that PUBACKs were written: ask a question about them within CONFIRM_SECONDS."""
        if self._asked is not None or self._timer is not None or self._ask is None:
            return
        loop = asyncio.get_running_loop()
        wait = self._last + CONFIRM_SECONDS - loop.time()
        if wait <= 0:
            self.ask()
        else:
            self._timer = loop.call_later(wait, self.ask)

    def ask(self) -> None:
        """Ask now, unless a question is under way. The keep-alive calls it, too."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ask is not None and self._asked is None:
            self._asked = self._inbox.acknowledged
            self._last = asyncio.get_running_loop().time()
            self._questions += 1
            self._ask()

    def answered(self) -> None:
        """Hear the broker's answer."""
        if self._asked is None:
            return
        self._proven, self._asked = self._asked, None
        if not self._may_hold_back() and self._questions >= (self._catching_up or 0):
            self._all_is_here()
        if self._barrier is not None and self._proven >= self._barrier:
            self._barrier = 0
            self.confirmed = self._proven
        if self._inbox.acknowledged > self._proven or self._catching_up is not None:
            self.acknowledged()
        elif self._barrier is None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REDELIVERY_LOOK_SECONDS, self.ask)

    def _all_is_here(self) -> None:
        """Tell `drained`, once for a connection; not while something has to come again."""
        if self._barrier is not None:
            if self._catching_up is not None:
                self._catching_up = None
                self._drained("again")
        elif not self._waits_for_redelivery():
            self._barrier, self._catching_up = self._inbox.received, None
            self._drained(self._given_up())

    def _waits_for_redelivery(self) -> bool:
        """Tell whether we still wait for something that the broker has to send again."""
        now, until = asyncio.get_running_loop().time(), self._patient_until
        return any(until.get(packet, now) > now for packet in self._inbox.missing)

    def _given_up(self) -> str:
        """Say how many messages did not come again, and wait for them no more: timers would stand still for ever."""
        count = len(self._inbox.missing)
        self._inbox.missing.clear()
        if not count:
            return ""
        return f"{count} messages that were not acknowledged did not come again within {REDELIVERY_SECONDS:.0f} s"

    def _may_hold_back(self) -> bool:
        """Tell whether a window may be full: the broker may have more that it sends only after we acknowledge."""
        outstanding = self._inbox.outstanding
        return outstanding >= min(self._window, max(self._inbox.peak, 1))
