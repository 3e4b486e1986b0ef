"""timers: what is due is done when it is due, never while something waits unheard, and never twice asked for."""

import asyncio
import contextlib
from math import inf

import pytest

from hub.clock import ManualClock
from hub.limits import HEARTBEAT_LATE_SECONDS, STALL_SECONDS
from hub.spine import timers as module
from hub.spine.timers import Timers

NOW = 1_000_000.0


class Core:
    """Has one deadline; a tick that reaches it takes it away, and says something."""

    def __init__(self, due=inf):
        self.due, self.ticks, self.excused = due, [], []

    def next_due(self):
        return self.due

    def tick(self, now):
        self.ticks.append(now)
        spoke = self.due <= now
        self.due = inf if spoke else self.due
        return spoke

    def excuse(self, seconds, now):
        self.excused.append((seconds, now))


class Source:
    def __init__(self):
        self.received, self.asked = 0, 0

    def catch_up(self):
        self.asked += 1


class Stand:
    def __init__(self, due=inf):
        self.core, self.source, self.clock, self.spoke = Core(due), Source(), ManualClock(NOW), 0
        self.timers = Timers(self.core, self.source, self.clock, self.clock.now, self.speak)
        self.timers.hearing.drained(0, NOW)

    def speak(self):
        self.spoke += 1

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.timers.run())
        await turns()
        try:
            yield
        finally:
            self.timers.close()
            async with asyncio.timeout(10):
                await task


async def turns():
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("due", "ticks"), [(NOW, [NOW]), (NOW + 1.0, [])])
async def test_what_is_due_is_done_at_its_time_and_no_sooner(due, ticks):
    stand = Stand(due)
    async with stand.running():
        assert stand.core.ticks == ticks
        assert stand.spoke == len(ticks)


@pytest.fixture
def pauses(monkeypatch):
    """Note for how many seconds each sleep may last."""
    noted, wait = [], module.wait

    async def noting(event, seconds):
        noted.append(seconds)
        await wait(event, seconds)

    monkeypatch.setattr(module, "wait", noting)
    return noted


@pytest.mark.parametrize(
    ("due", "seconds"), [(0.5 * STALL_SECONDS, 0.5 * STALL_SECONDS), (9 * STALL_SECONDS, STALL_SECONDS)]
)
async def test_the_timers_sleep_until_something_is_due_but_not_so_long_that_a_stall_goes_unseen(due, seconds, pauses):
    async with Stand(NOW + due).running():
        await turns()
        assert pauses == [pytest.approx(seconds)]


async def test_a_wake_ends_a_sleep_only_where_something_is_due_sooner_or_a_gap_is_over(pauses):
    stand = Stand(NOW + 0.5 * STALL_SECONDS)
    async with stand.running():
        stand.timers.wake()
        await turns()
        assert len(pauses) == 1
        stand.timers.hearing.began(NOW - 50.0)
        stand.timers.wake()
        await turns()
        assert (len(pauses), stand.core.excused) == (2, [(50.0, NOW)])


async def test_a_deadline_that_came_nearer_ends_the_sleep_and_one_that_did_not_does_not():
    stand = Stand()
    async with stand.running():
        stand.core.due = NOW
        stand.timers.wake()
        await turns()
        assert stand.core.ticks == [NOW]
        stand.timers.wake()
        await turns()
        assert stand.core.ticks == [NOW]


async def test_when_the_clock_is_set_forward_what_it_makes_due_is_done_at_once():
    stand = Stand(NOW + 100.0)
    async with stand.running():
        assert stand.core.ticks == []
        stand.clock.set(100.0)
        stand.timers.shift(100.0)
        await turns()
        assert stand.core.ticks == [NOW + 100.0]


async def test_for_how_long_nobody_could_be_heard_is_excused_once_before_the_next_tick():
    stand = Stand()
    stand.timers.hearing.began(NOW - 50.0)
    async with stand.running():
        assert (stand.core.excused, stand.core.ticks) == ([(50.0, NOW)], [NOW])


async def test_no_sleep_outlasts_the_end(monkeypatch):
    monkeypatch.setattr(module, "STALL_SECONDS", 3600.0)
    stand = Stand()
    async with stand.running():
        assert stand.core.ticks == []


def test_after_a_commit_that_hung_the_broker_is_asked_once_whether_all_is_here():
    stand = Stand()
    assert stand.timers.hearing.by(0, NOW) == NOW
    stand.timers.catch_up()
    assert stand.source.asked == 0
    stand.timers.committing_since = stand.clock.monotonic() - STALL_SECONDS
    stand.timers._look_for_stalls(NOW, 0.0)
    assert stand.timers.hearing.by(0, NOW) is None
    assert (stand.source.asked, stand.timers.hearing.quiet_since) == (0, None)
    stand.timers.committing_since = None
    for _ in range(2):
        stand.timers._look_for_stalls(NOW, 0.0)
    assert stand.source.asked == 1


def test_after_the_process_stood_still_nobody_was_silent_meanwhile():
    stand = Stand()
    stand.timers._look_for_stalls(NOW, STALL_SECONDS)
    assert (stand.timers.hearing.quiet_since, stand.source.asked) == (NOW - STALL_SECONDS, 1)
    other = Stand()
    other.timers._look_for_stalls(NOW, STALL_SECONDS - 0.1)
    assert (other.timers.hearing.quiet_since, other.source.asked) == (None, 0)


def test_all_is_well_unless_something_is_long_overdue_or_the_queue_is_not_heard_yet():
    stand = Stand(NOW - HEARTBEAT_LATE_SECONDS + 0.1)
    assert stand.timers.well
    stand.core.due = NOW - HEARTBEAT_LATE_SECONDS
    assert not stand.timers.well
    stand.core.due = inf
    assert stand.timers.well
    stand.timers.hearing.lost(NOW)
    assert not stand.timers.well
