"""Where the hub answers: below its own branch for answers, and nowhere that means anything to anybody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.commands.over_mqtt.reply import why_no_reply
from hub.ingest.topics import check_topic
from hub.limits import TOPIC_BYTES


@pytest.mark.parametrize("topic", ["hub/answers/me", "hub/answers/hub-cli-1/ack", "hub/answers/" + "x" * 500])
def test_below_answers_is_answered(topic):
    assert why_no_reply(topic, "hub") == ""


@pytest.mark.parametrize(
    ("topic", "why"),
    [
        ("hub/alerts/Hot/1", "is not below hub/answers/"),
        ("hub/command/ack", "is not below hub/answers/"),
        ("hub/status", "is not below hub/answers/"),
        ("hub/answer/me", "is not below hub/answers/"),
        ("hub/answers", "is not below hub/answers/"),
        ("hub/answers/", "is not below hub/answers/"),
        ("hub/answersx/me", "is not below hub/answers/"),
        ("site/a/freezer/1/telemetry", "is not below hub/answers/"),
        ("homeassistant/status", "is not below hub/answers/"),
        ("/hub/answers/me", "is not below hub/answers/"),
        ("$SYS/broker", "is not below hub/answers/"),
        ("$share/g/hub/answers/me", "is not below hub/answers/"),
        ("hub/answers/+", "no + and no #"),
        ("hub/answers/#", "no + and no #"),
        ("hub/answers/a\0b", r"U\+0000"),
        ("hub/answers/a\nb", r"U\+000A"),
        ("hub/answers/\ud800", r"U\+D800"),
        ("hub/answers/" + "x" * TOPIC_BYTES, f"longer than {TOPIC_BYTES} bytes"),
        ("hub/answers/" + "ö" * (TOPIC_BYTES // 2), f"longer than {TOPIC_BYTES} bytes"),
    ],
)
def test_anywhere_else_is_refused_with_why_in_a_short_line(topic, why):
    said = why_no_reply(topic, "hub")
    assert why.replace("\\", "") in said
    assert len(said) < 300
    assert said.isprintable()


@given(st.text(max_size=60), st.sampled_from(["", "hub/", "hub/answers/", "plant/hub/answers/"]))
def test_what_is_answered_is_always_a_topic_below_answers(text, before):
    topic = before + text
    if not why_no_reply(topic, "hub"):
        assert topic.startswith("hub/answers/")
        assert check_topic(topic) is None


def test_another_prefix_has_its_own_branch():
    assert why_no_reply("plant/hub/answers/me", "plant/hub") == ""
    assert "not below plant/hub/answers/" in why_no_reply("hub/answers/me", "plant/hub")
