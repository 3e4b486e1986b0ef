"""flapping: told three times while it chatters, whatever the rule is; all of it is in the book, and its end is told."""

from itertools import pairwise

import pytest

from hub.alerts.matchers import parse_matchers
from hub.alerts.suppression.silences import Silence
from hub.limits import FLAPPING_CALM_SECONDS, FLAPPING_SECONDS, FLAPPING_TRACED, WHY_ENTRIES
from hub.model import Phase
from tests.alerts.flapper import HOT, Flapper, Site, rule_set


@pytest.fixture
def flapper():
    return Flapper()


def test_ten_times_a_second_for_ten_minutes_is_told_three_times_and_then_how_it_ended(flapper):
    flapper.flap(3000)
    assert flapper.told() == [("chat", "1-firing", None), ("chat", "1-resolved", None), ("chat", "2-firing", 2)]
    assert (flapper.alert.state, flapper.alert.episode) == (Phase.RESOLVED, 2)
    flapper.wait(FLAPPING_CALM_SECONDS - 0.2)
    assert flapper.told() == []
    flapper.wait(0.2)
    (end,) = flapper.world.told
    assert (end.id.split("-", 1)[1], end.body["state"], end.body["flapping"]) == ("2-resolved", "resolved", 3000)
    assert end.body["summary"] == "1 is 1 (flapping: fired 3000 times)"
    assert end.body["until"] < "1970-01-01T00:26:40.000Z"  # when it ended, not when that was told
    transitions = [row for row in flapper.world.trace if row[1] == "transition"]
    assert len(transitions) == 6000, "nothing is missing from the book"
    held = [number for number, row in enumerate(flapper.world.trace) if row[1] == "held"]
    assert {flapper.world.trace[number][5] for number in held} == {
        '{"stage":"flapping","detail":"until it is calm for 1m"}'
    }
    assert held[0] == 7, "with the first end that is held back"
    assert max(after - before for before, after in pairwise(held)) < WHY_ENTRIES
    assert len(held) == 3000 // FLAPPING_TRACED, "the others would fill the trace"


def test_what_fires_and_resolves_at_once_is_told_both_times_at_once_and_again_a_minute_later(flapper):
    for episode in (1, 2, 3):
        flapper.flap(1)
        assert flapper.told() == [("chat", f"{episode}-firing", None), ("chat", f"{episode}-resolved", None)]
        flapper.wait(FLAPPING_SECONDS)


@pytest.mark.parametrize(("seconds", "flaps"), [(FLAPPING_SECONDS, None), (FLAPPING_SECONDS - 1, 2)])
def test_it_flaps_within_a_minute_of_its_last_firing_and_not_exactly_after_one(flapper, seconds, flaps):
    flapper.send(9)
    flapper.send(1)
    flapper.told()
    flapper.wait(seconds)
    flapper.send(9)
    assert flapper.told() == [("chat", "2-firing", flaps)]


def test_the_end_of_a_silence_repeats_nothing_of_what_flaps_and_is_over_for_the_moment():
    at = Site(HOT + ", repeat: 1m}")
    for _ in range(2):
        at.send(9, "t/1")
        at.send(1, "t/1")
        at.wait(10)
    assert at.heard() == ["0 chat: 1 firing", "0 chat: 1 resolved", "10 chat: 1 firing"]
    at.wait(40)
    at.send(9, "t/1")
    at.send(1, "t/1")
    at.silence("device=1", 15)
    at.wait(FLAPPING_CALM_SECONDS - 1)
    assert at.heard() == []
    at.wait(1)
    assert at.heard() == ["120 chat: 1 resolved"]


def test_what_is_forgotten_while_it_flaps_is_told_as_over_before(flapper):
    flapper.flap(3)
    flapper.told()
    ((fingerprint, _),) = flapper.world.core.book.firing()
    flapper.world.core.book.drop(fingerprint, flapper.world.now)
    flapper.world.collect()
    assert flapper.told() == [("chat", "2-resolved", 3)]
    assert fingerprint not in flapper.world.core.book.alerts


def test_what_flaps_has_an_end_in_sight_only_while_it_is_over(flapper):
    flapper.flap(2)
    ended = flapper.world.now - 0.1
    assert (flapper.alert.state, flapper.alert.until) == (Phase.RESOLVED, ended)
    flapper.send(9)
    assert (flapper.alert.until, flapper.alert.body()["until"]) == (None, None)


def test_the_second_time_within_a_minute_is_told_at_once_and_its_end_when_it_is_calm(flapper):
    flapper.flap(1)
    flapper.wait(50)
    flapper.told()
    flapper.send(9)
    (again,) = flapper.world.told
    assert again.body["summary"] == "1 is 9 (flapping: fired 2 times)"
    assert flapper.told() == [("chat", "2-firing", 2)]
    flapper.send(1)
    assert flapper.alert.body()["held"] == {"stage": "flapping", "detail": "until it is calm for 1m"}
    flapper.wait(FLAPPING_CALM_SECONDS)
    assert flapper.told() == [("chat", "2-resolved", 2)]
    assert flapper.alert.body()["held"] is None


