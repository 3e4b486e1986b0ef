"""schedules: against the clock on the wall, minute by minute; changes are exactly where they are said to be."""

from datetime import UTC, datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.schedules import parse_schedule
from hub.schedules.schedule import Range
from hub.schedules.wall import Jump

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]
YEAR = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def schedule(text, tz=None, **named):
    return parse_schedule(text, {name: schedule(line) for name, line in named.items()}, tz)


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def shows(zone, now, begin, end):
    """Tell whether the clock on the wall shows a time between these, in minutes of the day; an oracle of its own."""
    wall = datetime.fromtimestamp(now, zone)
    minute = wall.hour * 60 + wall.minute
    return begin <= minute < end if begin < end else minute >= begin or minute < end


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("text", "begin", "end"), [("08:00-18:00", 480, 1080), ("22:00-06:00", 1320, 360)])
def test_a_daily_range_is_what_the_clock_on_the_wall_shows_all_year(zone, text, begin, end):
    local, daily = ZoneInfo(zone), schedule(f"daily {text}")
    for minute in range(0, 366 * 1440, 37):
        now = YEAR + minute * 60
        assert daily.active(now, local) is shows(local, now, begin, end), datetime.fromtimestamp(now, local)


@given(
    zone=st.sampled_from(ZONES),
    text=st.sampled_from(
        [
            "daily 02:00-02:30",
            "daily 00:00-24:00",
            "daily 01:59-03:01, 12:00-12:01",
            "weekly mon-fri 08:00-18:00",
            "weekly fri-mon 22:00-06:00",
            "weekly sun 23:00-02:15",
            "weekly sat,sun",
            "cron 30 1 * * * for 90m",
            "cron */20 * * * * for 5m",
            "not weekly mon-fri 08:00-18:00",
            "from 2026-03-28T12:00 to 2026-10-25T02:30",
        ]
    ),
    second=st.integers(0, 366 * 86400),
)
def test_nothing_changes_before_the_next_change_and_there_it_does(zone, text, second):
    local, made, now = ZoneInfo(zone), schedule(text), YEAR + second
    change = made.change(now, local)
    assert change > now
    before = made.active(now, local)
    last = min(change, now + 3 * 86400)
    for step in range(60):
        assert made.active(now + (last - now) * step / 60, local) is before
    if change < inf:
        assert made.active(change - 0.001, local) is before
        assert made.active(change, local) is not before


def changes(made, first, last, zone=BERLIN):
    """Return all changes between two times, as the clock on the wall shows them."""
    found, now = [], first
    while (now := made.change(now, zone)) < last:
        found.append(datetime.fromtimestamp(now, zone).strftime("%H:%M%z"))
    return found


def test_on_the_day_without_the_hour_a_pause_in_it_is_made_up_for_behind_it():
    made = schedule("daily 02:00-02:30")
    assert changes(made, at("2026-03-29T00:00"), at("2026-03-30T00:00")) == ["03:00+0200", "03:30+0200"]


def test_on_the_day_without_the_hour_a_range_around_it_is_as_long_as_the_clock_shows():
    made = schedule("daily 01:30-03:30")
    assert changes(made, at("2026-03-29T00:00"), at("2026-03-30T00:00")) == ["01:30+0100", "03:30+0200"]


def test_on_the_day_with_the_hour_twice_a_range_in_it_holds_twice():
    made = schedule("daily 02:00-02:30")
    said = changes(made, at("2026-10-25T00:00"), at("2026-10-26T00:00"))
    assert said == ["02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100"]


def test_office_hours_are_by_the_clock_on_the_wall_before_and_after_the_change():
    made = schedule("weekly mon-fri 08:00-18:00")
    for day in ("2026-03-27", "2026-03-30", "2026-10-23", "2026-10-26"):
        assert changes(made, at(f"{day}T00:00"), at(f"{day}T23:00")) == [
            f"08:00{datetime.fromtimestamp(at(f'{day}T08:00'), BERLIN):%z}",
            f"18:00{datetime.fromtimestamp(at(f'{day}T18:00'), BERLIN):%z}",
        ]
    assert not changes(made, at("2026-03-28T00:00"), at("2026-03-30T00:00"))


def test_a_range_over_midnight_goes_into_the_next_day():
    made = schedule("weekly fri 22:00-06:00")
    assert made.active(at("2026-11-27T23:00"), BERLIN)
    assert made.active(at("2026-11-28T05:59"), BERLIN)
    assert not made.active(at("2026-11-28T06:00"), BERLIN)
    assert not made.active(at("2026-11-27T05:00"), BERLIN)


def test_a_range_over_sunday_night_goes_into_monday():
    made = schedule("weekly sun 22:00-06:00")
    assert made.active(at("2026-11-29T23:00"), BERLIN)
    assert made.active(at("2026-11-30T05:00"), BERLIN)


