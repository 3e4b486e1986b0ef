"""windows: every function against a naive computation over all samples; what folding costs; the way through store."""

from itertools import pairwise
from math import floor, fsum, isclose, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import EvaluationError
from hub.expressions.sampled import HELD, NUMBER, SAMPLED, VALUE
from hub.limits import WINDOW_CHUNK, WINDOW_ENTRIES, WINDOW_GRAINS
from hub.rules.samples import windows
from hub.rules.samples.timed import strip
from hub.rules.samples.windows import Window

FUNCTIONS = tuple(each.name for each in SAMPLED.values() if each.mode in (NUMBER, HELD, VALUE))
PLAIN = [each for each in FUNCTIONS if each != "percentile"]  # which take no argument


class Naive:
    """All samples there ever were, in a list."""

    def __init__(self, seconds):
        self.seconds, self.samples, self.end = seconds, [], 0.0

    def feed(self, at, value):
        self.end = max(self.end, at)
        place = len(self.samples)
        while place and self.samples[place - 1][0] > at:
            place -= 1
        self.samples.insert(place, (at, value))

    def inside(self):
        return [(at, value) for at, value in self.samples if at > self.end - self.seconds]

    def say(self, function, *arguments):
        inside = self.inside()
        values = [value for _, value in inside]
        return getattr(self, function)(inside, values, *arguments)

    def avg(self, _, values):
        return fsum(values) / len(values) if values else None

    def sum(self, _, values):
        return fsum(values) if values else None

    def stddev(self, _, values):
        return sqrt(fsum((v - fsum(values) / len(values)) ** 2 for v in values) / len(values)) if values else None

    def min(self, _, values):
        return min(values, default=None)

    def max(self, _, values):
        return max(values, default=None)

    def count(self, _, values):
        return len(values)

    def distinct(self, _, values):
        return len(set(values))

    def zscore(self, _, values):
        spread = self.stddev(_, values)
        return None if spread is None else (values[-1] - fsum(values) / len(values)) / spread if spread else 0.0

    def cusum(self, _, values):
        if len(values) < 2:
            return None
        mean, spread, up, down = fsum(values) / len(values), self.stddev(_, values), 0.0, 0.0
        for value in values if spread else ():
            up = max(0.0, up + (value - mean) / spread - 0.5)
            down = max(0.0, down + (mean - value) / spread - 0.5)
        return max(up, -down, key=abs) if up != down else up

    def delta(self, _, values):
        return values[-1] - values[0] if len(values) > 1 else None

    def changes(self, _, values):
        return sum(a != b for a, b in pairwise(values))

    def rate(self, inside, values):
        if len(values) < 2 or inside[-1][0] == inside[0][0]:
            return None
        grown = values[-1] - values[0] + fsum(a for a, b in pairwise(values) if b < a)
        return grown / (inside[-1][0] - inside[0][0])

    def percentile(self, _, values, percent):
        if not values:
            return None
        place = percent / 100 * (len(values) - 1)
        low, high = sorted(values)[floor(place)], sorted(values)[min(floor(place) + 1, len(values) - 1)]
        return low + (high - low) * (place - floor(place))


def said(window, function, *arguments):
    try:
        return getattr(window, function)(*arguments)
    except EvaluationError:
        return None


def agree(window, naive, functions=FUNCTIONS):
    for function in functions:
        arguments = (90.0,) if function == "percentile" else ()
        ours, theirs = said(window, function, *arguments), naive.say(function, *arguments)
        assert ours == theirs, f"{function}: {ours} instead of {theirs} of {naive.inside()}"


def feed(window, naive, at, value):
    naive.feed(at, value)
    window.hear(at, naive.end, value)


def again(window, stored, end):
    """Return the window as a restart would have it; `stored` are the chunks in the store so far."""
    tail, rows = window.dump()
    for number, text in rows:
        if text is None:
            del stored[number]
        else:
            stored[number] = text
    made = Window(window.seconds, FUNCTIONS)
    made.load(tail, dict(stored), end)
    assert sorted(stored) == list(made.chunks())
    assert len(tail[1][0]) < WINDOW_CHUNK
    return made


VALUES = st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6)
STEPS = st.tuples(st.sampled_from([0.0, 0.5, 1.0, 1.0, 3.0, 12.0, -0.5, -4.0, -9.0]), VALUES)


@given(st.lists(STEPS, max_size=120), st.sampled_from([10.0, 0.5, 60.0]))
@settings(max_examples=200, deadline=None)
def test_every_function_is_what_all_samples_of_the_window_give_also_out_of_order(steps, seconds):
    window, naive, now = Window(seconds, FUNCTIONS), Naive(seconds), 1000.0
    for passed, value in steps:
        now += passed
        feed(window, naive, now, value)
        agree(window, naive)


@given(st.lists(st.tuples(STEPS, st.booleans()), max_size=300), st.sampled_from([10.0, 100.0]))
@settings(max_examples=100, deadline=None)
def test_a_restart_at_any_moment_changes_no_bit_of_any_function(steps, seconds):
    window, naive, stored, now = Window(seconds, FUNCTIONS), Naive(seconds), {}, 1000.0
    for (passed, value), restart in steps:
        now += passed
        feed(window, naive, now, value)
        if restart:
            window = again(window, stored, naive.end)
        agree(window, naive)


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 5.0, -1.0]), st.integers(0, 5).map(float)), max_size=80))
def test_distinct_counts_values(steps):
    window, naive, now = Window(10.0, ["distinct"]), Naive(10.0), 1000.0
    for passed, value in steps:
        now += passed
        feed(window, naive, now, value)
        agree(window, naive, ["distinct"])


