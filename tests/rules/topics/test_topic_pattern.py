"""pattern: a rule's topic, an MQTT filter with named captures."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.topics.topic_pattern import parse_pattern


@pytest.mark.parametrize(
    ("text", "filter_", "captures"),
    [
        ("a/b", "a/b", ()),
        ("site/{site}/door", "site/+/door", ("site",)),
        ("{a}/{b}", "+/+", ("a", "b")),
        ("a/{rest...}", "a/#", ("rest",)),
        ("a/+/{x}/#", "a/+/+/#", ("x",)),
        ("{all...}", "#", ("all",)),
        ("$SYS/{x...}", "$SYS/#", ("x",)),
        ("a/{app}@{tenant}/up", "a/+/up", ("app", "tenant")),
        ("z/{name...}/availability", "z/#", ("name",)),
    ],
)
def test_captures_become_wildcards_of_the_filter(text, filter_, captures):
    pattern = parse_pattern(text)
    assert (pattern.filter, pattern.captures, pattern.text) == (filter_, captures, text)


@pytest.mark.parametrize(
    ("text", "topic", "values"),
    [
        ("site/{site}/door", "site/a/door", ("a",)),
        ("+/{x}", "a/b", ("b",)),
        ("{x}/{y}", "/", ("", "")),
        ("a/{rest...}", "a/b/c", ("b/c",)),
        ("a/{rest...}", "a", ("",)),
        ("{x}/{rest...}", "a/b//c", ("a", "b//c")),
        ("a/b", "a/b", ()),
        ("a/{app}@{tenant}/up", "a/door@acme/up", ("door", "acme")),
        ("{app}@{tenant}", "a@b@c", ("a@b", "c")),
        ("{model}-{id}", "plug-s-7F", ("plug-s", "7F")),
        ("s/pre{x}", "s/pre7", ("7",)),
        ("s/{x}.json", "s/7.json", ("7",)),
        ("z/{name...}/availability", "z/attic/lamp/availability", ("attic/lamp",)),
        ("z/{name...}/{what}/set", "z/a/b/c/set", ("a/b", "c")),
        ("{x}/{r...}/n{y}", "1/2/3/n4", ("1", "2/3", "4")),
    ],
)
def test_a_capture_takes_its_level_and_the_last_may_take_all_that_follow(text, topic, values):
    assert parse_pattern(text).values(topic.split("/")) == values


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("a/{x...}/#", "behind a capture of several levels there is no #"),
        ("a/{x...}/b/{y...}", "only one capture of a topic takes several levels"),
        ("a/{x}{y}", "nothing divides one capture from the next"),
        ("a/{x}+", "+ and # stand alone between two /"),
        ("a/b{x...}", "a capture of several levels, {name...}, stands alone between two /"),
        ("a/#/b", "# stands alone in the last level"),
        ("a/b+", "+ stands alone in its level"),
        ("a/{x", "'{x' is no level of a topic"),
        ("a/{}", "'{}' is no level of a topic"),
        ("a/{x-y}", "'{x-y}' is no level of a topic"),
        ("a/{1x}", "'{1x}' is no level of a topic"),
        ("a/{x..}", "'{x..}' is no level of a topic"),
        ("{x}/{x}", "capture {x} stands twice"),
        ("{x}/{x...}", "capture {x} stands twice"),
        ("$share/g/a", "shared subscriptions are not supported"),
        ("a/\u0001", "U+0001"),
    ],
)
def test_what_is_no_topic_is_refused_with_the_reason(text, why):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the message is compared below
        parse_pattern(text)
    assert why in str(raised.value)


def test_captures_can_be_put_in_another_order():
    pattern = parse_pattern("{a}/{b}/{c...}").ordered(("c", "a", "b"))
    assert pattern.values(["1", "2", "3", "4"]) == ("3/4", "1", "2")
    assert pattern.captures == ("c", "a", "b")


def test_a_pattern_overlaps_a_filter_where_some_topic_matches_both():
    assert parse_pattern("site/{x}/door").overlaps("site/a/#")
    assert parse_pattern("{x...}").overlaps("hub/alerts/x")
    assert not parse_pattern("site/{x}").overlaps("hub/#")
    assert not parse_pattern("{x...}").overlaps("$SYS/#")


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("a/{app}@{tenant}", "a/door"),
        ("a/{app}@{tenant}", "a/@acme"),
        ("a/{app}@{tenant}", "a/door@"),
        ("a/pre{x}post", "a/prepost"),
        ("a/ab{x}bc", "a/abc"),
        ("z/{name...}/availability", "z/lamp/state"),
        ("z/{name...}/availability", "z/availability"),
        ("z/{name...}/availability", "z"),
        ("{x...}/up", "$SYS/up"),
    ],
)
def test_what_only_the_filter_matches_is_no_topic_of_the_pattern(text, topic):
    assert not parse_pattern(text).matches(topic)


@given(st.lists(st.text("ab-", min_size=1, max_size=6), min_size=2, max_size=4), st.text("ab-", max_size=12))
def test_a_level_is_divided_as_a_greedy_regular_expression_divides_it(between, level):
    names = [f"n{number}" for number in range(len(between) - 1)]
    text = between[0] + "".join(f"{{{name}}}{after}" for name, after in zip(names, between[1:], strict=True))
    found = re.fullmatch(re.escape(between[0]) + "".join(f"(.+){re.escape(each)}" for each in between[1:]), level)
    pattern = parse_pattern(f"s/{text}")
    assert pattern.matches(f"s/{level}") is (found is not None)
    if found is not None:
        assert pattern.values(["s", level]) == found.groups()


def test_a_long_level_is_divided_in_linear_time():
    level = "-" * 65_000
    assert parse_pattern("{a}-{b}-{c}-{d}x").values([level]) == ("", "", "", "")
