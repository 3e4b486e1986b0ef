"""Order per alert, the limit and the memory bound, under random outcomes and a manual clock."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.clock import ManualClock
from hub.notify.lane import Lane
from hub.notify.outbox import Queued
from tests.notify.fakes import notification

ROOM, CONCURRENCY = 6, 2


class LaneMachine(RuleBasedStateMachine):
    """A lane beside a store that commits rows; the lane hears of them late, or never, and reads the rest."""

    @initialize()
    def begin(self):
        self.clock = ManualClock(1_000_000.0)
        self.lane = Lane(self.clock, CONCURRENCY, room=ROOM)
        self.store = {}  # committed and not finished, by row
        self.told = []  # committed, the lane not yet told
        self.row = 0
        self.under_way = {}
        self.done = []
        self.asked = None

    @rule(order=st.sampled_from("abc"), tell=st.booleans())
    def commit(self, order, tell):
        self.row += 1
        queued = Queued(self.row, notification(self.row, order=order))
        self.store[self.row] = queued
        self.told.append(queued)
        if tell:
            self.tell()

    @rule()
    def tell(self):
        for queued in self.told:
            self.lane.offer(queued)
        self.told.clear()

    @precondition(lambda self: self.asked is None and self.lane.wants())
    @rule()
    def ask(self):
        limit = min(self.lane.wants(), 3)
        rows = [self.store[row] for row in sorted(self.store) if row > self.lane.cursor][:limit]
        self.asked = (rows, limit, self.lane.missed)

    @precondition(lambda self: self.asked is not None)
    @rule()
    def answer(self):
        self.lane.load(*self.asked)
        self.asked = None

    @rule()
    def take(self):
        queued = self.lane.take()
        if queued is None:
            return
        order = queued.notification.order
        assert order not in {each.notification.order for each in self.under_way.values()}, "two of one alert at once"
        assert queued.next_at <= self.clock.now()
        earlier = [row for row, each in self.store.items() if each.notification.order == order and row < queued.row]
        assert not earlier, "a later one of an alert went first"
        self.under_way[queued.row] = queued

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), delivered=st.booleans(), wait=st.floats(0, 300))
    def report(self, data, delivered, wait):
        queued = self.under_way.pop(data.draw(st.sampled_from(sorted(self.under_way))))
        if delivered:
            del self.store[queued.row]
            self.done.append(queued.row)
            self.lane.finish(queued)
        else:
            again = Queued(queued.row, queued.notification, queued.attempts + 1, self.clock.now() + wait)
            self.store[queued.row] = again
            self.lane.again(again)

    @rule(seconds=st.floats(0, 200))
    def advance(self, seconds):
        self.clock.advance(seconds)

    @invariant()
    def bounds_hold(self):
        if hasattr(self, "lane"):
            assert self.lane.held <= ROOM
            assert self.lane.busy == set(self.under_way)
            assert len(self.under_way) <= CONCURRENCY

    def teardown(self):
        """Let everything succeed: nothing may be left over and nothing come twice."""
        if not hasattr(self, "lane"):
            return
        self.tell()
        for _ in range(10 * self.row + 10):
            self.clock.advance(400)
            if self.asked is None and self.lane.wants():
                self.ask()
            if self.asked is not None:
                self.answer()
            self.take()
            for row in list(self.under_way):
                queued = self.under_way.pop(row)
                del self.store[row]
                self.done.append(row)
                self.lane.finish(queued)
        assert sorted(self.done) == list(range(1, self.row + 1))
        assert self.lane.empty()
        assert self.lane.due() is None


TestLane = LaneMachine.TestCase
TestLane.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)


def loaded(lane, *queued):
    lane.load([], 1, 0)
    for each in queued:
        lane.offer(each)


def test_a_wall_clock_set_back_an_hour_delays_nobody_longer_than_any_wait_can_be():
    clock = ManualClock(1_000_000.0)
    lane = Lane(clock)
    loaded(lane, Queued(1, notification(1), 1, clock.now() + 86400.0))
    assert lane.due() <= clock.monotonic() + 3600.0


def test_clearing_leaves_what_is_under_way_and_returns_the_rest_in_order():
    lane = Lane(ManualClock(1000.0), concurrency=1)
    rows = [Queued(row, notification(row, order=order)) for row, order in enumerate("abaab", 1)]
    loaded(lane, *rows)
    taken = lane.take()
    assert taken is rows[0]
    assert lane.clear() == rows[1:]
    assert lane.held == 1
    lane.finish(taken)
    assert lane.empty()


def test_a_row_read_from_the_outbox_before_the_lane_is_told_of_it_is_taken_once():
    lane = Lane(ManualClock(1000.0))
    row = Queued(1, notification(1))
    lane.load([row], 5, 0)
    lane.offer(row)
    assert lane.take() is row
    lane.finish(row)
    assert lane.take() is None
    assert lane.empty()


def test_a_row_told_of_while_reading_is_read_next_time():
    lane = Lane(ManualClock(1000.0))
    limit, missed = lane.wants(), lane.missed
    row = Queued(1, notification(1))
    lane.offer(row)
    lane.load([], limit, missed)
    assert lane.wants()
    lane.load([row], limit, lane.missed)
    assert lane.take() is row
    assert not lane.wants()


def test_a_row_that_somebody_dropped_from_the_outbox_is_not_waited_for():
    lane = Lane(ManualClock(1000.0))
    lane.offer(Queued(1, notification(1)))
    lane.load([], lane.wants(), lane.missed)
    assert not lane.wants()
    assert lane.empty()
