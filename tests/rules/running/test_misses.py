"""Messages that a rule cannot judge: which are ordinary, and from when on they are told."""

import pytest

from hub.limits import UNJUDGED_IDLE_SECONDS
from hub.rules.running import misses
from hub.rules.running.misses import Unjudged
from tests.rules.making import Drive, rules


def drive(*lines, topic="d/{x}"):
    return Drive("\n  ".join(["- alert: A", f'topic: "{topic}"', *lines]))


def unjudged(hub):
    return hub.engine.work.misses.unjudged(hub.now)


@pytest.mark.parametrize(
    ("when", "messages"),
    [
        ("changed(v)", [{"v": 1}]),
        ("previous(v) < v", [{"v": 1}]),
        ("rate(v, 10m) > 1.0", [{"v": 1}]),
        ("delta(v, 10m) > 1.0", [{"v": 1}]),
        ("last(w) > 1", [{"v": 1}] * 9),
        ("unchanged(w) > 5m", [{"v": 1}] * 9),
        ("avg(w, 10m) > 1.0", [{"v": 1}] * 9),
        ("avg(v, 10m) > 1.0 && delta(v, 10m) > 1.0", [{"v": 9}]),
        ("v > 5 || changed(v)", [{"v": 1}]),
        ("changed(v) && v > 1 && v < 100", [{"v": 9}]),
        ("!changed(v)", [{"v": 9}]),
        ("changed(v) ? v > 1 : v > 2", [{"v": 9}]),
    ],
)
def test_what_has_no_value_yet_is_no_error(when, messages):
    hub = drive(f"when: {when!r}")
    for message in messages:
        assert hub.send("d/1", message) == []
    assert hub.errors == []
    assert hub.engine.states["A"].errors == 0
    assert unjudged(hub) == {}


def test_what_never_gets_a_value_is_an_error_from_the_tenth_message_on():
    hub = drive("when: avg(temprature, 10m) > 5.0")
    for _ in range(12):
        hub.send("d/1", {"temperature": 20})
    assert hub.errors == [("A", "d/1", "no sample in the window")] * 3
    assert unjudged(hub) == {"A": Unjudged(1, "d/1", "no sample in the window")}


def test_messages_of_other_kinds_are_ordinary_while_one_in_ten_is_judged():
    hub = drive("when: v > 5")
    for number in range(100):
        hub.send("d/1", {"v": 1} if number % 10 == 0 else {"w": 1})
        assert unjudged(hub) == {}
    hub.send("d/1", {"w": 1})
    assert unjudged(hub) == {"A": Unjudged(1, "d/1", "no field 'v'")}
    hub.send("d/1", {"v": 1})
    assert unjudged(hub) == {}


def test_ten_new_devices_are_no_trouble_and_each_topic_counts_for_itself():
    hub = drive("when: v > 5")
    for _ in range(9):
        for device in range(20):
            hub.send(f"d/{device}", {"w": 1})
    assert unjudged(hub) == {}
    hub.send("d/7", {"w": 1})
    hub.send("d/8", {"w": 1})
    assert unjudged(hub) == {"A": Unjudged(2, "d/8", "no field 'v'")}


def test_a_rule_that_is_judged_beside_others_counts_as_one_that_is_judged_alone():
    hub = Drive("".join(f'- {{alert: A{n}, topic: "d/{{x}}", when: v{n % 2} > 5}}\n' for n in range(4)))
    for _ in range(100):
        hub.send("d/1", {"v0": 1})
    assert set(unjudged(hub)) == {"A1", "A3"}
    hub.send("d/1", {"v1": 1})
    assert unjudged(hub) == {}


def test_a_device_that_by_does_not_find_is_not_judged():
    hub = drive("by: id", "when: v > 5", topic="d")
    for _ in range(10):
        hub.send("d", {"v": 9})
    assert set(unjudged(hub)) == {"A"}
    hub.send("d", {"v": 9, "id": 1})
    assert unjudged(hub) == {}


def test_one_message_counts_once_whatever_has_no_value_for_it():
    hub = drive("when: v > 5", "mute: m", "timestamp: ts")
    for _ in range(9):
        hub.send("d/1", {"w": 1})
    assert unjudged(hub) == {}
    hub.send("d/1", {"w": 1})
    assert set(unjudged(hub)) == {"A"}


def test_a_topic_that_is_silent_for_a_day_says_nothing_any_more():
    hub = drive("when: v > 5")
    for _ in range(10):
        hub.send("d/1", {"w": 1})
    hub.now += UNJUDGED_IDLE_SECONDS
    assert set(unjudged(hub)) == {"A"}
    hub.now += 1
    assert unjudged(hub) == {}
    assert hub.engine.work.misses.topics == {}


def test_a_reload_forgets_the_runs_of_rules_that_judge_otherwise_now():
    hub = Drive("- {alert: A, topic: d, when: v > 5}\n- {alert: B, topic: d, when: v > 5}\n")
    for _ in range(10):
        hub.send("d", {"w": 1})
    hub.engine.reload(
        rules("- {alert: A, topic: d, when: w > 5}\n- {alert: B, topic: d, when: v > 5}\n"), None, hub.now
    )
    assert set(unjudged(hub)) == {"B"}


def test_of_more_topics_than_are_followed_the_first_ones_tell_and_leave_room_when_they_are_judged(monkeypatch):
    monkeypatch.setattr(misses, "UNJUDGED_TOPICS", 3)
    hub = drive("when: v > 5")
    for _ in range(10):
        for device in range(5):
            hub.send(f"d/{device}", {"w": 1})
    assert unjudged(hub)["A"].topics == 3
    hub.send("d/0", {"v": 1})
    for _ in range(10):
        hub.send("d/4", {"w": 1})
    assert unjudged(hub)["A"] == Unjudged(3, "d/4", "no field 'v'")
