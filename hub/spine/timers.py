"""The clock at work: the core does what is due, up to the time up to which all is heard (hearing.py)."""

import asyncio
import contextlib
from collections.abc import Callable
from math import inf

from hub.clock import Clock
from hub.ingest.source import Source
from hub.limits import HEARTBEAT_LATE_SECONDS, STALL_SECONDS
from hub.spine.core import Core
from hub.spine.hearing import Hearing

__all__ = ["Timers", "wait"]


class Timers:
    """Sleeps until the core's next deadline. `committing_since` is when the commit under way began, if there is one.

    `now` tells the time after a look whether somebody has set the clock. `spoke` is called where something is to be
    committed.
    """

    def __init__(
        self, core: Core, source: Source[object], clock: Clock, now: Callable[[], float], spoke: Callable[[], None]
    ) -> None:
        """Begin without having heard anything."""
        self.hearing = Hearing()
        self.committing_since: float | None = None
        self._core, self._source, self._clock, self._now, self._spoke = core, source, clock, now, spoke
        self._stalled = self._closed = False
        self._wanted = asyncio.Event()
        self._asleep_until = inf

    async def run(self) -> None:
        """Do what is due, whenever something is, until closed."""
        planned = self._clock.monotonic()
        while not self._closed:
            self._wanted.clear()
            now = self._now()
            self._look_for_stalls(now, self._clock.monotonic() - planned)
            if self._core.next_due() <= now or self.hearing.quiet_since is not None:
                by = self.hearing.by(self._source.received, now)
                if by is not None:
                    self.tick(by)
            pause, self._asleep_until = STALL_SECONDS, inf
            if not self.hearing.waits:
                due = self._core.next_due()
                pause, self._asleep_until = min(max(due - now, 0.001), pause), due
            planned = self._clock.monotonic() + pause
            await wait(self._wanted, pause)

    def _look_for_stalls(self, now: float, overslept: float) -> None:
        """Keep timers silent while a commit hangs or after the process stood still, until all that came is here.

        Meanwhile events wait in the inbox, in the socket, or at a broker whose window is full.
        """
        began = self.committing_since
        hangs = 0.0 if began is None else self._clock.monotonic() - began
        if max(hangs, overslept) >= STALL_SECONDS:
            self.hearing.stalled(now - max(hangs, overslept), deaf=overslept >= STALL_SECONDS)
            self._stalled = True
        if hangs < STALL_SECONDS:
            self.catch_up()

    def catch_up(self) -> None:
        """Ask the broker, after a stall, whether all is here."""
        if self._stalled:
            self._stalled = False
            self._source.catch_up()

    def tick(self, now: float) -> None:
        """Do what is due by `now`; the time in which nobody could be heard is first added to every absence."""
        gap = self.hearing.take_gap(now)
        if gap is not None:
            self._core.excuse(gap, now)
        if self._core.tick(now):
            self._spoke()

    def wake(self) -> None:
        """End a sleep that is too long: a deadline came nearer, or what the timers waited for is heard now."""
        sleeps_too_long = self._core.next_due() < self._asleep_until or self.hearing.quiet_since is not None
        if sleeps_too_long and not self.hearing.waits:
            self._asleep_until = -inf
            self._wanted.set()

    def shift(self, seconds: float) -> None:
        """Move all times by `seconds`: the wall clock was set by so much. The core is moved by who calls this."""
        self.hearing.shift(seconds)
        self._asleep_until = inf
        self.wake()

    @property
    def well(self) -> bool:
        """Whether the timers run: the broker's queue is drained, and nothing is overdue."""
        return self.hearing.is_drained and self._core.next_due() > self._clock.now() - HEARTBEAT_LATE_SECONDS

    def close(self) -> None:
        """Let `run` return."""
        self._closed = True
        self._wanted.set()


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so many seconds."""
    if not event.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
