"""pipeline: nothing is acknowledged before all it caused is on disk; when commits happen; when timers may speak."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import orjson
import pytest

from hub.clock import ManualClock, SystemClock
from hub.config import Settings
from hub.errors import StoreError
from hub.ingest.mqtt.session import BrokerSettings
from hub.ingest.redelivery import mqtt_source, receipts
from hub.ingest.redelivery.arrived import Arrived
from hub.ingest.redelivery.mqtt_source import MqttSource
from hub.ingest.source import Notice
from hub.limits import CHECKPOINT_SECONDS, CHECKPOINT_WINDOW_SHARE, IDEMPOTENCY_SECONDS
from hub.model import BROKER, OWN, Delivery, Event, Notification, Position
from hub.observer import Observer
from hub.rules.reading.loader import RuleSet
from hub.spine import pipeline as module
from hub.spine import timers
from hub.spine.core import Core
from hub.spine.delivery_trace import Attempts
from hub.spine.downtime import ClockDowntime
from hub.spine.pipeline import Pipeline
from hub.spine.store_outbox import StoreOutbox
from hub.store.changes import Snapshot, position_key
from tests.rules.making import Packet, rules

WARM = '- {alert: Warm, topic: "f/{device}", when: t > 5, notify: [chat], summary: "{device}"}\n'
HOT, COLD = {"t": 6}, {"t": 1}


class FakeSession:
    """Positions count what was handed out; a test puts deliveries and notices in."""

    def __init__(self):
        self.handed = self.received = self.confirmed = 0
        self.on_notice = None
        self.acknowledged = []
        self.waiting = asyncio.Queue()
        self.asked = 0

    async def receive(self):
        return await self.waiting.get()

    def acknowledge(self, position):
        self.acknowledged.append(position)

    def catch_up(self):
        self.asked += 1


class HeldStore:
    """Holds commits back until the test lets them be made."""

    def __init__(self):
        self.commits, self.held = [], []

    def commit(self, changes, done):
        self.commits.append(changes)
        self.held.append(done)

    def release(self, error=None):
        """Make the oldest commit that waits."""
        self.held.pop(0)(error)


class FakeDispatcher:
    def __init__(self):
        self.offered = []

    def offer(self, queued):
        self.offered += queued


class Ears(Observer):
    def __init__(self):
        self.seen, self.twice, self.errors, self.clock, self.durable = [], 0, [], [], []

    def committed(self, count, latency):
        self.durable.append((count, latency))

    def clock_set(self, seconds):
        self.clock.append(seconds)

    def events(self, events, _now):
        self.seen += events

    def duplicates(self, count):
        self.twice += count

    def decode_error(self, topic, head, _reason):
        self.errors.append((topic, head))


class OneDevice:
    """A registry."""

    def attributes(self, _topic):
        return {}

    def topics(self, _filter):
        return ["f/9"]


class Rig:
    """A pipeline with everything around it under control. `disk` are the rows of all commits that were made."""

    def __init__(self, text=WARM, *, snapshot=None, clock=None, window=65535, registry=None):
        self.session, self.store, self.dispatcher, self.ears = FakeSession(), HeldStore(), FakeDispatcher(), Ears()
        self.clock = clock or ManualClock(1000.0)
        made = rules(text)
        rule_set = RuleSet({rule.name: rule for rule in made})
        self.core = Core(rule_set, registry, "hub", {}, lambda *_: None)
        settings = Settings(broker=replace(BrokerSettings(), receive_maximum=window))
        before = snapshot or Snapshot()
        downtime = ClockDowntime(before)
        kept = before.position(BROKER)
        self.source = MqttSource(self.session, self.core.engine, self.clock, kept, downtime.last_heard)
        self.pipeline = Pipeline(
            source=self.source, core=self.core, dispatcher=self.dispatcher, store=self.store,
            outbox=StoreOutbox(self.store, 0), clock=self.clock, observer=self.ears, settings=settings,
            downtime=downtime, attempts=Attempts(),
        )  # fmt: skip
        self.source.on_notice = self.pipeline.notice
        self.pipeline.restore(before, rule_set.filters())
        self.position = 0

    async def started(self):
        """Make the first commit, which holds only what the rules are."""
        await turn()
        await self.make()
        return self

    def take(self, *packets):
        self.position += len(packets)
        self.pipeline.take(self.source.take(packets))

    def notice(self, kind, detail="", position=None):
        self.session.received = max(self.session.received, self.position)
        self.session.on_notice(Notice(kind, self.position if position is None else position, detail))

    async def make(self, error=None):
        """Make every commit that waits, and those that follow."""
        while self.store.held:
            self.store.release(error)
            await turn()

    def said(self):
        """Return what waits in the outbox of the last commit, receivers only."""
        return [(row[2], orjson.loads(row[4])["state"]) for row in self.store.commits[-1].queued if row[2] != OWN]

    def snapshot(self):
        """Return what the disk holds after all commits so far."""
        instances, alerts, receipts, meta, signatures, last = {}, {}, {}, {}, {}, 0
        for each in self.store.commits:
            for rule, key, state in each.instances:
                instances[rule, key] = state
            alerts.update(each.alerts)
            at = broker(each)
            receipts = {number: blob for number, blob in receipts.items() if number > at.forget}
            receipts.update([at.entry] if at.entry else [])
            meta.update(each.meta)
            meta.update({position_key(BROKER): at.text} if at.text is not None else {})
            signatures = signatures if each.rules is None else dict(each.rules)
            last = max([last, *(row[0] for row in each.queued)])
        rows = [(*key, state) for key, state in instances.items() if state is not None]
        return Snapshot(rows, list(alerts.items()), sorted(receipts.items()), signatures, meta, last)


def broker(changes):
    """Return what a commit stores of where the broker's session stands."""
    return changes.positions.get(BROKER, Position())


