"""pattern: a rule's topic, an MQTT filter with named captures."""

import pytest

from hub.rules.reading.topic_pattern import parse_pattern


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
    ],
)
def test_a_capture_takes_its_level_and_the_last_may_take_all_that_follow(text, topic, values):
    assert parse_pattern(text).values(topic.split("/")) == values


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("a/{x...}/b", "# stands alone in the last level"),
        ("a/#/b", "# stands alone in the last level"),
        ("a/b+", "+ stands alone in its level"),
        ("a/pre{x}", "'pre{x}' is no level of a topic: a capture is a whole level, {name} or {name...}"),
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
