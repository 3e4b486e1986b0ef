"""What a webhook says: Alertmanager's version 4, CloudEvents 1.0, templates as text and as JSON."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import rfc3339
from hub.documents.document import Problems, parse_document
from hub.fields import Section
from hub.notify.wording.webhook_bodies import alertmanager, body, cloudevent, postable_alerts
from tests.notify.fakes import notification

MARK = "0123456789abcdef"


def sent(step="firing", **keys):
    made = notification(order=MARK, **keys)
    return replace(made, id=f"{MARK}-1-{step}", body=made.body | {"id": f"{MARK}-1-{step}"})


def made(yaml):
    problems = Problems()
    found = Section(parse_document(f"body: {yaml}", "r.yaml", problems), problems, "a").take("body", body, None)
    return found, [str(problem) for problem in problems]


def test_one_alert_as_alertmanager_says_it():
    said = orjson.loads(alertmanager(sent(runbook="https://run/1", details="open the door"), "hub"))
    labels = {"alertname": "FreezerTooWarm", "severity": "critical", "site": "a", "device": "7"}
    annotations = {"summary": "7 at a is -9.0 °C", "description": "open the door", "runbook_url": "https://run/1"}
    assert said == {
        "version": "4",
        "groupKey": '{}:{alertname="FreezerTooWarm", device="7", severity="critical", site="a"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "chat",
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [
            {
                "status": "firing",
                "labels": labels,
                "annotations": annotations,
                "startsAt": "2026-03-01T00:55:00.000Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "",
                "fingerprint": MARK,
            }
        ],
    }


def test_the_end_has_its_time_and_the_same_group_and_fingerprint():
    begun = orjson.loads(alertmanager(sent(), "hub"))
    ended = orjson.loads(alertmanager(sent("resolved", state="resolved", until="2026-03-01T01:55:00.000Z"), "hub"))
    assert (ended["status"], ended["alerts"][0]["status"]) == ("resolved", "resolved")
    assert ended["alerts"][0]["endsAt"] == "2026-03-01T01:55:00.000Z"
    assert ended["groupKey"] == begun["groupKey"]
    assert ended["alerts"][0]["fingerprint"] == begun["alerts"][0]["fingerprint"]


def test_a_group_becomes_its_alerts_with_what_they_have_in_common_and_how_many_were_left_out():
    def member(mark, device, state):
        return {
            "id": f"{mark * 16}-3-{state}",
            "state": state,
            "labels": {"alertname": "FreezerTooWarm", "severity": "critical", "site": "a", "device": device},
            "summary": f"{device} is warm",
            "since": "2026-03-01T00:55:00.000Z",
            "until": None if state == "firing" else "2026-03-01T00:59:00.000Z",
            "runbook": "https://run/1",
            "event": None,
        }

    labels = {"alertname": "FreezerTooWarm", "severity": "critical", "site": "a"}
    members = [member("a", "7", "firing"), member("b", "8", "resolved")]
    said = orjson.loads(alertmanager(sent("group", labels=labels, alerts=members, count=12), "hub"))
    assert said["truncatedAlerts"] == 10
    assert said["status"] == "firing"
    assert said["groupLabels"] == said["commonLabels"] == labels
    assert said["commonAnnotations"] == {"runbook_url": "https://run/1"}
    assert [(each["fingerprint"], each["status"], each["endsAt"][:4]) for each in said["alerts"]] == [
        ("a" * 16, "firing", "0001"),
        ("b" * 16, "resolved", "2026"),
    ]


def test_a_moment_is_an_alert_that_fires():
    said = orjson.loads(alertmanager(sent("event", state="event", since=None), "hub"))
    assert said["status"] == said["alerts"][0]["status"] == "firing"
    assert said["alerts"][0]["startsAt"] == "2026-03-01T00:55:00.000Z"


def test_a_cloudevent_has_the_required_attributes_and_the_notification_as_its_data():
    note = sent(created=1_772_326_500.0)
    said = orjson.loads(cloudevent(note, "hub 1/ä"))
    assert said.pop("data") == note.body
    assert said == {
        "specversion": "1.0",
        "id": f"{MARK}-1-firing",
        "source": "/mqtt-notification-hub/hub%201%2F%C3%A4",
        "type": "mqtt-notification-hub.alert.firing",
        "subject": f"{MARK}-1",
        "time": "2026-03-01T00:55:00.000Z",
        "datacontenttype": "application/json",
    }
    found, _ = made("cloudevents")
    assert found.media == "application/cloudevents+json"


def test_a_text_is_a_template():
    found, problems = made("'{summary} ({key})'")
    assert problems == []
    assert found.media == "text/plain; charset=utf-8"
    assert found.render(sent(), "hub").decode() == f"7 at a is -9.0 °C ({MARK}-1)"


@given(st.text(), st.text())
def test_whatever_an_event_brings_a_mapping_stays_the_json_it_was_written_as(summary, site):
    found, _ = made('{text: "{summary} at {site}", priority: 4, tags: ["{state}", fixed], deep: {on: true}}')
    said = orjson.loads(found.render(sent(summary=summary, labels={"site": site}), "hub"))
    assert isinstance(said.pop("text"), str)
    assert said == {"priority": 4, "tags": ["firing", "fixed"], "deep": {"on": True}}


def test_a_secret_in_a_mapping_is_sent_and_never_shown(monkeypatch):
    monkeypatch.setenv("TOKEN", "tokenSECRET")
    found, _ = made("{token: !env TOKEN}")
    assert orjson.loads(found.render(sent(), "hub")) == {"token": "tokenSECRET"}
    assert found.secrets == ("tokenSECRET",)
    assert "SECRET" not in repr(found)


def test_two_that_are_written_alike_are_equal():
    for yaml in ("json", "'{summary}'", "{a: '{summary}', b: [1]}"):
        assert made(yaml)[0] == made(yaml)[0]
    assert made("{a: '{summary}'}")[0] != made("{a: '{site}'}")[0]


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("alertmanger", "r.yaml:1:7: is not a kind of body: 'alertmanger' (did you mean 'alertmanager'?)"),
        (
            "hello",
            "is not a kind of body: 'hello' (one of json, alertmanager, alertmanager-alerts, cloudevents, or a",
        ),
        ("'{summary'", "r.yaml:1:"),
        ("{a: ['{sumary.}']}", "r.yaml:1:"),
        ("[a]", "must be text"),
    ],
)
def test_a_mistake_is_shown_with_its_place(yaml, message):
    found, problems = made(yaml)
    assert found is None
    assert message in problems[0]


# alertmanager-alerts


def test_an_alert_that_fires_is_posted_with_an_end_far_off():
    (said,) = orjson.loads(postable_alerts(sent(created=1_772_326_500.0, details="open the door"), "hub"))
    assert said == {
        "labels": {"alertname": "FreezerTooWarm", "severity": "critical", "site": "a", "device": "7"},
        "annotations": {"summary": "7 at a is -9.0 °C", "description": "open the door"},
        "startsAt": "2026-03-01T00:55:00.000Z",
        "endsAt": rfc3339(1_772_326_500.0 + 30 * 86400),
    }


def test_one_that_is_over_says_when_and_never_before_it_began():
    (said,) = orjson.loads(postable_alerts(sent("resolved", state="resolved", until="2026-03-01T01:55:00.000Z"), "hub"))
    assert said["endsAt"] == "2026-03-01T01:55:00.000Z"
    (said,) = orjson.loads(postable_alerts(sent("resolved", state="resolved", until="2026-02-01T01:55:00.000Z"), "hub"))
    assert said["endsAt"] == said["startsAt"]


def test_a_moment_has_no_end():
    (said,) = orjson.loads(postable_alerts(sent("event", state="event", since=None), "hub"))
    assert "endsAt" not in said
    assert said["startsAt"] == "2026-03-01T00:55:00.000Z"


LABEL = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(LABEL.filter(bool), LABEL), LABEL)
def test_whatever_stands_in_labels_and_texts_it_is_a_list_of_postable_alerts(labels, summary):
    (said,) = orjson.loads(postable_alerts(sent(labels={"alertname": "A"} | labels, summary=summary), "hub"))
    assert said["labels"] == {name: value for name, value in ({"alertname": "A"} | labels).items() if value}
    assert said["annotations"] == ({"summary": summary} if summary else {})


def test_a_group_is_posted_as_its_alerts():
    member = {"id": f"{'a' * 16}-3-firing", "state": "firing", "labels": {"alertname": "F", "device": "7"}}
    over = {"id": f"{'b' * 16}-3-resolved", "state": "resolved", "labels": {"alertname": "F", "device": "8"}}
    times = {"since": "2026-03-01T00:55:00.000Z", "until": "2026-03-01T00:59:00.000Z", "event": None}
    said = orjson.loads(postable_alerts(sent(alerts=[member | times, over | times], count=2), "hub"))
    assert [(each["labels"]["device"], each["endsAt"] == times["until"]) for each in said] == [
        ("7", False),
        ("8", True),
    ]


def test_the_kind_is_read_by_its_name():
    found, problems = made("alertmanager-alerts")
    assert (found.written, problems) == ("alertmanager-alerts", [])
