import asyncio
import contextlib
import logging

import pytest

from hub.clock import ManualClock, SystemClock
from hub.errors import StoreError
from hub.limits import DELIVERY_AGE_SECONDS, LANE_QUEUE
from hub.model import Delivered, Rejected, Retry
from hub.notify import dispatcher as dispatcher_module
from hub.notify.dispatcher import Dispatcher
from hub.notify.fallback import Fallback
from hub.notify.lanes.retry import RetryPolicy
from tests.notify.fakes import MemoryOutbox, Remembering, Scripted, notification, settings

QUICK = RetryPolicy(first=0.01)
BOUND = 10.0  # seconds; every wait of these tests ends by an event long before


class Stand:
    """A dispatcher with what it needs; `clock` is the system's or one that the test moves."""

    def __init__(self, clock=None, policy=None, **receivers):
        self.outbox, self.observer = MemoryOutbox(), Remembering()
        self.clock = clock or SystemClock()
        retry = policy or RetryPolicy()
        pairs = {
            name: each if isinstance(each, tuple) else (settings(name, retry=retry), each)
            for name, each in receivers.items()
        }
        self.dispatcher = Dispatcher(pairs, self.outbox, self.clock, self.observer, jitter=lambda: 0.5)
        self.outbox.entered = self.dispatcher.offer

    def offer(self, *notifications):
        self.dispatcher.offer(self.outbox.put(*notifications))

    async def idle(self):
        async with asyncio.timeout(BOUND):
            await self.dispatcher.idle()

    async def until(self, what):
        async with asyncio.timeout(BOUND):
            while not what():
                await asyncio.sleep(0.001)

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.dispatcher.run())
        await asyncio.sleep(0)
        try:
            yield self
        finally:
            await self.dispatcher.drain(1.0)
            await task


async def test_what_the_outbox_holds_at_the_start_is_sent_in_order():
    chat = Scripted()
    stand = Stand(chat=chat)
    stand.outbox.put(*(notification(n) for n in range(1, 6)))
    async with stand.running():
        await stand.idle()
    assert chat.sent == [f"a-{n}" for n in range(1, 6)]
    assert stand.outbox.states() == ["delivered"] * 5
    assert not chat.closed, "it is lent"


async def test_what_a_receiver_warns_of_is_told_once_with_its_name():
    warned = []
    stand = Stand(chat=Scripted(Delivered("2 of 3 phones"), Delivered("2 of 3 phones"), Delivered("1 of 3 phones")))
    stand.observer.trouble = lambda *trouble: warned.append(trouble)
    async with stand.running():
        stand.offer(*(notification(n) for n in range(1, 5)))
        await stand.idle()
    assert warned == [("receiver chat", "2 of 3 phones"), ("receiver chat", "1 of 3 phones")]


async def test_a_rejected_notification_is_a_dead_letter_at_once_and_the_next_of_its_alert_goes_on():
    stand = Stand(chat=Scripted(Rejected("400 Bad Request")))
    async with stand.running():
        stand.offer(notification(1), notification(2))
        await stand.idle()
    assert stand.outbox.states() == ["dead", "delivered"]
    assert stand.outbox.last(1).reason == "400 Bad Request"
    assert stand.observer.dead_letters == [("a-1", "400 Bad Request")]


async def test_a_failing_head_holds_back_only_its_own_alert_and_comes_before_its_followers():
    clock = ManualClock(1_000_000.0)
    chat = Scripted(Retry("down"))
    stand = Stand(clock, chat=chat)
    async with stand.running():
        stand.offer(notification(1, created=clock.now()), notification(2, created=clock.now()))
        stand.offer(notification(3, order="b", created=clock.now()))
        await stand.until(lambda: stand.outbox.states() == ["queued", "queued", "delivered"])
        assert chat.sent == ["a-1", "b-3"]
        assert stand.outbox.last(1).next_at == clock.now() + 0.5
        clock.advance(1.0)
        stand.dispatcher.look()
        await stand.idle()
    assert chat.sent == ["a-1", "b-3", "a-1", "a-2"]
    assert stand.outbox.last(1).attempts == 2


