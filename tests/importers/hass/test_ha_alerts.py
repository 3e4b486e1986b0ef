import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import ConfigError
from hub.expressions import Context, Scope, compile_template
from hub.importers import IMPORTERS
from hub.importers.hass.jinja import message
from tests.importers.support import outcome, sample, tried

ENTITY = "alert:\n  a:\n    name: N\n    entity_id: sensor.x\n    notifiers: [phone]\n"


@pytest.fixture
def made(tmp_path, monkeypatch):
    return tried("homeassistant", sample("configuration.yaml"), tmp_path, monkeypatch, "configuration.yaml")


def rule(text, tmp_path, monkeypatch):
    return next(iter(tried("homeassistant", text, tmp_path, monkeypatch).rules.values()))


def test_the_sample_passes_hub_check(made):
    assert made.problems == []


def test_an_alert_watches_the_state_topic_of_its_entity(made):
    found = made.rules["garage_door"]
    assert found["topic"] == "home/states/input_boolean/garage_door/state"
    assert found["when"] == 'value == "on"'
    assert "mqtt_statestream: {base_topic: home/states}" in made.text


def test_alerts_of_packages_are_there_under_names_of_their_own(made):
    assert made.rules["garage_door_2"]["topic"] == "home/states/cover/garden_gate/state"


@pytest.mark.parametrize(
    ("keys", "repeat", "hold"),
    [
        ("repeat: 30", "30m until ack", None),
        ("repeat: 30\n    can_acknowledge: false", "30m", None),
        ("repeat: [15, 30, 60]", "15m, 30m, 1h until ack", None),
        ("repeat: [15, 30, 60]\n    skip_first: true", "30m, 1h until ack", "15m"),
        ("repeat: 30\n    skip_first: true", "30m until ack", "30m"),
        ("repeat: [0, 15]\n    skip_first: true", "15m until ack", None),
        ("repeat: 0.5", "30s until ack", None),
        ("repeat: [0.05, 15]", "15m until ack", None),
    ],
)
def test_minutes_become_intervals_and_skip_first_a_delay(tmp_path, monkeypatch, keys, repeat, hold):
    found = rule(f"{ENTITY}    {keys}\n", tmp_path, monkeypatch)
    assert (found.get("repeat"), found.get("for")) == (repeat, hold)


@pytest.mark.parametrize(
    ("state", "when"),
    [('"on"', 'value == "on"'), ("on", 'value == "on"'), ("problem", 'value == "problem"'), ("5", "value == 5")],
)
def test_the_state_is_compared_as_the_broker_brings_it(tmp_path, monkeypatch, state, when):
    assert rule(f"{ENTITY}    state: {state}\n", tmp_path, monkeypatch)["when"] == when


def test_the_text_says_one_thing_while_it_fires_and_another_when_it_is_over(made):
    template = compile_template(made.rules["tank"]["summary"], Scope((), frozenset({"state"}), history=True))

    def said(state):
        return template.render({}, (), Context(value=0, payload_present=False, extra={"state": state})).text

    assert said("firing") == 'The tank\'s "state" is 0 {now}'
    assert said("resolved") == "It is 0: fine"


def test_who_gets_no_done_message_is_not_told_of_the_end(made):
    assert not made.receivers["everybody"].send_resolved
    assert made.receivers["house_mail"].send_resolved


def test_a_title_is_the_summary(made):
    found = made.rules["office_plant"]
    assert found["summary"] == "Plant: office"
    assert "Plant in office needs help" in found["details"]


def test_mail_keeps_its_server_and_a_secret_becomes_a_variable(made):
    options = made.receivers["house_mail"].options
    assert (options.host, options.port, options.to) == ("smtp.example.org", 587, ("a@example.org", "b@example.org"))
    assert "password: !env SMTP_PASSWORD" in made.text
    assert made.receivers["secret_mail"].kind == "apprise"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (73, ["office_plant", "Jinja"]),
        (83, ["tank", "10 s"]),
        (86, ["tank", "`data`"]),
        (89, ["clears", "nobody is told"]),
        (92, ["clears", "minutes"]),
        (93, ["wrong", "'not an entity'"]),
        (97, ["!include kitchen.yaml"]),
    ],
)
def test_what_is_not_carried_over_is_told_with_its_line(made, line, words):
    assert made.remarked(*words).startswith(f"configuration.yaml:{line}:")


def test_a_file_that_alert_includes_is_read_by_itself(tmp_path, monkeypatch):
    found = rule("door:\n  name: Door\n  entity_id: cover.door\n  repeat: 1\n", tmp_path, monkeypatch)
    assert found["topic"] == "homeassistant/cover/door/state"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "in.txt: no alert"),
        ("light: !include x\n", "in.txt: no alert"),
        ("alert: !include_dir_named alerts\n", "in.txt:1:8: alert: !include_dir_named alerts"),
        ("a: [\n", "in.txt:2:1: not YAML"),
        ("a: \x01\n", "in.txt: not YAML"),
        ("- " * 100, "in.txt:1:65: not YAML: nested deeper"),
        ("a: &a [*a]\n", "in.txt: no alert"),
    ],
)
def test_a_file_without_alerts_is_told_with_its_line(text, told):
    with pytest.raises(ConfigError) as caught:
        IMPORTERS["homeassistant"](text, "in.txt")
    assert any(str(problem).startswith(told) for problem in caught.value.problems), caught.value


def test_aliases_are_read_once_however_often_they_are_named():
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 20))
    text = f"l0: &l0 [x]\n{levels}\n{ENTITY}    repeat: 1\n"
    assert IMPORTERS["homeassistant"](text, "in.txt").rules == 1


@given(st.text("{}% 'states(sensor.x)\"\\\n:", max_size=40) | st.text(max_size=30), st.text(max_size=20))
def test_any_message_becomes_a_template_or_a_remark(said, done):
    scope = Scope((), frozenset({"state"}), history=True)
    first, second = message(said, "sensor.x"), message(done, "sensor.x")
    if first is not None and second is not None:
        compile_template(first.text, scope)
        compile_template(first.over(second), scope)


@given(st.text("ab:-[]{} \n\"'!&*|>#%,alertentity_id.", max_size=120))
def test_any_text_is_read_or_refused_in_words(text):
    for form in ("homeassistant", "prometheus"):
        told = outcome(form, text)
        assert told
