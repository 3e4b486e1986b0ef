"""Order per alert, rate, breaker, superseding and the memory bound, under random outcomes and a manual clock."""

from collections import deque
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.clock import ManualClock
from hub.ids import episode_id
from hub.limits import LATE_SECONDS
from hub.notify.lanes.breaker import Circuit
from hub.notify.lanes.episode import is_end
from hub.notify.lanes.lane import Lane
from hub.notify.lanes.pace import Pace, Rate
from hub.notify.lanes.superseding import UNHEARD, Elsewhere
from hub.notify.outbox_port import Queued
from tests.notify.fakes import notification

ROOM, CONCURRENCY, RATE = 6, 2, Rate(3, 10.0)
STATES = {"firing": "firing", "repeat": "firing", "resolved": "resolved"}


def told(order, episode, step, number=0, created=0.0):
    identity = f"{order}-{episode}-{step}{f'-{number}' if step == 'repeat' else ''}"
    made = notification(order=order, created=created, state=STATES[step], episode=episode, id=identity)
    return replace(made, id=identity)


def spoken(episode, serial, firing, news, first=False, created=0.0):
    """A group's message: what fires, then what is over."""
    identity = f"g-{episode}-group-{serial}"
    members = [{"id": f"{each}-firing", "state": "firing"} for each in sorted(firing)]
    members += [{"id": f"{each}-resolved", "state": "resolved"} for each in news]
    body = {"state": "firing" if firing else "resolved", "alerts": members, "count": len(members), "id": identity}
    made = notification(order="g", created=created, **body, **({"first": True} if first else {}))
    return replace(made, id=identity)


def news_of(body):
    return {each["id"] for each in body.get("alerts", ()) if each["state"] != "firing"}