async def test_a_wait_ends_by_the_timer_without_anything_else_happening():
    stand = Stand(policy=QUICK, chat=Scripted(Retry("down"), Retry("busy", 0.05)))
    async with stand.running():
        stand.offer(notification())
        await stand.idle()
    assert [outcome for _, outcome, _ in stand.observer.deliveries] == [Retry("down"), Retry("busy", 0.05), Delivered()]


async def test_a_shorter_wait_that_begins_later_ends_first():
    chat = Scripted(Retry("down"), Retry("down"))
    stand = Stand(policy=QUICK, chat=chat)
    stand.dispatcher._jitter = iter((60_000.0, 0.5)).__next__
    async with stand.running():
        stand.offer(notification(1, order="a"))
        await stand.until(lambda: stand.outbox.log[1])
        stand.offer(notification(2, order="b"))
        await stand.until(lambda: stand.outbox.states() == ["queued", "delivered"])
    assert chat.sent == ["a-1", "b-2", "b-2"]


async def test_a_hung_receiver_is_cut_off_at_its_limit_and_never_delays_another():
    never = asyncio.Event()
    hung = (settings("hung", timeout=0.2), Scripted(*[never] * 2))
    stand = Stand(hung=hung, chat=Scripted())
    async with stand.running():
        stand.offer(*(notification(n, "hung", str(n)) for n in range(1, 3)), notification(9))
        await stand.until(lambda: stand.outbox.states()[2] == "delivered")
        assert stand.outbox.log[1] == []
        await stand.until(lambda: stand.outbox.log[1] and stand.outbox.log[2])
        assert stand.outbox.last(1).state == "retry"
        assert stand.outbox.last(1).reason == "no answer within 200ms"


async def test_no_more_attempts_than_allowed_are_under_way_at_once():
    gate = asyncio.Event()
    chat = Scripted(*[gate] * 10)
    stand = Stand(chat=(settings(concurrency=3), chat))
    async with stand.running():
        stand.offer(*(notification(n, order=str(n)) for n in range(10)))
        await asyncio.sleep(0.02)
        assert len(chat.sent) == 3
        gate.set()
        await stand.idle()
    assert len(chat.sent) == 10


async def test_a_receiver_that_raises_is_retried_and_logged_without_what_it_said(caplog):
    caplog.set_level(logging.DEBUG)
    stand = Stand(policy=QUICK, chat=Scripted(ValueError("https://user:hunter2@example.org/")))
    async with stand.running():
        stand.offer(notification())
        await stand.idle()
    assert stand.outbox.log[1][0].reason == "internal error: ValueError"
    assert "hunter2" not in caplog.text
    assert "receiver chat: a fault of its own: ValueError at fakes.py:" in caplog.text


async def test_a_timeout_error_of_the_receivers_own_is_not_taken_for_the_limit():
    stand = Stand(policy=QUICK, chat=Scripted(TimeoutError()))
    async with stand.running():
        stand.offer(notification())
        await stand.idle()
    assert stand.outbox.log[1][0].reason == "internal error: TimeoutError"


async def test_what_is_older_than_its_age_is_tried_once_more_and_then_dead():
    clock = ManualClock(1_000_000.0)
    stand = Stand(clock, chat=Scripted(Retry("503"), Retry("503")))
    async with stand.running():
        stand.offer(notification(1, created=clock.now() - DELIVERY_AGE_SECONDS))
        await stand.idle()
    assert stand.outbox.states() == ["dead"]
    assert "503" in stand.observer.dead_letters[0][1]


