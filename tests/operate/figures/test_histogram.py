import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.operate.figures.histogram import Histogram, RatePerSecond


@pytest.mark.parametrize("share", [0.5, 0.99])
@pytest.mark.parametrize("scale", [1e-5, 0.002, 1.5, 4000])
def test_a_quantile_is_within_five_percent_of_the_exact_one(share, scale):
    rng, histogram = random.Random(3), Histogram()
    values = sorted(rng.lognormvariate(0, 1) * scale for _ in range(5000))
    for value in values:
        histogram.add(value)
    exact = values[int(share * len(values))]
    assert histogram.quantile(share) == pytest.approx(exact, rel=0.05)


def test_a_batch_counts_as_often_as_it_has_events():
    histogram = Histogram()
    histogram.add(0.001, 99)
    histogram.add(1.0, 1)
    assert histogram.count == 100
    assert histogram.quantile(0.5) == pytest.approx(0.001, rel=0.05)
    assert histogram.quantile(0.995) == pytest.approx(1.0, rel=0.05)
    assert histogram.longest == 1.0


@given(st.lists(st.floats(-10, 1e12), max_size=50))
def test_any_latency_is_counted_and_no_quantile_is_beyond_the_longest(values):
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    assert histogram.count == len(values)
    assert 0 <= histogram.quantile(0.5) <= histogram.quantile(0.99) <= max([0, *values])


def test_an_empty_histogram_has_quantiles_of_zero():
    assert Histogram().quantile(0.99) == 0


def test_a_rate_knows_total_mean_best_second_and_the_last_minute():
    rate = RatePerSecond()
    for second, count in ((100, 10), (101, 30), (104, 20)):
        rate.add(count, second + 0.5)
    assert (rate.total, rate.best()) == (60, 30)
    assert rate.mean() == 15
    assert rate.series(105.0)[-5:] == [10, 30, 0, 0, 20]
    assert len(rate.series(105.0)) == 60


def test_the_second_that_is_going_on_counts_for_the_best_but_not_for_the_series():
    rate = RatePerSecond()
    rate.add(7, 100.1)
    assert rate.best() == 7
    assert rate.series(100.9)[-1] == 0
    assert rate.series(101.0)[-1] == 7


def test_a_rate_after_a_long_silence_has_forgotten_the_minute_before():
    rate = RatePerSecond()
    rate.add(5, 100.0)
    assert sum(rate.series(160.5)) == 5
    assert sum(rate.series(161.5)) == 0
    assert sum(rate.series(100_000.0)) == 0


def test_a_rate_survives_a_clock_that_is_set_back():
    rate = RatePerSecond()
    rate.add(5, 10_000.0)
    rate.add(5, 9_999.0)
    rate.add(5, 5_000.0)
    rate.add(5, 5_001.0)
    assert rate.total == 20
    assert rate.mean() > 0
    assert rate.series(5_002.0)[-2:] == [5, 5]
