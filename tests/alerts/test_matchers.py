"""matchers: as in Alertmanager; what is wrong is said with its place."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.matchers import Matcher, match_all, parse_matchers, why_too_wide

LABELS = {"alertname": "Hot", "site": "berlin", "room": "a b"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("alertname=Hot", True),
        ('alertname="Hot"', True),
        ("alertname!=Hot", False),
        ('site=~"ber.*|bonn"', True),
        ('site=~"ber"', False),
        ("site!~bonn", True),
        ('{alertname="Hot", site=berlin}', True),
        ("alertname=Hot,site=bonn", False),
        ('room="a b"', True),
        ('nothing=""', True),
        ("nothing=", True),
        ("nothing!=x", True),
        ('nothing=~".+"', False),
        ("alertname=Hot,", True),
        (" { alertname = Hot } ", True),
    ],
)
def test_a_matcher_says_which_alerts_are_meant(text, holds):
    assert match_all(parse_matchers(text), LABELS) is holds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a matcher is expected"),
        ("{}", "a matcher is expected"),
        ("alertname", "one of = != =~ !~ is expected behind 'alertname'"),
        ("=x", "a label's name is expected at character 1"),
        ('a="x', 'the closing " is missing'),
        ("{a=x", "'}' or ',' is expected"),
        ("a=x b=y", "',' is expected at character 5"),
        ('a=~"("', "is not a pattern"),
        ("a=~" + "x" * 2000, "longer than 1000 characters"),
    ],
)
def test_what_is_no_matcher_is_told_with_its_place(text, says):
    with pytest.raises(ValueError, match=r"\S") as raised:
        parse_matchers(text)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [("zone=?", False), ("zone=", False), ("zone=~.*", False), ("zone!=?", True), ("zone!=", True), ("zone!~.*", True)],
)
def test_a_label_that_could_not_be_filled_in_equals_nothing(text, holds):
    assert match_all(parse_matchers(text), {"zone": "?"}, ("zone",)) is holds
    assert match_all(parse_matchers(text), {"zone": "?"}, ("other",)) is match_all(parse_matchers(text), {"zone": "?"})


@pytest.mark.parametrize(
    "text", ["zone=", 'zone=~".*"', 'zone=~"a|"', 'zone!~"x.+"', "zone!=x", "alertname!=Hot", 'a="",b!=c', 'zone=~""']
)
def test_a_silence_that_asks_for_no_label_that_is_there_is_too_wide(text):
    first = parse_matchers(text)[0]
    assert f"must not match the empty string: {first}" in why_too_wide(parse_matchers(text))


@pytest.mark.parametrize(
    "text", ["zone=a", 'zone=~".+"', 'zone!=""', 'zone!~".*"', 'a=""  ,b=c', 'alertname=~".+",a!=b']
)
def test_one_matcher_that_asks_for_a_label_is_enough(text):
    assert why_too_wide(parse_matchers(text)) == ""


def test_of_many_matchers_that_are_too_wide_the_first_are_shown():
    shown = why_too_wide(parse_matchers(",".join(f"label{n}!=x" for n in range(100))))
    assert 'label2!="x", … means' in shown
    assert len(shown) < 200


NAME = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)


@given(st.lists(st.builds(Matcher, NAME, st.sampled_from(["=", "!="]), st.text()), min_size=1, max_size=4))
def test_what_is_written_is_read_again(matchers):
    assert parse_matchers(", ".join(map(str, matchers))) == matchers


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text):
    with suppress(ValueError):
        assert parse_matchers(text)


@given(st.text(min_size=1), st.sampled_from(["=", "!="]), st.text())
def test_any_name_and_value_is_read_again_as_it_was_written(name, operator, value):
    matcher = Matcher(name, operator, value)
    assert parse_matchers(str(matcher)) == [matcher]
    assert parse_matchers(f"{{{matcher}, {matcher}}}") == [matcher, matcher]


def test_a_name_is_not_empty():
    with pytest.raises(ValueError, match="not empty"):
        parse_matchers('""="x"')
