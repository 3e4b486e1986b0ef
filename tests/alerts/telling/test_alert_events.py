"""What rules hear of alerts: topic and payload are those of the retained state, and what counts as news."""

from hub.alerts.alert import Ack, Alert, changed
from hub.alerts.telling.alert_events import is_other_news, voice
from hub.model import Phase, Suppressed, Suppressor

ALERT = Alert("Hot", (("site", "a/b"), ("device", "")), 3, 7, Phase.FIRING, "critical", {"site": "a/b"}, since=1000.0)


def test_the_event_has_topic_and_payload_of_the_retained_state():
    said = voice(ALERT, 2000.0)
    assert said.topic == ALERT.topic("$hub")
    assert said.fields == said.value
    assert said.fields["state"] == "firing"
    assert said.fields["acknowledged"] is None
    assert said.fields["episode"] == 3
    assert (said.time, said.retain) == (2000.0, False)
    assert voice(ALERT, 2000.0, retain=True).retain


def test_only_care_severity_and_labels_are_news_while_the_state_stays():
    assert is_other_news(ALERT, changed(ALERT, ack=Ack("ann", "", 1.0)))
    assert is_other_news(ALERT, changed(ALERT, severity="info"))
    assert is_other_news(ALERT, changed(ALERT, labels={}))
    assert is_other_news(None, ALERT)
    assert not is_other_news(ALERT, changed(ALERT, held=Suppressed(Suppressor.MUTE), version=8))
