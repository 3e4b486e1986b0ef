"""said: what was said in a conversation, by whom it was heard, and how long its steps stood still."""

from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.telling.said import NOTHING_SAID, Said

TIME = st.integers(1, 10_000).map(float)


def test_a_first_message_and_its_repeats_count_and_each_remembers_who_heard():
    first = NOTHING_SAID.message(["chat"], 1000.0, anew=True)
    again = first.message(["chat", "mail"], 1600.0, anew=False)
    assert first == Said(("chat",), 1, 1000.0, 1000.0)
    assert again == Said(("chat", "mail"), 2, 1000.0, 1600.0)
    assert again.message(["chat"], 2000.0, anew=True).tellings == 1


def test_a_step_counts_apart_and_remembers_how_late_it_was():
    step = Said(("chat",), 1, 1000.0, 1000.0).step(["boss"], 900.0)
    assert (step.told, step.tellings, step.last, step.steps, step.escalated) == (("chat", "boss"), 1, 1000.0, 1, 900.0)


@given(st.lists(st.tuples(TIME, TIME), max_size=5))
def test_however_often_steps_stand_still_that_time_does_not_count(gaps):
    said, now, still = Said(("chat",), 1, 1000.0, 1000.0), 1000.0, 0.0
    for runs, stands in gaps:
        said = said.goes_on(now + runs, runs=False).goes_on(now + runs, runs=False)
        said = said.goes_on(now + runs + stands, runs=True)
        now, still = now + runs + stands, still + stands
    assert (said.notified, said.paused, said.last) == (1000.0 + still, 0.0, 1000.0)


def test_before_the_first_message_nothing_stands_still():
    assert NOTHING_SAID.goes_on(5.0, runs=False) is NOTHING_SAID


def test_what_was_said_in_either_of_two_is_not_said_again_in_the_one_that_they_become():
    one, other = Said(("chat",), 3, 1000.0, 5000.0, 1, 900.0), Said(("mail",), 1, 2000.0, 6000.0)
    for both in (one.joined(other), other.joined(one)):
        assert set(both.told) == {"chat", "mail"}
        assert (both.tellings, both.notified, both.last, both.steps, both.escalated) == (3, 1000.0, 6000.0, 1, 900.0)
    assert NOTHING_SAID.joined(one) == one == one.joined(NOTHING_SAID)


def test_an_heir_takes_the_place_of_a_receiver_that_is_gone_once():
    said = Said(("chat", "mail"), 1)
    assert said.renamed(lambda name: ["slack", "mail"] if name == "chat" else [name]).told == ("slack", "mail")
    assert said.renamed(lambda name: [name]) is said


def test_when_the_clock_is_set_its_times_move_and_what_never_was_stays_so():
    moved = Said(("chat",), 1, 1000.0, 2000.0, 1, 60.0, 0.0).shifted(3600.0)
    assert (moved.notified, moved.last, moved.paused, moved.escalated) == (4600.0, 5600.0, 0.0, 60.0)
    assert NOTHING_SAID.shifted(3600.0) is NOTHING_SAID
