"""log_downtime: since when nobody was heard, and how far two clocks differ, by the clock of the log's servers."""

from hub.cluster.log.follower import ahead_of_store, heard_until
from hub.cluster.log.log_downtime import LogDowntime
from hub.cluster.servers.jetstream import Stored
from hub.limits import ALIVE_SECONDS
from hub.spine.downtime import Gap


def record(time, **headers):
    return Stored(1, b"", time, {f"Hub-{name.replace('_', '-')}": value for name, value in headers.items()})


def test_the_gap_is_as_long_as_the_log_was_silent_whatever_this_machines_clock_says():
    for now in (0.0, 5000.0, -3600.0):
        assert LogDowntime(7.0, now).gap(now) == Gap(now - 7.0)
        assert LogDowntime(7.0, now).last_heard == now - 7.0
    assert LogDowntime(None, 50.0).gap(51.0) == Gap(51.0)
    assert LogDowntime(None, 50.0).last_heard is None
    assert LogDowntime(-1.0, 50.0).gap(50.0) == Gap(50.0), "a server's clock that was set back"


def test_a_clock_that_differs_from_the_one_before_moves_all_times_once():
    downtime = LogDowntime(7.0, 5000.0, 3600.0)
    assert downtime.gap(5000.0) == Gap(4993.0, 3600.0)
    assert not downtime.moved, "what is written before the first commit is by the old clock"
    downtime.take_rows(5000.0, 4993.0, last=False)
    assert downtime.moved


def test_the_file_is_told_what_a_single_hub_notes_there():
    downtime = LogDowntime(7.0, 100.0)
    assert downtime.is_due(100.0)
    assert downtime.take_rows(100.0, 93.0, last=False) == [], "nobody is heard yet"
    assert downtime.quiet_since == 93.0
    assert downtime.take_rows(101.0, None, last=False) == [("alive", "101.0")]
    assert downtime.quiet_since is None
    assert not downtime.is_due(101.0)
    assert downtime.take_rows(102.0, None, last=False) == []
    assert downtime.take_rows(103.0, 102.5, last=True) == [("alive", "102.5")]
    assert downtime.is_due(103.0 + ALIVE_SECONDS)
    downtime.stepped()
    assert downtime.is_due(0.0)


def test_up_to_when_somebody_was_heard_is_told_by_the_last_record_and_handed_on_by_a_claim():
    assert heard_until(record(50.0)) == 50.0
    assert heard_until(record(50.0, Quiet="8.5")) == 41.5
    assert heard_until(record(50.0, Heard_Until="30.0", Quiet="1")) == 30.0
    assert heard_until(record(50.0, Heard_Until="never")) is None


def test_a_unit_of_which_nobody_has_heard_a_device_yet_has_lost_no_session():
    downtime = LogDowntime(None, 100.0)
    assert downtime.never
    downtime.take_rows(100.0, 100.0, last=False)
    assert downtime.never, "the owner has yet to connect"
    downtime.take_rows(101.0, None, last=False)
    assert not downtime.never
    downtime.take_rows(102.0, 101.5, last=False)
    assert not downtime.never
    assert not LogDowntime(3.0, 100.0).never


def test_the_clock_of_the_states_times_is_the_writers_but_for_who_has_not_moved_them_yet():
    assert ahead_of_store(record(50.0, Clock="53.5")) == 3.5
    assert ahead_of_store(record(50.0, Clock="53.5", Ahead="-3600.0")) == -3600.0
    assert ahead_of_store(record(50.0)) is None