class LaneMachine(RuleBasedStateMachine):
    """A lane beside a store that commits rows; the lane hears of them late, or never, and reads the rest.

    Alerts fire, repeat and resolve, episode after episode, and so does a group; attempts end well, badly, or unclearly;
    now and then the process ends, and another one goes on with what is in the store.
    """

    @initialize(paced=st.booleans())
    def begin(self, paced):
        self.clock = ManualClock(1_000_000.0)
        self.paced = paced
        self.store = {}  # committed and not settled, by row
        self.told = []  # committed, the lane not yet told
        self.row = 0
        self.episodes = dict.fromkeys("abc", (0, ""))  # number and last step
        self.group, self.members = (0, 0), {}  # episode and serial; who fires, with its own episode
        self.rows = {}
        self.delivered, self.superseded, self.reached = [], [], set()
        self.dropped, self.not_before = set(), {}
        self.heard, self.needless = set(), set()  # ids of members that were delivered; that need not be
        self.open()

    def open(self):
        self.lane = Lane(self.clock, CONCURRENCY, room=ROOM)
        self.lane.pace = Pace(RATE) if self.paced else None
        self.under_way, self.begun, self.asked = {}, [], None

    @rule(order=st.sampled_from("abc"), end=st.booleans(), tell=st.booleans())
    def commit(self, order, end, tell):
        episode, last = self.episodes[order]
        if last in ("", "resolved"):
            episode, step = episode + 1, "firing"
        else:
            step = "resolved" if end else "repeat"
        self.episodes[order] = (episode, step)
        self.put(told(order, episode, step, self.row + 1, self.clock.now()), tell)

    @rule(change=st.sets(st.sampled_from("pqr")), tell=st.booleans())
    def speak(self, change, tell):
        (episode, serial), first = self.group, not self.members
        if not self.members:
            episode, change = episode + 1, change or {"p"}
        news = [self.members.pop(each) for each in sorted(change) if each in self.members]
        fresh = [each for each in change if not any(each in episode for episode in news)]
        self.members |= {each: f"{each}-{self.row}" for each in fresh if each not in self.members}
        self.group = (episode, serial + 1)
        self.put(spoken(*self.group, self.members.values(), news, first, self.clock.now()), tell)

    def put(self, made, tell):
        self.row += 1
        self.store[self.row] = self.rows[self.row] = queued = Queued(self.row, made)
        self.told.append(queued)
        if tell:
            self.tell()

    @rule()
    def tell(self):
        for queued in self.told:
            self.lane.offer(queued)
        self.told.clear()
        self.collect()

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
        self.collect()

    @rule()
    def take(self):
        now, circuit, opens = self.clock.monotonic(), self.lane.breaker.state, self.lane.breaker.opens()
        allowed = self.lane.allowance.opens() if self.lane.allowance else 0.0
        queued = self.lane.take()
        self.collect()
        if queued is None:
            return
        assert circuit is Circuit.CLOSED or (circuit is Circuit.OPEN and opens <= now), "a breaker let it through"
        assert self.lane.allowance is None or allowed <= now, "the receiver asked to wait"
        order, episode = queued.notification.order, episode_id(queued.notification.id)
        assert order not in {each.notification.order for each in self.under_way.values()}, "two of one alert at once"
        assert queued.next_at <= self.clock.now()
        mine = {queued.row, *(part.row for part in queued.parts)}
        earlier = [row for row in self.store if self.rows[row].notification.order == order and row < queued.row]
        assert mine.issuperset(earlier), "a later one of an alert went first"
        assert is_end(queued.notification) or self.clock.now() >= self.not_before.get(episode, 0.0), "it backs off"
        waits = [each for each in self.waits(episode) if each.row != queued.row]
        if waits:
            assert queued.attempts + queued.before == 0, "it failed, and there is a newer one"
            assert self.lane.lines.waited(queued) < LATE_SECONDS, "it is late, and there is a newer one"
        self.begun.append(now)
        if self.lane.pace is not None and len(self.begun) > RATE.count:
            assert now - self.begun[-1 - RATE.count] >= RATE.seconds, "faster than its rate"
        self.under_way[queued.row] = queued

    def waits(self, episode):
        return [each for each in self.lane.lines.members() if episode_id(each.notification.id) == episode]

    @precondition(lambda self: self.under_way)
    @rule(
        data=st.data(),
        end=st.sampled_from(["delivered", "refused", "unclear"]),
        wait=st.floats(0, 300),
        asked=st.sampled_from([None, None, 5.0]),
    )
    def report(self, data, end, wait, asked):
        self.end(data.draw(st.sampled_from(sorted(self.under_way))), end, wait, asked)

    def end(self, row, end, wait=0.0, asked=None):
        queued, now = self.under_way.pop(row), self.clock.monotonic()
        if end == "delivered":
            self.lane.breaker.worked()
            if self.lane.allowance:
                self.lane.allowance.worked(now)
            del self.store[row]
            for part in queued.parts[:-1]:
                del self.store[part.row]
                self.superseded.append(part.row)
            self.delivered.append(row)
            self.reach(queued)
            self.lane.finish(queued)
        else:
            self.lane.breaker.failed(row, queued.notification.order, now, asked or 0.0)
            if asked:
                self.lane.hold_back(asked)
            if end == "unclear":
                self.reach(queued)
            self.not_before[episode_id(queued.notification.id)] = self.clock.now() + wait
            tried = {"attempts": queued.attempts + 1, "next_at": self.clock.now() + max(wait, asked or 0.0)}
            self.store[row] = replace(self.store[row], **tried)
            self.lane.again(replace(queued, perhaps=queued.perhaps or end == "unclear", **tried))
        self.collect()

    def reach(self, queued):
        self.reached.add(episode_id(queued.notification.id))
        self.heard |= news_of(queued.notification.body)

    @rule()
    def restart(self):
        """End the process: what was under way may have arrived, what was not settled is queued again."""
        for queued in self.under_way.values():
            self.reached.add(episode_id(queued.notification.id))
        self.told.clear()
        self.not_before.clear()
        self.store = {row: replace(queued, perhaps=True) for row, queued in self.store.items()}
        self.open()

    @rule(data=st.data())
    def withdraw(self, data):
        """Somebody drops one."""
        rows = sorted(self.store)
        if not rows or self.asked is not None:
            return
        queued = self.rows[data.draw(st.sampled_from(rows))]
        order = queued.notification.order
        if self.lane.lines.sending(queued.row, order) or queued in self.told:
            return
        self.lane.withdraw(queued.row, order)
        del self.store[queued.row]
        self.needless |= news_of(queued.notification.body)
        self.superseded.append(queued.row)
        self.dropped.add(queued.row)
        self.not_before.pop(episode_id(queued.notification.id), None)
        self.collect()

    def collect(self):
        """Hear of what the lane let go of, and hold it to the promise."""
        for queued, reason in ((gone.queued, gone.reason) for gone in self.lane.lines.superseded):
            episode = episode_id(queued.notification.id)
            for part in (queued, *queued.parts[:-1]):
                del self.store[part.row]
                self.superseded.append(part.row)
            if reason is UNHEARD:
                assert is_end(queued.notification)
                assert episode not in self.reached, "who may have the firing message must hear of the end"
                self.needless |= news_of(queued.notification.body)
            else:
                later = [row for row in self.store if row > queued.row]
                same = [row for row in later if episode_id(self.rows[row].notification.id) == episode]
                others = [gone.queued.row for gone in self.lane.lines.superseded if gone.reason is UNHEARD]
                assert same or any(row > queued.row for row in others), "there is no newer one"
        self.lane.lines.superseded.clear()

    @rule(seconds=st.floats(0, 200))
    def advance(self, seconds):
        self.clock.advance(seconds)

    @invariant()
    def bounds_hold(self):
        if hasattr(self, "lane"):
            assert self.lane.lines.held == len(self.lane.lines.members()) <= ROOM
            assert self.lane.lines.busy == set(self.under_way)
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
                self.end(row, "delivered")
        assert sorted(self.delivered + self.superseded) == list(range(1, self.row + 1))
        assert self.lane.empty()
        assert self.lane.due() is None
        assert not self.lane.lines._born
        for episode in self.reached:
            ends = [row for row, each in self.rows.items() if each.notification.id == f"{episode}-resolved"]
            assert set(ends) <= set(self.delivered) | self.dropped
        every = {each for queued in self.rows.values() for each in news_of(queued.notification.body)}
        assert every <= self.heard | self.needless, "what is over was told by nobody"


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
    assert lane.lines.held == 1
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


