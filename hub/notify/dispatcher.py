"""Sends what the outbox holds: a lane per receiver, a task per attempt, one timer per lane, results to the outbox.

A receiver that hangs, fails or raises delays only the alert whose notification it was. What is not reported back (after
a crash, or a drain that ran out of time) stays queued and is sent again with the same id. Receivers are lent: whoever
made them closes them, after `done_with`.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from hub.clock import Clock
from hub.documents.duration import format_duration
from hub.ids import episode_id
from hub.limits import LANE_FETCH, MAY_BEGIN_SECONDS
from hub.model import OWN, Delivered, Notification, Rejected, Retry
from hub.notify.endings import Endings
from hub.notify.lanes.breaker import Circuit
from hub.notify.lanes.channel import ReceiverChannel
from hub.notify.lanes.episode import is_firing
from hub.notify.lanes.inheritance import HeirsOf, inherited
from hub.notify.lanes.lane import Lane
from hub.notify.lanes.retry import Again, GiveUp, Verdict
from hub.notify.lanes.superseding import Elsewhere
from hub.notify.outbox_port import Entered, Outbox, Queued, Settled
from hub.notify.receiver import Receiver, ReceiverSettings
from hub.observer import Observer

__all__ = ["Dispatcher", "ReceiverStanding", "Receivers"]

Receivers = Mapping[str, tuple[ReceiverSettings, Receiver]]


class ReceiverStanding(NamedTuple):
    """How a receiver stands: its circuit, how many notifications wait in memory, when the oldest arose (0: none)."""

    circuit: Circuit
    queued: int
    oldest: float


class Dispatcher:
    """Hands notifications to their receivers; the only place that calls a receiver."""

    def __init__(
        self,
        receivers: Receivers,
        outbox: Outbox,
        clock: Clock,
        observer: Observer,
        *,
        jitter: Callable[[], float] = random.random,
        dress: Callable[[Notification], Notification] | None = None,
        heirs: HeirsOf | None = None,
        may_begin: Callable[[], bool] | None = None,
    ) -> None:
        """Take the receivers; nothing is sent before `run`. `dress` adds what a message has only on its way out.

        `heirs` returns who takes over what waits for receivers that are gone; without it that becomes dead letters.
        `may_begin` is asked before attempts begin: a hub that is not sure any more that the state is its own must not
        send what its successor sends, too. While it may not, all that waits stays as it is.
        """
        self._outbox, self._clock, self._observer = outbox, clock, observer
        self._jitter, self._dress, self._heirs = jitter, dress, heirs
        self._may_begin = may_begin or _always
        self._channels: dict[str, ReceiverChannel] = {}
        self._cursors: dict[str, int] = {}  # of receivers that were removed: which rows have been in memory
        self._group: asyncio.TaskGroup | None = None
        self._working: set[asyncio.Task[None]] = set()
        self._attempts: dict[asyncio.Task[None], Receiver] = {}  # under way, and with which receiver
        self._stopped = asyncio.Event()
        self._idle = asyncio.Event()
        self._endings = Endings(outbox, clock, observer, self._idle.set)
        self._open(receivers)

    # what the pipeline calls

    def offer(self, queued: Sequence[Queued]) -> None:
        """Take rows that have just been committed. Cheap; call it on the event loop, in row order."""
        if self._group is None:
            return  # `run` will read them from the outbox, or nobody sends any more
        touched = set()
        for each in queued:
            channel = self._channels.get(each.notification.receiver)
            if channel is None:
                self._pass_on(each)
            else:
                channel.lane.offer(each)
                touched.add(channel)
        for channel in touched:
            self._pump(channel)

    async def run(self) -> None:
        """Send until `drain`; begin with what the outbox holds. Only a fault of the hub's own ends it otherwise."""
        try:
            async with asyncio.TaskGroup() as group:
                await self._remember()
                self._group = group
                self._spawn(self._pass_on_strangers())
                for channel in self._channels.values():
                    self._pump(channel)
                await self._stopped.wait()
        finally:
            self._group = None
            for channel in self._channels.values():
                channel.still()
            self._endings.flush()

    async def drain(self, seconds: float) -> None:
        """Begin no more attempts, give those under way `seconds` to end, then stop `run`.

        What was cut short stays queued.
        """
        self._group = None
        tasks = {*self._working, *self._attempts}
        for channel in self._channels.values():
            channel.still()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
        self._endings.flush()
        self._stopped.set()

    def reload(self, receivers: Receivers, heirs: HeirsOf | None = None) -> None:
        """Use these receivers from now on, while `run` runs; one that is the same object as before goes on undisturbed.

        What waits for a receiver that is not among them goes to its heirs. Where there is none it becomes dead letters
        that say so: nobody is told, and that is seen, and can be retried, instead of waiting for ever.
        """
        self._heirs = heirs
        gone = [self._channels.pop(name) for name in list(self._channels) if name not in receivers]
        self._open(receivers)
        for channel in gone:
            self._remove(channel)

    async def done_with(self, receiver: Receiver) -> None:
        """Return when no attempt with a receiver is under way, for whoever made it and wants to close it.

        A receiver that `reload` was not given, or one of a dispatcher that has ended, gets no other attempt.
        """
        if tasks := [task for task, used in self._attempts.items() if used is receiver]:
            await asyncio.wait(tasks)

    def drop(self, row: int, notification: Notification, by: str) -> bool:
        """Forget a row that somebody drops from the outbox; tell whether that may be: not while it is under way."""
        channel = self._channels.get(notification.receiver)
        if channel is not None:
            if channel.lane.lines.sending(row, notification.order):
                return False
            channel.lane.withdraw(row, notification.order)
            self._pump(channel)
            self._idle.set()
        self._observer.dropped(notification, by)
        return True

    def standing(self, ignored: Collection[str]) -> dict[str, ReceiverStanding]:
        """Return how each receiver stands; notifications of these alertnames do not count."""
        return {
            name: ReceiverStanding(channel.lane.breaker.state, *channel.lane.standing(ignored))
            for name, channel in self._channels.items()
            if name != OWN
        }

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
                channel = self._channels[name] = ReceiverChannel(name, settings, receiver, lane)
            channel.use(settings, receiver)
            self._pump(channel)

    def _remove(self, channel: ReceiverChannel) -> None:
        channel.still()
        for queued in channel.lane.clear():
            self._pass_on(queued, self._endings.end_for_fallback(channel, queued.notification))
        self._cursors[channel.name] = channel.lane.cursor
        if channel.lane.behind:
            self._spawn(self._pass_on_rest(channel.name))

    def _pump(self, channel: ReceiverChannel) -> None:
        """Start what can start, set the timer to the next wait's end, read on where there is room."""
        group, lane = self._group, channel.lane
        if group is None or self._channels.get(channel.name) is not channel:
            return
        if not self._may_begin():
            # nothing is given up or superseded either: only a hub that may send decides that. The lane is looked at
            # again soon, or as soon as `look` is called
            self._set_timer(channel, self._clock.monotonic() + MAY_BEGIN_SECONDS)
            return
        if lane.lines.patience is not None or lane.hosts is not None:
            self._endings.hand_over(channel)
        while (queued := lane.take()) is not None:
            if lane.breaker.probe == queued.row:
                self._observer.receiver(channel.name, Circuit.HALF_OPEN, "")
            task = group.create_task(self._attempt(channel, queued))
            self._attempts[task] = channel.receiver
            task.add_done_callback(self._attempts.pop)
        if lane.lines.superseded:
            self._endings.supersede(channel)
        self._set_timer(channel, lane.due())
        if not channel.fetching and (limit := lane.wants()):
            channel.fetching = True
            self._spawn(self._fetch(channel, limit))
        if lane.empty():
            self._idle.set()

    def _set_timer(self, channel: ReceiverChannel, due: float | None) -> None:
        if due is None or (channel.timer is not None and channel.wakes <= due):
            return
        channel.still()
        delay = max(0.0, due - self._clock.monotonic())
        channel.wakes = due
        channel.timer = asyncio.get_running_loop().call_later(delay, self._wake, channel)

    def _wake(self, channel: ReceiverChannel) -> None:
        channel.timer = None
        self._pump(channel)

    async def _fetch(self, channel: ReceiverChannel, limit: int) -> None:
        lane = channel.lane
        missed = lane.missed
        rows = await self._outbox.queued(channel.name, lane.cursor, limit)
        channel.fetching = False
        if self._channels.get(channel.name) is channel:
            lane.load(rows, limit, missed)
            self._pump(channel)

    # attempts

    async def _attempt(self, channel: ReceiverChannel, queued: Queued) -> None:
        dress = self._dress
        outcome = await channel.send(dress(queued.notification) if dress else queued.notification)
        now = self._clock.now()
        self._observer.delivery(queued.notification, outcome, queued.attempts + 1, now)
        if isinstance(outcome, Delivered):
            self._delivered(channel, queued)
            if outcome.note and channel.new(outcome.note):
                self._observer.trouble(f"receiver {channel.name}", outcome.note)
        else:
            self._failed(channel, queued, outcome, now)
        self._pump(channel)

    def _delivered(self, channel: ReceiverChannel, queued: Queued) -> None:
        lane, notification = channel.lane, queued.notification
        if lane.breaker.failures or lane.hosts is not None:
            self._answered(channel, notification)
        if lane.hosts is not None:
            lane.hosts.delivered(notification)
        if lane.allowance is not None:
            lane.allowance.worked(self._clock.monotonic())
        end = None
        if lane.lines.elsewhere:
            if is_firing(notification):
                lane.lines.reached(episode_id(notification.id))
            end = self._endings.end_for_fallback(channel, notification)
        self._endings.settle(Settled(queued.row, "delivered", queued.attempts + 1, 0.0, "", end))
        if queued.parts:
            self._endings.settle_parts(queued)
        lane.finish(queued)

    def _failed(self, channel: ReceiverChannel, queued: Queued, outcome: Retry | Rejected, now: float) -> None:
        notification, attempts = queued.notification, queued.attempts + 1
        hosts = channel.lane.hosts
        if isinstance(outcome, Rejected) or outcome.partly:
            self._answered(channel, notification)  # a receiver that refuses a message works all the same
        elif hosts is not None:
            hosts.failed(queued.row, notification, self._clock.monotonic(), outcome.after)
        elif channel.lane.breaker.failed(queued.row, notification.order, self._clock.monotonic(), outcome.after or 0.0):
            self._observer.receiver(channel.name, Circuit.OPEN, outcome.reason)
        if isinstance(outcome, Retry) and outcome.after is not None and hosts is None and not outcome.partly:
            channel.lane.hold_back(outcome.after)
        perhaps = queued.perhaps or isinstance(outcome, Rejected) or outcome.perhaps
        verdict = self._decide(channel, outcome, queued)
        tried = replace(queued, attempts=attempts, next_at=0.0, perhaps=perhaps)
        gone = self._channels.get(channel.name) is not channel  # it was removed meanwhile
        if isinstance(verdict, GiveUp):
            self._endings.give_up(channel, tried, verdict.reason)
            channel.lane.finish(queued)
        elif gone:
            for part in tried.parts[:-1]:
                self._pass_on(part)
            self._pass_on(replace(tried.parts[-1], attempts=attempts) if tried.parts else tried)
            channel.lane.finish(queued)
        else:
            next_at = now + verdict.after
            channel.lane.again(replace(tried, next_at=next_at))
            self._endings.settle(Settled(queued.row, "retry", attempts, next_at, verdict.reason))

    def _answered(self, channel: ReceiverChannel, notification: Notification) -> None:
        if channel.lane.hosts is not None:
            channel.lane.hosts.worked(notification)
        elif channel.lane.breaker.worked():
            self._observer.receiver(channel.name, Circuit.CLOSED, "")

    def _decide(self, channel: ReceiverChannel, outcome: Retry | Rejected, queued: Queued) -> Verdict:
        settings, lane = channel.settings, channel.lane
        attempts, age = queued.attempts + 1, lane.lines.age(queued)
        verdict = settings.retry.decide(outcome, attempts, age, self._jitter(), queued.before)
        fallback, waited = settings.fallback, lane.lines.waited(queued)
        if isinstance(verdict, Again) and fallback and fallback.after is not None and waited >= fallback.after:
            return GiveUp(f"not delivered within {format_duration(fallback.after)}; last: {verdict.reason}")
        return verdict

    # what waits for a receiver that is gone, or went to a fallback

    async def _remember(self) -> None:
        """Read what went to a fallback before the restart; whether its own receiver got it is not known any more."""
        for name, identity, to in await self._outbox.handed():
            if name in self._channels:
                self._channels[name].lane.lines.elsewhere[episode_id(identity)] = Elsewhere(to, perhaps=True)

    def _pass_on(self, queued: Queued, end: Entered | None = None) -> None:
        """Tell the heirs of a receiver that is gone; `end` goes to the fallback that was told in its place."""
        notification = queued.notification
        names = () if self._heirs is None else self._heirs(notification)
        told = {end.notification.receiver} if end is not None else set[str]()
        there = [name for name in dict.fromkeys(names or ()) if name in self._channels and name not in told]
        if names is not None and not there and end is None:
            # nobody is told, so it must be seen and can be sent again by hand: it does not just vanish
            self._endings.dead(queued, f"there is no receiver {notification.receiver!r} any more")
            return
        reason = "its receiver is gone; the others whom its rule tells have it"
        if there or told:
            reason = f"its receiver is gone; told to {', '.join(map(repr, (*told, *there)))}"
        heirs = inherited(notification, there)
        self._endings.settle(Settled(queued.row, "superseded", queued.attempts, 0.0, reason, end, heirs))
        self._observer.superseded(notification, reason)

    async def _pass_on_strangers(self) -> None:
        for name in await self._outbox.receivers():
            if name not in self._channels:
                await self._pass_on_rest(name)

    async def _pass_on_rest(self, name: str) -> None:
        """Pass on what the outbox holds for a receiver that is gone; stop where it has come back."""
        while name not in self._channels:
            rows = await self._outbox.queued(name, self._cursors.get(name, 0), LANE_FETCH)
            if name in self._channels or not rows:
                return
            self._cursors[name] = rows[-1].row
            for queued in rows:
                self._pass_on(queued)

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

    def _quiet(self) -> bool:
        lanes = all(channel.lane.empty() for channel in self._channels.values())
        return lanes and not self._working and not self._endings.waits


def _always() -> bool:
    """Let a hub of its own begin attempts whenever it wants."""
    return True
