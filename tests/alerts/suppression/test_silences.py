"""Silences: when they hold, what they are known by, when a change makes another; the same after any restart."""

from itertools import permutations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.alerts.matchers import match_all, parse_matchers
from hub.alerts.suppression.silences import Silence, Silences
from hub.limits import SILENCE_KEPT_SECONDS

A, B = parse_matchers("site=a"), parse_matchers("site=b")


@pytest.fixture
def silences():
    return Silences()


def change(silences, identity, matchers, start, end, by, comment, now):
    return silences.change(Silence(identity, tuple(matchers), start, end, by, comment, now), now)


def test_an_active_one_that_only_lasts_longer_stays_the_same(silences):
    made = silences.add(Silence("", tuple(A), 100.0, 200.0, "ann", "works", 100.0))
    changed = change(silences, made.id, A, 100.0, 900.0, "bob", "more works", 150.0)
    assert (changed.id, changed.start, changed.end, changed.by) == (made.id, 100.0, 900.0, "bob")
    assert list(silences.all) == [made.id]


@pytest.mark.parametrize(("matchers", "start"), [(B, 100.0), (A, 160.0)])
def test_an_active_one_that_silences_other_things_ends_and_another_takes_its_place(silences, matchers, start):
    made = silences.add(Silence("", tuple(A), 100.0, 200.0, "ann", "", 100.0))
    changed = change(silences, made.id, matchers, start, 900.0, "ann", "", 150.0)
    assert changed.id != made.id
    assert silences.all[made.id].end == 150.0
    assert (changed.matchers, changed.start) == (tuple(matchers), max(start, 150.0))


def test_one_that_is_still_to_begin_may_begin_at_another_time(silences):
    made = silences.add(Silence("", tuple(A), 500.0, 900.0, "ann", "", 100.0))
    assert change(silences, made.id, A, 300.0, 900.0, "ann", "", 150.0).start == 300.0
    changed = change(silences, made.id, A, 0.0, 900.0, "ann", "", 200.0)
    assert (changed.id, changed.start) == (made.id, 200.0)


def test_one_that_has_ended_is_not_taken_up_again(silences):
    made = silences.add(Silence("", tuple(A), 100.0, 200.0, "ann", "", 100.0))
    changed = change(silences, made.id, A, 100.0, 900.0, "ann", "", 300.0)
    assert changed.id != made.id
    assert (changed.start, silences.all[made.id].end) == (300.0, 200.0)


def test_one_that_is_not_known_is_not_made(silences):
    assert change(silences, "nope", A, 100.0, 900.0, "ann", "", 100.0) is None
    assert silences.all == {}


def again(silences):
    """Return what a restart makes of them: what was stored, and nothing else."""
    made = Silences()
    made.restore([row for row in silences.take_rows() if row[1] is not None])
    return made


def test_ids_do_not_come_again_after_a_restart(silences):
    first = silences.add(Silence("", tuple(A), 100.0, 200.0, "ann", "", 100.0))
    restarted = again(silences)
    second = restarted.add(Silence("", tuple(B), 100.0, 200.0, "ann", "", 100.0))
    assert second.id != first.id
    assert list(restarted.all.values()) == [first, second]


def test_the_same_one_again_is_the_one_that_is_there(silences):
    made = silences.add(Silence("", tuple(A), 100.0, 200.0, "ann", "works", 100.0))
    assert silences.add(Silence("", tuple(A), 100.5, 200.5, "ann", "works", 100.5)) == made
    assert list(silences.all) == [made.id]


@pytest.mark.parametrize(
    ("matchers", "start", "end", "by", "comment"),
    [
        (B, 100.0, 200.0, "ann", "works"),
        (A, 101.0, 200.0, "ann", "works"),
        (A, 99.0, 200.0, "ann", "works"),
        (A, 100.0, 201.0, "ann", "works"),
        (A, 100.0, 199.0, "ann", "works"),
        (A, 100.0, 200.0, "bob", "works"),
        (A, 100.0, 200.0, "ann", "more"),
    ],
)
def test_one_that_is_different_in_anything_is_another(silences, matchers, start, end, by, comment):
    made = silences.add(Silence("", tuple(A), 100.0, 200.0, "ann", "works", 50.0))
    assert silences.add(Silence("", tuple(matchers), start, end, by, comment, 50.0)).id != made.id


def test_one_that_is_still_to_begin_ends_without_having_begun(silences):
    made = silences.add(Silence("", tuple(A), 500.0, 900.0, "ann", "", 100.0))
    ended = silences.expire(made.id, 200.0)
    assert (ended.start, ended.end, ended.state(200.0)) == (200.0, 200.0, "expired")
    assert silences.of({"site": "a"}, 600.0) is None
    assert silences.expire(made.id, 200.0) is None


