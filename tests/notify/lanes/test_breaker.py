"""A breaker: failures in a row of more than one alert open it, one attempt after the pause decides."""

from hypothesis import given
from hypothesis import strategies as st

from hub.limits import BREAKER_FAILURES, BREAKER_SECONDS
from hub.notify.lanes.breaker import Breaker, Circuit

FIRST, LONGEST = BREAKER_SECONDS


def opened(now=0.0):
    breaker = Breaker()
    for row in range(BREAKER_FAILURES):
        breaker.failed(row, f"alert {row}", now, 0.0)
    return breaker


def test_failures_in_a_row_open_it_and_not_one_sooner():
    breaker = Breaker()
    assert [breaker.failed(n, str(n), 5.0, 0.0) for n in range(BREAKER_FAILURES)] == [False] * 4 + [True]
    assert breaker.opens() == 5.0 + FIRST


def test_an_answer_between_failures_begins_the_count_anew():
    breaker = Breaker()
    for n in range(3 * BREAKER_FAILURES):
        assert not breaker.failed(n, str(n), 0.0, 0.0)
        if n % (BREAKER_FAILURES - 1) == BREAKER_FAILURES - 2:
            assert not breaker.worked()
    assert breaker.state is Circuit.CLOSED


def test_one_alert_alone_never_opens_it_and_another_one_then_does():
    breaker = Breaker()
    assert not any(breaker.failed(1, "a", 0.0, 0.0) for _ in range(100))
    assert breaker.failed(2, "b", 0.0, 0.0)


def test_after_the_pause_one_attempt_decides_and_a_failure_doubles_the_pause_up_to_the_longest():
    breaker, now, pauses = opened(), 0.0, []
    for row in range(100, 110):
        pauses.append(breaker.opens() - now)
        now = breaker.opens()
        breaker.began(row)
        assert breaker.state is Circuit.HALF_OPEN
        assert breaker.opens() > now + 1e9, "nobody else meanwhile"
        assert breaker.failed(row, "x", now, 0.0)
    assert pauses == [min(FIRST * 2**n, LONGEST) for n in range(10)]
    breaker.began(200)
    assert breaker.worked()
    assert breaker.state is Circuit.CLOSED
    assert breaker.pause == FIRST


def test_what_was_under_way_when_it_opened_does_not_lengthen_the_pause_nor_decide():
    breaker = opened()
    assert not breaker.failed(77, "late", 0.5, 0.0)
    assert breaker.opens() == FIRST
    breaker.began(100)
    assert not breaker.failed(77, "late", 1.0, 0.0)
    assert breaker.state is Circuit.HALF_OPEN


def test_the_pause_is_as_long_as_the_receiver_asks_for():
    breaker = Breaker(1)
    breaker.failed(1, "a", 0.0, 0.0)
    assert breaker.failed(2, "b", 10.0, 40.0)
    assert breaker.opens() == 50.0


def test_without_a_number_of_failures_it_never_opens():
    breaker = Breaker(0)
    assert not any(breaker.failed(n, str(n), 0.0, 0.0) for n in range(1000))


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("ab"), st.floats(0, 100)), max_size=60))
def test_it_lets_something_through_within_the_longest_pause_whatever_happens(story):
    breaker, now, row = Breaker(), 0.0, 0
    for works, order, wait in story:
        now += wait
        if breaker.opens() > now:
            assert breaker.state is Circuit.OPEN
            assert breaker.opens() <= now + LONGEST
            continue
        row += 1
        breaker.began(row)
        if works:
            breaker.worked()
        else:
            breaker.failed(row, order, now, 0.0)
