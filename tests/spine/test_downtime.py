"""downtime: since when nobody was heard before a start, and when it is noted, by one machine's wall clock."""

import pytest

from hub.limits import ALIVE_SECONDS
from hub.spine.downtime import ClockDowntime, Gap
from hub.store.changes import Snapshot


def of(alive):
    return ClockDowntime(Snapshot(meta={} if alive is None else {"alive": alive}))


@pytest.mark.parametrize(
    ("alive", "gap"),
    [
        (None, Gap(1000.0)),
        ("400.0", Gap(400.0)),
        ("1004.0", Gap(1000.0)),  # a clock that is a little behind is no clock that was set
        ("1005.0", Gap(1000.0, -5.0)),
        ("9000.0", Gap(1000.0, -8000.0)),
    ],
)
def test_the_gap_is_what_lies_between_the_last_note_and_the_clock(alive, gap):
    assert of(alive).gap(1000.0) == gap


def test_who_heard_last_is_known_as_it_was_noted():
    assert (of(None).last_heard, of("9000.0").last_heard) == (None, 9000.0)


def test_a_note_that_is_no_time_is_an_error_at_the_start():
    with pytest.raises(ValueError, match="soon"):
        of("soon")


def test_while_everybody_is_heard_it_is_noted_now_and_then():
    downtime = of(None)
    assert downtime.is_due(1000.0)
    assert downtime.take_rows(1000.0, None, last=False) == [("alive", "1000.0")]
    assert not downtime.is_due(1000.0 + ALIVE_SECONDS - 1)
    assert downtime.take_rows(1000.0 + ALIVE_SECONDS - 1, None, last=False) == []
    assert downtime.take_rows(1000.0 + ALIVE_SECONDS, None, last=False) == [("alive", "1010.0")]


def test_while_nobody_is_heard_nothing_is_noted_and_the_end_says_up_to_when_somebody_was():
    downtime = of(None)
    assert downtime.take_rows(1000.0, 900.0, last=False) == []
    assert downtime.take_rows(1000.0, 900.0, last=True) == [("alive", "900.0")]


def test_after_the_clock_was_set_it_is_noted_by_the_clock_as_it_is():
    downtime = of(None)
    downtime.take_rows(1000.0, None, last=False)
    downtime.stepped()
    assert downtime.take_rows(400.0, None, last=False) == [("alive", "400.0")]
