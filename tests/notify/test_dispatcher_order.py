"""The dispatcher under random outcomes and a clock that the test moves: order per alert, nothing lost or twice.

And episodes: whoever got a firing message gets the end, once, and nothing that fires behind it.
"""

import asyncio
from dataclasses import replace
from math import ceil

from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from hub.clock import ManualClock
from hub.ids import episode_id
from hub.model import Delivered, Rejected, Retry
from hub.notify.dispatcher import Dispatcher
from hub.notify.lanes.episode import is_end
from hub.notify.lanes.retry import RetryPolicy
from tests.notify.fakes import MemoryOutbox, Remembering, Scripted, notification, settings

OUTCOMES = st.sampled_from(
    [
        Delivered(),
        Delivered(),
        Retry("x"),
        Retry("x", 30.0),
        Retry("y", perhaps=False),
        Rejected("no"),
        ValueError("bug"),
    ]
)
ALERTS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("pqr")), min_size=1, max_size=25)


class Slow(Scripted):
    """Lets others run between the beginning and the end of an attempt, and sees that no alert has two under way."""

    def __init__(self, *outcomes):
        super().__init__(*outcomes)
        self.busy = set()

    async def send(self, sent):
        assert sent.order not in self.busy
        self.busy.add(sent.order)
        await asyncio.sleep(0)
        self.busy.discard(sent.order)
        return await super().send(sent)


async def at_rest(dispatcher, clock, *, minutes):
    """Let time pass until nothing waits any more, at most so many minutes."""
    idle = asyncio.create_task(dispatcher.idle())
    for _ in range(minutes):
        clock.advance(60.0)
        dispatcher.look()
        await asyncio.sleep(0)
        if idle.done():
            break
    assert idle.done()


@limits(max_examples=60, deadline=None)
@given(ALERTS, st.lists(OUTCOMES, max_size=40), st.integers(1, 4), st.integers(1, 5), st.floats(0, 0.99))
def test_each_alert_is_told_in_order_whatever_comes_of_the_attempts(alerts, outcomes, concurrency, batch, jitter):
    asyncio.run(scenario(alerts, outcomes, concurrency, batch, jitter))


async def scenario(alerts, outcomes, concurrency, batch, jitter):
    clock, outbox, observer = ManualClock(1_000_000.0), MemoryOutbox(), Remembering()
    receivers = {name: Slow(*outcomes[index::2]) for index, name in enumerate("ab")}
    pairs = {name: (settings(name, concurrency=concurrency), each) for name, each in receivers.items()}
    dispatcher = Dispatcher(pairs, outbox, clock, observer, jitter=lambda: jitter)
    task = asyncio.create_task(dispatcher.run())
    rows = [notification(n, name, order, clock.now()) for n, (name, order) in enumerate(alerts)]
    for start in range(0, len(rows), batch):
        dispatcher.offer(outbox.put(*rows[start : start + batch]))
        await asyncio.sleep(0)
    await at_rest(dispatcher, clock, minutes=10_000)
    await dispatcher.drain(1.0)
    await task
    assert set(outbox.states()) <= {"delivered", "dead"}
    ended = [(key, outcome) for key, outcome, _ in observer.deliveries if isinstance(outcome, Delivered | Rejected)]
    assert len(ended) == len({key for key, _ in ended}) == len(rows)
    for name, order in set(alerts):
        mine = [row.id for row in rows if (row.receiver, row.order) == (name, order)]
        assert [key for key, _ in ended if key in mine] == mine
    for row, log in outbox.log.items():
        assert [each.attempts for each in log] == list(range(1, len(log) + 1)), row


# to the second: a model of its own, of receivers that ask for no wait and fail too seldom to be left alone

FEW = st.lists(st.sampled_from([Retry("x"), Retry("y", perhaps=False), Rejected("no"), ValueError("bug")]), max_size=4)
SCRIPT = st.tuples(st.sampled_from("pqr"), FEW)
COURSE = st.lists(st.tuples(st.integers(0, 90), SCRIPT), min_size=1, max_size=12)


def predicted(course, jitter, most):
    """What docs/receivers.md promises: each alert's notifications one behind the other, each again after a back-off.

    Returns who is tried when, by alert, and how each ends, after how many attempts.
    """
    free, tried, ends, now = {}, {}, [], 0
    for number, (wait, (order, outcomes)) in enumerate(course, 1):
        now += wait
        at, failures = max(now, free.get(order, 0)), list(outcomes)
        for attempt in range(1, 100):
            tried.setdefault(order, []).append((at, number))
            outcome = failures.pop(0) if failures else Delivered()
            if isinstance(outcome, Delivered | Rejected) or attempt == most:
                ends.append(("delivered" if isinstance(outcome, Delivered) else "dead", attempt))
                break
            at += ceil(jitter * min(300.0, 2.0 ** (attempt - 1)))
        free[order] = at
    return tried, ends


