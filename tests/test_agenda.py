"""agenda: the earliest time asked for counts, once; what was overtaken leaves nothing behind."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from hub.agenda import Agenda

KEYS = st.sampled_from("abc")
STEPS = st.one_of(
    st.tuples(st.just("wake"), KEYS, st.sampled_from([0.0, 1.0, 2.0, 5.0, inf])),
    st.tuples(st.just("drop"), KEYS, st.just(0.0)),
    st.tuples(st.just("take"), KEYS, st.sampled_from([0.0, 1.0, 3.0, 9.0])),
    st.tuples(st.just("clear"), KEYS, st.just(0.0)),
)


@given(st.lists(STEPS, max_size=60))
def test_it_says_what_a_dict_that_is_searched_says(steps):
    agenda, times = Agenda(), {}
    for what, key, at in steps:
        if what == "wake":
            agenda.wake(key, at)
            times[key] = min(at, times.get(key, inf))
        elif what == "drop":
            agenda.drop(key)
            times.pop(key, None)
        elif what == "clear":
            agenda.clear()
            times.clear()
        else:
            due = [each for _, each in sorted((time, each) for each, time in times.items() if time <= at)]
            assert [agenda.take(at) for _ in due] == due
            assert agenda.take(at) is None
            times = {each: time for each, time in times.items() if time > at}
        earliest, known = agenda.next_due(), [time for time in times.values() if time < inf]
        assert earliest is not None or not known
        assert not known or earliest <= min(known), "it may turn out to be overtaken, and never comes too late"


def test_what_has_no_order_comes_in_the_order_in_which_it_was_asked_for():
    agenda, things = Agenda(fifo=True), [object() for _ in range(20)]
    for each in things:
        agenda.wake(each, 5.0)
    assert [agenda.take(5.0) for _ in things] == things


def test_what_is_looked_at_ever_earlier_leaves_no_more_than_its_last_time():
    agenda = Agenda()
    for n in range(50_000):
        agenda.wake("a", 1e9 - n)
    assert len(agenda) < 10_000
    assert agenda.next_due() == 1e9 - 49_999
    assert agenda.take(1e9) == "a"
    assert agenda.take(1e9) is None
