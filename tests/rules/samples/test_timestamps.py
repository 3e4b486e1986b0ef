"""An event's own time: any unit, RFC 3339 or nearly that, local times of the defaults' zone or the hub's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.running.engine import Engine
from hub.rules.samples.timestamps import own_time
from tests.rules.making import event, rules

NIGHT = datetime(2026, 3, 1, 1, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("tz", ["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"])
def test_a_local_time_is_of_the_zone_of_the_defaults_else_of_the_hub(tz, form):
    zone = ZoneInfo(tz)
    written = datetime.fromtimestamp(NIGHT - 60, zone).strftime(form)
    (found,) = rules("- {event: E, topic: t, timestamp: ts}")
    for named, local in ((zone, UTC), (None, zone)):
        engine = Engine([replace(found, tz=named)], local=local)
        engine.restore([], {}, NIGHT)
        engine.process([event("t", {"ts": written}, NIGHT)], NIGHT)
        assert [each.event.time for each in engine.take_transitions()] == [NIGHT - 60]


BERLIN, LONGEST = ZoneInfo("Europe/Berlin"), 7 * 86400


@given(st.integers(0, LONGEST), st.sampled_from([0, 3, 6, 9]), st.booleans())
def test_a_number_is_the_same_time_in_any_unit(age, digits, as_text):
    number = int(NIGHT - age) * 10**digits
    assert own_time(str(number) if as_text else number, NIGHT) == NIGHT - age


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 - what a clock on a wall shows
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from("T t_"),
    st.sampled_from(["{0}{1:02}:{2:02}", "{0}{1:02}{2:02}", " {0}{1:02}:{2:02}"]),
)
def test_a_time_with_an_offset_is_read_as_python_reads_it(shown, offset, between, form):
    at = shown.replace(tzinfo=timezone(timedelta(minutes=offset)))
    written = shown.isoformat(between) + form.format("-" if offset < 0 else "+", *divmod(abs(offset), 60))
    assert own_time(written, at.timestamp() + 1) == pytest.approx(at.timestamp(), abs=1e-6)


@given(st.integers(0, 2 * 365 * 86400), st.integers(0, 3000))
def test_a_local_time_of_late_is_read_as_the_time_it_was_also_where_the_clock_shows_it_twice(start, age):
    now = NIGHT + start
    shown = datetime.fromtimestamp(now - age, BERLIN).replace(tzinfo=None)
    found = own_time(shown.isoformat(), now, BERLIN)
    assert datetime.fromtimestamp(found, BERLIN).replace(tzinfo=None) == shown
    assert found <= now
    again = datetime.fromtimestamp(now - age + 3600, BERLIN).replace(tzinfo=None) == shown
    assert found == now - age or again, "where it was an hour later, too, nobody can know"
