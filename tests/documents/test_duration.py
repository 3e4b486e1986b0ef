"""duration: lengths of time, read and written as people do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.documents.duration import format_duration, parse_duration, spoken_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("7d", 604800),
        ("2w", 1209600),
        ("250ms", 0.25),
        ("1m5ms", 60.005),
        ("1.5h", 5400),
        ("0s", 0),
        ("30m1h", 5400),
    ],
)
def test_a_duration_is_numbers_with_units(written, seconds):
    assert parse_duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written", ["", "5", "m", "5 m", "-5m", "5M", "1h 30m", "5mins", "1.m", ".5s", "\u0665m", "5m\n", "1e3s"]
)
def test_what_is_no_duration_is_refused_with_the_way_to_write_one(written):
    with pytest.raises(ValueError, match="is not a duration; write it as 90s, 5m, 1h30m or 7d"):
        parse_duration(written)


@pytest.mark.parametrize("written", ["101000000h", "36501d", "9" * 400 + "d"])
def test_over_a_hundred_years_is_refused(written):
    with pytest.raises(ValueError, match="over a hundred years"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.25, "250ms"),
        (0.9994, "999ms"),
        (0.9996, "1s"),
        (1, "1s"),
        (59.6, "1m"),
        (90, "1m30s"),
        (3600, "1h"),
        (5400, "1h30m"),
        (93784, "1d2h"),
        (604800, "7d"),
        (0, "0ms"),
    ],
)
def test_seconds_are_written_in_at_most_two_units(seconds, written):
    assert format_duration(seconds) == written


@given(st.integers(1, 10**8))
def test_what_is_written_is_read_again_within_its_smaller_unit(seconds):
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=0.042)


@given(st.integers(1, 59), st.sampled_from("smhd"))
def test_a_single_unit_survives_writing(count, unit):
    assert parse_duration(format_duration(parse_duration(f"{count}{unit}"))) == parse_duration(f"{count}{unit}")


@pytest.mark.parametrize(
    ("seconds", "spoken"),
    [(0.2, "0 s"), (45, "45 s"), (720, "12 min"), (725, "12 min 5 s"), (5400, "1 h 30 min"), (187_205, "2 d 4 h")],
)
def test_a_duration_for_people_is_spoken_in_two_units_at_most(seconds, spoken):
    assert spoken_duration(seconds) == spoken
