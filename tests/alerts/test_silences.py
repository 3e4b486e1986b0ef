"""A silence that is changed: when it stays the same one, and when another takes its place."""

import pytest

from hub.alerts.matchers import parse_matchers
from hub.alerts.silences import Silence, Silences

A, B = parse_matchers("site=a"), parse_matchers("site=b")


@pytest.fixture
def silences():
    return Silences()


def change(silences, identity, matchers, start, end, by, comment, now):
    return silences.change(Silence(identity, tuple(matchers), start, end, by, comment, now), now)


def test_an_active_one_that_only_lasts_longer_stays_the_same(silences):
    made = silences.add(A, 100.0, 200.0, "ann", "works", 100.0)
    changed = change(silences, made.id, A, 100.0, 900.0, "bob", "more works", 150.0)
    assert (changed.id, changed.start, changed.end, changed.by) == (made.id, 100.0, 900.0, "bob")
    assert list(silences.all) == [made.id]


@pytest.mark.parametrize(("matchers", "start"), [(B, 100.0), (A, 160.0)])
def test_an_active_one_that_silences_other_things_ends_and_another_takes_its_place(silences, matchers, start):
    made = silences.add(A, 100.0, 200.0, "ann", "", 100.0)
    changed = change(silences, made.id, matchers, start, 900.0, "ann", "", 150.0)
    assert changed.id != made.id
    assert silences.all[made.id].end == 150.0
    assert (changed.matchers, changed.start) == (tuple(matchers), max(start, 150.0))


def test_one_that_is_still_to_begin_may_begin_at_another_time(silences):
    made = silences.add(A, 500.0, 900.0, "ann", "", 100.0)
    assert change(silences, made.id, A, 300.0, 900.0, "ann", "", 150.0).start == 300.0
    changed = change(silences, made.id, A, 0.0, 900.0, "ann", "", 200.0)
    assert (changed.id, changed.start) == (made.id, 200.0)


def test_one_that_has_ended_is_not_taken_up_again(silences):
    made = silences.add(A, 100.0, 200.0, "ann", "", 100.0)
    changed = change(silences, made.id, A, 100.0, 900.0, "ann", "", 300.0)
    assert changed.id != made.id
    assert (changed.start, silences.all[made.id].end) == (300.0, 200.0)


def test_one_that_is_not_known_is_not_made(silences):
    assert change(silences, "nope", A, 100.0, 900.0, "ann", "", 100.0) is None
    assert silences.all == {}