def step(row, which, episode=1, order="a", **rest):
    return Queued(row, told(order, episode, which, row), **rest)


def supersedes(*rows, taken=0):
    """Offer rows while the first `taken` heads are under way; return the rows let go of."""
    lane = Lane(ManualClock(1000.0), concurrency=taken or 1)
    lane.load([], 1, 0)
    for each in rows[:taken]:
        lane.offer(each)
        assert lane.take() is each
    for each in rows[taken:]:
        lane.offer(each)
    return lane, [each.queued.row for each in lane.lines.superseded]


def test_what_fired_and_resolved_before_anything_was_sent_is_not_sent_at_all():
    lane, gone = supersedes(step(1, "firing"), step(2, "repeat"), step(3, "resolved"))
    assert gone == [1, 2, 3]
    assert lane.take() is None
    assert lane.empty()


def test_what_is_not_late_is_sent_though_its_alert_has_resolved_and_is_not_when_its_turn_comes_late():
    for seconds, expected in ((LATE_SECONDS - 1, [1, 3]), (LATE_SECONDS, [])):
        clock = ManualClock(1000.0)
        lane = Lane(clock, concurrency=1)
        loaded(lane, Queued(9, notification(9, order="b")))
        busy = lane.take()
        for row, which in ((1, "firing"), (3, "resolved")):
            lane.offer(Queued(row + 9, told("a", 1, which, row, 1000.0)))
        assert lane.lines.superseded == []
        clock.advance(seconds)
        lane.finish(busy)
        sent = []
        while (queued := lane.take()) is not None:
            sent.append(queued.row - 9)
            lane.finish(queued)
        assert sent == expected
        assert lane.empty()