async def test_six_hours_down_with_a_thousand_queued_loses_none():
    clock = ManualClock(1_000_000.0)
    down = True

    class Flaky(Scripted):
        async def send(self, notification):
            self.sent.append(notification.id)
            return Retry("connection refused") if down else Delivered()

    chat = Flaky()
    stand = Stand(clock, chat=chat)
    async with stand.running():
        stand.offer(*(notification(n, order=str(n % 50), created=clock.now()) for n in range(1000)))
        for _ in range(72):
            clock.advance(300.0)
            stand.dispatcher.look()
            await asyncio.sleep(0)
        assert stand.outbox.states() == ["queued"] * 1000
        down = False
        clock.advance(300.0)
        chat.sent.clear()
        stand.dispatcher.look()
        await stand.idle()
    assert stand.outbox.states() == ["delivered"] * 1000
    assert len(chat.sent) == 1000
    for order in range(50):
        mine = [int(key.partition("-")[2]) for key in chat.sent if key.startswith(f"{order}-")]
        assert mine == sorted(mine)


async def test_what_finds_no_room_in_memory_waits_in_the_outbox_and_is_sent_later():
    gate = asyncio.Event()
    chat = Scripted(*[gate] * 8)
    stand = Stand(chat=chat)
    total = LANE_QUEUE + 700
    async with stand.running():
        for start in range(0, total, 100):
            stand.offer(*(notification(n, order=str(n)) for n in range(start, start + 100)))
        lane = stand.dispatcher._channels["chat"].lane
        await stand.until(lambda: lane.lines.held)
        assert lane.lines.held <= LANE_QUEUE
        gate.set()
        async with asyncio.timeout(60):
            await stand.dispatcher.idle()
    assert stand.outbox.states() == ["delivered"] * total
    assert len(chat.sent) == total


async def test_what_waits_for_a_receiver_that_is_gone_at_the_start_becomes_dead_letters_that_say_so():
    stand = Stand(chat=Scripted())
    stand.outbox.put(*(notification(n, "pager") for n in range(3)), notification(9))
    async with stand.running():
        await stand.idle()
    assert stand.outbox.states() == ["dead"] * 3 + ["delivered"]
    assert {reason for _, reason in stand.observer.dead_letters} == {"there is no receiver 'pager' any more"}


async def test_removing_a_receiver_on_reload_buries_what_waits_and_lets_attempts_under_way_end():
    gate = asyncio.Event()
    chat, mail = Scripted(gate, Delivered()), Scripted()
    stand = Stand(chat=(settings(concurrency=1), chat), mail=mail)
    async with stand.running():
        stand.offer(notification(1), notification(2, order="b"), notification(3, order="b"))
        await stand.until(lambda: chat.sent)
        stand.dispatcher.reload({"mail": (settings("mail"), mail)})
        stand.offer(notification(4))
        await stand.until(lambda: stand.outbox.states() == ["queued", "dead", "dead", "dead"])
        done = asyncio.create_task(stand.dispatcher.done_with(chat))
        await asyncio.wait_for(stand.dispatcher.done_with(mail), BOUND)
        assert not done.done()
        gate.set()
        await asyncio.wait_for(done, BOUND)
        await stand.idle()
        assert stand.outbox.states() == ["delivered", "dead", "dead", "dead"]


async def test_a_receiver_changed_on_reload_sends_what_waited_through_the_new_one_and_is_done_with_the_old_one():
    old, new = Scripted(Retry("moved", 0.05)), Scripted()
    stand = Stand(chat=old)
    async with stand.running():
        stand.offer(notification(1), notification(2))
        await stand.until(lambda: stand.outbox.log[1])
        stand.dispatcher.reload({"chat": (settings(), new)})
        await stand.idle()
        assert (old.sent, new.sent) == (["a-1"], ["a-1", "a-2"])
        await asyncio.wait_for(stand.dispatcher.done_with(old), BOUND)
        assert (old.closed, new.closed) == (False, False), "both are lent"


