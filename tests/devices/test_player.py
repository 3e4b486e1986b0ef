import itertools

import pytest

from hub.devices.player import Player
from tests.devices.fleets import fleet_of, one, sent, values

MANY = """
    fleet: t
    topic: site/{site}/t/{device}
    devices: [{count: 40, site: [a, b]}]
    every: 10s
    payload:
      door: {on: 40s, every: 2m}
      x: {walk: [-20, -18], while: door, toward: 5, within: 1m}
      n: {counter: 0}
    faults:
      - {fault: drift, field: x, by: 9, every: 10m, for: 2m}
      - {fault: silence, every: 20m, for: 3m}
      - {fault: bad_json, every: 10m}
"""


def story(fleet, seed, seconds, step=1.0, most=10**6):
    player, offset, messages = Player(fleet, seed), 0.0, []
    while offset < seconds:
        offset = min(seconds, offset + step)
        while batch := player.due(offset, most):
            messages += batch
    return messages


def test_the_same_seed_gives_the_same_offsets_topics_and_payloads():
    first, second = (story(fleet_of(MANY), 7, 1200) for _ in range(2))
    assert len(first) > 4000
    assert first == second


def test_another_seed_gives_another_story():
    assert story(fleet_of(MANY), 7, 60) != story(fleet_of(MANY), 8, 60)


def test_the_story_does_not_depend_on_when_it_is_asked_for():
    whole = story(fleet_of(MANY), 7, 600, step=600)
    assert story(fleet_of(MANY), 7, 600, step=0.37, most=3) == whole


def test_a_device_tells_the_same_when_others_join():
    small, large = fleet_of(MANY), fleet_of(MANY).sized(90)
    topic = small.devices[3].topic
    assert [m for m in story(small, 1, 300) if m.topic == topic] == [
        m for m in story(large, 1, 300) if m.topic == topic
    ]


def test_messages_come_in_the_order_of_their_offsets_and_once_an_interval_each():
    messages = story(fleet_of(MANY), 3, 100)
    offsets = [message.offset for message in messages]
    assert offsets == sorted(offsets)
    for _, own in itertools.groupby(sorted(messages, key=lambda m: m.topic), key=lambda m: m.topic):
        gaps = [b.offset - a.offset for a, b in itertools.pairwise(own)]
        assert all(8.99 < gap < 11.01 or 17 < gap < 45 for gap in gaps)  # a silence may take some out


def test_stretch_makes_more_events_of_the_same_devices():
    fleet = fleet_of(MANY)
    usual, dense = (len(Player(fleet, 0, stretch).due(100, 10**6)) for stretch in (1.0, 0.1))
    assert dense == pytest.approx(usual * 10, rel=0.1)


@pytest.mark.parametrize(
    ("signal", "low", "high"),
    [
        ("{walk: [18, 24], step: 3}", 18, 24),
        ("{sine: [18, 24], period: 1m}", 18, 24),
        ("{between: [1, 6]}", 1, 6),
        ("{noise: 10, spread: 0.1}", 9, 11),
        ("{drain: 5m}", 0, 100),
        ("{counter: 5, by: [1, 2]}", 5, 1206),
    ],
)
def test_a_signal_stays_within_its_bounds_and_uses_them(signal, low, high):
    found = values(one(f"payload: {{x: {signal}}}"), 600)
    assert low <= min(found)
    assert max(found) <= high
    assert max(found) - min(found) > (high - low) * 0.2


def test_numbers_have_the_digits_they_are_given():
    assert all(isinstance(x, int) for x in values(one("payload: {x: {walk: [400, 900], digits: 0}}"), 50))
    assert all(round(x, 1) == x for x in values(one("payload: {x: {walk: [400, 900]}}"), 50))


def test_a_counter_counts():
    assert values(one("payload: {x: {counter: 41}}"), 5) == [41, 42, 43, 44, 45]


def test_a_switch_is_on_for_its_time_and_as_often_as_it_says():
    found = values(one("payload: {x: {on: 30s, every: 270s, values: [closed, open]}}"), 40_000)
    runs = [(state, len(list(run))) for state, run in itertools.groupby(found)]
    assert {state for state, _ in runs} == {"closed", "open"}
    assert all(14 <= length <= 46 for state, length in runs[1:-1] if state == "open")
    assert found.count("open") / len(found) == pytest.approx(0.1, abs=0.04)


def test_a_number_is_drawn_toward_another_while_a_switch_is_on_and_comes_back():
    door = "payload:\n  door: {on: 1s, every: 100d}\n"
    held = "faults: [{fault: stuck, field: door, to: true, at: 100s, for: 100s}]"
    found = values(one(f"{door}  x: {{walk: [-20, -19], while: door, toward: 5, within: 20s}}", held), 400)
    assert max(found[:99]) <= -19
    assert found[130] == pytest.approx(0, abs=3)
    assert found[195] == pytest.approx(5, abs=1)
    assert max(found[320:]) <= -18.5


def test_fields_can_follow_add_up_and_sum():
    fleet = one(
        "payload:\n  power: 3600\n  half: {of: power, times: 0.5, plus: 1}\n  wh: {total: power, per: 1h, digits: 6}\n"
        "  items: [{price: 1.5}, {price: 2}]\n  total: {sum: items, key: price}"
    )
    told = [payload for _, payload in sent(fleet, 10)]
    assert {payload["half"] for payload in told} == {1801}
    assert told[9]["wh"] - told[0]["wh"] == pytest.approx(9, abs=0.001)
    assert {payload["total"] for payload in told} == {3.5}


