import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.errors import CompileError
from hub.expressions import Context, Scope, compile_topic, encode_level
from hub.limits import TOPIC_BYTES

SCOPE = Scope(("site", "device"))


def rendered(text, fields=(), captures=("berlin", "7")):
    return compile_topic(text, SCOPE).render(dict(fields), captures, Context())


def covers(pattern, topic):
    levels, parts = pattern.split("/"), topic.split("/")
    return len(levels) == len(parts) and all(level in ("+", part) for level, part in zip(levels, parts, strict=True))


@pytest.mark.parametrize(
    ("text", "topic", "pattern", "prefix"),
    [
        ("hub/alerts/{site}/{device}", "hub/alerts/berlin/7", "hub/alerts/+/+", "hub/alerts/"),
        ("a/x{device}y/b", "a/x7y/b", "a/+/b", "a/x"),
        ("{site}", "berlin", "+", ""),
        ("fixed/topic", "fixed/topic", "fixed/topic", "fixed/topic"),
        ("a/{missing}", "a/?", "a/+", "a/"),
        ("a/{{b}}/{site + device}", "a/{b}/berlin7", "a/{b}/+", "a/{b}/"),
    ],
)
def test_a_topic_is_filled_and_knows_the_filter_that_covers_it(text, topic, pattern, prefix):
    compiled = compile_topic(text, SCOPE)
    assert (rendered(text), compiled.filter, compiled.prefix) == (topic, pattern, prefix)


def test_a_value_is_one_level_whatever_is_in_it():
    assert rendered("a/{x}/b", {"x": "../#/+%\0\x01é"}) == "a/..%2F%23%2F%2B%25%00%01é/b"
    assert rendered("a/{x}/b", {"x": ""}) == "a/_/b"
    assert rendered("{x}/b", {"x": "$SYS"}) == "%24SYS/b"
    assert rendered("a/{x}", {"x": "$SYS"}) == "a/$SYS"
    assert encode_level("") == "_"
    assert encode_level("\ud800\uffff") == "%3F%EF%BF%BF"


@given(st.text(max_size=600), st.text(max_size=600))
@example("/" * 600, "é" * 600)
@example("", "漢" * 300)
def test_whatever_an_event_holds_the_topic_is_valid_within_its_filter_and_its_length(first, second):
    compiled = compile_topic("hub/{x}/a-{y}/end", SCOPE)
    topic = compiled.render({"x": first, "y": second}, (), Context())
    assert len(topic.encode()) <= TOPIC_BYTES
    assert covers(compiled.filter, topic)
    assert not set(topic) & set("+#\0\x01\x7f")
    assert topic.startswith(compiled.prefix)


def test_long_values_that_differ_stay_different_and_short_ones_stay_whole():
    one = rendered("a/{x}/{site}", {"x": "é" * 600 + "1"})
    two = rendered("a/{x}/{site}", {"x": "é" * 600 + "2"})
    assert one != two
    assert one.endswith("/berlin")
    assert two.endswith("/berlin")
    assert one == rendered("a/{x}/{site}", {"x": "é" * 600 + "1"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a/+/b", "cannot hold '\\+'"),
        ("a/#", "cannot hold '#'"),
        ("a\0b", "cannot hold"),
        ("x" * 513, "at most 512"),
        ("{site}" * 40, "at most 512"),
        ("a/{nope(}", "without|value"),
    ],
)
def test_what_can_never_be_a_topic_is_refused(text, message):
    with pytest.raises(CompileError, match=message):
        compile_topic(text, SCOPE)
