"""hearing: a timer speaks by a time up to which all that came is evaluated, never by a later one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.spine.hearing import Hearing


def by(hearing, taken, received, now):
    hearing.taken = taken
    return hearing.by(received, now)


def drained(position=0):
    made = Hearing()
    made.drained(position, -1.0)
    assert by(made, position, position, -1.0) == -1.0
    return made


def test_before_all_that_was_held_for_us_is_evaluated_no_timer_speaks():
    hearing = Hearing()
    assert by(hearing, 0, 0, 1.0) is None
    hearing.drained(3, 1.5)
    assert by(hearing, 2, 3, 2.0) is None
    hearing.taken = 2
    assert hearing.waits
    assert by(hearing, 3, 3, 3.0) == 3.0
    hearing.lost(4.0)
    assert by(hearing, 3, 3, 5.0) is None


def test_the_first_message_that_was_held_for_us_is_waited_for():
    hearing = Hearing()
    hearing.drained(1, 1.0)
    assert not hearing.is_drained
    assert hearing.by(1, 1.0) is None


def test_asking_again_ourselves_moves_no_place_up_to_which_the_broker_held_something():
    hearing = Hearing()
    hearing.drained(3, 1.0, again=True)
    assert by(hearing, 2, 2, 2.0) is None
    assert by(hearing, 3, 3, 3.0) == 3.0
    hearing.drained(9, 4.0, again=True)
    assert by(hearing, 3, 3, 5.0) == 5.0
    hearing.drained(9, 6.0)
    assert by(hearing, 8, 8, 7.0) is None


def test_what_waits_in_a_backlog_lets_timers_speak_by_the_time_at_which_it_had_come():
    hearing = drained()
    assert by(hearing, 5, 9, 100.0) is None
    hearing.taken = 8
    assert hearing.waits
    hearing.taken = 9
    assert not hearing.waits
    assert by(hearing, 8, 20, 101.0) is None
    assert by(hearing, 9, 20, 102.0) == 100.0
    assert by(hearing, 20, 25, 103.0) == 102.0


def test_what_came_and_was_taken_back_is_not_waited_for():
    hearing = drained()
    assert by(hearing, 5, 9, 100.0) is None
    assert by(hearing, 5, 5, 101.0) == 101.0
    assert by(hearing, 5, 9, 102.0) is None
    assert by(hearing, 6, 6, 103.0) == 103.0


def test_where_one_stall_follows_the_other_timers_speak_by_the_time_at_which_the_broker_was_asked_between():
    hearing = drained()
    hearing.stalled(10.0, deaf=False)
    assert by(hearing, 5, 5, 11.0) is None
    hearing.taken = 5
    assert hearing.waits
    hearing.drained(8, 12.0, again=True)
    hearing.stalled(12.0, deaf=False)
    assert by(hearing, 7, 12, 13.0) is None
    assert by(hearing, 8, 12, 14.0) == 12.0
    assert by(hearing, 12, 12, 15.0) is None  # the stall goes on
    assert hearing.is_drained
    assert hearing.quiet_since is None


@pytest.mark.parametrize("later", [0.0, 0.2])
def test_a_time_after_a_stall_has_begun_that_only_we_believe_in_is_void(later):
    hearing = drained()
    assert by(hearing, 5, 9, 10.0 + later) is None
    hearing.stalled(10.0, deaf=True)
    assert by(hearing, 9, 9, 11.0) is None
    assert hearing.quiet_since == 10.0
    hearing.drained(9, 12.0, again=True)
    assert by(hearing, 9, 9, 13.0) == 13.0


def test_a_lost_connection_makes_void_what_was_known_before():
    hearing = drained()
    hearing.drained(8, 12.0, again=True)
    hearing.lost(13.0)
    assert by(hearing, 8, 8, 14.0) is None


def test_when_the_clock_is_set_timers_speak_by_the_same_moment_under_its_new_time():
    hearing = drained()
    assert by(hearing, 5, 9, 100.0) is None
    hearing.shift(3600.0)
    assert by(hearing, 8, 20, 3701.0) is None
    assert by(hearing, 9, 20, 3702.0) == 3700.0


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
        spoken = by(hearing, taken, len(came), float(now))
        if spoken is not None:
            assert not [at for at in came[taken:] if at <= spoken]