async def test_a_removed_receiver_that_comes_back_sends_what_is_queued_from_then_on_and_nothing_twice():
    chat, again = Scripted(), Scripted()
    stand = Stand(chat=chat)
    async with stand.running():
        stand.offer(notification(1))
        await stand.idle()
        stand.dispatcher.reload({})
        stand.dispatcher.reload({"chat": (settings(), again)})
        stand.offer(notification(2))
        await stand.idle()
    assert (chat.sent, again.sent) == (["a-1"], ["a-2"])


async def test_draining_lets_attempts_end_and_leaves_the_rest_queued():
    gate = asyncio.Event()
    chat = Scripted(gate)
    stand = Stand(chat=(settings(concurrency=1), chat))
    task = asyncio.create_task(stand.dispatcher.run())
    await asyncio.sleep(0)
    stand.offer(notification(1), notification(2))
    await stand.until(lambda: chat.sent)
    drain = asyncio.create_task(stand.dispatcher.drain(BOUND))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.wait_for(asyncio.gather(drain, task), BOUND)
    assert stand.outbox.states() == ["delivered", "queued"]
    assert chat.sent == ["a-1"]
    await asyncio.wait_for(stand.dispatcher.done_with(chat), BOUND)


async def test_draining_cuts_off_what_hangs_with_a_receiver_that_was_removed_too():
    chat = Scripted(asyncio.Event())
    stand = Stand(chat=chat)
    task = asyncio.create_task(stand.dispatcher.run())
    await asyncio.sleep(0)
    stand.offer(notification(1))
    await stand.until(lambda: chat.sent)
    stand.dispatcher.reload({})
    await stand.dispatcher.drain(0.05)
    await asyncio.wait_for(task, BOUND)
    assert stand.outbox.states() == ["queued"]


async def test_a_dispatcher_that_ends_leaves_its_receivers_to_another_one():
    chat = Scripted()
    first, second = Stand(chat=chat), Stand(chat=chat)
    async with second.running():
        async with first.running():
            first.offer(notification(1))
            await first.idle()
        second.offer(notification(2))
        await second.idle()
    assert (chat.sent, chat.closed) == (["a-1", "a-2"], False)


async def test_draining_cuts_off_what_hangs_and_it_stays_queued():
    chat = Scripted(asyncio.Event())
    stand = Stand(chat=chat)
    async with stand.running():
        stand.offer(notification(1))
        await stand.until(lambda: chat.sent)
        await asyncio.wait_for(stand.dispatcher.drain(0.05), BOUND)
    assert stand.outbox.states() == ["queued"]


async def test_a_failing_outbox_ends_run_loudly():
    stand = Stand(chat=Scripted())

    async def queued(*_):
        raise StoreError("disk gone")

    stand.outbox.queued = queued
    with pytest.RaisesGroup(StoreError):
        await asyncio.wait_for(stand.dispatcher.run(), BOUND)


async def test_each_attempt_is_told_to_the_observer_with_its_number():
    stand = Stand(policy=QUICK, chat=Scripted(Retry("a"), Retry("b")))
    async with stand.running():
        stand.offer(notification())
        await stand.idle()
    assert stand.observer.deliveries == [("a-1", Retry("a"), 1), ("a-1", Retry("b"), 2), ("a-1", Delivered(), 3)]


class Lease:
    """Says whether attempts may begin, and how often it was asked."""

    def __init__(self):
        self.held, self.asked = True, 0

    def __call__(self):
        self.asked += 1
        return self.held


async def test_while_attempts_may_not_begin_none_does_and_afterwards_all_do_in_order(monkeypatch):
    monkeypatch.setattr(dispatcher_module, "MAY_BEGIN_SECONDS", 0.01)
    chat, lease = Scripted(), Lease()
    stand = Stand(chat=chat)
    stand.dispatcher._may_begin = lease
    lease.held = False
    stand.outbox.put(notification(1))  # it was there at the start
    async with stand.running():
        stand.offer(notification(2), notification(1, order="b"))
        before = lease.asked
        await stand.until(lambda: lease.asked >= before + 3)  # each lane looks again and again
        assert chat.sent == []
        assert stand.outbox.states() == ["queued"] * 3
        assert not stand.outbox.log, "nothing came of any row"
        lease.held = True
        await stand.idle()
    assert sorted(chat.sent) == ["a-1", "a-2", "b-1"]
    assert chat.sent.index("a-1") < chat.sent.index("a-2")
    assert stand.outbox.states() == ["delivered"] * 3


