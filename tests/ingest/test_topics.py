"""Topics and filters: the examples of MQTT 5 section 4.7, and `overlaps` against a search for a common topic."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.topics import TOPIC_LEVELS, check_filter, check_topic, matches, overlaps

levels = st.sampled_from(["a", "b", "", "$x", "+"])
filters = st.builds(
    lambda path, rest: "/".join([*path, *rest]), st.lists(levels, min_size=1, max_size=4), st.sampled_from([[], ["#"]])
)
TOPICS = ["/".join(path) for n in range(1, 6) for path in itertools.product(["a", "b", "", "$x"], repeat=n)]


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1"),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"),
        ("#", "a"),
        ("#", "/a"),
        ("sport/+", "sport/"),
        ("+/+", "/finance"),
        ("/+", "/finance"),
        ("$SYS/#", "$SYS/broker"),
        ("$SYS/+", "$SYS/broker"),
        ("a/+/c", "a//c"),
    ],
)
def test_a_filter_matches_as_the_standard_says(topic_filter, topic):
    assert matches(topic_filter, topic)
    assert overlaps(topic_filter, topic)


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [
        ("sport/tennis/+", "sport/tennis/player1/ranking"),
        ("sport/+", "sport"),
        ("+", "/finance"),
        ("#", "$SYS/broker"),
        ("+/broker", "$SYS/broker"),
        ("a", "A"),
        ("a", "a/"),
        ("a/b/#", "a"),
    ],
)
def test_a_filter_does_not_match_as_the_standard_says(topic_filter, topic):
    assert not matches(topic_filter, topic)
    assert not overlaps(topic_filter, topic)


@given(filters, filters)
def test_filters_overlap_exactly_when_some_topic_matches_both(one, other):
    common = [topic for topic in TOPICS if matches(one, topic) and matches(other, topic)]
    assert overlaps(one, other) == bool(common)
    assert overlaps(other, one) == bool(common)


@pytest.mark.parametrize("good", ["a", "+", "#", "a/+/b/#", "/", "a//b", "ä/日本", "$SYS/#", "a b"])
def test_a_valid_filter_has_no_problem(good):
    assert check_filter(good) is None


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("", "empty"),
        ("a+", "alone"),
        ("+a/b", "alone"),
        ("a/#/b", "last level"),
        ("a#", "last level"),
        ("##", "last level"),
        ("#/#", "last level"),
        ("$share/g/a", "shared"),
        ("a\0", "U+0000"),
        ("a" * 65_536, "longer"),
    ],
)
def test_an_invalid_filter_is_explained(bad, why):
    assert why in check_filter(bad)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("a/+", "no +"),
        ("a/#", "no #"),
        ("", "empty"),
        ("$SYS/x", "belong to the broker"),
        ("a\x01", "U+0001"),
        ("a\x7f", "U+007F"),
        ("a\x9f", "U+009F"),
        ("a\ud800", "U+D800"),
        ("a\ufffe", "U+FFFE"),
        ("a\ufdd0", "U+FDD0"),
        ("a\U0010ffff", "U+10FFFF"),
        ("/" * TOPIC_LEVELS, "levels"),
        ("ä" * 32_768, "longer"),
    ],
)
def test_a_topic_that_cannot_be_published_to_is_explained(bad, why):
    assert why in check_topic(bad)


@pytest.mark.parametrize("good", ["a", "/", "ä" * 32_767, "/".join("x" * TOPIC_LEVELS), "a b/$c"])
def test_a_good_topic_has_no_problem(good):
    assert check_topic(good) is None