def test_one_that_holds_ends_now_and_keeps_its_start(silences):
    made = silences.add(Silence("", tuple(A), 100.0, 900.0, "ann", "", 100.0))
    ended = silences.expire(made.id, 200.0)
    assert (ended.start, ended.end, ended.updated) == (100.0, 200.0, 200.0)


def test_the_next_change_is_the_first_of_all_starts_and_ends(silences):
    assert silences.next_change(0.0) is None
    silences.add(Silence("", tuple(A), 500.0, 900.0, "ann", "", 100.0))
    silences.add(Silence("", tuple(B), 100.0, 700.0, "ann", "", 100.0))
    seen = [now := 0.0]
    while (at := silences.next_change(now)) is not None:
        seen.append(now := at)
    assert seen == [0.0, 100.0, 500.0, 700.0, 900.0]


@pytest.mark.parametrize(
    ("now", "state"),
    [(499.0, "pending"), (500.0, "active"), (899.0, "active"), (900.0, "expired")],
)
def test_the_state_goes_by_the_clock(silences, now, state):
    assert silences.add(Silence("", tuple(A), 500.0, 900.0, "ann", "", 100.0)).state(now) == state
    assert (silences.of({"site": "a"}, now) is not None) is (state == "active")


def test_a_change_holds_from_then_on_and_is_stored(silences):
    made = silences.add(Silence("", tuple(A), 100.0, 200.0, "ann", "", 100.0))
    assert silences.of({"site": "a"}, 150.0) == made
    changed = change(silences, made.id, A, 100.0, 900.0, "bob", "", 160.0)
    assert silences.of({"site": "a"}, 500.0) == changed
    assert list(again(silences).all.values()) == [changed]


def test_of_several_the_one_that_ends_last_hides_an_alert(silences):
    silences.add(Silence("", tuple(A), 100.0, 200.0, "ann", "", 100.0))
    longest = silences.add(Silence("", tuple(A), 100.0, 400.0, "bob", "", 100.0))
    silences.add(Silence("", tuple(A), 100.0, 300.0, "eve", "", 100.0))
    assert silences.of({"site": "a"}, 150.0) == longest


def test_of_several_that_end_together_the_same_one_hides_an_alert_whatever_order_they_were_stored_in():
    rows = [row for row in _stored("ann", "bob", "eve") if row[0] != "serial"]
    found = set()
    for order in permutations(rows):
        silences = Silences()
        silences.restore(order)
        found.add(silences.of({"site": "a"}, 150.0))
    assert len(found) == 1


def _stored(*people):
    silences = Silences()
    for each in people:
        silences.add(Silence("", tuple(A), 100.0, 200.0, each, "", 100.0))
    return silences.take_rows()


def test_a_label_that_could_not_be_filled_in_is_not_meant_by_its_question_mark(silences):
    silences.add(Silence("", tuple(parse_matchers('zone=~".+"')), 100.0, 200.0, "ann", "", 100.0))
    assert silences.of({"zone": "?"}, 150.0) is not None
    assert silences.of({"zone": "?"}, 150.0, ("zone",)) is None


def test_what_ended_five_days_ago_is_forgotten_in_the_store_too(silences):
    made = silences.add(Silence("", tuple(A), 100.0, 200.0, "ann", "", 100.0))
    silences.take_rows()
    silences.forget(200.0 + SILENCE_KEPT_SECONDS - 1.0)
    assert list(silences.all) == [made.id]
    silences.forget(200.0 + SILENCE_KEPT_SECONDS)
    assert (silences.all, silences.take_rows()) == ({}, [(made.id, None)])


def test_those_that_started_or_ended_between_two_looks_come_in_that_order(silences):
    late = silences.add(Silence("", tuple(A), 150.0, 400.0, "ann", "", 100.0))
    early = silences.add(Silence("", tuple(B), 120.0, 160.0, "ann", "", 100.0))
    assert silences.changed_between(100.0, 119.0) == []
    assert silences.changed_between(119.0, 200.0) == [early, late]
    assert silences.changed_between(150.0, 160.0) == [early]
    assert silences.changed_between(399.0, 400.0) == [late]


TIMES = st.integers(0, 40).map(float)
MATCHERS = st.sampled_from([A, B, parse_matchers("site!=a"), parse_matchers('site=~"a|b", x=""')])
PEOPLE = st.sampled_from(["ann", "bob"])
LABELS = [{"site": "a"}, {"site": "b"}, {"site": "c", "x": "1"}]


