"""texts: what a rule says at a transition, and the notification as users see it."""

from dataclasses import replace

import pytest

from hub.alerts.alert import Ack, Alert
from hub.alerts.telling.messages import ended_summary, notification_body
from hub.alerts.telling.texts import event_body, render
from hub.limits import DEAD_LETTER_HEAD_BYTES, NOTIFICATION_PAYLOAD_BYTES
from hub.model import Phase, Reason
from hub.rules.running.engine import Engine
from hub.rules.running.transition import Transition
from tests.rules.making import Drive, event, rules

HUB = {"client_id": "hub", "version": "1"}


def said(text, payload=None, topic="site/a/7", registry=None):
    """Return what a rule says of one event: its texts."""
    (made,) = rules(text)
    engine = Engine([made], registry)
    engine.process([event(topic, payload)], 1000.0)
    (transition,) = engine.take_transitions()
    return render(transition, 3, "id-3")


def rule(*lines):
    return "\n  ".join(["- event: Warm", 'topic: "site/{site}/{device}"', "severity: critical", *lines])


def test_a_summary_holds_captures_fields_and_formats():
    texts = said(rule('summary: "{device} at {site} is {t:.1f} °C"'), {"t": 21})
    assert (texts.summary, texts.failures) == ("7 at a is 21.0 °C", ())


def test_names_of_the_alert_stand_before_those_of_the_event():
    text = 'summary: "{alertname} {state} {severity} {episode} {id} {since:%H:%M:%S}"'
    texts = said(rule(text), {"state": "x", "id": "y", "severity": "z"})
    assert texts.summary == "Warm event critical 3 id-3 00:16:40"


def test_details_know_the_summary_and_payload_reaches_what_is_shadowed():
    texts = said(rule("summary: hot", 'details: "{summary}: {payload.state} {labels.site} {topic}"'), {"state": "x"})
    assert texts.details == "hot: x a site/a/7"


def test_labels_are_the_rules_own_the_captures_and_the_instance():
    texts = said(rule("by: [site, probe]", 'labels: {room: "R{probe}", where: "{site}"}'), {"probe": 4})
    captures = {"site": "a", "device": "7"}
    own = {"alertname": "Warm", "severity": "critical"}
    assert texts.labels == own | captures | {"probe": "4", "room": "R4", "where": "a"}


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_part_of_the_instance_that_has_no_value_is_no_label_and_keeps_its_place_in_the_topic(nothing):
    texts = said(rule("by: [after.id, site]"), {"after": {"id": nothing}})
    assert texts.labels == {"alertname": "Warm", "severity": "critical", "site": "a", "device": "7"}
    alert = Alert("Warm", (("id", ""), ("site", "a")))
    assert alert.topic("hub") == "hub/alerts/Warm/_/a"
    assert ended_summary("Warm", alert.instance, Reason.RULE_REMOVED) == "Warm (site=a) ended: rule removed"


def test_what_cannot_be_filled_in_prints_a_question_mark_and_is_named():
    texts = said(rule('summary: "{device}: {t:.1f} {1/0}"', 'details: "{u}"', 'labels: {room: "{room}"}'), {})
    assert (texts.summary, texts.details, texts.labels["room"]) == ("7: ? ?", "?", "?")
    assert len(texts.failures) == 4


def test_without_templates_the_summary_says_who_it_is_about():
    texts = said(rule())
    assert (texts.summary, texts.details) == ("Warm (site=a, device=7)", "")


def test_a_timer_without_any_event_has_the_captures_and_no_fields():
    (made,) = rules('- {alert: A, topic: "d/{x}", absent: 1m, summary: "{x} {t} {device.owner}"}')
    transition = Transition(
        made, (("x", "1"),), Phase.FIRING, Phase.INACTIVE, Reason.ABSENT, 5.0, 5.0, None, ("1",), {"owner": "ann"}
    )
    texts = render(transition, 1, "i")
    assert texts.summary == "1 ? ann"


# the notification


def test_the_notification_has_the_fields_of_the_interface():
    alert = Alert("A", (), 2, severity="info", labels={"a": "b"}, summary="s", details="d", since=0.0, until=1.5)
    alert = replace(alert, event=event_body(event("t", {"v": 1}, 0.25)), ack=Ack("ann", "on it", 1.0))
    assert notification_body(alert, Phase.RESOLVED, "i", HUB) == {
        "id": "i",
        "alertname": "A",
        "state": "resolved",
        "severity": "info",
        "labels": {"a": "b"},
        "summary": "s",
        "details": "d",
        "runbook": "",
        "reason": "",
        "since": "1970-01-01T00:00:00.000Z",
        "until": "1970-01-01T00:00:01.500Z",
        "episode": 2,
        "acknowledged": {"by": "ann", "comment": "on it", "at": "1970-01-01T00:00:01.000Z", "until": None},
        "event": {"topic": "t", "payload": {"v": 1}, "time": "1970-01-01T00:00:00.250Z"},
        "hub": HUB,
    }
    assert notification_body(Alert("A", ()), Phase.FIRING, "i", HUB)["event"] is None


