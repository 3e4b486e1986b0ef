"""condition: what a message, the clock and a pause change of an instance; nothing is changed here."""

from hypothesis import given
from hypothesis import strategies as st

from hub.model import Phase, Reason
from hub.rules.instances.instance import NEVER, Instance
from hub.rules.running import condition
from hub.rules.running.condition import PhaseChange
from tests.rules.making import rule

INACTIVE, PENDING, FIRING, RESOLVED = Phase.INACTIVE, Phase.PENDING, Phase.FIRING, Phase.RESOLVED
PLAIN = rule('- {alert: A, topic: "d/{x}", when: v > 5}')
SLOW = rule('- {alert: A, topic: "d/{x}", when: v > 5, for: 10s, clear_for: 20s}')


def at(phase, since=NEVER, clearing_since=NEVER):
    made = Instance(("1",))
    made.phase, made.since, made.clearing_since = phase, since, clearing_since
    return made


def test_without_for_a_message_begins_and_ends_it_at_once():
    assert condition.follow(PLAIN, at(INACTIVE), True, 90.0, 100.0) == PhaseChange(FIRING, 100.0, Reason.CONDITION)
    assert condition.follow(PLAIN, at(FIRING, 50.0), False, 90.0, 100.0) == PhaseChange(RESOLVED, 50.0, Reason.CLEARED)
    assert condition.follow(PLAIN, at(FIRING, 50.0), True, 90.0, 100.0) is None
    assert condition.follow(PLAIN, at(INACTIVE), False, 90.0, 100.0) is None


def test_for_counts_from_when_the_message_says_that_it_holds_and_begins_only_once():
    assert condition.follow(SLOW, at(INACTIVE), True, 90.0, 100.0) == PhaseChange(PENDING, 90.0, Reason.CONDITION)
    assert condition.follow(SLOW, at(PENDING, 50.0), True, 90.0, 100.0) is None
    change = condition.follow(SLOW, at(PENDING, 50.0), False, 90.0, 100.0)
    assert change == PhaseChange(INACTIVE, 50.0, Reason.CONDITION)


def test_the_end_of_what_fires_begins_once_and_is_taken_back_and_nobody_is_told_of_either():
    assert condition.follow(SLOW, at(FIRING, 50.0), False, 90.0, 100.0) == PhaseChange(FIRING, 50.0, None, 90.0)
    assert condition.follow(SLOW, at(FIRING, 50.0, 80.0), False, 90.0, 100.0) is None
    assert condition.follow(SLOW, at(FIRING, 50.0, 80.0), True, 90.0, 100.0) == PhaseChange(FIRING, 50.0)


def test_a_pause_resets_timers_and_lets_go_on_what_fires():
    assert condition.interrupted(at(PENDING, 50.0)) == PhaseChange(INACTIVE, 50.0, Reason.PAUSED)
    assert condition.interrupted(at(FIRING, 50.0, 80.0)) == PhaseChange(FIRING, 50.0)
    assert condition.interrupted(at(FIRING, 50.0)) is None
    assert condition.interrupted(at(INACTIVE)) is None


@given(
    st.sampled_from([PLAIN, SLOW]),
    st.sampled_from([at(INACTIVE), at(PENDING, 50.0), at(FIRING, 50.0), at(FIRING, 50.0, 80.0)]),
    st.floats(0.0, 1000.0),
)
def test_the_clock_changes_something_exactly_from_when_it_is_due(of, instance, now):
    found = condition.elapsed(of, instance, now)
    assert (found is not None) is (condition.due(of, instance) <= now)
    assert found is None or found.reason in (Reason.HELD, Reason.CLEARED)
