"""Sends what the outbox holds: a lane per receiver, a task per attempt, one timer per lane, results back to the outbox.

A receiver that hangs, fails or raises holds up nobody but the alert whose notification it was. What is not reported
back (a crash, a drain that ran out of time) stays queued and is sent again with the same id.
"""

import asyncio
import logging
import random
import traceback
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.clock import Clock
from hub.duration import format_duration
from hub.limits import CLOSE_SECONDS, LANE_FETCH
from hub.model import Notification, Outcome, Retry
from hub.notify.lane import Lane
from hub.notify.outbox import Outbox, Queued, Settled
from hub.notify.receiver import Receiver, ReceiverSettings
from hub.notify.retry import Again, Done, RetryPolicy
from hub.observer import Observer

__all__ = ["Dispatcher", "Receivers"]

log = logging.getLogger(__name__)

Receivers = Mapping[str, tuple[ReceiverSettings, Receiver]]


class _Channel:
    """A receiver at work: its lane, its timer, its attempts under way."""

    __slots__ = ("fetching", "lane", "name", "receiver", "settings", "tasks", "timer", "wakes")

    def __init__(self, name: str, settings: ReceiverSettings, receiver: Receiver, lane: Lane) -> None:
        self.name, self.settings, self.receiver, self.lane = name, settings, receiver, lane
        self.tasks: set[asyncio.Task[None]] = set()
        self.fetching = False
        self.timer: asyncio.TimerHandle | None = None
        self.wakes = 0.0  # the monotonic time that the timer is set to

    def still(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Dispatcher:
    """Hands notifications to their receivers; the only place that calls a receiver."""

    def __init__(
        self,
        receivers: Receivers,
        outbox: Outbox,
        clock: Clock,
        observer: Observer,
        policy: RetryPolicy | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Know the receivers; nothing is sent before `run`."""
        self._outbox, self._clock, self._observer = outbox, clock, observer
        self._policy = policy or RetryPolicy()
        self._jitter = jitter
        self._channels: dict[str, _Channel] = {}
        self._cursors: dict[str, int] = {}  # of receivers that were removed: which rows have been in memory
        self._results: list[Settled] = []
        self._group: asyncio.TaskGroup | None = None
        self._working: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self._idle = asyncio.Event()
        self._open(receivers)

    # what the pipeline calls

    def offer(self, queued: Sequence[Queued]) -> None:
        """Take rows that have just been committed. Cheap; call it on the event loop, in row order."""
        if self._group is None:
            return  # `run` reads them from the outbox
        touched = set()
        for each in queued:
            channel = self._channels.get(each.notification.receiver)
            if channel is None:
                self._bury(each)
            else:
                channel.lane.offer(each)
                touched.add(channel)
        for channel in touched:
            self._pump(channel)

    async def run(self) -> None:
        """Send until `drain`; begin with what the outbox holds. Only a fault of the hub's own ends it otherwise."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._spawn(self._bury_strangers())
                for channel in self._channels.values():
                    self._pump(channel)
                await self._stopped.wait()
        finally:
            self._group = None
            for channel in self._channels.values():
                channel.still()
            self._flush()
            await asyncio.gather(*(_close(channel.receiver) for channel in self._channels.values()))

    async def drain(self, seconds: float) -> None:
        """Begin no more attempts, give those under way `seconds` to end, then stop `run`.

        What was cut short stays queued.
        """
        self._group = None
        tasks = set(self._working)
        for channel in self._channels.values():
            channel.still()
            tasks |= channel.tasks
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
        self._flush()
        self._stopped.set()

    def reload(self, receivers: Receivers) -> None:
        """Use these receivers from now on, while `run` runs; one that is the same object as before goes on undisturbed.

        What waits for a receiver that is not among them becomes dead letters that say so: nobody is told, and that is
        seen, and can be retried, instead of waiting for ever.
        """
        for name in [name for name in self._channels if name not in receivers]:
            self._remove(self._channels.pop(name))
        self._open(receivers)

    def look(self) -> None:
        """Look at the clock again: after the machine slept, or a test moved it."""
        for channel in self._channels.values():
            self._pump(channel)

    async def idle(self) -> None:
        """Wait until nothing is queued, waiting or under way anywhere."""
        while not self._quiet():
            self._idle.clear()
            await self._idle.wait()

    # lanes

    def _open(self, receivers: Receivers) -> None:
        for name, (settings, receiver) in receivers.items():
            channel = self._channels.get(name)
            if channel is None:
                lane = Lane(self._clock, settings.concurrency, self._cursors.pop(name, 0))
                channel = self._channels[name] = _Channel(name, settings, receiver, lane)
            elif channel.receiver is not receiver:
                self._retire(channel)
            channel.settings, channel.receiver = settings, receiver
            channel.lane.concurrency = settings.concurrency
            self._pump(channel)

    def _remove(self, channel: _Channel) -> None:
        channel.still()
        for queued in channel.lane.clear():
            self._bury(queued)
        self._cursors[channel.name] = channel.lane.cursor
        self._retire(channel)
        if channel.lane.behind:
            self._spawn(self._bury_rest(channel.name))

    def _pump(self, channel: _Channel) -> None:
        """Start what can start, set the timer to the next wait's end, read on where there is room."""
        group, lane = self._group, channel.lane
        if group is None or self._channels.get(channel.name) is not channel:
            return
        while (queued := lane.take()) is not None:
            task = group.create_task(self._attempt(channel, queued))
            channel.tasks.add(task)
            task.add_done_callback(channel.tasks.discard)
        self._set_timer(channel, lane.due())
        if not channel.fetching and (limit := lane.wants()):
            channel.fetching = True
            self._spawn(self._fetch(channel, limit))
        if lane.empty():
            self._idle.set()

    def _set_timer(self, channel: _Channel, due: float | None) -> None:
        if due is None or (channel.timer is not None and channel.wakes <= due):
            return
        channel.still()
        delay = max(0.0, due - self._clock.monotonic())
        channel.wakes = due
        channel.timer = asyncio.get_running_loop().call_later(delay, self._wake, channel)

    def _wake(self, channel: _Channel) -> None:
        channel.timer = None
        self._pump(channel)

    async def _fetch(self, channel: _Channel, limit: int) -> None:
        lane = channel.lane
        missed = lane.missed
        rows = await self._outbox.queued(channel.name, lane.cursor, limit)
        channel.fetching = False
        if self._channels.get(channel.name) is channel:
            lane.load(rows, limit, missed)
            self._pump(channel)

    # attempts

    async def _attempt(self, channel: _Channel, queued: Queued) -> None:
        outcome = await _send(channel, queued.notification)
        removed = self._channels.get(channel.name) is not channel  # meanwhile
        attempts = queued.attempts + 1
        now = self._clock.now()
        self._observer.delivery(queued.notification, outcome, attempts, now)
        verdict = self._policy.decide(outcome, attempts, now - queued.notification.created, self._jitter())
        if isinstance(verdict, Again) and not removed:
            again = Queued(queued.row, queued.notification, attempts, now + verdict.after)
            channel.lane.again(again)
            self._settle(Settled(queued.row, "retry", attempts, again.next_at, verdict.reason))
        else:
            channel.lane.finish(queued)
            if isinstance(verdict, Done):
                self._settle(Settled(queued.row, "delivered", attempts, 0.0, ""))
            else:
                self._dead(queued, attempts, verdict.reason)
        self._pump(channel)

    def _settle(self, result: Settled) -> None:
        """Collect results of one turn of the event loop: one call to the outbox for all of them."""
        if not self._results:
            asyncio.get_running_loop().call_soon(self._flush)
        self._results.append(result)

    def _flush(self) -> None:
        if self._results:
            results, self._results = self._results, []
            self._outbox.settle(results)
            self._idle.set()

    # dead letters

    def _dead(self, queued: Queued, attempts: int, reason: str) -> None:
        self._settle(Settled(queued.row, "dead", attempts, 0.0, reason))
        self._observer.dead(queued.notification, reason)

    def _bury(self, queued: Queued) -> None:
        self._dead(queued, queued.attempts, f"there is no receiver {queued.notification.receiver!r} any more")

    async def _bury_strangers(self) -> None:
        for name in await self._outbox.receivers():
            if name not in self._channels:
                await self._bury_rest(name)

    async def _bury_rest(self, name: str) -> None:
        """Bury what the outbox holds for a receiver that is gone; stop where it has come back."""
        while name not in self._channels:
            rows = await self._outbox.queued(name, self._cursors.get(name, 0), LANE_FETCH)
            if name in self._channels or not rows:
                return
            self._cursors[name] = rows[-1].row
            for queued in rows:
                self._bury(queued)

    # tasks of its own

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a piece of the dispatcher's own work; its failure ends `run`. Outside of `run` nothing is to do."""
        if self._group is None:
            work.close()
            return
        task = self._group.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._worked)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._idle.set()

    def _retire(self, channel: _Channel) -> None:
        """Close a channel's receiver when the attempts under way with it have ended."""
        self._spawn(_close(channel.receiver, set(channel.tasks)))

    def _quiet(self) -> bool:
        lanes = all(channel.lane.empty() for channel in self._channels.values())
        return lanes and not self._working and not self._results


async def _send(channel: _Channel, notification: Notification) -> Outcome:
    """Make one attempt; the one place where whatever a receiver does becomes an outcome."""
    timeout = channel.settings.timeout
    try:
        async with asyncio.timeout(timeout) as limit:
            return await channel.receiver.send(notification)
    except Exception as error:  # noqa: BLE001 - a receiver is foreign code: its fault must cost nobody a notification
        if isinstance(error, TimeoutError) and limit.expired():
            return Retry(f"no answer within {format_duration(timeout)}")
        log.error("receiver %s: a fault of its own: %s", channel.name, _fault(error))  # noqa: TRY400 - no secrets
        return Retry(f"internal error: {type(error).__name__}")


async def _close(receiver: Receiver, tasks: Collection[asyncio.Task[None]] = ()) -> None:
    if tasks:
        await asyncio.wait(tasks)
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await receiver.close()
    except Exception as error:  # noqa: BLE001 - as above: it must not keep the others from closing
        log.warning("a receiver did not close: %s", _fault(error))


def _fault(error: Exception) -> str:
    """Name an exception and its place, without its message: that may hold a URL, a password, a payload."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in place)
    return f"{type(error).__name__}{where}"
