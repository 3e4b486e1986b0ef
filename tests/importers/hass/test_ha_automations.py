import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hub.importers import IMPORTERS
from hub.project.files import load_trial
from hub.trial.trial_play import play
from tests.importers.support import outcome, sample, tried

TELLS = [{"action": "notify.phone", "data": {"message": "hello"}}]


@pytest.fixture
def made(tmp_path, monkeypatch):
    return tried("homeassistant", sample("automations.yaml"), tmp_path, monkeypatch, "automations.yaml")


def one(trigger, tmp_path, monkeypatch, **more):
    text = yaml.safe_dump([{"alias": "A", "triggers": [trigger], "actions": TELLS, **more}])
    return next(iter(tried("homeassistant", text, tmp_path, monkeypatch).rules.values()))


def test_the_sample_passes_hub_check(made):
    assert made.problems == []


def test_a_number_beyond_a_limit_is_an_alert_for_each_entity(made):
    rule = made.rules["Freezer too warm_2"]
    assert (rule["topic"], rule["when"], rule["for"]) == ("homeassistant/sensor/fridge/state", "value > -15", "5m")
    assert (rule["mute"], rule["summary"], rule["details"]) == ("daily 22:00-08:00", "Freezer", "It is {value} degrees")


def test_a_change_is_an_event_with_its_conditions(made):
    rule = made.rules["17"]
    assert rule["event"] == "17"
    assert rule["when"].startswith('value == "on" && previous(value) == "off" && (')
    assert rule["notify"] == ["house", "mqtt_bell_ring"]
    assert made.receivers["mqtt_bell_ring"].options.retain


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        (
            {"trigger": "state", "entity_id": "sensor.a", "to": ["unavailable", "unknown"], "for": "00:10:00"},
            {"when": '(value == "unavailable" || value == "unknown")', "for": "10m"},
        ),
        ({"platform": "state", "entity_id": "sensor.a", "to": "on", "for": 90}, {"for": "1m30s"}),
        ({"platform": "state", "entity_id": "sensor.a"}, {"event": "A", "when": "changed(value)"}),
        (
            {"platform": "numeric_state", "entity_id": "sensor.a", "above": 3, "below": 7.5, "attribute": "battery"},
            {"when": "value > 3 && value < 7.5", "topic": "homeassistant/sensor/a/battery"},
        ),
        ({"platform": "mqtt", "topic": "x/y"}, {"event": "A", "topic": "x/y"}),
        ({"platform": "mqtt", "topic": "x/+", "payload": "ON"}, {"when": 'value == "ON"'}),
        (
            {"platform": "mqtt", "topic": "x", "payload": "5", "value_template": "{{ value_json.a['b'] | float }}"},
            {"when": "a.b == 5"},
        ),
    ],
)
def test_a_trigger_becomes_topic_and_condition(trigger, expected, tmp_path, monkeypatch):
    rule = one(trigger, tmp_path, monkeypatch)
    assert {key: rule.get(key) for key in expected} == expected
    assert "enabled" not in rule


@pytest.mark.parametrize(
    ("trigger", "more"),
    [
        ({"trigger": "time", "at": "07:00"}, {}),
        ({"trigger": "mqtt", "topic": "#"}, {}),
        ({"trigger": "mqtt", "topic": "x", "payload": "{{ 1 }}"}, {}),
        ({"trigger": "numeric_state", "entity_id": "sensor.b", "below": "sensor.limit"}, {}),
        ({"trigger": "state", "entity_id": "a.b", "from": "on", "to": "off", "for": 5}, {}),
        ({"trigger": "mqtt", "topic": "x"}, {"conditions": "{{ is_state('x.y', 'on') }}"}),
        ({"trigger": "mqtt", "topic": "x"}, {"condition": [{"condition": "sun", "after": "sunset"}]}),
        (
            {"trigger": "state", "entity_id": "a.b", "to": "on"},
            {"condition": {"condition": "state", "entity_id": "c.d", "state": "x"}},
        ),
        ({"trigger": "mqtt", "topic": "x"}, {"actions": [{"wait_for_trigger": []}, *TELLS]}),
        ({"trigger": "mqtt", "topic": "x"}, {"initial_state": False}),
    ],
)
def test_what_cannot_be_said_is_disabled(trigger, more, tmp_path, monkeypatch):
    assert one(trigger, tmp_path, monkeypatch, **more)["enabled"] is False


def test_an_automation_that_tells_nobody_is_told_and_no_rule(made):
    assert not [name for name in made.rules if name.startswith("Lights")]
    assert made.remarked("automation Lights", "tells nobody").startswith("automations.yaml:42:3:")
    assert "# not carried over: automation Lights" in made.text.partition("receivers:")[0]


PLAYED = """
tests:
  - name: it is told after five minutes beyond the limit, once
    start: 2026-03-01T12:00:00Z
    topic: homeassistant/sensor/freezer/state
    send: {0m: -20, 1m: -10, 9m: -9, 20m: -18}
    expect:
      - {at: 5m, alert: Freezer too warm, state: pending, notified: []}
      - {at: 7m, alert: Freezer too warm, state: firing, notified: [mobile_app_ann], text: Freezer}
      - {at: 21m, alert: Freezer too warm, state: resolved, notified: []}
  - name: each change from off to on is told
    topic: homeassistant/binary_sensor/door/state
    send: {0m: "off", 1m: "on", 2m: "on"}
    expect: [{at: 3m, event: "17", notified: [house, mqtt_bell_ring], text: Door on}]
  - name: what is as it was is not told
    topic: homeassistant/binary_sensor/door/state
    send: {0m: "on", 1m: "on", 2m: "off"}
    expect: [{at: 3m, event: "17", notified: []}]
"""


def test_imported_automations_tell_when_they_told(made, tmp_path):
    (tmp_path / "out.yaml").write_text(made.text + PLAYED, "utf-8")
    files, cases = load_trial(None, [tmp_path / "out.yaml"], ())
    for case in cases:
        failures = play(case, files.rules, files.registry)
        assert not failures, [(case.name, each.expected, each.got) for each in failures]


WORD = st.sampled_from(
    ["on", "", "x.y", "5", "-3", "{{ x }}", "a/b", "notify.x", "mqtt", "state", "numeric_state", "time"]
)
KEY = st.sampled_from(
    ["platform", "entity_id", "to", "from", "above", "below", "for", "topic", "payload", "condition", "state", "after"]
)
THING = st.dictionaries(KEY, WORD | st.lists(WORD, max_size=2), max_size=5)


@given(st.lists(THING, max_size=2), st.lists(THING, max_size=2) | WORD)
def test_any_trigger_and_condition_is_read_or_told(triggers, conditions):
    text = yaml.safe_dump([{"alias": "A", "triggers": triggers, "conditions": conditions, "actions": TELLS}])
    assert outcome("homeassistant", text)
    if triggers and any(triggers):
        assert IMPORTERS["homeassistant"](text, "a.yaml").rules
