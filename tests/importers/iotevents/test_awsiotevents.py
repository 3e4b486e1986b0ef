"""Detector models as rules: what becomes of each shape, what cannot be a rule, and that a rule does what they did."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import ConfigError
from hub.importers import IMPORTERS
from hub.project.files import load_trial
from hub.trial.trial_play import play
from tests.importers.support import outcome, sample, tried


@pytest.fixture
def made(tmp_path, monkeypatch):
    return tried("awsiotevents", sample("detectors.yaml"), tmp_path, monkeypatch, "detectors.yaml")


def test_the_sample_passes_hub_check_and_its_tests_pass(made, tmp_path):
    assert made.problems == []
    files, cases = load_trial(None, [tmp_path / "out.yaml"], ())
    assert [case.name for case in cases] == ["motor begins and ends as the detector did"]
    assert not [failure for case in cases for failure in play(case, files.rules, files.registry)]


def test_states_that_wait_are_for_and_clear_for_and_another_limit_is_clear(made):
    rule = made.rules["motor"]
    assert [rule[key] for key in ("when", "for", "clear", "clear_for")] == [
        "pressure > 70",
        "5m",
        "pressure < 50",
        "2m",
    ]
    assert (rule["topic"], rule["by"]) == ("plant/+/motor", ["motor.id"])


def test_sns_lambda_and_mqtt_are_receivers_and_a_timer_of_the_alarm_escalates(made):
    rule = made.rules["motor"]
    assert rule["notify"] == ["Alarms", "mqtt_out_alarm"]
    assert rule["escalate"] == [{"after": "10m", "to": ["boss"]}]
    assert made.receivers["mqtt_out_alarm"].options.topic_text == "out/{payload.motor.id}/alarm"
    assert made.receivers["wake_up"].kind == "webhook"
    assert made.receivers["Alarms"].send_resolved
    assert not made.receivers["boss"].send_resolved


def test_a_timer_that_each_message_starts_again_is_absent(made):
    rule = made.rules["heartbeat"]
    assert (rule["absent"], rule["topic"], rule.get("when")) == ("3661s", "iotevents/Beat", None)


def test_a_state_alone_tells_events(made):
    assert made.rules["Door Opened"]["when"] == 'payload.state.startsWith("open") && has(payload.who)'
    assert made.rules["Door Counted"]["enabled"] is False


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (60, ["motor", "dynamoDB"]),
        (112, ["Door, Counted", "$variable.opened changes"]),
        (121, ["pump", "SQL", "pumps/+"]),
    ],
)
def test_what_is_not_carried_over_is_told_with_its_line(made, line, words):
    assert made.remarked(*words).startswith(f"detectors.yaml:{line}:")


def test_what_a_counter_decides_is_a_disabled_rule_with_whom_it_told(tmp_path, monkeypatch):
    made = tried("awsiotevents", sample("detector.json"), tmp_path, monkeypatch)
    (rule,) = made.rules.values()
    assert (rule["enabled"], rule["when"], rule["notify"], rule["by"]) == (False, "false", ["under"], ["motorid"])
    assert made.problems == []
    assert "in.txt:16:4: motorDetectorModel, state Dangerous: " in made.remarked("$variable.breached")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "in.txt: no detector model"),
        ("[1, 2", "in.txt:2:1: not YAML"),
        ('{"detectorModelDefinition": {"states": []}}', "in.txt: no detector model"),
    ],
)
def test_a_file_without_a_model_is_told(text, told):
    with pytest.raises(ConfigError) as caught:
        IMPORTERS["awsiotevents"](text, "in.txt")
    assert any(str(problem).startswith(told) for problem in caught.value.problems), caught.value


def test_a_timer_that_is_set_on_a_condition_is_no_for(tmp_path, monkeypatch):
    text = sample("detectors.yaml").replace(
        "EventName: Wait\n", 'EventName: Wait\n                  Condition: "1 > 2"\n'
    )
    made = tried("awsiotevents", text, tmp_path, monkeypatch)
    assert made.rules["motor Danger"]["enabled"] is False
    assert made.problems == []


def test_a_decimal_limit_has_a_test_with_decimals(tmp_path, monkeypatch):
    hot = {"condition": "$input.A.t > 30.5", "nextState": "B"}
    cold = {"condition": "30.5 >= $input.A.t", "nextState": "A"}
    states = [
        {"stateName": "A", "onInput": {"transitionEvents": [hot]}},
        {"stateName": "B", "onInput": {"transitionEvents": [cold]}},
    ]
    text = json.dumps({"detectorModelDefinition": {"initialStateName": "A", "states": states}})
    made = tried("awsiotevents", text, tmp_path, monkeypatch)
    assert (made.rules["detector"]["when"], "clear" in made.rules["detector"]) == ("t > 30.5", False)
    assert "{t: 31.5}" in made.text
    files, (case,) = load_trial(None, [tmp_path / "out.yaml"], ())
    assert not play(case, files.rules, files.registry)


@given(st.text("{}[]\":,$input.A.b>= 'true&|()timeout!-1", max_size=60))
def test_any_condition_is_read_or_told(condition):
    hot, cold = {"condition": condition, "nextState": "B"}, {"condition": "true", "nextState": "A"}
    states = [
        {"stateName": "A", "onInput": {"transitionEvents": [hot]}},
        {"stateName": "B", "onInput": {"transitionEvents": [cold]}},
    ]
    text = json.dumps({"detectorModelDefinition": {"initialStateName": "A", "states": states}})
    assert outcome("awsiotevents", text)


# a detector of our own, to hold the rule of `motor` against


class Detector:
    """Runs the states of `motor` as the service's documentation says, in whole minutes: events, then transitions."""

    def __init__(self, model):
        self.states = {state["StateName"]: state for state in model["States"]}
        self.alarmed, self.state, self.timers, self.entered = False, None, {}, model["InitialStateName"]

    def enter(self, name, now):
        self.state, self.alarmed = name, self.alarmed or name == "Danger"
        for event in self.states[name].get("OnEnter", {}).get("Events", []):
            for action in event.get("Actions", []):
                if timer := action.get("SetTimer"):
                    after = float(timer.get("Seconds") or timer["DurationExpression"])
                    self.timers[timer["TimerName"]] = now + after

    def holds(self, condition, pressure, elapsed):
        condition = condition.replace("${Limit}", "70").replace("$input.MotorReadings.pressure", str(pressure))
        if condition.startswith("timeout("):
            return condition[9:-2] in elapsed
        return eval(condition)

    def judge(self, now, pressure, elapsed=()):
        self.pressure = pressure
        if self.state is None:
            self.enter(self.entered, now)
        for way in self.states[self.state]["OnInput"]["TransitionEvents"]:
            if self.holds(way["Condition"], pressure, elapsed):
                self.enter(way["NextState"], now)
                return

    @property
    def said(self):
        rest = "resolved" if self.alarmed else "inactive"
        return {"Normal": rest, "Waiting": "pending"}.get(self.state, "firing")

    def until(self, now):
        for name, due in sorted(self.timers.items(), key=lambda each: each[1]):
            if due <= now:
                del self.timers[name]
                self.judge(due, self.pressure, (name,))


