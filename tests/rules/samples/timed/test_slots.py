"""Functions over time and ahead, each against plain sums over all samples; folding; the way through the store."""

from bisect import bisect_right
from datetime import timedelta
from itertools import pairwise
from math import exp, fsum, isclose, log
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import EvaluationError
from hub.limits import WINDOW_CHUNK, WINDOW_ENTRIES
from hub.rules.samples.timed import line, stepwise, strip
from hub.rules.samples.timed.hours import Hours
from hub.rules.samples.timed.line import TrendLine
from hub.rules.samples.timed.smooth import Smooth
from hub.rules.samples.timed.stepwise import Steps, heat

WEEK = 7 * 86400.0
VALUES = st.integers(-3, 3).map(float) | st.floats(-1e4, 1e4)
MOVES = st.tuples(st.sampled_from([0.0, 0.5, 1.0, 1.0, 3.0, 12.0, -0.5, -4.0, -9.0]), VALUES, st.booleans())


def said(slot, function, *arguments):
    try:
        return getattr(slot, function)(*arguments)
    except EvaluationError:
        return None


def again(slot, stored, end, made):
    """Return the slot as a restart would have it; `stored` are the chunks in the store so far."""
    tail, rows = slot.dump()
    for number, text in rows:
        if text is None:
            del stored[number]
        else:
            stored[number] = text
    assert sorted(stored) == sorted(slot.chunks())
    made.load(tail, dict(stored), end)
    return made


def feed(slot, samples, end, at, value):
    """Give a sample to a slot and to the list of all, at its place; return the newer end."""
    end = max(end, at)
    slot.hear(at, end, value)
    samples.insert(bisect_right(samples, at, key=lambda each: each[0]), (at, value))
    return end


# held, mean, integral


def area(samples, begin, end):
    """Return the integral of a step function that begins with its first sample, and how long it is known."""
    ends = [at for at, _ in samples[1:]] + [end]
    parts = [(max(at, begin), min(until, end), value) for (at, value), until in zip(samples, ends, strict=True)]
    spans = [(until - at, value) for at, until, value in parts if until > at]
    return fsum(span * value for span, value in spans), fsum(span for span, _ in spans)


@given(st.lists(MOVES, max_size=100), st.sampled_from([10.0, 0.5, 60.0]), st.floats(0.0, 30.0))
@settings(max_examples=200, deadline=None)
def test_what_is_weighed_by_time_is_the_area_below_the_steps_also_late_and_after_a_restart(moves, seconds, more):
    slot, samples, stored, now, end = Steps(seconds), [], {}, 1000.0, 0.0
    for passed, value, restart in moves:
        now += passed
        if now <= end - seconds:
            continue  # the hub drops what is older than the window
        end = feed(slot, samples, end, now, value)
        if restart:
            slot = again(slot, stored, end, Steps(seconds))
        for moment in (end, end + more):
            whole, known = area(samples, moment - seconds, moment)
            slot.hear(moment, moment, None)
            scale = 1e-9 * max(1.0, *(abs(value) for _, value in samples)) * seconds
            assert isclose(slot.integral(), whole, rel_tol=1e-9, abs_tol=scale)
            mean = whole / known if known else samples[-1][1]
            assert isclose(slot.mean(), mean, rel_tol=1e-6, abs_tol=1e-6 * max(1.0, abs(mean)) + scale)
        now = end = moment


def test_what_held_is_told_as_a_duration_and_is_none_before_anything_is_known():
    slot = Steps(60.0)
    assert slot.held() == timedelta()
    for at, value in ((1000.0, 1.0), (1010.0, 0.0), (1030.0, 1.0)):
        slot.hear(at, at, value)
    slot.move(1045.0, 0.0)
    assert slot.held() == timedelta(seconds=25)
    slot.move(1065.0, 0.0)
    assert slot.held() == timedelta(seconds=40)  # of the first ten seconds, five have left
    slot.move(5000.0, 0.0)
    assert slot.held() == timedelta(seconds=60)


@pytest.mark.parametrize("function", ["mean", "integral", "mkt"])
def test_of_no_sample_nothing_is_known(function):
    with pytest.raises(EvaluationError, match="no sample in the window"):
        getattr(Steps(60.0), function)()


def test_the_mean_kinetic_temperature_is_that_of_the_usp():
    slot, hours = Steps(4 * 3600.0), [20.0, 25.0, 30.0, 22.5]
    for number, celsius in enumerate(hours):
        slot.hear(3600.0 * number, 3600.0 * number, heat(celsius))
    slot.move(4 * 3600.0, 0.0)
    ratio = 83.144 / 0.0083144
    expected = ratio / -log(fsum(exp(-ratio / (each + 273.15)) for each in hours) / 4) - 273.15
    assert slot.mkt() == pytest.approx(expected, abs=1e-9)
    assert slot.mkt() > fsum(hours) / 4
    assert heat(-273.15) is None


# slope, predict, reaches