class Model(RuleBasedStateMachine):
    """Whatever people ask for, whenever the hub ends: beside it a dict of what each silence should be, walked over."""

    def __init__(self):
        super().__init__()
        self.silences, self.rows, self.now = Silences(), {}, 1000.0
        self.asked, self.issued = {}, set()

    def commit(self):
        for key, text in self.silences.take_rows():
            if text is None:
                del self.rows[key]
            else:
                self.rows[key] = text

    def put(self, made):
        self.asked[made.id] = (made.matchers, made.start, made.end, made.by)
        self.commit()

    def fresh(self, made, matchers, start, end, by):
        """Hold one that takes no other's place against what was asked: new, or the same that was there."""
        assert (made.matchers, made.by) == (tuple(matchers), by)
        if made.id in self.issued:
            assert self.asked[made.id] == (made.matchers, made.start, made.end, made.by)
            assert max(abs(made.start - start), abs(made.end - end)) < 1.0
        else:
            assert (made.start, made.end) == (start, end)
            self.issued.add(made.id)
            self.put(made)

    @rule(matchers=MATCHERS, begin=TIMES, lasting=TIMES, by=PEOPLE)
    def add(self, matchers, begin, lasting, by):
        start, end = self.now + begin, self.now + begin + lasting + 0.5
        self.fresh(
            self.silences.add(Silence("", tuple(matchers), start, end, by, "", self.now)), matchers, start, end, by
        )

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), matchers=MATCHERS, begin=TIMES, lasting=TIMES, keep=st.sampled_from(["start", "all", ""]))
    def change(self, data, matchers, begin, lasting, keep):
        identity = data.draw(st.sampled_from(sorted(self.asked)))
        had, since, until, by = self.asked[identity]
        matchers = had if keep == "all" else tuple(matchers)
        start = since if keep else self.now + begin - 20
        end = max(start, self.now) + lasting + 0.5
        made = change(self.silences, identity, matchers, start, end, by, "", self.now)
        over, begun = until <= self.now, since <= self.now
        if not over and matchers == had and (not begun or abs(start - since) < 1.0):
            assert (made.id, made.start, made.end) == (identity, since if begun else max(start, self.now), end)
            self.put(made)
            return
        if not over:
            self.asked[identity] = (had, min(since, self.now), self.now, by)
        self.fresh(made, matchers, max(start, self.now), end, by)
        self.commit()

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def expire(self, data):
        identity = data.draw(st.sampled_from(sorted(self.asked)))
        had, since, until, by = self.asked[identity]
        made = self.silences.expire(identity, self.now)
        assert (made is None) is (until <= self.now)
        if made is not None:
            self.asked[identity] = (had, min(since, self.now), self.now, by)
        self.commit()

    @rule(seconds=TIMES | st.just(SILENCE_KEPT_SECONDS))
    def wait(self, seconds):
        before, self.now = self.now, self.now + seconds
        moved = [
            identity
            for identity, (_, start, end, _) in self.asked.items()
            if before < start <= self.now or before < end <= self.now
        ]
        changes = self.silences.changed_between(before, self.now)
        assert sorted(each.id for each in changes) == sorted(moved)
        self.silences.forget(self.now)
        self.asked = {key: each for key, each in self.asked.items() if each[2] + SILENCE_KEPT_SECONDS > self.now}
        self.commit()

    @rule(seconds=st.sampled_from([1.0, 15.0]))
    def set_the_clock_back(self, seconds):
        self.now -= seconds

    @rule()
    def restart(self):
        self.silences = Silences()
        self.silences.restore(self.rows.items())

    @invariant()
    def each_is_what_was_asked_for_last(self):
        found = {each.id: (each.matchers, each.start, each.end, each.by) for each in self.silences.all.values()}
        assert found == self.asked

    @invariant()
    def they_hold_from_start_to_end(self):
        for labels in LABELS:
            holding = {
                end: identity
                for identity, (matchers, start, end, _) in self.asked.items()
                if start <= self.now < end and match_all(matchers, labels)
            }
            found = self.silences.of(labels, self.now)
            assert (found and found.end) == max(holding, default=None)
        for each in self.silences.all.values():
            states = [self.now < each.start, each.active(self.now), each.end <= self.now]
            assert [each.state(self.now) == word for word in ("pending", "active", "expired")] == states

    @invariant()
    def the_next_change_is_the_first(self):
        times = [at for _, start, end, _ in self.asked.values() for at in (start, end) if at > self.now]
        assert self.silences.next_change(self.now) == min(times, default=None)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=100, stateful_step_count=30)