async def turn():
    """Let what was called soon be called."""
    for _ in range(5):
        await asyncio.sleep(0)


async def until(condition, seconds=5):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(coroutine):
    task = asyncio.create_task(coroutine)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def packet(number=1, payload=HOT, topic="f/7", **more):
    return Packet(topic, payload, number, **more)


def posted(payload=HOT, topic="f/7"):
    return Event(topic, orjson.dumps(payload), payload, payload, 1000.0, 1, False)


# what the hub says of itself


async def test_what_a_wildcard_brings_of_the_hub_itself_is_acknowledged_and_is_no_event():
    rig = await Rig("- {event: All, topic: '#'}").started()
    rig.take(Packet("hub/status", {"status": "online"}, 1), Packet("hub/command/ack", b"\xff\x00", 2))
    rig.pipeline.want_commit()
    await turn()
    await rig.make()
    assert rig.session.acknowledged[-1] == 2
    assert (rig.ears.seen, rig.ears.errors, rig.said()) == ([], [], [])
    rig.take(Packet("hub/sensor/x/state", b"31", 3))
    await turn()
    await rig.make()
    assert [each.topic for each in rig.ears.seen] == ["hub/sensor/x/state"]
    assert rig.core.engine.states["All"].serial == 1


# events that were posted


async def test_posted_events_are_answered_only_after_all_they_caused_is_on_disk():
    rig = await Rig().started()
    answer = asyncio.create_task(rig.pipeline.submit([posted()]))
    await turn()
    assert not answer.done()
    assert rig.said() == [("chat", "firing")]
    await rig.make()
    assert await answer


async def test_posted_events_are_measured_from_the_first_of_their_commit_until_that_is_on_disk():
    rig = await Rig().started()

    async def later(*events, own=False):
        rig.clock.advance(2.0)
        await rig.pipeline.submit(events, own=own)

    waiting = [
        asyncio.create_task(each) for each in (later(posted(), posted()), later(posted()), later(posted(), own=True))
    ]
    await turn()
    rig.clock.advance(3.0)
    await rig.make()
    await asyncio.gather(*waiting)
    assert rig.ears.durable == [(3, 7.0)]
    again = asyncio.create_task(later(posted()))
    await turn()
    await rig.make()
    await again
    assert rig.ears.durable == [(3, 7.0), (1, 0.0)]


async def test_a_key_that_is_known_brings_nothing_twice_and_is_stored_with_what_it_brought():
    rig = await Rig().started()
    first = asyncio.create_task(rig.pipeline.submit([posted()], "a"))
    again = asyncio.create_task(rig.pipeline.submit([posted(COLD)], "a"))
    await turn()
    assert not again.done(), "it is answered when the first is on disk"
    commit = rig.store.commits[-1]
    assert len(commit.keys) == 1
    assert commit.alerts
    await rig.make()
    assert (await first, await again) == (True, False)
    assert len(rig.ears.seen) == 1

    after_a_crash = await Rig(snapshot=Snapshot(keys=list(commit.keys))).started()
    third = asyncio.create_task(after_a_crash.pipeline.submit([posted()], "a"))
    await turn()
    await after_a_crash.make()
    assert not await third


async def test_a_key_is_forgotten_after_its_time():
    rig = await Rig().started()
    for advance, fresh in ((0.0, True), (IDEMPOTENCY_SECONDS - 1, False), (2.0, True)):
        rig.clock.advance(advance)
        answer = asyncio.create_task(rig.pipeline.submit([posted()], "a"))
        await turn()
        keys = rig.store.commits[-1].keys
        await rig.make()
        assert await answer is fresh
    assert [at is None for _, at in keys] == [True, False]


async def test_what_somebody_did_is_in_the_audit_log_with_the_commit_of_what_it_changed():
    rig = await Rig().started()

    def change(core, now):
        del core, now
        rig.pipeline.audit("olga", "http", "ack", {"id": "x"})

    done = asyncio.create_task(rig.pipeline.perform(change))
    await turn()
    assert rig.store.commits[-1].audit == [(1000.0, "olga", "http", "ack", '{"id":"x"}')]
    await rig.make()
    await done


# the guarantee


async def test_an_event_is_acknowledged_and_told_only_after_all_it_caused_is_on_disk_in_one_commit():
    rig = await Rig().started()
    rig.take(packet(11), packet(12, COLD, "f/8"))
    await turn()
    assert rig.session.acknowledged[-1] == 0
    assert rig.dispatcher.offered == []
    (changes,) = rig.store.commits[1:]
    assert [row[:2] for row in changes.instances] == [("Warm", '["7"]')]
    assert len(changes.alerts) == 1
    assert sorted(row[2] for row in changes.queued) == [OWN, "chat"]
    assert broker(changes).entry[1][:2] + broker(changes).entry[1][6:8] == b"\x0b\x00\x0c\x00"
    await asyncio.sleep(0.05)
    assert rig.session.acknowledged[-1] == 0
    await rig.make()
    assert rig.session.acknowledged[-1] == 2
    assert sorted(each.notification.receiver for each in rig.dispatcher.offered) == [OWN, "chat"]