def fitted(samples):
    """Return the slope and the value at time 0 of the least squares line; None where there is none."""
    if len({at for at, _ in samples}) < 2:
        return None
    middle, mean = (fsum(each) / len(samples) for each in zip(*samples, strict=True))
    spread = fsum((at - middle) ** 2 for at, _ in samples)
    slope = fsum((at - middle) * (value - mean) for at, value in samples) / spread
    return slope, mean, middle


@given(st.lists(MOVES, max_size=100), st.sampled_from([10.0, 0.5, 60.0]))
@settings(max_examples=200, deadline=None)
def test_the_line_is_that_of_least_squares_also_out_of_order_and_a_restart_changes_no_bit(moves, seconds):
    slot, samples, stored, now, end = TrendLine(seconds), [], {}, 1.7e9, 0.0
    for passed, value, restart in moves:
        now += passed
        end = feed(slot, samples, end, now, value)
        inside = [(at, each) for at, each in samples if at > end - seconds]
        if restart:
            before = said(slot, "slope"), said(slot, "predict", 30.0), said(slot, "reaches", 0.0)
            slot = again(slot, stored, end, TrendLine(seconds))
            assert (said(slot, "slope"), said(slot, "predict", 30.0), said(slot, "reaches", 0.0)) == before
        found = fitted(inside)
        if found is None:
            assert said(slot, "slope") is None
            continue
        slope, mean, middle = found
        scale = max(1.0, *(abs(each) for _, each in inside))
        assert isclose(slot.slope(), slope, rel_tol=1e-6, abs_tol=1e-6 * scale)
        ahead = mean + slope * (end + 30.0 - middle)
        assert isclose(slot.predict(30.0), ahead, rel_tol=1e-6, abs_tol=1e-4 * scale)


def test_a_line_that_falls_reaches_what_is_below_it_and_nothing_above():
    slot = TrendLine(3600.0)
    for at in range(0, 600, 60):
        slot.hear(1000.0 + at, 1000.0 + at, 100.0 - at / 60)
    assert slot.slope() == pytest.approx(-1 / 60)
    assert slot.reaches(0.0).total_seconds() == pytest.approx(91 * 60)
    slot.move(1600.0, 0.0)
    assert slot.reaches(0.0).total_seconds() == pytest.approx(90 * 60)
    assert slot.predict(60.0) == pytest.approx(89.0)
    with pytest.raises(EvaluationError, match="not on its way"):
        slot.reaches(100.0)


def test_a_line_that_hardly_falls_reaches_it_in_a_hundred_years():
    slot = TrendLine(3600.0)
    slot.hear(1000.0, 1000.0, 1e9)
    slot.hear(1060.0, 1060.0, 1e9 - 1e-3)
    assert slot.reaches(0.0) == timedelta(days=36_500)


def test_a_line_needs_two_samples_of_two_moments():
    slot = TrendLine(60.0)
    slot.hear(1000.0, 1000.0, 1.0)
    with pytest.raises(EvaluationError, match="fewer than two samples"):
        slot.slope()
    slot.hear(1000.0, 1000.0, 2.0)
    with pytest.raises(EvaluationError, match="of one moment"):
        slot.slope()


# folding


@pytest.fixture
def small(monkeypatch):
    """Slots that fold beyond 16 entries, to 8 grains."""
    for module in (stepwise, line):
        monkeypatch.setattr(module, "WINDOW_ENTRIES", 16)
        monkeypatch.setattr(module, "WINDOW_GRAINS", 8)
    monkeypatch.setattr(strip, "WINDOW_CHUNK", 4)


CLOSE = st.lists(st.tuples(st.sampled_from([0.05, 0.1, 0.3, 2.0, 11.0]), VALUES, st.booleans()), max_size=200)


@pytest.mark.usefixtures("small")
@given(CLOSE)
@settings(max_examples=100, deadline=None)
def test_folded_steps_err_by_a_grain_at_the_old_end_at_most(moves):
    slot, samples, stored, now = Steps(10.0), [], {}, 1000.0
    for passed, value, restart in moves:
        now += passed
        feed(slot, samples, now, now, value)
        assert len(slot.times) - slot.head <= 17
        if restart:
            before = slot.integral()
            slot = again(slot, stored, now, Steps(10.0))
            assert slot.integral() == before
        exact, _ = area(samples, now - 10.0, now)
        most = 2 * max(abs(each) for _, each in samples) * 10.0 / 8
        assert abs(slot.integral() - exact) <= most + 1e-6


@pytest.mark.usefixtures("small")
@given(CLOSE)
@settings(max_examples=100, deadline=None)
def test_a_folded_line_is_exact_for_the_samples_that_it_holds(moves):
    slot, samples, stored, now = TrendLine(10.0), [], {}, 1000.0
    for passed, value, restart in moves:
        now += passed
        feed(slot, samples, now, now, value)
        if restart:
            before = said(slot, "slope")
            slot = again(slot, stored, now, TrendLine(10.0))
            assert said(slot, "slope") == before
        number = round(slot.sums[0].value())
        inside = samples[-number:]
        assert inside[0][0] > now - 10.0 - 10.0 / 8
        found = fitted(inside)
        if found is not None:
            scale = max(1.0, *(abs(each) for _, each in inside))
            assert isclose(slot.slope(), found[0], rel_tol=1e-5, abs_tol=1e-5 * scale)


