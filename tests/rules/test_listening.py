"""Which rules hear which alerts, and the circles that this makes."""

from textwrap import dedent

import pytest

from hub.documents.document import Problems
from hub.notify.receiver_settings import read_receivers
from hub.rules.lint.own_topics import own
from hub.rules.listening import alert_topics, can_hear, circles
from hub.rules.reading.loader import load_rules
from tests.rules.making import rule, rules

HOT = '- {alert: Hot, topic: "t/{site}/{device}", when: v > 5, absent: 1h}'


def test_absence_beside_a_condition_is_heard_on_a_topic_of_its_own():
    assert alert_topics(rule(HOT)) == ["$hub/alerts/Hot/+/+", "$hub/alerts/Hot/+/+/absent"]
    assert alert_topics(rule('- {event: Hot, topic: "t/{site}"}')) == []


@pytest.mark.parametrize(
    ("topic", "hears"),
    [
        ("$hub/alerts/Hot/{site}/{device}", True),
        ("$hub/alerts/{name}/{site}/{device}", True),
        ("$hub/alerts/{name}/{rest...}", True),
        ("$hub/alerts/Hot/{site}", False),
        ("$hub/alerts/Cold/{site}/{device}", False),
        ("+/alerts/Hot/{site}/{device}", False),
    ],
)
def test_a_rule_hears_what_its_topic_matches(topic, hears):
    assert can_hear(rule(f'- {{alert: L, topic: "{topic}", when: state == "firing"}}'), rule(HOT)) is hears


def indented(text):
    return "".join(f"  {line}\n" for line in text.splitlines())


def refused(folder):
    problems = Problems()
    load_rules([folder], problems, read_receivers, "hub")
    return list(map(str, problems))


def listener(name, topic):
    return f'- {{alert: {name}, topic: "$hub/alerts/{topic}", when: state == "firing"}}\n'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (listener("A", "B/{x}") + listener("B", "C/{x}") + listener("C", "A/{x}"), [["A", "B", "C"]]),
        (listener("A", "+/{x}"), [["A"]]),
        (listener("A", "+/{x}/{y}/{z}/#"), [["A"]]),
        (listener("A", "+/{x}/+"), []),
        (listener("A", "B/{x}") + listener("B", "C/{x}"), []),
        (listener("A", "#").replace("alert:", "event:"), []),
        (listener("A", "B/{x}") + listener("B", "A/{x}").replace("alert:", "event:"), []),
    ],
)
def test_a_circle_is_found_through_any_number_of_rules(text, found):
    assert [[each.name for each in circle] for circle in circles(rules(dedent(text)))] == found


def test_a_circle_is_refused_with_both_places(tmp_path):
    (tmp_path / "a.yaml").write_text("rules:\n" + indented(listener("A", "B/{x}")))
    (tmp_path / "b.yaml").write_text("rules:\n" + indented(listener("B", "A/{x}")))
    (problem,) = refused(tmp_path)
    assert "in a circle: A (" in problem
    assert "a.yaml:2)" in problem
    assert "b.yaml:2)" in problem


def test_a_rule_that_can_hear_itself_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("rules:\n" + indented(listener("A", "+/{x}")))
    (problem,) = refused(tmp_path)
    assert "which can match its own alerts" in problem


def test_listening_to_an_alert_that_no_rule_has_is_a_finding(tmp_path):
    text = indented(HOT + "\n" + listener("L", "Hott/{site}/{device}") + listener("M", "Hot/{site}"))
    (tmp_path / "a.yaml").write_text("rules:\n" + text)
    problems = Problems()
    found = load_rules([tmp_path], problems, read_receivers, "hub", keep=True)
    said = [str(each) for name, each in found.rules.items() for each in own(each, found.nodes[name], found.rules)]
    assert len(said) == 2
    assert "there is no alert rule 'Hott' (did you mean 'Hot'?)" in said[0]
    assert "those of 'Hot' come on $hub/alerts/Hot/{site}/{device}" in said[1]
