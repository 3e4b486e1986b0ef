"""sums: whatever came and went, the sum is that of what is left, rounded once."""

from collections import deque
from math import fsum

from hypothesis import given
from hypothesis import strategies as st

from hub.rules.samples.sums import PARTS, ExactSum

NUMBER = st.floats(-1e150, 1e150) | st.sampled_from([1e150, -1e150, 1e100, 1.0, 0.1, 1e-100, 5e-324, -0.0])


@given(st.lists(NUMBER, max_size=80), st.integers(1, 10))
def test_it_is_the_exact_sum_of_what_has_not_been_taken_away(numbers, window):
    total, kept = ExactSum(), deque()
    for number in numbers:
        total.add(number)
        kept.append(number)
        if len(kept) > window:
            total.add(-kept.popleft())
        assert total.value() == fsum(kept)
        assert len(total.parts) <= PARTS


def test_a_huge_number_leaves_nothing_behind_when_it_goes():
    total = ExactSum()
    for number in (0.1, 1e150, 0.2, -1e150):
        total.add(number)
    assert total.value() == fsum([0.1, 0.2])


def test_a_million_additions_do_not_drift():
    total = ExactSum()
    for _ in range(200_000):
        total.add(0.1)
        total.add(-0.3)
        total.add(0.3)
    assert total.value() == fsum([0.1] * 200_000)
