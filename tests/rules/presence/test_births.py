"""Metrics that only a birth makes readable: by alias, by sign; over a restart, bounded, said where unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.decode import decode
from hub.rules.presence import births
from hub.rules.running.engine import Engine
from tests.rules.making import Packet, desk_of, restore_desk, rules
from tests.support.sparkplug import metric, payload

RULE = """
    - alert: Hot
      topic: spBv1.0/{group}/DDATA/{node}/{device}
      when: temperature < -3 || payload["oven/heat"] > 80
      summary: "{temperature}"
"""
NODE, DEVICE = "spBv1.0/g/N{}/n", "spBv1.0/g/D{}/n/d"
TEMPERATURE = metric("temperature", 20, "Int32", alias=7)


class Rig:
    def __init__(self, text=RULE):
        self.errors, self.asked, self.text, self.rows = [], [], text, {}
        self.start()

    def start(self):
        on_error = lambda *error: self.errors.append(error)  # noqa: E731
        self.engine = Engine(rules(self.text), None, on_error, ask_birth=self.asked.append)
        restore_desk(self.engine, [(*key, text) for key, text in self.rows.items()])
        self.engine.restore([], {}, 1000.0)

    def restart(self):
        for kind, key, text in desk_of(self.engine):
            self.rows[kind, key] = text
        self.rows = {key: text for key, text in self.rows.items() if text is not None}
        self.start()

    def send(self, topic, *metrics, **about):
        event = decode(Packet(topic, payload(*metrics, **about), 1), 1000.0)
        self.engine.process([event], 1000.0)
        return event.fields


def test_an_alias_is_resolved_by_the_birth_of_the_device_or_of_its_node():
    rig = Rig()
    rig.send(NODE.format("BIRTH"), metric("oven/heat", 0, "Int32", alias=1))
    rig.send(DEVICE.format("BIRTH"), TEMPERATURE)
    data = rig.send(DEVICE.format("DATA"), metric(None, -5, "Int32", alias=7, typed=False))
    assert data == {"temperature": -5, "sparkplug": {"reported": ["temperature"]}}
    (fired,) = rig.engine.take_transitions()
    assert fired.event.fields["temperature"] == -5
    assert rig.engine.plan(DEVICE.format("DATA")).raw == b'{"temperature":-5,"sparkplug":{"reported":["temperature"]}}'
    assert rig.send(DEVICE.format("DATA"), metric(None, 90, "Int32", alias=1, typed=False))["oven/heat"] == 90
    assert not rig.errors


def test_a_name_without_its_datatype_has_the_sign_that_the_birth_gave_it():
    rig = Rig()
    rig.send(DEVICE.format("BIRTH"), metric("signed", 1, "Int64"), metric("not", 1, "UInt32"))
    data = rig.send(
        DEVICE.format("DATA"),
        metric("signed", -9, "Int64", typed=False),
        metric("not", (1 << 32) - 1, "UInt32", typed=False),
    )
    assert (data["signed"], data["not"]) == (-9, (1 << 32) - 1)


def test_what_no_birth_has_told_is_no_field_is_counted_and_said():
    rig = Rig()
    data = rig.send(DEVICE.format("DATA"), metric(None, 5, "Int32", alias=7, typed=False), metric("a", 1, "Int32"))
    assert data == {"a": 1, "sparkplug": {"unknown": 1, "reported": ["a"]}}
    (who, topic, message), *_ = rig.errors
    assert (who, topic) == ("Sparkplug B", DEVICE.format("DATA"))
    assert message.startswith("no birth of spBv1.0/g/n/d has told of alias 7: ")


def test_births_are_known_after_a_restart_and_a_new_one_takes_the_place_of_the_old():
    rig = Rig()
    rig.send(DEVICE.format("BIRTH"), TEMPERATURE)
    rig.restart()
    by_alias = metric(None, -5, "Int32", alias=7, typed=False)
    assert rig.send(DEVICE.format("DATA"), by_alias)["temperature"] == -5
    rig.send(DEVICE.format("BIRTH"), metric("pressure", 1, "UInt32", alias=7))
    rig.restart()
    again = rig.send(DEVICE.format("DATA"), by_alias)
    assert again == {"pressure": (1 << 32) - 5, "sparkplug": {"reported": ["pressure"]}}


def test_the_same_birth_again_is_not_written_again():
    rig = Rig()
    rig.send(DEVICE.format("BIRTH"), TEMPERATURE)
    assert desk_of(rig.engine)[0][:2] == ("birth", "spBv1.0/g/n/d")
    rig.send(DEVICE.format("BIRTH"), TEMPERATURE)
    assert [row for row in desk_of(rig.engine) if row[0] == "birth"] == []


def test_births_beyond_the_bound_push_out_the_oldest(monkeypatch):
    monkeypatch.setattr(births, "SPARKPLUG_NAMES", 30)
    rig = Rig()
    for number in range(50):
        rig.send(f"spBv1.0/g/DBIRTH/n/d{number}", TEMPERATURE)
    rig.restart()
    assert len([1 for kind, _ in rig.rows if kind == "birth"]) == 10
    assert rig.send("spBv1.0/g/DDATA/n/d49", metric(None, 5, "Int32", alias=7, typed=False))["temperature"] == 5


def test_where_no_rule_reads_sparkplug_any_more_births_are_forgotten():
    rig = Rig()
    rig.send(DEVICE.format("BIRTH"), TEMPERATURE)
    rig.restart()
    rig.text = '- {alert: Other, topic: "t/{x}", when: value > 1}'
    rig.start()
    rows = desk_of(rig.engine)
    assert rows == [(kind, "spBv1.0/g/n/d", None) for kind in ("birth", "metrics", "metrics since")]


@pytest.mark.parametrize("name", ["sparkplug", "__class__", ""])
def test_a_metric_cannot_take_the_place_of_what_the_hub_says(name):
    rig = Rig()
    rig.send(DEVICE.format("BIRTH"), metric(name, 1, "Int32", alias=7))
    data = rig.send(DEVICE.format("DATA"), metric(None, 9, "Int32", alias=7, typed=False), seq=3)
    assert data["sparkplug"] == {"seq": 3, "reported": [name] * (name != "sparkplug")}
    assert name == "sparkplug" or data[name] == 9


METRICS = st.builds(
    metric,
    st.one_of(st.none(), st.sampled_from(["temperature", "oven/heat", "sparkplug", ""])),
    st.integers(-(1 << 31), (1 << 31) - 1),
    st.sampled_from(["Int8", "Int32", "UInt32"]),
    alias=st.one_of(st.none(), st.integers(0, 3), st.just((1 << 64) - 1)),
    typed=st.booleans(),
)
BYTES = st.builds(metric, st.none(), st.binary(max_size=9), st.sampled_from(["Bytes", "BooleanArray", "StringArray"]))
TOPICS = st.sampled_from([NODE.format("BIRTH"), DEVICE.format("BIRTH"), NODE.format("DATA"), DEVICE.format("DATA")])


@given(st.lists(st.tuples(TOPICS, st.lists(st.one_of(METRICS, BYTES), max_size=5)), max_size=8))
def test_no_births_and_data_in_whatever_order_raise_and_what_is_known_is_so_after_a_restart(messages):
    rig = Rig()
    for topic, metrics in messages:
        rig.send(topic, *metrics)
    data = [metric(None, -5, "Int32", alias=alias, typed=False) for alias in range(4)]
    before = rig.send(DEVICE.format("DATA"), *data)
    rig.restart()
    assert rig.send(DEVICE.format("DATA"), *data) == before


def test_of_two_metrics_with_one_alias_the_last_is_meant_also_after_a_restart():
    rig = Rig()
    twice = [metric("temperature", 1, "Int8", alias=1), metric("oven/heat", 1, "Int8", alias=1)]
    rig.send(DEVICE.format("BIRTH"), *twice)
    for _ in range(2):
        data = rig.send(DEVICE.format("DATA"), metric(None, 5, "Int8", alias=1, typed=False))
        assert data == {"temperature": 1, "oven/heat": 5, "sparkplug": {"reported": ["oven/heat"]}}
        rig.restart()
