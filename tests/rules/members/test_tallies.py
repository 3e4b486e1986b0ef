"""Numbers and conditions of all members together, against a walk over them."""

from math import floor, isclose, nan
from statistics import fmean, pstdev

from hypothesis import given
from hypothesis import strategies as st

from hub.rules.members.tallies import NumberTally

FUNCTIONS = ("avg", "sum", "min", "max", "stddev", "percentile")
CHANGES = st.lists(st.tuples(st.integers(0, 9), st.floats(-1e6, 1e6), st.booleans()), min_size=1, max_size=80)


@given(CHANGES, st.floats(0, 100))
def test_numbers_are_those_of_the_members_that_count_now(changes, percent):
    tally, values, stale = NumberTally(FUNCTIONS, asks_absent=False), {}, set()
    for _ in range(10):
        tally.grow()
    for row, value, turns in changes:
        if turns and row in values:
            stale ^= {row}
            tally.turn(row, stale=row in stale)
        else:
            values[row] = value
            tally.put(row, value, nan, stale=row in stale)
    here = sorted(value for row, value in values.items() if row not in stale)
    assert tally.size == len(here)
    if here:
        place = (len(here) - 1) * percent / 100
        low, high = here[floor(place)], here[min(floor(place) + 1, len(here) - 1)]
        assert isclose(tally.avg(), fmean(here), rel_tol=1e-12)
        assert (tally.min(), tally.max()) == (here[0], here[-1])
        assert isclose(tally.stddev(), pstdev(here), rel_tol=1e-9, abs_tol=1e-12)
        assert isclose(tally.percentile(percent), low + (high - low) * (place - floor(place)), abs_tol=1e-6)


def test_a_sum_does_not_drift():
    tally = NumberTally(("sum",), asks_absent=False)
    tally.grow()
    for number in range(10_000):
        tally.put(0, 1e15 + number / 7, nan, stale=False)
    tally.put(0, 0.1, nan, stale=False)
    assert tally.sum() == 0.1