async def test_a_commit_that_could_not_be_made_acknowledges_and_tells_nothing():
    rig = await Rig().started()
    rig.take(packet())
    await turn()
    rig.store.release(StoreError("closed"))
    await turn()
    assert rig.session.acknowledged[-1] == 0
    assert rig.dispatcher.offered == []
    assert rig.pipeline.closed.is_set()


async def test_while_one_commit_is_under_way_the_next_gathers_and_covers_all_that_came():
    rig = await Rig().started()
    rig.take(packet(1))
    await turn()
    for number in range(2, 6):
        rig.clock.advance(60)  # so that it does not flap
        rig.take(packet(number, HOT if number % 2 else COLD))
        await turn()
    assert len(rig.store.commits) == 2
    rig.store.release()
    await turn()
    assert rig.session.acknowledged[-1] == 1
    assert len(rig.store.commits) == 3
    await rig.make()
    assert rig.session.acknowledged[-1] == 5
    assert [state for _, state in rig.said()] == ["resolved", "firing", "resolved", "firing"]


async def test_what_comes_behind_the_snapshot_of_a_commit_is_not_acknowledged_with_it():
    rig = await Rig().started()
    rig.take(packet(1))
    await turn()
    rig.take(packet(2, COLD, "f/8"))
    await rig.make()
    assert rig.session.acknowledged[-1] == 1


async def test_a_message_that_cannot_be_read_is_a_dead_letter_of_the_commit_that_acknowledges_it():
    rig = await Rig().started()
    rig.take(packet(1, b'{"t": 1'), packet(2))
    await turn()
    ((at, topic, head, _),) = rig.store.commits[-1].dead_letters
    assert (at, topic, head) == (1000.0, "f/7", b'{"t": 1')
    assert rig.ears.errors == [("f/7", b'{"t": 1')]
    await rig.make()
    assert rig.session.acknowledged[-1] == 2


async def test_qos_0_is_evaluated_and_leaves_no_receipt():
    rig = await Rig().started()
    rig.take(packet(None))
    await turn()
    assert rig.said() == [("chat", "firing")]
    assert broker(rig.store.commits[-1]).entry is None


# redelivery


async def test_a_redelivery_of_what_was_committed_is_acknowledged_and_not_evaluated_again():
    rig = await Rig('- {event: E, topic: "f/{x}", notify: [chat]}').started()
    rig.take(packet(1), packet(2))
    await turn()
    await rig.make()
    rig.notice("disconnected")
    rig.notice("connected", "resumed")
    rig.take(packet(1, duplicate=True), packet(2, duplicate=True), packet(3))
    rig.notice("drained")
    await turn()
    assert len(rig.said()) == 1
    assert rig.ears.twice == 2
    await rig.make()
    assert rig.session.acknowledged[-1] == 5


async def test_the_same_after_a_crash_and_what_was_not_committed_is_evaluated():
    rig = await Rig('- {event: E, topic: "f/{x}", notify: [chat]}').started()
    rig.take(packet(1))
    await turn()
    snapshot = rig.snapshot()
    rig.take(packet(2))
    after = await Rig('- {event: E, topic: "f/{x}", notify: [chat]}', snapshot=snapshot).started()
    after.take(packet(1, duplicate=True), packet(2, duplicate=True))
    await turn()
    assert len(after.said()) == 1
    assert after.ears.twice == 1


async def test_receipts_that_are_kept_no_more_are_forgotten_on_disk_with_the_next_commit(monkeypatch):
    monkeypatch.setattr(receipts, "RECEIPT_COMMITS", 0)
    rig = await Rig().started()
    rig.take(packet(1))
    await turn()
    number = broker(rig.store.commits[-1]).entry[0]
    rig.session.confirmed = 1
    await rig.make()
    rig.take(packet(2, COLD))
    await turn()
    assert broker(rig.store.commits[-1]).forget == number
    assert [kept for kept, _ in rig.snapshot().receipts] == [number + 1]


# when commits happen


async def test_events_that_cause_nothing_wait_for_the_checkpoint(monkeypatch):
    assert CHECKPOINT_SECONDS == 1.0
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.05)
    rig = await Rig().started()
    async with running(rig.pipeline.checkpoints()):
        await turn()
        await rig.make()
        count = len(rig.store.commits)
        rig.take(packet(1, COLD))
        await turn()
        assert len(rig.store.commits) == count
        await until(lambda: len(rig.store.commits) > count)
        await rig.make()
        assert rig.session.acknowledged[-1] == 1


async def test_a_checkpoint_with_nothing_to_commit_commits_nothing(monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.01)
    rig = await Rig().started()
    rig.notice("drained", position=0)
    rig.pipeline.timers.tick(rig.clock.now())
    async with running(rig.pipeline.checkpoints()):
        await turn()
        await rig.make()
        count = len(rig.store.commits)
        await asyncio.sleep(0.1)
        assert len(rig.store.commits) == count