@limits(max_examples=100, deadline=None)
@given(COURSE, st.sampled_from([0.0, 0.25, 0.5, 0.99]), st.sampled_from([0, 1, 2, 3]))
def test_every_attempt_comes_when_the_documents_say_and_every_notification_ends_so(course, jitter, most):
    asyncio.run(exactly(course, jitter, most))


async def exactly(course, jitter, most):
    clock, outbox, tried, scripts = ManualClock(1_000_000.0), MemoryOutbox(), {}, {}

    class Timed(Scripted):
        async def send(self, sent):
            number = int(sent.id.split("-")[1])
            tried.setdefault(sent.order, []).append((clock.now() - 1_000_000.0, number))
            self.outcomes = [scripts[number].pop(0)] if scripts[number] else []
            return await super().send(sent)

    kept = settings("a", concurrency=3, retry=RetryPolicy(attempts=most), breaker=0)
    dispatcher = Dispatcher({"a": (kept, Timed())}, outbox, clock, Remembering(), jitter=lambda: jitter)
    task = asyncio.create_task(dispatcher.run())
    await turns()
    for number, (wait, (order, outcomes)) in enumerate(course, 1):
        await tick(dispatcher, clock, wait)
        scripts[number] = list(outcomes)
        dispatcher.offer(outbox.put(notification(number, "a", order, clock.now())))
        await turns()
    await tick(dispatcher, clock, 300)
    await dispatcher.drain(1.0)
    await task
    expected, ends = predicted(course, jitter, most)
    assert tried == expected
    assert [(state, outbox.last(row).attempts) for row, (state, _) in outbox.rows.items()] == ends


async def tick(dispatcher, clock, seconds):
    """Let so many seconds pass one by one, and in each all happen that is due."""
    for _ in range(seconds):
        clock.advance(1.0)
        dispatcher.look()
        await turns()


async def turns():
    for _ in range(12):
        await asyncio.sleep(0)


STORY = st.lists(
    st.tuples(st.sampled_from("pq"), st.sampled_from(["firing", "repeat", "resolved"]), st.booleans()), max_size=30
)


@limits(max_examples=100, deadline=None)
@given(STORY, st.lists(OUTCOMES, max_size=40), st.integers(0, 30), st.floats(0, 0.99))
def test_whoever_got_a_firing_message_gets_the_end_once_and_nothing_that_fires_behind_it(story, outcomes, ends, jitter):
    asyncio.run(tell(story, outcomes, ends, jitter))


def messages(story):
    """Make a course of it in which each alert fires, repeats and ends in turn."""
    episodes, firing = dict.fromkeys("pq", 0), set()
    for number, (order, wish, wait) in enumerate(story):
        step = "resolved" if order in firing and wish == "resolved" else "repeat" if order in firing else "firing"
        if step == "firing":
            episodes[order] += 1
            firing.add(order)
        elif step == "resolved":
            firing.discard(order)
        identity = f"{order}-{episodes[order]}-{step}{f'-{number}' if step == 'repeat' else ''}"
        yield identity, order, "resolved" if step == "resolved" else "firing", wait


async def tell(story, outcomes, ends, jitter):
    clock, outbox = ManualClock(1_000_000.0), MemoryOutbox()
    course, sent = list(messages(story)), []

    class Ear(Slow):
        async def send(self, told):
            outcome = await super().send(told)
            episode = episode_id(told.id)
            if isinstance(outcome, Delivered):
                sent.append((episode, is_end(told)))
            return outcome

    ear, done = Ear(*outcomes), 0
    for part in (course[:ends], course[ends:]):  # two processes, one behind the other
        observer = Remembering()
        dispatcher = Dispatcher({"a": (settings("a"), ear)}, outbox, clock, observer, jitter=lambda: jitter)
        outbox.entered = dispatcher.offer
        for row, (state, queued) in outbox.rows.items():
            outbox.rows[row] = [state, replace(queued, perhaps=True)]
        task = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(0)
        for identity, order, state, wait in part:
            made = notification(receiver="a", order=order, created=clock.now(), id=identity, state=state)
            dispatcher.offer(outbox.put(replace(made, id=identity)))
            for _ in range(5):
                await asyncio.sleep(0)
            if wait:
                clock.advance(15.0)
                dispatcher.look()
        done += len(part)
        if done == len(course):
            await at_rest(dispatcher, clock, minutes=1000)
        await dispatcher.drain(1.0)
        await task
    assert set(outbox.states()) <= {"delivered", "dead", "superseded"}
    states = {queued.notification.id: state for state, queued in outbox.rows.values()}
    for identity, order, state, _ in course:
        if state == "resolved":
            episode = episode_id(identity)
            got = [end for each, end in sent if each == episode]
            assert got.count(True) == (states[identity] == "delivered")
            assert got == sorted(got), "it fires, behind the end"
            if False in got:
                assert states[identity] != "superseded", f"{order} was told and never heard of the end"