async def test_who_gets_the_right_to_begin_says_so_and_nobody_waits_for_the_next_look(monkeypatch):
    monkeypatch.setattr(dispatcher_module, "MAY_BEGIN_SECONDS", 3600.0)
    chat, lease = Scripted(), Lease()
    stand = Stand(chat=chat)
    stand.dispatcher._may_begin = lease
    async with stand.running():
        await stand.until(lambda: not stand.dispatcher._channels["chat"].lane.behind)
        lease.held = False
        stand.offer(notification(1))
        assert chat.sent == []
        lease.held = True
        stand.dispatcher.look()
        await stand.idle()
    assert chat.sent == ["a-1"]


async def test_an_attempt_under_way_ends_as_it_would_and_its_repetition_waits_for_the_right_to_begin(monkeypatch):
    monkeypatch.setattr(dispatcher_module, "MAY_BEGIN_SECONDS", 0.01)
    going, lease = asyncio.Event(), Lease()
    chat = Scripted(going, Retry("down", 0.01))
    stand = Stand(policy=QUICK, chat=chat)
    stand.dispatcher._may_begin = lease
    async with stand.running():
        stand.offer(notification(1, order="a"), notification(1, order="b"))
        await stand.until(lambda: len(chat.sent) == 2 and stand.outbox.log[2])
        lease.held = False
        going.set()
        await stand.until(lambda: stand.outbox.states() == ["delivered", "queued"])
        before = lease.asked
        await stand.until(lambda: lease.asked >= before + 3)
        assert chat.sent == ["a-1", "b-1"]
        lease.held = True
        await stand.idle()
    assert chat.sent == ["a-1", "b-1", "b-1"]


async def test_who_may_not_begin_gives_nothing_up_and_hands_nothing_over(monkeypatch):
    monkeypatch.setattr(dispatcher_module, "MAY_BEGIN_SECONDS", 0.01)
    clock, lease = ManualClock(1_000_000.0), Lease()
    chat, mail = Scripted(), Scripted()
    fallback = Fallback("mail", after=60.0)
    stand = Stand(clock, chat=(settings("chat", fallback=fallback), chat), mail=mail)
    stand.dispatcher._may_begin = lease
    lease.held = False
    async with stand.running():
        stand.offer(notification(1, created=clock.now()))
        clock.advance(3600)
        before = lease.asked
        await stand.until(lambda: lease.asked >= before + 5)
        assert stand.outbox.states() == ["queued"]
        lease.held = True
        await stand.idle()
    assert mail.sent == ["a-1"]


async def test_what_somebody_drops_is_told_to_nobody_unless_it_is_under_way():
    gate, dropped = asyncio.Event(), []
    chat = Scripted(gate)
    stand = Stand(chat=chat)
    stand.observer.dropped = lambda each, by: dropped.append((each.id, by))
    async with stand.running():
        stand.offer(notification(1), notification(2), notification(3))
        await stand.until(lambda: chat.sent)
        assert not stand.dispatcher.drop(1, notification(1), "ann")
        assert stand.dispatcher.drop(2, notification(2), "ann")
        stand.outbox.rows[2][0] = "dropped"
        assert stand.dispatcher.drop(9, notification(9, receiver="gone"), "ann")
        gate.set()
        await stand.idle()
    assert (chat.sent, dropped) == (["a-1", "a-3"], [("a-2", "ann"), ("a-9", "ann")])