async def test_a_quarter_of_the_receive_window_is_committed_without_waiting():
    assert CHECKPOINT_WINDOW_SHARE == 4
    rig = await Rig(window=40).started()
    rig.take(*[packet(number, COLD) for number in range(1, 10)])
    await turn()
    assert len(rig.store.commits) == 1
    rig.take(packet(10, COLD))
    await turn()
    assert len(rig.store.commits) == 2
    await rig.make()
    assert rig.session.acknowledged[-1] == 10


async def test_a_window_of_one_is_committed_with_every_event():
    rig = await Rig(window=1).started()
    rig.take(packet(1, COLD))
    await turn()
    assert len(rig.store.commits) == 2


async def test_results_of_deliveries_go_into_a_commit_of_their_own_soon():
    rig = await Rig().started()
    row = 7
    rig.pipeline.outbox._settled.append((row, "delivered", 1, 0.0, ""))
    rig.pipeline.outbox.want_commit()
    await turn()
    assert rig.store.commits[-1].settled == [(row, "delivered", 1, 0.0, "")]


async def test_closing_makes_one_last_commit_and_then_says_so():
    rig = await Rig().started()
    rig.take(packet(1, COLD))
    rig.pipeline.close()
    await turn()
    assert not rig.pipeline.closed.is_set()
    await rig.make()
    assert rig.pipeline.closed.is_set()
    assert rig.session.acknowledged[-1] == 1


async def test_closing_while_a_commit_is_under_way_waits_for_that_and_for_what_came_since():
    rig = await Rig().started()
    rig.take(packet(1))
    await turn()
    rig.take(packet(2, COLD))
    rig.pipeline.close()
    await turn()
    rig.store.release()
    await turn()
    assert not rig.pipeline.closed.is_set()
    await rig.make()
    assert rig.pipeline.closed.is_set()
    assert rig.session.acknowledged[-1] == 2


async def test_ingest_takes_batches_until_the_session_is_closed():
    rig = await Rig().started()
    async with running(rig.pipeline.ingest()) as task:
        rig.session.waiting.put_nowait([packet(1)])
        await until(lambda: len(rig.store.commits) == 2)
        rig.session.waiting.put_nowait([packet(2, COLD)])
        rig.session.waiting.put_nowait([])
        await asyncio.sleep(0.02)
        await rig.make()
        await asyncio.wait_for(task, 5)
        await rig.make()
    assert rig.session.acknowledged[-1] == 2


async def test_a_backlog_is_taken_in_without_waiting_for_a_commit_and_what_comes_behind_it_waits(monkeypatch):
    monkeypatch.setattr(mqtt_source, "BATCH", 2)
    rig = await Rig().started()
    async with running(rig.pipeline.ingest()):
        rig.session.waiting.put_nowait([packet(number) for number in range(1, 6)])
        for number in (6, 7):
            rig.session.waiting.put_nowait([packet(number)])
        await until(lambda: len(rig.store.commits) == 2)
        assert len(rig.ears.seen) == 6
        await rig.make()
        await until(lambda: len(rig.ears.seen) == 7)


async def test_while_held_nothing_is_taken_in():
    rig = await Rig().started()
    async with running(rig.pipeline.ingest()):
        with rig.pipeline.held():
            rig.session.waiting.put_nowait([packet(1)])
            await asyncio.sleep(0.03)
            assert rig.ears.seen == []
        await until(lambda: rig.ears.seen)


async def test_a_commit_made_while_held_keeps_no_receipt_of_what_is_not_evaluated_yet():
    rig = await Rig().started()
    async with running(rig.pipeline.ingest()):
        with rig.pipeline.held():
            rig.session.waiting.put_nowait([packet(1)])
            await until(lambda: rig.source.handed)
            rig.pipeline.want_commit()
            await turn()
            assert broker(rig.store.commits[-1]).entry is None
            await rig.make()
            assert rig.session.acknowledged[-1] == 0
        await until(lambda: rig.ears.seen)
        await turn()
        assert broker(rig.store.commits[-1]).entry is not None


async def test_while_held_what_did_not_come_by_the_session_is_evaluated():
    rig = await Rig().started()
    with rig.pipeline.held():
        submitted = asyncio.create_task(rig.pipeline.submit([posted()]))
        await until(lambda: rig.ears.seen)
        await rig.make()
        assert await asyncio.wait_for(submitted, 5)


# timers

LATER = WARM.replace("when", "for: 5m, when")
SILENT = '- {alert: Silent, topic: "f/{device}", absent: 10m, notify: [chat]}\n'


async def test_no_timer_speaks_before_the_brokers_queue_was_drained():
    rig = await Rig(LATER).started()
    rig.take(packet(1))
    await turn()
    await rig.make()
    rig.clock.advance(3600)
    count = len(rig.store.commits)
    async with running(rig.pipeline.timers.run()):
        await asyncio.sleep(0.05)
        rig.notice("drained", position=rig.position + 1)
        await asyncio.sleep(0.05)
        await rig.make()
        assert all(not changes.queued for changes in rig.store.commits[count:])
        rig.take(packet(2, COLD))  # what waited in the queue says that it is over
        await turn()
        await asyncio.sleep(0.02)
        await rig.make()
    assert not [row for changes in rig.store.commits[count:] for row in changes.queued if row[2] == "chat"]


