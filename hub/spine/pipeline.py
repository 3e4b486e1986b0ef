"""The way of the data at work: deliveries → events → transitions → notifications → one commit → acknowledgement.

The one guarantee lives here: an event is acknowledged only after everything it caused is on disk. A batch that caused
something is committed at once; while one commit is under way, the next one gathers. All other batches are committed at
the latest after CHECKPOINT_SECONDS, or when a part of the receive window is filled.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import orjson

from hub.clock import Clock, ClockSteps, Look
from hub.config import Settings
from hub.devices.known.settings import FiledDevices
from hub.errors import StoreError
from hub.ingest.decode import Undecodable, decode_all, decode_each
from hub.ingest.idempotency import Keys
from hub.ingest.redelivery.arrived import Arrived
from hub.ingest.source import EventSource, Notice
from hub.limits import BUSY, BUSY_SECONDS, CHECKPOINT_SECONDS, CHECKPOINT_WINDOW_SHARE
from hub.model import Event, Notification
from hub.notify.dispatcher import Dispatcher
from hub.notify.subscribers import Subscribers
from hub.observer import Observer
from hub.rules.reading.loader import RuleSet
from hub.spine.commit import Commit
from hub.spine.core import Core
from hub.spine.delivery_trace import Attempts
from hub.spine.downtime import Downtime
from hub.spine.own_notifications import OwnNotifications
from hub.spine.store_outbox import StoreOutbox, outbox_row
from hub.spine.timers import Timers, wait
from hub.store.changes import Changes, MetaRow, Snapshot
from hub.store.keeper import Journal, Keeper, restore_all
from hub.store.store import Store
from hub.tracing.spans import Tracing

__all__ = ["Pipeline"]

T = TypeVar("T")


class Pipeline:
    """Moves batches through the stages and decides when they are committed and acknowledged."""

    def __init__(
        self,
        *,
        source: EventSource,
        core: Core,
        dispatcher: Dispatcher,
        store: Store,
        outbox: StoreOutbox,
        clock: Clock,
        observer: Observer,
        settings: Settings,
        downtime: Downtime,
        attempts: Attempts,
        subscribers: Subscribers | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        """Take the stages; `attempts` hears the dispatcher.

        Changes of `subscribers` go with the next commit. `tracing` looks at what each delivery brings.
        """
        self._downtime = downtime
        self.tracing = tracing
        self.source, self.core, self.dispatcher = source, core, dispatcher
        self.store, self.outbox, self.clock, self.observer = store, outbox, clock, observer
        outbox.want_commit = self.want_commit
        self._payload_bytes = settings.broker.payload_bytes
        self._share = max(1, settings.broker.receive_maximum // CHECKPOINT_WINDOW_SHARE)
        self.closed = asyncio.Event()
        """Set when the last commit is made."""
        self._keys = Keys()
        self._audit, self._dead = Journal("audit"), Journal("dead_letters")
        self.keepers: tuple[Keeper, ...] = (
            *(self._keys, self._audit, self._dead, attempts.journal),
            *([subscribers] if subscribers else []),
        )
        self._own = OwnNotifications(settings.publish_prefix)
        self.notes: dict[str, str | None] = {}
        """Rows for the store's `meta` that go with the next commit, by key; None deletes one."""
        self._uncommitted = 0
        self._speaking = (0, 0.0)
        self._steps = ClockSteps(clock)
        self._wanted = self._committing = False
        self._on_disk = asyncio.Event()
        self.timers = Timers(core, source, clock, self._now, self.want_commit)
        self._hearing = self.timers.hearing
        self._waiting: list[asyncio.Future[None]] = []
        self._closing = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()

    # state in

    def restore(self, snapshot: Snapshot, filters: Sequence[str]) -> None:
        """Take in what the store held; the time since its last commit counts as nobody's absence.

        `filters` are those that the source subscribes to.
        """
        now = self.clock.now()
        restore_all(self.keepers, snapshot)
        self._own.serial = int(snapshot.meta_float("own_serial", 0))
        gap = self._downtime.gap(now)
        self.core.restore(snapshot, now - gap.step)  # by the clock of the state's times, which then move with it
        if gap.step:
            self.core.shift(gap.step, now)
            self.observer.clock_set(gap.step)
        self._hearing.began(gap.since)
        self._subscribed(filters)

    def reload(self, rules: RuleSet, registry: FiledDevices) -> None:
        """Take new rules, in one turn of the loop."""
        now = self._now()
        self.core.reload(rules, registry, now)
        self._subscribed(rules.filters())
        self.timers.wake()

    def _subscribed(self, filters: Sequence[str]) -> None:
        """Note what the broker keeps for us: the next start unsubscribes what it does not want."""
        self.notes["filters"] = orjson.dumps(list(filters)).decode()
        self.want_commit()

    # events

    async def ingest(self) -> None:
        """Take batches from the source until it is closed.

        While a commit is under way, deliveries gather in the source: to wake for each message would cost more than the
        messages themselves, and slow the commit down. A backlog does not wait, unless commits do not come to an end.
        """
        while arrived := await self.source.receive():
            if not self._open.is_set():
                await self._open.wait()
            self.take(arrived)
            gather = not arrived.backlog or self._uncommitted > self._share
            if gather and (self._wanted or self._committing):
                await self._on_disk.wait()

    async def submit(self, events: Sequence[Event], key: str = "", *, own: bool = False) -> bool:
        """Evaluate events that did not come by the source; return when all they caused is on disk.

        `key` is an idempotency key: where it is known, nothing is evaluated and the answer is False. `own` events are
        the hub's and not a device's: they are neither shown nor counted. `submit` goes on while the pipeline is `held`.

        Raises:
            StoreError: the hub ended before it was on disk.

        """
        now = self._now()
        fresh = not key or self._keys.take(key, now)
        if fresh:
            self.core.process(events, now)
            if not own:
                self.observer.events(events, now)
                self._speaking = (self._speaking[0] + len(events), self._speaking[1] or now)
            self.timers.wake()
        await self._durable()
        return fresh

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Take nothing from the source meanwhile: what new filters bring waits for the rules that asked for it."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def take(self, arrived: Arrived) -> None:
        """Evaluate what came. Where it caused something, its commit begins now; else with the next checkpoint."""
        now = self._now()
        events, unread = self._read(arrived, now)
        spoke = self.core.process(events, now, unread)
        self._hearing.taken += arrived.count
        self._uncommitted += arrived.count
        self.observer.events(events, now)
        if spoke:
            self.want_commit()
            self._speaking = (self._speaking[0] + len(events), self._speaking[1] or now)
        else:
            self.observer.committed(len(events), self.clock.now() - now)
        self.timers.wake()
        if self._uncommitted >= self._share:
            self.want_commit()

    def _read(self, arrived: Arrived, now: float) -> tuple[list[Event], list[Undecodable]]:
        """Decode; leave out the hub's own topics. What cannot be read is kept as a dead letter and said."""
        if arrived.repeated:
            self.observer.duplicates(arrived.repeated)
        events_of = self.core.engine.events_of
        packets = events_of(arrived.packets)
        events, unread = decode_all(packets, now, self._payload_bytes, self.core.engine.is_encoded)
        dated = events_of(arrived.dated)
        if dated:
            earlier, failures = decode_each(dated, now, self._payload_bytes, self.core.engine.is_encoded)
            events, unread = [*earlier, *events], [*failures, *unread]
        if self.tracing is not None:
            self.tracing.receive([*dated, *packets], events, unread)
        for each in unread:
            self._dead.add((now, each.topic, each.head, each.reason))
            self.observer.decode_error(each.topic, each.head, each.reason)
        return events, unread

    # time

    def _now(self) -> float:
        """Return the time in seconds since 1970. Where somebody has set the clock, move all timers with it first."""
        return self._look().now

    def _look(self) -> Look:
        """Read the clocks, and move all timers where somebody has set the wall clock.

        What is done by this look goes by its times and reads no clock again: it may be set in the next moment.
        """
        now, _, step = look = self._steps.look()
        if step:
            self.core.shift(step, now)
            self._own.shift(step)
            self._downtime.stepped()
            self.timers.shift(step)
            self.want_commit()
            self.observer.clock_set(step)
        return look

    # the session

    def notice(self, notice: Notice) -> None:
        """Hear something about the source (see source.Notice), and tell observers what is of interest to people."""
        now = self._now()
        if notice.kind == "disconnected":
            self._hearing.lost(now)
        elif notice.kind == "drained":
            again = notice.detail == "again"
            self._hearing.drained(notice.position, now, again=again)
            self.timers.wake()
            if again:
                return  # the answer to our own question after a stall: no news to anybody
        elif notice.kind == "session_lost":
            self._own.add_event(notice.kind, notice.detail, now)
            self._own_told()
        self.observer.session(notice.kind, notice.said)

    def tell(self, make: Callable[[int], Sequence[Notification]]) -> Sequence[Notification]:
        """Queue notifications that no rule caused, with the next commit; `make` gets a number that only they have."""
        notifications = self._own.add(make)
        self._own_told()
        return notifications

    def _own_told(self) -> None:
        self.notes["own_serial"] = str(self._own.serial)
        self.want_commit()

    @property
    def well(self) -> bool:
        """Whether the timers run; the heartbeat stops where they do not."""
        return self.timers.well

    # the desk

    async def perform(self, change: Callable[[Core, float], T]) -> T:
        """Apply a change to the core; return what it returns when that is on disk.

        Raises:
            StoreError: the hub ended before it was.

        """
        now = self._now()
        result = change(self.core, now)
        self.core.heed(now)
        self.timers.wake()
        await self._durable()
        return result

    def audit(self, actor: str, via: str, action: str, detail: Mapping[str, Any]) -> None:
        """Note who did what, and by which way (`mqtt`, `http`, `link`), in the same commit as what was just done."""
        self._audit.add((self.clock.now(), actor, via, action, orjson.dumps(detail).decode()))
        self.observer.command(actor, via, action, detail)
        self.want_commit()

    async def _durable(self) -> None:
        """Return when all that has happened so far is on disk."""
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(durable)
        self.want_commit()
        await durable

    # commits

    def want_commit(self) -> None:
        """Let a commit begin at the end of this turn of the loop, or as soon as the one under way has ended."""
        if not self._wanted:
            self._wanted = True
            self._on_disk.clear()
            asyncio.get_running_loop().call_soon(self._begin)

    async def checkpoints(self) -> None:
        """Commit every CHECKPOINT_SECONDS what was evaluated and caused nothing, so that it is acknowledged soon."""
        while not self._closing.is_set():
            if self._uncommitted or self.core.engine.lasts.behind or self._downtime.is_due(self.clock.now()):
                self.want_commit()
            await wait(self._closing, CHECKPOINT_SECONDS)

    def _begin(self) -> None:
        """Hand all that has happened so far to the store."""
        if self._committing or not self._wanted:
            return
        look = self._look()  # a look at the clock first: where it was set, what waits to be queued is moved with it
        self._committing, self._wanted, self.timers.committing_since = True, False, look.monotonic
        notifications = [*self._own.take(), *self.core.take_notifications(), *self.outbox.take_entering()]
        commit = Commit(
            position=self._hearing.taken,
            events=self._uncommitted,
            speaking=self._speaking,
            queued=self.outbox.enter(notifications, look.now, look.monotonic),
            changed=self.core.take_changed(),
            waiting=self._waiting,
            begun=look.monotonic,
            traced=() if self.tracing is None else self.tracing.take(),
        )
        self._waiting = []
        self._speaking, self._uncommitted = (0, 0.0), 0
        self.store.commit(self._changes(look.now, commit), partial(self._committed, commit))

    def _committed(self, commit: Commit, error: StoreError | None) -> None:
        """Hear that it is on disk: hand the notifications to the dispatcher, then acknowledge and begin the next."""
        commit.wake(error)
        if error is not None:  # the store was closed first: nothing is acknowledged, so the broker sends it again
            self._on_disk.set()
            self.closed.set()
            return
        if commit.queued:
            self.dispatcher.offer(commit.queued)
        asyncio.get_running_loop().call_soon(self._acknowledge, commit)  # sends go out first: people wait for them

    def _acknowledge(self, commit: Commit) -> None:
        self._on_disk.set()
        self.source.acknowledge(commit.position)
        self.timers.catch_up()  # at once: on a slow disk the next commit would hang before the timers look
        took = self.clock.monotonic() - commit.begun
        self.observer.stored(took)
        if self.tracing is not None:
            self.tracing.on_disk(commit.traced, took)
        commit.report(self.observer, self.clock.now())
        if commit.events > BUSY and not self._closing.is_set():  # one larger commit costs less than two
            asyncio.get_running_loop().call_later(BUSY_SECONDS, self._next)
        else:
            self._next()

    def _next(self) -> None:
        self._committing, self.timers.committing_since = False, None
        self._begin()
        if self._closing.is_set() and not self._committing:
            self.closed.set()

    def _changes(self, now: float, commit: Commit) -> Changes:
        handed, closed, dropped = self.outbox.take_marks()
        meta: list[MetaRow] = list(self.notes.items())
        self.notes.clear()
        meta += self._downtime.take_rows(now, self._hearing.quiet_since, last=self._closing.is_set())
        changes = self.core.take_changes(None if self._closing.is_set() else now, self.keepers)
        return replace(
            changes,
            queued=[outbox_row(each) for each in commit.queued],
            settled=self.outbox.take_settled(),
            handed=handed,
            closed=closed,
            dropped=dropped,
            positions=self.source.positions(commit.position),
            meta=meta,
        )

    def close(self) -> None:
        """Let `timers` and `checkpoints` end after one last commit; `closed` is set when it is made."""
        self._closing.set()
        self.timers.close()
        self.want_commit()