def test_a_cron_schedule_holds_for_its_time_from_each_beginning():
    made = schedule("cron 0 2 * * sun for 2h")
    assert changes(made, at("2026-11-28T00:00"), at("2026-11-30T00:00")) == ["02:00+0100", "04:00+0100"]


def test_a_cron_schedule_whose_times_follow_each_other_without_an_end_always_holds():
    made, now = schedule("cron */10 * * * * for 1h"), at("2026-11-28T00:05")
    for _ in range(20):
        assert made.active(now, BERLIN)
        later = made.change(now, BERLIN)
        assert now + 3600 < later < inf
        now = later


def test_spans_of_a_cron_schedule_that_touch_are_one_in_the_zone_of_the_schedule():
    tokyo = ZoneInfo("Asia/Tokyo")
    made = schedule("cron 0,10 2 * * * for 10m", tokyo)
    begins, ends = at("2026-11-28T02:00", tokyo), at("2026-11-28T02:20", tokyo)
    assert made.change(begins - 60, BERLIN) == begins
    assert made.change(begins, BERLIN) == ends
    assert [made.active(now, BERLIN) for now in (begins - 1, begins, ends - 1, ends)] == [False, True, True, False]


def test_a_long_run_of_a_cron_schedule_ends_where_its_last_start_does():
    made, now = schedule("cron * * * * mon-fri for 5m"), at("2026-11-24T12:00")
    while made.active(now, BERLIN):
        now = made.change(now, BERLIN)
    assert now == at("2026-11-28T00:04")


def test_a_span_is_once_in_the_zone_of_its_schedule():
    made = schedule("from 2026-12-24T18:00 to 2026-12-27", ZoneInfo("Asia/Tokyo"))
    assert changes(made, at("2026-12-01T00:00"), at("2027-01-01T00:00"), UTC) == ["09:00+0000", "15:00+0000"]


def test_a_zone_of_its_own_goes_before_the_local_one():
    made = schedule("daily 02:00-02:30", ZoneInfo("Asia/Tokyo"))
    assert made.active(at("2026-06-01T02:10", ZoneInfo("Asia/Tokyo")), BERLIN)
    assert not made.active(at("2026-06-01T02:10"), BERLIN)


def test_what_always_holds_never_changes():
    now = at("2026-11-28T00:00")
    assert schedule("daily 00:00-24:00").change(now, BERLIN) == inf
    assert schedule("not daily 00:00-24:00").active(now, BERLIN) is False


def test_the_opposite_of_a_schedule_by_name():
    made = schedule("not office", office="weekly mon-fri 08:00-18:00")
    assert made.active(at("2026-11-28T12:00"), BERLIN)
    assert timedelta(seconds=made.change(at("2026-11-28T12:00"), BERLIN) - at("2026-11-30T08:00")) == timedelta()


def test_a_range_behind_sunday_night_is_made_up_for_where_the_gap_begins_before_it():
    before_midnight = 4 * 86400 - 900  # a Sunday of 1970, 23:45
    assert Range(0, 600).made_up(Jump(before_midnight, 0, 3600)) == before_midnight + 600


def test_a_span_inside_the_hour_that_does_not_come_never_holds():
    made, now = schedule("from 2026-03-29T02:10 to 2026-03-29T02:40"), at("2026-03-28T12:00")
    assert made.change(now, BERLIN) == inf


def test_a_span_from_the_hour_that_does_not_come_begins_behind_it():
    made = schedule("from 2026-03-29T02:10 to 2026-03-29T03:40")
    assert changes(made, at("2026-03-28T12:00"), at("2026-03-30T00:00")) == ["03:00+0200", "03:40+0200"]


def test_a_change_that_a_jump_swallows_comes_a_week_later():
    made = schedule("weekly mon-sat 00:00-24:00, sun 00:00-02:00, sun 02:30-24:00")
    assert made.change(at("2026-03-22T03:00"), BERLIN) == at("2026-04-05T02:00")


def test_on_the_day_with_the_hour_twice_a_cron_schedule_begins_once_unless_it_repeats():
    first, last = at("2026-10-25T00:00"), at("2026-10-26T00:00")
    assert changes(schedule("cron 30 2 * * * for 15m"), first, last) == ["02:30+0200", "02:45+0200"]
    twice = ["02:30+0200", "02:45+0200", "02:30+0100", "02:45+0100"]
    assert [each for each in changes(schedule("cron 30 * * * * for 15m"), first, last) if each[:2] == "02"] == twice


def test_in_the_second_of_two_equal_hours_a_cron_schedule_names_no_start_that_is_over():
    made, now = schedule("cron 30 2 * * * for 15m"), at("2026-10-25T02:10") + 3600
    assert not made.active(now, BERLIN)
    assert made.change(now, BERLIN) == at("2026-10-26T02:30")


def test_on_the_day_without_the_hour_a_cron_schedule_in_it_begins_behind_it():
    made = schedule("cron 15,45 2 * * * for 10m")
    assert changes(made, at("2026-03-29T00:00"), at("2026-03-30T00:00")) == ["03:00+0200", "03:10+0200"]