async def test_once_drained_what_is_due_is_told():
    rig = await Rig(LATER).started()
    rig.take(packet(1))
    await turn()
    await rig.make()
    rig.clock.advance(3600)
    async with running(rig.pipeline.timers.run()):
        await asyncio.sleep(0.01)
        rig.notice("drained")
        await until(lambda: rig.store.held)
    assert rig.said() == [("chat", "firing")]


async def test_a_for_begins_when_a_message_was_sent_where_its_source_tells_that():
    rig = await Rig(LATER).started()
    raw = orjson.dumps(HOT)
    rig.pipeline.take(Arrived(2, dated=[Delivery("f/1", raw, time=800.0), Delivery("f/2", raw)]))
    assert rig.core.next_due() == 800 + 300
    assert [event.time for event in rig.ears.seen] == [800.0, 1000.0]
    rig.clock.advance(100)
    rig.notice("drained", position=2)
    rig.pipeline.timers.tick(rig.clock.now())
    await turn()
    told = [orjson.loads(row[4]) for row in rig.store.commits[-1].queued if row[2] == "chat"]
    assert [body["labels"]["device"] for body in told] == ["1"]


class ClockSetAtAReading(ManualClock):
    """A clock that somebody sets an hour forward just before the reading of that number, of either of its clocks."""

    def __init__(self, reading):
        super().__init__(1000.0)
        self.left = reading

    def now(self):
        self._read()
        return super().now()

    def monotonic(self):
        self._read()
        return super().monotonic()

    def _read(self):
        self.left -= 1
        if self.left == 0:
            self.set(3600.0)


@pytest.mark.parametrize("reading", range(1, 8))
async def test_what_is_on_its_way_to_its_lane_is_no_hour_older_when_the_clock_is_set_meanwhile(reading):
    clock = ClockSetAtAReading(0)
    rig = await Rig(WARM, clock=clock).started()
    clock.left = reading
    rig.take(packet(1))
    await turn()
    await rig.make()
    assert clock.left <= 0, "the clock was set"
    (told,) = (each for each in rig.dispatcher.offered if each.notification.receiver == "chat")
    assert told.born == 1000.0


async def test_timers_do_not_spin_while_the_broker_is_away(monkeypatch):
    rig = await Rig(LATER).started()
    rig.take(packet(1))
    await turn()
    await rig.make()
    rig.clock.advance(3600)
    waits = []
    wait = timers.wait
    monkeypatch.setattr(timers, "wait", lambda event, seconds: (waits.append(seconds), wait(event, seconds))[1])
    async with running(rig.pipeline.timers.run()):
        await asyncio.sleep(0.05)
    assert len(waits) == 1


async def test_a_deadline_that_comes_nearer_wakes_the_timers():
    rig = await Rig(WARM.replace("when", "for: 50ms, when"), clock=SystemClock()).started()
    rig.notice("drained")
    async with running(rig.pipeline.timers.run()):
        await asyncio.sleep(0.02)
        rig.take(packet(1))
        await turn()
        await rig.make()
        await until(lambda: rig.store.held)
    assert rig.said() == [("chat", "firing")]


async def test_a_reload_that_brings_a_deadline_wakes_the_timers():
    rig = await Rig(WARM, clock=SystemClock()).started()
    rig.notice("drained")
    async with running(rig.pipeline.timers.run()):
        await asyncio.sleep(0.02)
        await rig.make()
        made = rules(SILENT.replace("10m", "50ms"))
        rig.pipeline.reload(RuleSet({rule.name: rule for rule in made}), OneDevice())
        await turn()
        await rig.make()
        await until(rig.said)  # by this commit, or already by the one before where the machine is slow
    assert rig.said() == [("chat", "firing")]


async def gap(rig, seconds):
    """Be away for a while, with one tick behind it."""
    rig.notice("disconnected")
    rig.clock.advance(seconds)
    rig.notice("connected", "resumed")
    rig.notice("drained")
    rig.pipeline.timers.tick(rig.clock.now())


async def test_the_brokers_absence_is_no_devices_absence():
    rig = await Rig(SILENT).started()
    rig.notice("drained")
    rig.pipeline.timers.tick(rig.clock.now())
    rig.take(packet(1))
    await gap(rig, 3600)
    assert rig.core.next_due() <= rig.clock.now() + 600
    rig.clock.advance(599)
    rig.pipeline.timers.tick(rig.clock.now())
    await turn()
    await rig.make()
    assert not [row for changes in rig.store.commits for row in changes.queued if row[2] == "chat"]
    rig.clock.advance(1)
    rig.pipeline.timers.tick(rig.clock.now())
    await turn()
    assert rig.said() == [("chat", "firing")]


