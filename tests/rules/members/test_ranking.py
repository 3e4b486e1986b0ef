"""Values in order, against a sorted list."""

from hypothesis import given
from hypothesis import strategies as st

from hub.rules.members import ranking
from hub.rules.members.ranking import Ranking


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=300))
def test_it_says_what_a_sorted_list_says(steps):
    made, model = Ranking(), []
    ranking.BLOCK, before = 4, ranking.BLOCK
    try:
        for adds, number in steps:
            value = float(number)
            if adds or not model:
                made.add(value)
                model.append(value)
            else:
                made.take(model.pop(number % len(model)))
            model.sort()
            assert (list(made), made.size) == (model, len(model))
            if model:
                assert (made.lowest(), made.highest()) == (model[0], model[-1])
                rank = number % len(model)
                assert made.at(rank) == model[rank]
    finally:
        ranking.BLOCK = before