def test_parts_of_an_object_that_was_chosen_belong_together():
    people = "[{name: Ada, phone: 1}, {name: Grace, phone: 2}]"
    fleet = one(f"payload: {{_to: {{choice: {people}}}, name: {{of: _to, key: name}}, phone: {{of: _to, key: phone}}}}")
    told = {(payload["name"], payload["phone"]) for _, payload in sent(fleet, 50)}
    assert told == {("Ada", 1), ("Grace", 2)}


def test_choices_can_be_weighed_and_taken_several_at_once():
    found = values(one("payload: {x: {choice: [a, b], weights: [1, 0]}}"), 50)
    assert set(found) == {"a"}
    lists = values(one("payload: {x: {choice: [a, b, c], take: [1, 2]}}"), 50)
    assert {len(each) for each in lists} == {1, 2}
    assert all(len(set(each)) == len(each) for each in lists)


def test_texts_are_filled_with_attributes_and_a_lone_name_keeps_its_type():
    fleet = fleet_of(
        "fleet: t\ntopic: t/{device}\ndevices: [{device: a, floor: 3}]\nevery: 1s\n"
        "payload: {x: '{floor}', text: 'on {floor} {{of}} {device}', in: {object: {n: {counter: 1}, d: '{device}'}}}"
    )
    assert sent(fleet, 1)[0][1] == {"x": 3, "text": "on 3 {of} a", "in": {"n": 1, "d": "a"}}


def test_a_field_that_begins_with_an_underscore_is_not_sent():
    assert sent(one("payload: {_y: {counter: 2}, x: {of: _y, digits: 0}}"), 1)[0][1] == {"x": 2}


@pytest.mark.parametrize(
    ("signal", "payload"),
    [("{counter: 3}", b"3"), ("{on: 1s, every: 90d, values: [OFF, ON]}", b"OFF"), ("true", b"true"), ("a b", b"a b")],
)
def test_a_device_can_send_a_bare_value(signal, payload):
    assert Player(one(f"value: {signal}")).due(1, 1)[0].payload == payload


def faulty(fault, signal="{counter: 0, by: 0}"):
    return sent(one(f"payload: {{x: {signal}}}", f"faults: [{fault}]"), 100)


def between(told, start, end):
    return [payload for offset, payload in told if start <= offset < end]


def test_drift_climbs_to_its_end_and_is_gone():
    told = faulty("{fault: drift, field: x, by: 10, at: 20s, for: 40s}")
    assert {payload["x"] for payload in between(told, 0, 20) + between(told, 60, 100)} == {0}
    climb = [payload["x"] for payload in between(told, 20, 60)]
    assert climb == sorted(climb)
    assert 9 < climb[-1] <= 10


def test_a_spike_is_one_message_or_as_long_as_it_says():
    assert [payload["x"] for _, payload in faulty("{fault: spike, field: x, to: 85, at: 20s}")].count(85) == 1
    assert [payload["x"] for _, payload in faulty("{fault: spike, field: x, by: 7, at: 20s, for: 5s}")].count(7) == 5


def test_stuck_holds_the_value_or_the_one_it_is_given():
    held = {
        payload["x"]
        for payload in between(faulty("{fault: stuck, field: x, at: 20s, for: 30s}", "{counter: 0}"), 20, 50)
    }
    assert len(held) == 1
    given = between(faulty("{fault: stuck, field: x, to: -9, at: 20s, for: 30s}"), 20, 50)
    assert {payload["x"] for payload in given} == {-9}


def test_flapping_turns_with_each_message():
    told = faulty("{fault: flapping, field: x, at: 20s, for: 10s}", "{on: 1s, every: 90d}")
    assert [payload["x"] for payload in between(told, 20, 30)] == [True, False] * 5
    assert not any(payload["x"] for payload in between(told, 0, 20) + between(told, 30, 100))


def test_silence_sends_nothing():
    told = faulty("{fault: silence, at: 20s, for: 30s}")
    assert not between(told, 20, 50)
    assert len(told) == 70


def test_bad_json_is_no_json():
    told = faulty("{fault: bad_json, at: 20s, for: 30s}")
    assert set(map(str, between(told, 20, 50))) == {"None"}
    assert sum(payload is None for _, payload in told) == 30
    bare = one("value: 21.5", "faults: [{fault: bad_json, at: 0s, for: 30s}]")
    assert {payload for _, payload in sent(bare, 20)} == {None}


def test_a_fault_by_the_clock_comes_again_each_every():
    told = faulty("{fault: spike, field: x, to: 1, at: 10s, every: 30s}")
    assert [int(offset // 10) for offset, payload in told if payload["x"] == 1] == [1, 4, 7]


def test_a_fault_concerns_only_the_devices_it_names():
    fleet = fleet_of(
        "fleet: t\ntopic: t/{device}\ndevices: 4\nevery: 1s\npayload: {x: 0}\n"
        "faults: [{fault: spike, field: x, to: 1, at: 0s, for: 10s, only: {device: [2, 3]}}]"
    )
    assert {m.topic for m in Player(fleet).due(5, 99) if b"1" in m.payload} == {"t/2", "t/3"}


def test_faults_by_chance_come_as_often_as_they_say():
    fleet = one("payload: {x: 0}", "faults: [{fault: spike, field: x, to: 1, every: 100s, for: 10s}]")
    assert sum(values(fleet, 50_000)) == pytest.approx(50_000 * 10 / 110, rel=0.25)
