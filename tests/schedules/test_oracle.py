"""schedules: held against a clock on the wall, read every minute of a year; nothing here knows how they reckon."""

from datetime import UTC, datetime
from functools import cache
from itertools import groupby, pairwise
from math import nextafter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.schedules import parse_schedule

YEAR, MINUTES = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()), 365 * 1440
WEEK = 7 * 1440
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]
ODD = [
    "Africa/Cairo",  # the hour behind midnight does not come
    "America/Santiago",
    "Africa/Casablanca",  # back before forward, in one spring
    "America/Nuuk",  # the hour before midnight
    "Pacific/Chatham",  # at 02:45
    "Antarctica/Troll",  # two hours
]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@cache
def clock(zone):
    """Return what the clock shows in each minute of the year, as minutes of the week."""
    local = ZoneInfo(zone)
    shown = (datetime.fromtimestamp(YEAR + 60 * minute, local) for minute in range(MINUTES))
    return [wall.weekday() * 1440 + wall.hour * 60 + wall.minute for wall in shown]


@cache
def jumps(zone):
    """Return where the clock jumps: the minute of the year, and by how many minutes."""
    steps = ((minute, (now - before - 1) % WEEK) for minute, (before, now) in enumerate(pairwise(clock(zone)), 1))
    return [(minute, step if step < WEEK / 2 else step - WEEK) for minute, step in steps if step]


def skipped(zone):
    """Return the minutes of the year at which it jumps forward, with the minutes of the week that it does not show."""
    return [
        (minute, {(clock(zone)[minute - 1] + 1 + more) % WEEK for more in range(step)})
        for minute, step in jumps(zone)
        if step > 0
    ]


def weekly_by_the_clock(zone, ranges):
    """Tell for each minute whether one of the ranges (begin, minutes long) holds."""
    inside = [{(begin + more) % WEEK for more in range(length)} for begin, length in ranges]
    of_week = set().union(*inside)
    found = [shown in of_week for shown in clock(zone)]
    for minute, gap in skipped(zone):
        for each in inside:
            if each <= gap:
                found[minute : minute + len(each)] = [True] * len(each)
    return found


def cron_by_the_clock(zone, named, minutes, *, twice):
    """Tell for each minute whether a start, at one of the named minutes of the week, lies less than `minutes` back."""
    starts = [shown in named for shown in clock(zone)]
    for minute, step in jumps(zone):
        if step < 0 and not twice:
            starts[minute : minute - step] = [False] * -step
    for minute, gap in skipped(zone):
        starts[minute] |= bool(gap & named)
    found, left = [], 0
    for start in starts:
        left = minutes if start else left - 1
        found.append(left > 0)
    return found


def flips(found, first, last):
    """Return the minutes in which it changes."""
    return [minute for minute in range(first + 1, last) if found[minute] is not found[minute - 1]]


def changes(made, zone, first, last):
    """Return the same as `change` says it."""
    local, now, end = ZoneInfo(zone), float(YEAR + 60 * first), YEAR + 60 * last
    seen = [(now, made.active(now, local))]
    while (later := made.change(now, local)) < end:
        assert later > now
        assert made.active(nextafter(later, 0), local) is seen[-1][1]
        seen.append((later, made.active(later, local)))
        now = later
    firsts = [next(group)[0] for _, group in groupby(seen, lambda each: each[1])]
    return [(at - YEAR) / 60 for at in firsts[1:]]


def on(days, *times):
    """Return ranges of days and (begin, end) as hhmm."""
    minute = [((begin // 100 * 60 + begin % 100), (end // 100 * 60 + end % 100)) for begin, end in times]
    return [(day * 1440 + begin, (end - begin - 1) % 1440 + 1) for day in days for begin, end in minute]


@pytest.mark.parametrize("zone", [*ZONES, *ODD])
def test_all_year_ranges_change_exactly_where_the_clock_on_the_wall_says(zone):
    cases = {
        "daily 02:00-02:30": on(range(7), (200, 230)),
        "daily 22:00-06:00": on(range(7), (2200, 600)),
        "weekly mon-fri 08:00-18:00": on(range(5), (800, 1800)),
        "weekly sat,sun": on([5, 6], (0, 2400)),
        "weekly fri-mon 23:30-02:10": on([4, 5, 6, 0], (2330, 210)),
    }
    for text, ranges in cases.items():
        found = weekly_by_the_clock(zone, ranges)
        made = parse_schedule(text, {}, None)
        assert made.active(YEAR, ZoneInfo(zone)) is found[0]
        assert changes(made, zone, 0, MINUTES) == flips(found, 0, MINUTES), text


@st.composite
def windows(draw):
    """Draw a zone and some days, mostly around a jump of its clock."""
    zone = draw(st.sampled_from([*ZONES, *ODD]))
    middle = draw(st.sampled_from([minute for minute, _ in jumps(zone)] or [100 * 1440]))
    first = middle - draw(st.integers(1, 2880))
    return zone, first, middle + draw(st.integers(60, 2880))


TIMES = st.tuples(st.integers(0, 1439), st.integers(1, 1440)) | st.tuples(st.integers(0, 260), st.integers(1, 60))


@settings(max_examples=40)
@given(windows(), st.lists(TIMES, min_size=1, max_size=4), st.sets(st.integers(0, 6), min_size=1))
def test_any_ranges_around_a_jump_of_the_clock_change_where_it_says(window, times, days):
    zone, first, last = window
    written = ", ".join(
        f"{begin // 60:02}:{begin % 60:02}-{(begin + length - 1) % 1440 // 60:02}:{(begin + length - 1) % 1440 % 60:02}"
        for begin, length in times
        if (length - 1) % 1440
    )
    made = parse_schedule(f"weekly {','.join(DAYS[day] for day in days)} {written}", {}, None)
    lengths = [(begin, length - 1) for begin, length in times if (length - 1) % 1440] or [(0, 1440)]
    found = weekly_by_the_clock(zone, [(day * 1440 + begin, length) for day in days for begin, length in lengths])
    assert made.active(YEAR + 60 * first, ZoneInfo(zone)) is found[first]
    assert changes(made, zone, first, last) == flips(found, first, last)


def numbers(low, high):
    return st.sets(st.integers(low, high), min_size=1, max_size=3) | st.just(set(range(low, high + 1)))


def field(values, low, high):
    return "*" if values == set(range(low, high + 1)) else ",".join(str(value) for value in sorted(values))


@settings(max_examples=40)
@given(windows(), numbers(0, 59), numbers(0, 3) | numbers(0, 23), numbers(0, 6), st.integers(1, 200))
def test_any_cron_schedule_around_a_jump_of_the_clock_changes_where_it_says(window, minutes, hours, days, length):
    zone, first, last = window
    fields = [field(minutes, 0, 59), field(hours, 0, 23), "*", "*", field(days, 0, 6)]
    named = {
        ((day - 1) % 7) * 1440 + hour * 60 + minute for day in days for hour in hours for minute in minutes
    }  # cron's week begins on Sunday
    made = parse_schedule(f"cron {' '.join(fields)} for {length}m", {}, None)
    found = cron_by_the_clock(zone, named, length, twice="*" in fields[:2])
    assert made.active(YEAR + 60 * first, ZoneInfo(zone)) is found[first]
    assert changes(made, zone, first, last) == flips(found, first, last)