@pytest.mark.parametrize("extra", [0, 1])
def test_of_a_large_payload_only_its_head_goes_into_a_notification(extra):
    size = NOTIFICATION_PAYLOAD_BYTES - len('{"v":""}') + extra
    body = event_body(event("t", {"v": "é" + "x" * (size - 2)}))
    assert body.get("truncated", False) is bool(extra)
    assert isinstance(body["payload"], str) is bool(extra)
    if extra:
        assert len(body["payload"].encode()) == DEAD_LETTER_HEAD_BYTES


# Names that the rule has itself


@pytest.mark.parametrize(
    ("lines", "payload", "expected"),
    [
        (["by: [model, id]", 'summary: "battery of {model} {id}"'], {"model": "TH", "id": 5}, "battery of TH 5"),
        (["when: state == 'OPEN'", 'summary: "{site} is {state}"'], {"state": "OPEN"}, "a is OPEN"),
        (["by: after.id", 'summary: "{id} {after.id}"'], {"after": {"id": 7}, "id": 8}, "7 7"),
        (["by: probe", 'summary: "{probe:.1f}"'], {"probe": 7}, "7.0"),
        (["by: probe", 'summary: "<{probe}>"'], {"probe": None}, "<>"),
        (["by: id", 'details: "-"', 'summary: "{id} {payload.id}"'], {"id": "x"}, "x x"),
        (["when: severity > 3", 'summary: "{severity}"'], {"severity": 4}, "4"),
        # what the rule does not have is the alert's
        (["when: payload.state == 'OPEN'", 'summary: "{site} is {state}"'], {"state": "OPEN"}, "a is event"),
        (["when: v && [1].exists(state, state == 1)", 'summary: "{state}"'], {"v": True}, "event"),
    ],
)
def test_a_name_of_topic_by_and_when_means_the_same_in_texts(lines, payload, expected):
    texts = said(rule("labels: {at: '{site} {device}'}", *lines), payload)
    assert (texts.summary, texts.failures) == (expected, ())


def test_a_device_in_by_is_the_payloads_and_no_entry_of_the_registry():
    (made,) = rules('- {event: E, topic: energy/growatt, by: [device], summary: "{device} is off"}')
    engine = Engine([made])
    engine.process([event("energy/growatt", {"device": "ABC123"})], 1000.0)
    assert render(engine.take_transitions()[0], 1, "id-1").summary == "ABC123 is off"


def test_a_capture_called_like_a_name_of_the_alert_is_the_capture():
    texts = "details: '{id} {state} {summary}', labels: {at: '{id}'}"
    (made,) = rules(f"- {{event: E, topic: '{{id}}/{{state}}/{{summary}}', {texts}}}")
    engine = Engine([made])
    engine.process([event("a/b/c", {"id": 1, "state": 2})], 1000.0)
    texts = render(engine.take_transitions()[0], 1, "id-1")
    assert (texts.summary, texts.details, texts.labels["at"]) == ("E (id=a, state=b, summary=c)", "a b c", "a")


def test_timers_and_ends_say_the_rules_own_names_too():
    drive = Drive(
        "- {alert: A, topic: t, by: [id], when: state == 'OPEN', for: 1m, absent: 10m,"
        ' summary: "{id} {state}", details: "{id} is {state}", runbook: "http://x/{id}"}'
    )
    found = []

    def take():
        found.extend(render(each, 1, "id-1") for each in drive.engine.take_transitions())

    for payload, seconds in (({"id": 5, "state": "OPEN"}, 60), ({"id": 5, "state": "SHUT"}, 600)):
        drive.engine.process([event("t", payload, drive.now)], drive.now)
        take()
        until = drive.now + seconds
        while (due := drive.engine.next_due()) is not None and due <= until:
            drive.now = due
            drive.engine.tick(due)
            take()
        drive.now = until
    silence = "id 5: silent for 10 min, last state SHUT"
    assert [each.summary for each in found] == ["5 OPEN", "5 OPEN", "5 SHUT", silence]
    assert {each.runbook for each in found} == {"http://x/5"}
    assert [each.details for each in found][-1] == "5 is SHUT"
    assert not any(each.failures for each in found)