async def test_our_own_absence_is_no_devices_absence_also_after_a_crash():
    rig = await Rig(SILENT).started()
    rig.notice("drained")
    rig.pipeline.timers.tick(rig.clock.now())
    rig.take(packet(1))
    rig.pipeline.want_commit()
    await turn()
    await rig.make()
    after = await Rig(SILENT, snapshot=rig.snapshot(), clock=ManualClock(rig.clock.now() + 7200)).started()
    after.notice("connected", "resumed")
    after.notice("drained")
    after.pipeline.timers.tick(after.clock.now())
    await turn()
    await after.make()
    after.clock.advance(599)
    after.pipeline.timers.tick(after.clock.now())
    await turn()
    await after.make()
    assert not [row for changes in after.store.commits for row in changes.queued if row[2] == "chat"]
    after.clock.advance(1)
    after.pipeline.timers.tick(after.clock.now())
    await turn()
    assert after.said() == [("chat", "firing")]


async def test_that_we_are_alive_is_written_while_we_hear_and_not_while_we_do_not():
    rig = await Rig().started()

    def alive():
        return rig.snapshot().meta.get("alive")

    assert alive() is None
    rig.notice("drained")
    rig.pipeline.timers.tick(rig.clock.now())
    rig.pipeline.want_commit()
    await turn()
    await rig.make()
    assert alive() == "1000.0"
    rig.notice("disconnected")
    rig.clock.advance(1000)
    rig.pipeline.want_commit()
    await turn()
    await rig.make()
    assert alive() == "1000.0"


async def test_at_a_clean_stop_the_time_up_to_which_everybody_was_heard_is_written():
    for away, written in ((0, "1005.0"), (3, "1005.0")):
        rig = await Rig().started()
        rig.notice("drained")
        rig.pipeline.timers.tick(rig.clock.now())
        rig.pipeline.want_commit()
        await turn()
        await rig.make()
        rig.clock.advance(5)
        if away:  # the broker has been away since: of that time nothing is known
            rig.notice("disconnected")
            rig.clock.advance(away)
        rig.pipeline.close()
        await turn()
        await rig.make()
        assert rig.snapshot().meta["alive"] == written


async def test_while_a_commit_hangs_no_timer_speaks_and_what_came_meanwhile_goes_before_them():
    rig = await Rig(SILENT).started()
    rig.notice("drained")
    rig.take(packet(1))
    rig.pipeline.want_commit()
    await turn()
    rig.clock.advance(700)  # the commit is under way, and the device's next message waits for it
    rig.session.received = rig.position + 1
    async with running(rig.pipeline.timers.run()):
        await turn()
        assert rig.session.asked == 0
        await rig.make()
        rig.pipeline.timers._wanted.set()
        await until(lambda: rig.session.asked)
        rig.notice("drained", "again", position=rig.position + 1)
        await turn()
        rig.take(packet(2))
        await turn()
        await rig.make()
    assert not [row for changes in rig.store.commits for row in changes.queued if row[2] == "chat"]
    assert rig.core.next_due() == rig.clock.now() + 600


async def test_on_a_disk_where_each_commit_hangs_who_is_silent_is_told_all_the_same():
    rig = await Rig(SILENT.replace("10m", "10s")).started()
    rig.notice("drained")
    rig.take(packet(1))
    async with running(rig.pipeline.timers.run()):
        for step in range(20):
            rig.take(packet(2 + step, topic="f/8"))
            rig.pipeline.want_commit()
            await turn()
            for _ in range(2):
                rig.clock.advance(0.4)
                rig.pipeline.timers._wanted.set()
                await turn()
            rig.pipeline.want_commit()
            rig.store.release()  # and the next begins at once
            await turn()
            rig.session.received = rig.position + 1  # what the next step takes has come
            rig.notice("drained", "again", position=rig.position + 1)
        assert rig.session.asked >= 15
        await rig.make()
    told = [
        orjson.loads(row[4])["labels"]["device"]
        for each in rig.store.commits
        for row in each.queued
        if row[2] == "chat"
    ]
    assert told == ["7"]


async def test_after_the_process_stood_still_the_broker_is_asked_before_a_timer_speaks():
    rig = await Rig(SILENT).started()
    rig.notice("drained")
    rig.take(packet(1))
    rig.pipeline.want_commit()
    await turn()
    await rig.make()
    async with running(rig.pipeline.timers.run()):
        await turn()
        rig.clock.advance(700)
        rig.pipeline.timers._wanted.set()
        await until(lambda: rig.session.asked)
        assert not rig.pipeline.well
        rig.notice("drained", "again")  # nothing has come: nobody could be heard, so nobody was silent
        await until(lambda: rig.core.next_due() > rig.clock.now())
        assert rig.pipeline.well
    assert not [row for changes in rig.store.commits for row in changes.queued if row[2] == "chat"]


async def test_timers_speak_by_the_time_up_to_which_the_backlog_is_evaluated():
    rig = await Rig(LATER).started()
    rig.notice("drained")
    rig.take(packet(1))
    await turn()
    await rig.make()
    rig.clock.advance(299.9)
    async with running(rig.pipeline.timers.run()):
        await turn()
        rig.session.received = rig.position + 1  # it says that it is over, and waits
        rig.clock.advance(0.2)
        rig.pipeline.timers._wanted.set()
        await turn()
        await rig.make()
        rig.take(packet(2, COLD))
        await asyncio.sleep(0.02)
        await rig.make()
    assert not [row for changes in rig.store.commits for row in changes.queued if row[2] == "chat"]


