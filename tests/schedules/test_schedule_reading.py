"""schedules: as users write them, in a line and under `schedules`; each mistake with its place and a way out."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.documents.document import Problems, parse_document
from hub.schedules import local_zone, parse_schedule, read_schedules
from hub.schedules.schedule_line import KINDS

OFFICE = parse_schedule("weekly mon-fri 08:00-18:00", {}, None)


def read(text):
    problems = Problems()
    node = parse_document(dedent(text), "r.yaml", problems)
    return read_schedules([(node, None)], problems), [str(problem) for problem in problems]


def noon(day):
    return datetime.fromisoformat(f"{day}T12:00+00:00").timestamp()


def test_every_form_of_a_schedule_is_read():
    found, problems = read(
        """
        defrost: {daily: 02:00-02:30, tz: Europe/Berlin}
        office: {weekly: mon-fri 08:00-18:00, tz: Europe/Berlin}
        shifts: {weekly: [mon-thu 06:00-14:00, fri 06:00-12:00]}
        backup: {cron: "0 2 * * sun", for: 2h}
        holidays: {from: 2026-12-24, to: 2026-12-27}
        away: {not: office}
        night: daily 22:00-06:00
        closed: not night
        """
    )
    assert not problems
    assert set(found) == {"defrost", "office", "shifts", "backup", "holidays", "night", "away", "closed"}
    assert found["away"].active(noon("2026-11-28"), UTC)
    assert not found["away"].active(noon("2026-11-27"), UTC)
    assert found["holidays"].active(noon("2026-12-25"), UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: {daily: 25:00-26:00}", "r.yaml:1:12: 25:00 is no time of the day"),
        ("a: {daily: 02:00-24:01}", "24:01 is no time of the day"),
        ("a: {daily: 02:60-03:00}", "02:60 is no time of the day"),
        ("a: {daily: 10pm-6am}", "write it as 22:00-06:00"),
        ("a: {daily: 12am-12:30pm}", "write it as 00:00-12:30"),
        ("a: {daily: 8-17:15}", "write it as 08:00-17:15"),
        ("a: {daily: 02:00}", "'02:00' is not a range of times; write it as 02:00-02:30"),
        ("a: {weekly: 'mon 08:00-18:00,'}", "'' is not a range of times; write it as 02:00-02:30"),
        ("a: {daily: 02:00-02:00}", "has no length; for the whole day write 00:00-24:00"),
        ("a: {weekly: mo-fr 08:00-18:00}", "'mo' is no day of the week (write mon, tue"),
        ("a: {weekly: m-f 08:00-18:00}", "'m' is no day of the week (write mon, tue"),
        ("a: {daily: 02:00-03:00, tz: Europe/Berln}", "no time zone 'Europe/Berln' (did you mean 'Europe/Berlin'?)"),
        ("a: {cron: '61 * * * *', for: 1h}", "is not a cron expression"),
        ("a: {cron: '1 * * * *'}", "schedule 'a' needs the key 'for'"),
        ("a: {cron: '1 * * * *', for: 8d}", "'for' of a cron schedule is longer than 0 and at most 7d"),
        ("a: {cron: '0 0 */31 2 7#5', for: 1h}", "never comes"),
        ("a: {cron: '0 * * * * *', for: 1h}", "it needs five fields (minute hour day month weekday)"),
        ("a: {from: 2026-12-24}", "r.yaml:1:4: schedule 'a' needs the key 'to'"),
        ("a: {from: 2026-12-24, to: never}", "r.yaml:1:27: 'never' is not a time"),
        ("a: {from: 2026-12-24T00:00Z, to: 2026-12-25}", "both have a zone or neither has"),
        ("a: {daily: 02:00-03:00, for: 1h}", "r.yaml:1:25: 'for' stands only beside 'cron'"),
        ("a: {daily: [02:00-03:00, 04:00]}", "r.yaml:1:26: '04:00' is not a range of times"),
        ("a: {daily: 24:00-02:00}", "a range ends at 24:00 but begins at 00:00"),
        ("a: {weekly: 08:00-18:00}", "which days? write weekly mon-fri 08:00-18:00"),
        ("a: {daily: 02:00-03:00, weekly: mon}", "a schedule has one of daily, weekly, cron, from, not"),
        ("a: {daily: }", "a schedule has one of"),
        ("a: ", "schedule 'a' says nothing"),
        ("a: [daily 02:00-02:30]", "must be text, not a list"),
        ("a: dayly 02:00-02:30", "no schedule begins with 'dayly' (did you mean 'daily'?)"),
        ("a: not not b", "'not not' says nothing; leave both out"),
        ("a: {from: 2026-12-24, to: 2026-12-23}", "'to' must be later than 'from'"),
        ("a: {from: 2026-12-24, to: 2026-12-24}", "'to' must be later than 'from'"),
        ("a: {from: soon, to: 2026-12-23}", "'soon' is not a time"),
        ("a: {dayly: 02:00-03:00}", "unknown key 'dayly' in schedule 'a' (did you mean 'daily'?)"),
        ("a: {tz: UTC}", "a schedule has one of daily, weekly, cron, from, not"),
        ("a: {not: a}", "schedule 'a' is the opposite of itself"),
        ("a: {not: b}", "no schedule 'b'"),
        ("a: whenever", "'whenever' is not a schedule (write it as"),
        ("daily: daily 02:00-03:00", "'daily' is no name for a schedule"),
        ("now: daily 02:00-03:00", "r.yaml:1:1: 'now' is a word of the expression language (give the schedule another"),
        ("in: daily 02:00-03:00", "'in' is a word of the expression language"),
        ("true: daily 02:00-03:00", "'true' is a word of the expression language"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_a_way_out(text, said):
    _, problems = read(text)
    assert any(said in problem for problem in problems), problems
    assert all(problem.startswith("r.yaml:1:") for problem in problems)


CONDITIONS = [
    "door_open",
    "temperature > 5",
    "daily > 5",
    "daily * 2 > 5",
    "not",
    "daily",
    "from == 'x'",
    "a.b",
    "cron > 5",
    "daily in [1]",
]


@pytest.mark.parametrize("text", [*CONDITIONS, "", "daly in [1]", "daily(x)", "office2", "day == 5", "a ? b : c"])
def test_what_is_no_schedule_may_be_a_condition(text):
    assert parse_schedule(text, {}, None) is None


MISTAKES = ["daily noon", "not offcie", "weekly 08:00-18:00", "cron * * *", "from x to y", "not " * 5000 + "office"]


@pytest.mark.parametrize(
    "text", [*MISTAKES, "Daily 02:00-02:30", "daily 02:00-02:30,", f"cron {'9' * 5000} * * * * for 1h"]
)
def test_what_begins_as_a_schedule_and_is_none_is_a_mistake(text):
    office = parse_schedule("weekly mon-fri", {}, None)
    with pytest.raises(ValueError, match=r"\S"):
        parse_schedule(text, {"office": office}, None)


def test_a_word_that_is_nearly_a_schedules_name_is_told_which():
    office = parse_schedule("weekly mon-fri", {}, None)
    with pytest.raises(ValueError, match="did you mean 'office'"):
        parse_schedule("not offcie", {"office": office}, None)


def test_the_opposite_of_a_condition_is_told_how_to_be_written():
    with pytest.raises(ValueError, match=r"the opposite of a condition is !\(…\)"):
        parse_schedule("not door_open", {}, None)


def test_a_name_may_stand_before_what_it_names():
    found, problems = read("a: b\nb: not c\nc: {not: d}\nd: daily 11:00-13:00\ne: not a")
    assert not problems
    assert [name for name in "abcde" if found[name].active(noon("2026-11-27"), UTC)] == ["a", "b", "d"]


def test_a_name_of_another_file_may_be_named_and_keeps_its_own_zone():
    problems = Problems()
    first = parse_document("away: {not: office}", "a.yaml", problems)
    second = parse_document("office: daily 20:00-22:00", "b.yaml", problems)
    found = read_schedules([(first, UTC), (second, ZoneInfo("Asia/Tokyo"))], problems)
    assert not problems
    assert not found["away"].active(noon("2026-11-27"), UTC)


def test_a_name_that_stands_twice_is_told_with_both_places():
    problems = Problems()
    nodes = [parse_document("x: daily 01:00-02:00", path, problems) for path in ("a.yaml", "b.yaml")]
    read_schedules([(node, None) for node in nodes], problems)
    assert [str(each) for each in problems] == ["b.yaml:1:1: a schedule 'x' is already in a.yaml:1 (rename one)"]


def test_a_circle_is_told_once_and_only_of_those_that_are_in_it():
    found, problems = read("a: not b\nb: {not: c}\nc: a\nd: {not: a}\ne: daily 01:00-02:00")
    assert problems == ["r.yaml:1:4: a circle: a → b → c → a (write out the times of one)"]
    assert set(found) == {"e"}


def test_who_names_a_schedule_that_is_wrong_is_not_told_that_there_is_none():
    _, problems = read("a: {not: b}\nb: {daily: 1}\nc: not a")
    assert len(problems) == 1
    assert problems[0].startswith("r.yaml:2:12: '1' is not a range")


def test_thousands_of_names_that_name_each_other_are_read_and_asked():
    count = 5000
    found, problems = read("\n".join(f"n{i}: not n{i + 1}" for i in range(count)) + f"\nn{count}: daily 11:00-13:00")
    assert not problems
    assert found["n0"].active(noon("2026-11-27"), UTC)
    assert not found["n1"].active(noon("2026-11-27"), UTC)


HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("weekly sat,sun", [(5 * DAY, 6 * DAY), (6 * DAY, 7 * DAY)]),
        ("weekly sun-tue", [(6 * DAY, 7 * DAY), (0, DAY), (DAY, 2 * DAY)]),
        ("weekly mon", [(0, DAY)]),
        ("weekly mon 00:00-24:00", [(0, DAY)]),
        ("weekly mon 00:59-01:00", [(59 * 60, HOUR)]),
        ("weekly sun 22:00-06:00", [(6 * DAY + 22 * HOUR, 7 * DAY + 6 * HOUR)]),
        (
            "weekly mon,wed 06:00-07:00, 18:00-19:00, sat 09:00-12:00",
            [(day * DAY + hour * HOUR, day * DAY + (hour + 1) * HOUR) for hour in (6, 18) for day in (0, 2)]
            + [(5 * DAY + 9 * HOUR, 5 * DAY + 12 * HOUR)],
        ),
        ("weekly mon 06:00-07:00, sat, sun", [(6 * HOUR, 7 * HOUR), (5 * DAY, 6 * DAY), (6 * DAY, 7 * DAY)]),
        ("daily 22:00-06:00", [(day * DAY + 22 * HOUR, (day + 1) * DAY + 6 * HOUR) for day in range(7)]),
    ],
)
def test_a_week_has_exactly_the_ranges_that_are_written(text, ranges):
    assert [(each.begin, each.end) for each in parse_schedule(text, {}, None).ranges] == ranges


def test_blanks_stand_where_a_person_puts_them():
    plain = parse_schedule("weekly mon-fri 08:00-18:00,sat 09:00-12:00", {}, None)
    spaced = parse_schedule(" weekly\tmon - fri  08:00 - 18:00 ,  sat 09:00 -12:00 ", {}, None)
    assert plain.ranges == spaced.ranges
    assert parse_schedule("from 2026-12-24 18:00 to 2026-12-27", {}, None) is not None


@given(
    st.lists(
        st.sampled_from([*KINDS, *"0123456789:-,*/#L", "mon", "fri", "02:00", "for", "to", "office", " ", "2h", "."])
    )
)
def test_whatever_is_written_is_a_schedule_or_a_condition_or_a_mistake_in_words(words):
    found = None
    with suppress(ValueError):
        found = parse_schedule(" ".join(words).replace("  ", ""), {"office": OFFICE}, None)
    assert found is None or found.change(noon("2026-11-27"), UTC) > noon("2026-11-27")


def winter_and_summer(zone):
    return [datetime(2026, month, 1, tzinfo=zone).utcoffset() / timedelta(hours=1) for month in (1, 7)]


@pytest.mark.parametrize(
    ("value", "hours"),
    [
        ("Asia/Tokyo", [9, 9]),
        (":Europe/Berlin", [1, 2]),
        ("CET-1CEST,M3.5.0,M10.5.0/3", [1, 2]),
        ("<+0330>-3:30", [3.5, 3.5]),
        ("Nowhere/Land", [0, 0]),
        ("ÄÖ", [0, 0]),
    ],
)
def test_the_machines_zone_is_the_one_of_the_environment_by_name_or_rule(monkeypatch, value, hours):
    monkeypatch.setenv("TZ", value)
    assert winter_and_summer(local_zone()) == hours
