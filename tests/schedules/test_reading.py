"""schedules: as users write them, in a line and under `schedules`; each mistake with its place and a way out."""

from datetime import UTC, datetime
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest

from hub.document import Problems, parse_document
from hub.schedules import local_zone, parse_schedule, read_schedules


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
    assert list(found) == ["defrost", "office", "shifts", "backup", "holidays", "night", "away", "closed"]
    assert found["away"].active(noon("2026-11-28"), UTC)
    assert not found["away"].active(noon("2026-11-27"), UTC)
    assert found["holidays"].active(noon("2026-12-25"), UTC)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: {daily: 25:00-26:00}", "r.yaml:1:12: 25:00 is no time of the day"),
        ("a: {daily: 02:00}", "'02:00' is not a range of times; write it as 02:00-02:30"),
        ("a: {daily: 02:00-02:00}", "has no length; for the whole day write 00:00-24:00"),
        ("a: {weekly: mo-fr 08:00-18:00}", "'mo' is no day of the week (write mon, tue"),
        ("a: {daily: 02:00-03:00, tz: Europe/Berln}", "no time zone 'Europe/Berln' (did you mean 'Europe/Berlin'?)"),
        ("a: {cron: '61 * * * *', for: 1h}", "is not a cron expression"),
        ("a: {cron: '1 * * * *'}", "'for' of a cron schedule"),
        ("a: {from: 2026-12-24, to: 2026-12-23}", "'to' must be later than 'from'"),
        ("a: {from: soon, to: 2026-12-23}", "'soon' is not a time"),
        ("a: {dayly: 02:00-03:00}", "unknown key 'dayly' in schedule 'a' (did you mean 'daily'?)"),
        ("a: {tz: UTC}", "a schedule has one of daily, weekly, cron, from, not"),
        ("a: {not: a}", "schedule 'a' is the opposite of itself"),
        ("a: {not: b}", "no schedule 'b'"),
        ("a: whenever", "'whenever' is not a schedule (write it as"),
        ("daily: daily 02:00-03:00", "'daily' is no name for a schedule"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_a_way_out(text, said):
    _, problems = read(text)
    assert any(said in problem for problem in problems), problems
    assert all(problem.startswith("r.yaml:1:") for problem in problems)


@pytest.mark.parametrize("text", ["door_open", "temperature > 5", "daily > 5", "not", "daily", "from == 'x'", "a.b"])
def test_what_is_no_schedule_may_be_a_condition(text):
    assert parse_schedule(text, {}, None) is None


@pytest.mark.parametrize("text", ["daily noon", "not offcie", "weekly 08:00-18:00", "cron * * *", "from x to y"])
def test_what_begins_as_a_schedule_and_is_none_is_a_mistake(text):
    office = parse_schedule("weekly mon-fri", {}, None)
    with pytest.raises(ValueError, match=r"\S"):
        parse_schedule(text, {"office": office}, None)


def test_a_word_that_is_nearly_a_schedules_name_is_told_which():
    office = parse_schedule("weekly mon-fri", {}, None)
    with pytest.raises(ValueError, match="did you mean 'office'"):
        parse_schedule("not offcie", {"office": office}, None)


def test_the_machines_zone_is_the_one_of_the_environment(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert (
        datetime(2026, 6, 1, tzinfo=local_zone()).utcoffset()
        == datetime(2026, 6, 1, tzinfo=ZoneInfo("Asia/Tokyo")).utcoffset()
    )
