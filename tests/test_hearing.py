"""hearing: a timer speaks by a time up to which all that came is evaluated, never by a later one."""

from hypothesis import given
from hypothesis import strategies as st

from hub.hearing import Hearing


def drained(position=0):
    made = Hearing()
    made.drained(position, -1.0)
    assert made.by(position, position, -1.0) == -1.0
    return made


def test_before_all_that_was_held_for_us_is_evaluated_no_timer_speaks():
    hearing = Hearing()
    assert hearing.by(taken=0, received=0, now=1.0) is None
    hearing.drained(3, 1.5)
    assert hearing.by(taken=2, received=3, now=2.0) is None
    assert hearing.waits(2)
    assert hearing.by(taken=3, received=3, now=3.0) == 3.0
    hearing.lost(4.0)
    assert hearing.by(taken=3, received=3, now=5.0) is None


def test_what_waits_in_a_backlog_lets_timers_speak_by_the_time_at_which_it_had_come():
    hearing = drained()
    assert hearing.by(taken=5, received=9, now=100.0) is None
    assert hearing.waits(8)
    assert not hearing.waits(9)
    assert hearing.by(taken=8, received=20, now=101.0) is None
    assert hearing.by(taken=9, received=20, now=102.0) == 100.0
    assert hearing.by(taken=20, received=25, now=103.0) == 102.0


def test_what_came_and_was_taken_back_is_not_waited_for():
    hearing = drained()
    assert hearing.by(taken=5, received=9, now=100.0) is None
    assert hearing.by(taken=5, received=5, now=101.0) == 101.0
    assert hearing.by(taken=5, received=9, now=102.0) is None
    assert hearing.by(taken=6, received=6, now=103.0) == 103.0


def test_where_one_stall_follows_the_other_timers_speak_by_the_time_at_which_the_broker_was_asked_between():
    hearing = drained()
    hearing.stalled(10.0, deaf=False)
    assert hearing.by(taken=5, received=5, now=11.0) is None
    assert hearing.waits(5)
    hearing.drained(8, 12.0, again=True)
    hearing.stalled(12.0, deaf=False)
    assert hearing.by(taken=7, received=12, now=13.0) is None
    assert hearing.by(taken=8, received=12, now=14.0) == 12.0
    assert hearing.by(taken=12, received=12, now=15.0) is None  # the stall goes on
    assert hearing.is_drained(0)
    assert hearing.quiet_since is None


def test_a_time_after_a_stall_has_begun_that_only_we_believe_in_is_void():
    hearing = drained()
    assert hearing.by(taken=5, received=9, now=10.2) is None
    hearing.stalled(10.0, deaf=True)
    assert hearing.by(taken=9, received=9, now=11.0) is None
    assert hearing.quiet_since == 10.0
    hearing.drained(9, 12.0, again=True)
    assert hearing.by(taken=9, received=9, now=13.0) == 13.0


def test_a_lost_connection_makes_void_what_was_known_before():
    hearing = drained()
    hearing.drained(8, 12.0, again=True)
    hearing.lost(13.0)
    assert hearing.by(taken=8, received=8, now=14.0) is None


def test_a_gap_counts_from_its_beginning_and_once():
    hearing = Hearing()
    hearing.began(10.0)
    hearing.lost(20.0)
    hearing.shift(3600.0)
    assert hearing.take_gap(3640.0) == 30.0
    assert hearing.take_gap(3650.0) is None
    hearing.lost(3660.0)
    assert hearing.take_gap(3650.0) == 0.0  # the clock went back a little


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=50))
def test_by_the_time_that_is_said_everything_is_evaluated_that_had_come_by_then(steps):
    hearing, came, taken = drained(), [], 0
    for now, (arrive, take) in enumerate(steps):
        came += [float(now)] * arrive
        taken = min(len(came), taken + take)
        by = hearing.by(taken, len(came), float(now))
        if by is not None:
            assert all(at > by for at in came[taken:]) or taken == len(came)
            assert not [at for at in came[taken:] if at < by]