def test_one_that_then_fires_in_earnest_is_told_the_end_at_once(flapper):
    flapper.flap(20)
    flapper.send(9)
    flapper.told()
    flapper.wait(FLAPPING_CALM_SECONDS)
    assert flapper.told() == []
    flapper.send(1)
    assert flapper.told() == [("chat", "2-resolved", 21)]
    flapper.wait(FLAPPING_SECONDS)
    flapper.flap(1)
    assert flapper.told() == [("chat", "3-firing", None), ("chat", "3-resolved", None)]


def test_it_is_acknowledged_and_escalated_as_one_episode():
    flapper = Flapper(HOT + ", escalate: [{after: 5m, to: [boss]}]}")
    flapper.flap(1000)
    book, now = flapper.world.core.book, flapper.world.now
    ((fingerprint, _),) = book.find(parse_matchers("alertname=Hot"))
    assert flapper.alert.state is Phase.RESOLVED
    assert book.acknowledge(fingerprint, "ann", "loose contact", None, now).ack.by == "ann"
    flapper.told()
    flapper.flap(1000)
    assert (flapper.alert.ack.by, flapper.told()) == ("ann", [])
    book.unacknowledge(fingerprint, "ann", flapper.world.now)
    flapper.flap(490)
    assert flapper.told() == []
    flapper.flap(20)
    assert [told[:2] for told in flapper.told()] == [("boss", "2-escalate-1")]
    flapper.wait(FLAPPING_CALM_SECONDS)
    assert flapper.told() == [("chat", "2-resolved", 2510), ("boss", "2-resolved", 2510)]
    flapper.wait(FLAPPING_SECONDS)
    flapper.send(9)
    assert flapper.alert.ack is None


def test_a_cause_that_flaps_goes_on_holding_back_what_it_explains():
    cause = '- {alert: Cause, topic: "s/{site}", when: v > 5, notify: [chat]}\n'
    flapper = Flapper(cause + HOT + ", unless: Cause}")
    flapper.send(9, "s/a")
    flapper.send(1, "s/a")
    flapper.send(9, "s/a")
    flapper.send(9)
    flapper.told()
    for _ in range(50):
        flapper.send(1, "s/a")
        flapper.wait(0.1)
        flapper.send(9, "s/a")
    flapper.send(1, "s/a")
    assert (flapper.told(), flapper.alert.held) == ([], ("unless", "Cause"))
    flapper.world.restart()
    flapper.wait(FLAPPING_CALM_SECONDS - 1)
    assert flapper.told() == []
    flapper.wait(1)
    assert flapper.told() == [("chat", "2-resolved", 52), ("chat", "1-firing", None)]


def test_what_is_pending_again_has_its_end_told_when_it_is_calm():
    flapper = Flapper(HOT + ", for: 10s}")
    for _ in range(2):
        flapper.send(9)
        flapper.wait(10)
        flapper.send(1)
        flapper.wait(1)
    assert flapper.told() == [("chat", "1-firing", None), ("chat", "1-resolved", None), ("chat", "2-firing", 2)]
    flapper.send(9)
    flapper.send(1)
    assert flapper.alert.state is Phase.INACTIVE
    flapper.world.restart()
    flapper.wait(FLAPPING_CALM_SECONDS)
    assert flapper.told() == [("chat", "2-resolved", 2)]


@pytest.mark.parametrize("value", [9, 1])
def test_a_rule_that_is_removed_ends_it(flapper, value):
    flapper.flap(20)
    flapper.send(value)
    flapper.told()
    flapper.world.rules = rule_set("[]")
    flapper.world.reload()
    flapper.wait(FLAPPING_CALM_SECONDS)
    ((receiver, step, _),) = flapper.told()
    assert (receiver, step) == ("chat", "2-resolved")


def test_what_nobody_was_told_of_has_no_end_to_be_told(flapper):
    book, now = flapper.world.core.book, flapper.world.now
    book.silence(Silence("", tuple(parse_matchers("device=1")), now, now + 3600, "ann", "", now))
    flapper.flap(20)
    assert flapper.alert.held is None
    flapper.wait(FLAPPING_CALM_SECONDS)
    assert flapper.told() == []


def test_a_group_is_told_by_its_interval_as_ever():
    flapper = Flapper(HOT + ", group_by: []}")
    flapper.flap(3000)
    steps = [step for _, step, flaps in flapper.told() if flaps is None]
    assert len(steps) <= 3
    flapper.wait(600)
    assert flapper.alert.state is Phase.RESOLVED
