from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model import Rejected, Retry
from hub.notify.lanes.retry import Again, GiveUp, RetryPolicy, parse_retry_after

POLICY = RetryPolicy(first=1.0, longest=300.0, asked=3600.0, age=1000.0)
JITTER = st.floats(0, 1, exclude_max=True)
ATTEMPTS = st.integers(1, 100_000)
YOUNG = st.floats(-1e6, 999.0)


@given(ATTEMPTS, YOUNG, JITTER)
def test_a_wait_is_within_the_backoff_and_never_over_the_cap(attempts, age, jitter):
    verdict = POLICY.decide(Retry("down"), attempts, age, jitter)
    assert isinstance(verdict, Again)
    assert 0 <= verdict.after <= min(300.0, 2.0 ** min(attempts - 1, 20))


@given(ATTEMPTS, YOUNG)
def test_the_wait_grows_twofold_until_the_cap(attempts, age):
    this = POLICY.decide(Retry("down"), attempts, age, 0.5).after
    later = POLICY.decide(Retry("down"), attempts + 1, age, 0.5).after
    assert later == min(2 * this, 150.0)


@given(ATTEMPTS, YOUNG, JITTER, st.floats(allow_nan=False))
def test_what_the_receiver_asked_for_is_respected_up_to_an_hour(attempts, age, jitter, asked):
    verdict = POLICY.decide(Retry("busy", asked), attempts, age, jitter)
    assert verdict.after >= min(max(asked, 0.0), 3600.0)
    assert verdict.after <= 3600.0


@given(ATTEMPTS, st.floats(1000.0, 1e12), JITTER)
def test_what_is_too_old_is_given_up_with_the_last_reason(attempts, age, jitter):
    verdict = POLICY.decide(Retry("503 Service Unavailable"), attempts, age, jitter)
    assert isinstance(verdict, GiveUp)
    assert "503 Service Unavailable" in verdict.reason


@given(ATTEMPTS, st.floats(0, 1e12), JITTER)
def test_delivered_is_done_and_rejected_is_given_up_at_any_age(attempts, age, jitter):
    assert POLICY.decide(Rejected("400"), attempts, age, jitter) == GiveUp("400")


def test_after_as_many_attempts_as_there_may_be_it_is_given_up():
    policy = RetryPolicy(attempts=3)
    assert [type(policy.decide(Retry("x"), attempts, 0.0, 0.0)) for attempts in (1, 2, 3, 4)] == [
        Again,
        Again,
        GiveUp,
        GiveUp,
    ]
    assert policy.decide(Retry("x"), 3, 0.0, 0.0) == GiveUp("given up after 3 attempts; last: x")
    assert RetryPolicy(attempts=1).decide(Retry("x"), 1, 0.0, 0.0) == GiveUp("given up after 1 attempt; last: x")
    assert isinstance(RetryPolicy(attempts=0).decide(Retry("x"), 999, 0.0, 0.0), Again)


def test_what_stands_for_others_goes_on_with_their_backoff_and_has_attempts_of_its_own():
    policy = RetryPolicy(first=1.0, longest=300.0, attempts=3)
    assert policy.decide(Retry("x"), 1, 0.0, 0.5, before=4) == Again(8.0, "x")
    assert policy.decide(Retry("x"), 2, 0.0, 0.5, before=4) == Again(16.0, "x")


def test_retry_after_is_seconds_or_a_date():
    now = 1_772_000_000.0
    assert parse_retry_after("120", now) == 120.0
    date = format_datetime(datetime.fromtimestamp(now + 90, UTC), usegmt=True)
    assert parse_retry_after(date, now) == 90.0
    assert parse_retry_after(date, now + 1000) == 0.0
    assert parse_retry_after(date.replace("GMT", "-0000"), now) == 90.0
    assert parse_retry_after(date.replace("GMT", "+0100"), now) == 0.0
    assert parse_retry_after(date.replace("GMT", "-0100"), now) == 3690.0


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "²", "Fri, 99 Feb 2026 00:00:00 GMT", "9" * 5000])
def test_a_retry_after_that_makes_no_sense_never_raises(text):
    parsed = parse_retry_after(text, 0.0)
    assert parsed is None or parsed >= 0


@given(st.text())
def test_any_retry_after_is_a_wait_or_nothing(text):
    parsed = parse_retry_after(text, 1e9)
    assert parsed is None or parsed >= 0