class Loader(yaml.SafeLoader):
    """Reads `!Sub "…"` and the like as what stands behind the tag."""


Loader.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))
MOTOR = yaml.load(sample("detectors.yaml"), Loader)["Resources"]["Motor"]["Properties"]["DetectorModelDefinition"]


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detector")
    with pytest.MonkeyPatch.context() as patch:
        made = tried("awsiotevents", sample("detectors.yaml"), folder, patch)
    text = made.text[: made.text.index("\ntests:")]
    return folder / "again.yaml", text


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 7), st.sampled_from([40, 49, 50, 60, 70, 71, 90])), min_size=2, max_size=12))
def test_the_rule_fires_when_a_detector_alarms_whatever_comes(rules, messages):
    path, text = rules
    detector, now, sent, expected = Detector(MOTOR), 0, {}, []
    for number, (minutes, pressure) in enumerate(messages):  # a second more each, so that no timer ends with a message
        for minute in range(now, now + minutes):
            detector.until(minute * 60 + 30)
            if sent:
                expected.append({"at": f"{minute * 60 + 30}s", "alert": "motor", "state": detector.said})
        now += minutes
        detector.until(now * 60 + number)
        detector.judge(now * 60 + number, pressure)
        sent[f"{now * 60 + number}s"] = {"motor": {"id": "k"}, "pressure": pressure}
    case = {"name": "x", "topic": "plant/a/motor", "send": sent, "expect": expected}
    path.write_text(text + yaml.safe_dump({"tests": [case]}), "utf-8")
    files, (played,) = load_trial(None, [path], ())
    assert not [(each.expected, each.got) for each in play(played, files.rules, files.registry)]
