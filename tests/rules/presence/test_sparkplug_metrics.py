"""Reports by exception: a message is completed by what its device has said before, over a restart, within bounds."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.presence import sparkplug_metrics as metrics_module
from tests.rules.making import desk_of, event
from tests.rules.presence.test_births import DEVICE, NODE, Rig
from tests.support.sparkplug import metric

OVEN = [
    metric("temperature", 20, "Int32", alias=7),
    metric("heating", False, "Boolean", alias=8),
    metric("mode", "a", "String"),
]
RULE = """
    - alert: Hot
      topic: spBv1.0/{group}/DDATA/{node}/{device}
      when: temperature > 80 && heating && mode == "a"
      summary: "{temperature} {mode}"
"""
BIRTH, DATA = DEVICE.format("BIRTH"), DEVICE.format("DATA")


def alias(number, value, kind):
    return metric(None, value, kind, alias=number, typed=False)


def test_a_condition_over_several_metrics_holds_though_no_message_has_them_all():
    rig = Rig(RULE)
    rig.send(BIRTH, *OVEN)
    rig.send(DATA, alias(7, 90, "Int32"))
    assert rig.engine.take_transitions() == []
    fields = rig.send(DATA, alias(8, True, "Boolean"), seq=3)
    assert fields == {
        "temperature": 90,
        "heating": True,
        "mode": "a",
        "sparkplug": {"seq": 3, "reported": ["heating"]},
    }
    (fired,) = rig.engine.take_transitions()
    assert fired.event.fields == fields
    assert orjson.loads(fired.event.raw) == fields
    assert orjson.loads(rig.engine.plan(DATA).raw) == fields
    assert rig.errors == []


def test_each_device_and_the_node_are_completed_by_what_they_have_said_themselves():
    rig = Rig(RULE)
    rig.send(NODE.format("BIRTH"), metric("uptime", 1, "Int32"), metric("load", 5, "Int32"))
    rig.send(BIRTH, *OVEN)
    rig.send("spBv1.0/g/DBIRTH/n/other", metric("temperature", 1, "Int32"), metric("mode", "b", "String"))
    node = rig.send(NODE.format("DATA"), metric("load", 6, "Int32"))
    other = rig.send("spBv1.0/g/DDATA/n/other", metric("temperature", 2, "Int32"))
    assert node == {"uptime": 1, "load": 6, "sparkplug": {"reported": ["load"]}}
    assert other == {"temperature": 2, "mode": "b", "sparkplug": {"reported": ["temperature"]}}


def test_null_is_a_value_and_what_is_historical_is_none():
    rig = Rig(RULE)
    rig.send(BIRTH, *OVEN)
    rig.send(DATA, metric("temperature", None, "Int32"), metric("mode", "old", "String", historical=True))
    fields = rig.send(DATA, alias(8, True, "Boolean"))
    assert (fields["temperature"], fields["mode"], fields["heating"]) == (None, "a", True)


def test_a_birth_begins_anew():
    rig = Rig(RULE)
    rig.send(BIRTH, *OVEN)
    rig.send(BIRTH, metric("temperature", 3, "Int32"))
    assert rig.send(DATA, metric("x", 1, "Int32")) == {"temperature": 3, "x": 1, "sparkplug": {"reported": ["x"]}}


def test_what_data_have_said_completes_data_also_where_no_birth_was_heard():
    rig = Rig(RULE)
    asked = rig.asked
    rig.send(DATA, metric("temperature", 90, "Int32"))
    fields = rig.send(DATA, metric("mode", "a", "String"))
    assert (fields["temperature"], fields["mode"]) == (90, "a")
    assert asked == ["spBv1.0/g/n"] * 2, "what it has not said since its birth is not known"
    rig.send(BIRTH, *OVEN)
    rig.send(DATA, metric("mode", "a", "String"))
    assert len(asked) == 2


@pytest.mark.parametrize("topic", [NODE.format("CMD"), DEVICE.format("CMD"), DEVICE.format("DEATH"), "spBv1.0/STATE/h"])
def test_commands_and_deaths_are_neither_completed_nor_remembered(topic):
    rig = Rig(RULE.replace("DDATA", "+"))
    rig.send(NODE.format("BIRTH"), metric("load", 5, "Int32"))
    rig.send(BIRTH, *OVEN)
    found = event(topic, {"temperature": 99})
    rig.engine.process([found], 1000.0)
    assert found.fields == {"temperature": 99}
    assert rig.send(DATA, metric("x", 1, "Int32"))["temperature"] == 20


def test_a_retained_message_is_not_completed_and_undoes_nothing():
    rig = Rig(RULE)
    rig.send(BIRTH, *OVEN)
    found = event(DATA, {"temperature": 1}, retain=True)
    rig.engine.process([found], 1000.0)
    assert found.fields == {"temperature": 1}
    assert rig.send(DATA, metric("x", 1, "Int32"))["temperature"] == 20


@pytest.mark.parametrize(
    "payload", [b"[1]", b"5", b'"x"', b"null", b'{"sparkplug": 3}', b'{"sparkplug": {"reported": 1}}', b"{}"]
)
def test_json_of_any_kind_raises_nothing(payload):
    rig = Rig(RULE)
    rig.send(BIRTH, *OVEN)
    found = event(DATA, payload)
    rig.engine.process([found], 1000.0)
    assert rig.send(DATA, metric("x", 1, "Int32"))["temperature"] == 20


def test_as_json_in_a_test_it_is_completed_too():
    rig = Rig(RULE)
    for topic, payload in (
        (BIRTH, {"temperature": 1, "mode": "a"}),
        (DATA, {"temperature": 90}),
        (DATA, {"heating": True}),
    ):
        rig.engine.process([event(topic, payload)], 1000.0)
    assert len(rig.engine.take_transitions()) == 1


def test_a_commit_writes_what_has_changed_since_the_birth_and_not_all_of_it():
    rig = Rig(RULE)
    rig.send(BIRTH, *[metric(f"m{number}", number, "Int32") for number in range(100)])
    desk_of(rig.engine)
    rig.send(DATA, metric("m7", 70, "Int32"))
    rig.send(DATA, metric("m8", 80, "Int32"))
    assert desk_of(rig.engine) == [("metrics since", "spBv1.0/g/n/d", '{"m7":70,"m8":80}')]
    rig.send(DATA, *[metric(f"m{number}", 0, "Int32") for number in range(60)])
    (kind, _, whole), (_, _, since) = desk_of(rig.engine)
    assert (kind, since, len(orjson.loads(whole))) == ("metrics", None, 100)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([BIRTH, DATA, NODE.format("BIRTH"), NODE.format("DATA")]),
            st.dictionaries(
                st.sampled_from([f"m{n}" for n in range(20)]), st.one_of(st.none(), st.integers(-9, 9)), max_size=12
            ),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_every_message_has_the_latest_of_each_metric_whenever_the_hub_restarts(messages):
    rig, model = Rig(RULE.replace("DDATA", "+")), {}
    for topic, values, restarts in messages:
        who = topic.replace("BIRTH", "DATA")
        if topic != who:
            model[who] = {}
        model[who] = model.get(who, {}) | values
        fields = dict(rig.send(topic, *[metric(name, value, "Int32") for name, value in values.items()]))
        del fields["sparkplug"]
        assert fields == model[who]
        if restarts:
            rig.restart()


def test_values_beyond_the_bound_push_out_who_was_heard_longest_ago_and_that_is_said(monkeypatch):
    monkeypatch.setattr(metrics_module, "SPARKPLUG_VALUE_BYTES", 1000)
    rig = Rig(RULE)
    for number in range(50):
        rig.send(f"spBv1.0/g/DBIRTH/n/d{number}", *OVEN)
    assert rig.errors
    assert "heard longest ago" in rig.errors[-1][2]
    rig.restart()
    assert len([1 for kind, _ in rig.rows if kind == "metrics"]) < 25
    assert rig.send("spBv1.0/g/DDATA/n/d49", metric("x", 1, "Int32"))["temperature"] == 20
    assert "temperature" not in rig.send("spBv1.0/g/DDATA/n/d0", metric("x", 1, "Int32"))


def test_who_invents_ever_new_metrics_begins_anew_and_that_is_said():
    rig = Rig(RULE)
    for number in range(40):
        rig.send(DATA, metric(f"m{number}", "x" * 10_000, "String"))
    assert len(rig.engine.plan(DATA).raw) < 256 << 10
    assert "256 KB" in rig.errors[0][2]