@pytest.mark.parametrize("kind", [Steps, TrendLine])
def test_memory_is_bounded_however_many_samples_come(kind):
    slot = kind(600.0)
    for number in range(30_000):
        slot.hear(number / 20, number / 20, float(number % 7))
    assert len(slot.times) <= 2 * WINDOW_ENTRIES
    tail, _ = slot.dump()
    assert len(tail[1][0]) < WINDOW_CHUNK


# ewma


@given(st.lists(st.tuples(st.floats(0.01, 500.0), st.floats(-1e4, 1e4)), min_size=1, max_size=50), st.booleans())
def test_the_smoothed_value_is_the_sum_of_all_samples_with_weights_that_fade(moves, restart):
    slot, now, samples = Smooth(60.0), 1000.0, []
    for passed, value in moves:
        now += passed
        slot.hear(now, now, value)
        if restart:
            slot = again(slot, {}, now, Smooth(60.0))
        samples.append((now, value))
    weights = [exp(-(now - samples[0][0]) / 60)]
    weights += [exp(-(now - at) / 60) - exp(-(now - before) / 60) for (before, _), (at, _) in pairwise(samples)]
    expected = fsum(weight * value for weight, (_, value) in zip(weights, samples, strict=True))
    assert isclose(slot.ewma(), expected, rel_tol=1e-9, abs_tol=1e-6)


def test_a_late_sample_changes_no_smoothed_value():
    slot = Smooth(60.0)
    with pytest.raises(EvaluationError, match="no sample yet"):
        slot.ewma()
    slot.hear(1000.0, 1000.0, 5.0)
    slot.hear(900.0, 1000.0, 50.0)
    assert slot.ewma() == 5.0


# baseline, deviation


def weekly(zone="UTC"):
    return Hours(4 * WEEK, ZoneInfo(zone))


MONDAY = 1_767_571_200.0  # 2026-01-05T00:00Z


def test_the_baseline_is_the_mean_of_this_hour_of_the_weeks_before():
    slot = weekly()
    for week, value in enumerate((10.0, 14.0)):
        slot.hear(MONDAY + week * WEEK, MONDAY + week * WEEK, value)
        slot.hear(MONDAY + week * WEEK + 4000, MONDAY + week * WEEK + 4000, -50.0)
    slot.move(MONDAY + 2 * WEEK, 0.0)
    slot.end = MONDAY + 2 * WEEK + 100
    assert slot.baseline() == 12.0
    slot.hear(MONDAY + 2 * WEEK + 100, MONDAY + 2 * WEEK + 100, 18.0)
    assert slot.deviation() == 3.0


def test_before_a_week_is_known_there_is_no_baseline():
    slot = weekly()
    slot.hear(MONDAY, MONDAY, 1.0)
    for ahead in (0.0, 3600.0, WEEK - 3600.0):
        slot.move(MONDAY + ahead, 0.0)
        assert said(slot, "baseline") is None
    slot.move(MONDAY + WEEK, 0.0)
    assert slot.baseline() == 1.0
    assert slot.deviation() == 0.0


def test_what_never_varied_is_as_far_away_as_can_be():
    slot = weekly()
    slot.hear(MONDAY, MONDAY, 20.1)
    slot.hear(MONDAY + WEEK, MONDAY + WEEK, 20.2)
    assert slot.deviation() == float("inf")
    slot.hear(MONDAY + WEEK, MONDAY + WEEK, 20.0)
    assert slot.deviation() == float("-inf")


def test_the_hour_is_that_of_the_zone_also_over_a_change_of_its_clocks():
    slot, saturday = weekly("Europe/Berlin"), 1_774_087_200.0  # 2026-03-21, 11:00 in Berlin; summer begins on the 29th
    slot.hear(saturday, saturday, 7.0)
    slot.move(saturday + WEEK, 0.0)
    assert slot.baseline() == 7.0
    slot.move(saturday + 2 * WEEK - 3600, 0.0)  # it is 11:00 again, an hour sooner by UTC
    assert slot.baseline() == 7.0


@given(st.lists(st.tuples(st.floats(0.0, 2e5), st.floats(-100, 100), st.booleans()), max_size=120))
@settings(max_examples=100, deadline=None)
def test_a_baseline_is_what_all_samples_of_that_hour_give_and_outlives_restarts(moves):
    slot, samples, stored, now = weekly(), [], {}, MONDAY
    for passed, value, restart in moves:
        now += passed
        slot.hear(now, now, value)
        samples.append((now, value))
        if restart:
            slot = again(slot, stored, now, weekly())
        hour = now // 3600
        weeks = [hour - 168 * number for number in range(1, 5)]
        values = [value for at, value in samples if at // 3600 in weeks and at > now - 4 * WEEK - 3600]
        said_ = said(slot, "baseline")
        assert (said_ is None) is (not values)
        if values:
            mean = fsum(values) / len(values)
            assert isclose(said_, mean, rel_tol=1e-9, abs_tol=1e-9)
    assert len(slot.hours) <= 4 * 168 + 1