async def test_a_message_of_an_older_connection_that_newer_ones_have_overtaken_ends_and_begins_nothing():
    rig = await Rig("- {event: E, topic: 'f/{x}', when: t > 5, notify: [chat]}\n" + WARM).started()
    rig.take(packet(1, COLD))
    rig.notice("disconnected")
    rig.clock.advance(1)
    rig.notice("connected", "resumed")
    rig.take(packet(2, COLD))
    rig.take(packet(3, HOT, duplicate=True))
    await turn()
    assert rig.said() == [("chat", "event")]
    rig.take(packet(4, HOT))
    rig.take(packet(5, COLD, duplicate=True))
    await turn()
    await rig.make()
    assert rig.said() == [("chat", "event"), ("chat", "firing")]
    assert [event.time for event in rig.ears.seen[-2:]] == [1001.0, 1000.0]


async def test_a_new_session_of_the_broker_gives_ids_that_say_nothing_of_the_old_ones():
    rig = await Rig('- {event: E, topic: "f/{x}", notify: [chat]}').started()
    rig.take(packet(1))
    await turn()
    await rig.make()
    rig.notice("disconnected")
    rig.notice("renewed")
    rig.take(packet(1, duplicate=True))
    await turn()
    await rig.make()
    assert rig.ears.twice == 0
    assert sum(len(changes.queued) for changes in rig.store.commits) == 2


async def test_that_a_broker_gives_ids_anew_at_once_is_known_after_a_restart():
    rig = await Rig().started()
    for _ in range(2):
        rig.take(packet(1))
        rig.pipeline.want_commit()
        await turn()
        await rig.make()
    assert rig.snapshot().meta["reuses_ids"] == "1"
    after = Rig(snapshot=rig.snapshot())
    assert after.source.reuses_ids


# what the hub says of itself


def own(rig):
    """Return the hub's own events of the last commit: id, topic, payload."""
    rows = [(row[1], orjson.loads(row[4])) for row in rig.store.commits[-1].queued if row[1].startswith("own-")]
    return [(identity, body["topic"], body["payload"]["event"], body["retain"]) for identity, body in rows]


async def test_a_lost_session_is_an_event_of_the_hubs_own_under_an_id_that_never_comes_again():
    rig = await Rig().started()
    rig.notice("session_lost", "gone")
    await turn()
    assert own(rig) == [("own-1", "hub/events/session_lost", "session_lost", False)]
    await rig.make()
    after = await Rig(snapshot=rig.snapshot()).started()
    after.notice("session_lost", "gone")
    await turn()
    assert own(after)[0][0] == "own-2"


@pytest.mark.parametrize(("before", "detail", "told"), [(True, "new", 1), (True, "resumed", 0), (False, "new", 0)])
async def test_a_session_that_was_lost_while_the_hub_was_off_is_told_too(before, detail, told):
    rig = await Rig().started()
    if before:
        rig.notice("drained")
        rig.pipeline.timers.tick(rig.clock.now())
        rig.pipeline.want_commit()
        await turn()
    after = await Rig(snapshot=rig.snapshot()).started()
    after.notice("connected", detail)
    await turn()
    await after.make()
    assert len(own(after)) == told
    after.notice("connected", "new")
    await turn()
    assert len(own(after)) == told  # nothing new: the session itself says `session_lost`


# restore and reload


async def test_the_first_commit_after_a_start_says_what_the_rules_are_and_what_is_subscribed():
    rig = Rig()
    await turn()
    (changes,) = rig.store.commits
    assert [name for name, _ in changes.rules] == ["Warm"]
    assert dict(changes.meta)["filters"] == '["f/+"]'


async def test_what_ends_because_of_a_restart_is_one_commit_with_the_state_it_ends():
    rig = await Rig().started()
    rig.take(packet(1))
    await turn()
    after = Rig("[]", snapshot=rig.snapshot())
    await turn()
    (changes,) = after.store.commits
    assert [(rule, state) for rule, _, state in changes.instances] == [("Warm", None)]
    assert after.said() == [("chat", "resolved")]
    assert changes.rules == []


async def test_a_device_that_left_the_registry_while_the_hub_was_off_ends_in_one_commit():
    rig = await Rig(SILENT).started()
    rig.take(packet(1, topic="f/1"))
    rig.notice("drained")
    rig.pipeline.timers.tick(rig.clock.now())
    rig.clock.advance(600)
    rig.pipeline.timers.tick(rig.clock.now())
    await turn()
    await rig.make()
    snapshot = rig.snapshot()
    ((rule, key, state),) = snapshot.instances
    never_heard = orjson.dumps([*orjson.loads(state)[:-1], None]).decode()
    after = Rig(SILENT, snapshot=replace(snapshot, instances=[(rule, key, never_heard)]))
    await turn()
    (changes,) = after.store.commits
    assert [row[2] for row in changes.instances] == [None]
    assert after.said() == [("chat", "resolved")]


async def test_a_rule_removed_by_a_reload_ends_in_one_commit_with_the_rules_that_are_left():
    rig = await Rig().started()
    rig.take(packet(1))
    await turn()
    await rig.make()
    rig.pipeline.reload(RuleSet(), OneDevice())
    await turn()
    changes = rig.store.commits[-1]
    assert (changes.rules, rig.said()) == ([], [("chat", "resolved")])
    assert [row[2] for row in changes.instances] == [None]