def test_when_all_is_sent_nothing_is_kept_of_any_alert():
    lane = Lane(ManualClock(1000.0), concurrency=1)
    lane.lines.set_patience(600.0)
    loaded(lane, *(Queued(row, told("a", 1, which, row, 1000.0)) for row, which in ((1, "firing"), (2, "resolved"))))
    sent = []
    while (queued := lane.take()) is not None:
        sent.append(queued.row)
        lane.finish(queued)
    held = {name: getattr(part, name) for part in (lane, lane.lines) for name in type(part).__slots__}
    kept = {name: each for name, each in held.items() if isinstance(each, dict | set | list | deque) and each}
    assert (sent, kept) == ([1, 2], {})


def test_a_repetition_that_waits_is_replaced_by_the_end_for_who_got_the_firing_message():
    lane, gone = supersedes(step(1, "repeat"), step(2, "resolved"))
    assert gone == [1]
    assert lane.take().row == 2


def test_a_firing_message_that_may_have_arrived_is_replaced_by_the_end():
    lane, gone = supersedes(step(1, "firing", attempts=1, next_at=1100.0, perhaps=True), step(2, "resolved"))
    assert gone == [1]
    assert lane.take().row == 2


def test_what_is_under_way_decides_when_it_ends():
    for perhaps, expected in ((False, [1, 2]), (True, [1])):
        lane, gone = supersedes(step(1, "firing"), step(2, "resolved"), taken=1)
        assert gone == []
        lane.again(step(1, "firing", attempts=1, next_at=1100.0, perhaps=perhaps))
        assert [each.queued.row for each in lane.lines.superseded] == expected


def test_an_end_says_nothing_of_another_episode_or_alert():
    _, gone = supersedes(
        step(1, "firing", 1), step(2, "resolved", 1, "b"), step(3, "resolved", 0), step(4, "repeat", 2)
    )
    assert gone == []


def test_the_end_of_what_certainly_went_elsewhere_is_not_told_here_and_is_when_a_repetition_arrived():
    for perhaps, expected in ((False, [1]), (True, [])):
        lane = Lane(ManualClock(1000.0))
        lane.load([], 1, 0)
        lane.lines.elsewhere["a-1"] = Elsewhere("sms", perhaps)
        lane.offer(step(1, "resolved"))
        assert [each.queued.row for each in lane.lines.superseded] == expected


def test_a_dropped_row_comes_out_of_every_place_and_the_next_of_its_alert_has_its_turn():
    lane = Lane(ManualClock(1000.0), concurrency=1)
    lane.load([], 1, 0)
    rows = [Queued(row, notification(row, order=order)) for row, order in enumerate("aabb", 1)]
    for each in rows:
        lane.offer(each)
    assert lane.take() is rows[0]
    assert lane.withdraw(1, "a") is None, "it is under way"
    assert lane.withdraw(3, "b") is rows[2]
    lane.finish(rows[0])
    assert lane.withdraw(2, "a") is rows[1]
    assert lane.take() is rows[3]
    lane.finish(rows[3])
    assert lane.empty()


def test_a_row_that_has_gone_out_can_be_dropped_no_more():
    lane = Lane(ManualClock(1000.0))
    loaded(lane, Queued(1, notification(1)), Queued(2, notification(2)))
    sent = lane.take()
    lane.finish(sent)
    assert lane.withdraw(1, "a") is None
    assert lane.take().row == 2


def test_a_row_dropped_while_it_is_being_read_is_not_taken():
    lane = Lane(ManualClock(1000.0))
    lane.withdraw(1, "a")
    lane.load([Queued(1, notification(1)), Queued(2, notification(2))], 5, 0)
    assert lane.take().row == 2