# folding


@pytest.fixture
def small(monkeypatch):
    """A window that folds beyond 16 entries, to 8 grains."""
    monkeypatch.setattr(windows, "WINDOW_ENTRIES", 16)
    monkeypatch.setattr(windows, "WINDOW_GRAINS", 8)
    monkeypatch.setattr(strip, "WINDOW_CHUNK", 4)


class TooLong(Naive):
    """What a folded window may be: it begins with the entry that the oldest sample inside is part of."""

    def inside(self):
        return [(at, value) for at, value in self.samples if at >= self.begin]


@pytest.mark.usefixtures("small")
@given(st.lists(st.tuples(st.sampled_from([0.05, 0.1, 0.3, 2.0, 11.0]), VALUES), max_size=200))
@settings(max_examples=150, deadline=None)
def test_a_full_window_is_folded_and_too_long_by_a_grain_at_most_and_else_exact(steps):
    window, naive, now = Window(10.0, FUNCTIONS), TooLong(10.0), 1000.0
    for passed, value in steps:
        now += passed
        feed(window, naive, now, value)
        assert len(window.times) - window.head <= 16
        naive.begin = window.starts[window.head]
        assert naive.begin > now - 10.0 - 10.0 / 8
        assert naive.inside()[-1] == (now, value)
        agree(window, naive, ("min", "max", "count", "delta", "changes"))
        for function in ("avg", "sum", "stddev", "rate"):
            ours, theirs = said(window, function), naive.say(function)
            scale = max(abs(value) for _, value in naive.inside())
            assert ours is theirs is None or isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-6 * scale), function


@pytest.mark.usefixtures("small")
@given(st.lists(st.tuples(st.sampled_from([0.05, 0.3, 2.0, -0.2]), VALUES, st.booleans()), max_size=200))
@settings(max_examples=100, deadline=None)
def test_a_folded_window_comes_back_from_the_store_as_it_went_in(steps):
    window, naive, stored, now = Window(10.0, FUNCTIONS), Naive(10.0), {}, 1000.0
    for passed, value, restart in steps:
        now += passed
        feed(window, naive, now, value)
        if restart:
            before = [said(window, function) for function in PLAIN] + [said(window, "percentile", 50.0)]
            window = again(window, stored, naive.end)
            after = [said(window, function) for function in PLAIN] + [said(window, "percentile", 50.0)]
            assert after == before


def test_memory_is_bounded_and_the_result_right_to_a_grain_however_many_samples_come():
    window = Window(600.0, ["avg", "max", "count", "rate"])
    for number in range(60_000):
        at = 1000.0 + number / 50
        window.hear(at, at, float(number))
    assert len(window.times) <= 2 * WINDOW_ENTRIES
    assert 30_000 <= window.count() <= 30_000 * (1 + 1 / WINDOW_GRAINS) + 1
    assert window.avg() == pytest.approx(60_000 - 15_000, rel=1 / WINDOW_GRAINS)
    assert window.rate() == pytest.approx(50.0)
    assert window.max() == 59_999.0


def test_distinct_counts_so_many_values_and_says_no_more():
    window = Window(600.0, ["distinct"])
    for number in range(5000):
        window.hear(1000.0 + number / 100, 1000.0 + number / 100, float(number % 3000))
    assert window.distinct() == WINDOW_GRAINS
    assert len(window.times) <= 2 * WINDOW_ENTRIES


# the store


def test_a_checkpoint_writes_the_young_end_and_at_most_one_chunk_more_than_came():
    window, stored = Window(600.0, ["avg"]), {}
    for number in range(2000):
        window.hear(1000.0 + number, 1000.0 + number, 21.5)
        tail, rows = window.dump()
        assert len(tail[1][0]) < WINDOW_CHUNK
        assert len(rows) <= 2
        stored |= dict(rows)
    assert sum(text is not None for text in stored.values()) == -(-600 // WINDOW_CHUNK)


def test_functions_that_are_asked_for_later_know_the_samples_from_before():
    window = Window(600.0, ["avg"])
    for number in range(5):
        window.hear(1000.0 + number, 1000.0 + number, float(number % 3))
    window.fit(["min", "changes"])
    assert (window.min(), window.changes()) == (0.0, 4)


# errors


@pytest.mark.parametrize("function", ["avg", "sum", "min", "max", "stddev"])
def test_of_no_sample_there_is_no_mean(function):
    with pytest.raises(EvaluationError, match="no sample in the window"):
        getattr(Window(600.0, FUNCTIONS), function)()


@pytest.mark.parametrize("function", ["rate", "delta"])
def test_what_needs_two_samples_is_an_error_with_one(function):
    window = Window(600.0, FUNCTIONS)
    window.hear(1000.0, 1000.0, 1.0)
    with pytest.raises(EvaluationError, match="fewer than two samples"):
        getattr(window, function)()


def test_a_counter_that_begins_anew_has_grown_by_what_it_reached_and_what_it_is_now():
    window = Window(600.0, ["rate"])
    for at, value in ((0, 90), (10, 100), (20, 4), (30, 10)):
        window.hear(1000.0 + at, 1000.0 + at, float(value))
    assert window.rate() == (10 + 10) / 30


def test_samples_of_one_moment_have_no_rate():
    window = Window(600.0, ["rate"])
    window.hear(1000.0, 1000.0, 1.0)
    window.hear(1000.0, 1000.0, 2.0)
    with pytest.raises(EvaluationError, match="of one moment"):
        window.rate()