# copies of one message

BOTH = '- {event: A, topic: "f/+/x", notify: [chat]}\n- {event: B, topic: "f/7/#", notify: [chat]}\n'


def copy(number, ids, payload=HOT, **more):
    return packet(number, payload, "f/7/x", ids=ids, **more)


def counts(rig):
    """Return how often each rule spoke in all commits."""
    bodies = [orjson.loads(row[4])["alertname"] for changes in rig.store.commits for row in changes.queued]
    return bodies.count("A"), bodies.count("B")


async def test_copies_of_a_message_for_several_subscriptions_are_evaluated_once_from_the_first_batch_on():
    rig = await Rig(BOTH).started()
    rig.take(copy(1, [1]), copy(2, [2]))
    await turn()
    await rig.make()
    assert counts(rig) == (1, 1)
    assert rig.session.acknowledged[-1] == 2


async def test_identical_messages_one_behind_the_other_are_all_evaluated():
    rig = await Rig(BOTH).started()
    rig.take(copy(1, [1]), copy(2, [2]), copy(3, [1]), copy(4, [2]), copy(5, [2]), copy(6, [1]))
    rig.take(copy(7, [1]))
    rig.take(copy(8, [2]))
    await turn()
    await rig.make()
    assert counts(rig) == (4, 4)


async def test_one_message_with_the_identifiers_of_all_its_subscriptions_and_messages_without_any_are_no_copies():
    rig = await Rig(BOTH).started()
    rig.take(copy(1, [1, 2]), copy(2, [1, 2]), copy(3, []), copy(4, []))
    await turn()
    assert counts(rig) == (4, 4)


async def test_what_differs_in_payload_or_topic_is_no_copy():
    rig = await Rig(BOTH).started()
    rig.take(copy(1, [1]), copy(2, [2], COLD), packet(3, HOT, "f/8/x", ids=[1]), copy(4, [2]))
    await turn()
    assert counts(rig) == (4, 3)


async def test_a_copy_whose_first_was_committed_before_a_crash_is_not_evaluated():
    rig = await Rig(BOTH).started()
    rig.take(copy(1, [1]))
    await turn()
    after = await Rig(BOTH, snapshot=rig.snapshot()).started()
    after.take(copy(1, [1], duplicate=True), copy(2, [2], duplicate=True))
    await turn()
    await after.make()
    assert counts(after) == (0, 0)


async def test_rules_without_overlapping_filters_never_look_for_copies():
    rig = await Rig(WARM).started()
    rig.take(packet(1, ids=[1]), packet(2, COLD, ids=[2]), packet(3, ids=[1]), packet(4, COLD, ids=[2]))
    await turn()
    assert len(rig.ears.seen) == 4


# the wall clock is set


@pytest.mark.parametrize("step", [3600.0, -3600.0])
async def test_a_timer_goes_on_as_if_the_wall_clock_had_not_been_set_and_all_who_count_time_hear_of_it(step):
    rig = await Rig(WARM.replace("when", "for: 5m, when")).started()
    rig.take(packet(1))
    await turn()
    rig.clock.advance(100)
    rig.clock.set(step)
    rig.take(packet(2))
    await turn()
    await rig.make()
    assert rig.ears.clock == [step]
    assert not rig.core.tick(rig.clock.now())
    assert rig.core.next_due() == rig.clock.now() + 200


@pytest.mark.parametrize("step", [3600.0, -3600.0])
async def test_what_waits_its_gaps_and_the_note_of_when_we_were_alive_are_moved_with_the_wall_clock(step):
    rig = await Rig(clock=ManualClock(1_000_000.0)).started()
    rig.notice("connected", "new")
    rig.notice("drained")
    rig.pipeline.timers.tick(rig.clock.now())
    rig.pipeline.want_commit()
    await turn()
    await rig.make()
    began = rig.clock.now()
    rig.pipeline.tell(lambda serial: [Notification(f"own-{serial}", OWN, "x", {}, began)])
    rig.clock.set(step)
    rig.pipeline.want_commit()
    await turn()
    await rig.make()
    (row,) = rig.store.commits[-1].queued
    assert row[-1] == began + step
    assert float(dict(rig.store.commits[-1].meta)["alive"]) == began + step
    rig.notice("disconnected")
    rig.clock.set(step)
    rig.take(packet(1))
    assert rig.pipeline.timers.hearing.quiet_since == began + 2 * step


async def test_a_clock_that_was_set_back_while_the_hub_was_off_delays_no_timer():
    rig = await Rig(WARM.replace("when", "for: 5m, when")).started()
    rig.take(packet(1))
    await turn()
    await rig.make()
    rig.notice("connected", "new")
    rig.notice("drained")
    rig.clock.advance(100)
    rig.pipeline.timers.tick(rig.clock.now())
    rig.take(packet(2))
    rig.pipeline.want_commit()
    await turn()
    await rig.make()
    snapshot = rig.snapshot()
    after = Rig(WARM.replace("when", "for: 5m, when"), snapshot=snapshot, clock=ManualClock(rig.clock.now() - 3600))
    assert after.ears.clock == [-3600.0]
    assert after.core.next_due() == after.clock.now() + 200