def test_what_waits_longer_than_the_patience_comes_out_even_behind_a_head_that_hangs():
    clock = ManualClock(1000.0)
    lane = Lane(clock)
    lane.lines.set_patience(60.0)
    loaded(lane, *(Queued(row, notification(row, created=990.0 + row)) for row in (1, 2, 3)))
    assert lane.take().row == 1
    clock.advance(30.0)
    assert lane.lines.expired() == []
    clock.advance(lane.due() - clock.monotonic())
    assert [each.row for each in lane.lines.expired()] == [2]
    clock.advance(lane.due() - clock.monotonic())
    assert [each.row for each in lane.lines.expired()] == [3]


def test_what_waits_already_when_a_patience_is_set_comes_out_in_its_time():
    clock = ManualClock(1000.0)
    lane = Lane(clock)
    loaded(lane, Queued(1, notification(1, created=1000.0)))
    lane.lines.set_patience(60.0)
    clock.advance(59.0)
    assert lane.lines.expired() == []
    clock.advance(1.0)
    assert [each.row for each in lane.lines.expired()] == [1]


def test_what_comes_after_the_first_handover_is_handed_over_in_its_turn():
    clock = ManualClock(1000.0)
    lane = Lane(clock)
    lane.lines.set_patience(60.0)
    loaded(lane, Queued(1, notification(1, created=1000.0)))
    clock.advance(60.0)
    assert [each.row for each in lane.lines.expired()] == [1]
    clock.advance(100.0)
    assert lane.lines.expired() == []
    lane.offer(Queued(2, notification(2, created=clock.now() - 60.0)))
    assert lane.due() == clock.monotonic() + 1.0 or lane.due() == clock.monotonic()
    clock.advance(lane.due() - clock.monotonic())
    assert [each.row for each in lane.lines.expired()] == [2]


def test_what_was_under_way_when_its_patience_ended_and_has_failed_is_handed_over_at_once():
    clock = ManualClock(1000.0)
    lane = Lane(clock)
    lane.lines.set_patience(60.0)
    loaded(lane, Queued(1, notification(1, created=1000.0)), Queued(2, notification(2, order="b", created=1000.0)))
    head = lane.take()
    clock.advance(60.0)
    assert [each.row for each in lane.lines.expired()] == [2]
    clock.advance(500.0)
    assert lane.lines.expired() == []
    lane.again(replace(head, attempts=1, next_at=clock.now() + 3000.0))
    assert lane.due() <= clock.monotonic() + 1.0
    clock.advance(1.0)
    assert [each.row for each in lane.lines.expired()] == [1]
    assert lane.empty()


def test_while_as_many_are_under_way_as_may_be_no_timer_is_wanted_for_the_others():
    lane = Lane(ManualClock(1000.0), concurrency=1)
    lane.pace = Pace(Rate(10, 60.0))
    loaded(lane, Queued(1, notification(1)), Queued(2, notification(2, order="b")))
    busy = lane.take()
    assert lane.due() is None
    lane.finish(busy)
    assert lane.take().row == 2


def test_a_wall_clock_that_is_set_makes_nothing_that_waits_older_or_younger():
    for step in (3600.0, -3600.0):
        clock = ManualClock(10_000.0)
        lane = Lane(clock)
        lane.lines.set_patience(60.0)
        loaded(lane, Queued(1, notification(1, created=10_000.0)))
        clock.advance(20.0)
        clock.set(step)
        lane.offer(Queued(2, notification(2, order="b", created=clock.now())))
        assert [lane.lines.age(each) for each in sorted(lane.lines.members(), key=lambda each: each.row)] == [20.0, 0.0]
        clock.advance(39.0)
        assert lane.lines.expired() == []
        clock.advance(lane.due() - clock.monotonic())
        assert [each.row for each in lane.lines.expired()] == [1]
        clock.advance(lane.due() - clock.monotonic())
        assert [each.row for each in lane.lines.expired()] == [2]
        assert clock.monotonic() == 10_080.0
