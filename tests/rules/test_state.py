"""state: what an event or a deadline does to an instance of a rule."""

import pytest

from hub.rules.instances.rule_instances import key_text
from tests.rules.making import Drive, event

PENDING, FIRING, RESOLVED, INACTIVE = "pending", "firing", "resolved", "inactive"
TOPIC = "site/a/freezer/7"


def freezer(*lines):
    return Drive("\n  ".join(["- alert: Warm", 'topic: "site/{site}/freezer/{device}"', *lines]))


def phases(said):
    return [phase for _, _, phase, _ in said]


# when, for


def test_without_for_it_fires_with_the_first_message_that_holds_and_resolves_with_the_first_that_does_not():
    drive = freezer("when: t > 5")
    assert drive.send(TOPIC, {"t": 5}) == []
    assert drive.send(TOPIC, {"t": 6}) == [("Warm", "a/7", FIRING, "condition")]
    assert drive.send(TOPIC, {"t": 7}) == []
    assert drive.send(TOPIC, {"t": 5}) == [("Warm", "a/7", RESOLVED, "cleared")]
    assert drive.engine.states["Warm"].instances == {}


def test_for_counts_from_the_first_message_that_holds_and_fires_by_the_clock_though_no_message_comes():
    drive = freezer("when: t > 5", "for: 5m")
    assert phases(drive.send(TOPIC, {"t": 6})) == [PENDING]
    assert drive.send(TOPIC, {"t": 7}, after=200) == []
    assert drive.wait(99.9) == []
    assert drive.wait(0.2) == [("Warm", "a/7", FIRING, "held for its time")]


def test_for_begins_anew_after_a_message_that_does_not_hold():
    drive = freezer("when: t > 5", "for: 5m")
    drive.send(TOPIC, {"t": 6})
    assert drive.send(TOPIC, {"t": 5}, after=299) == [("Warm", "a/7", INACTIVE, "condition")]
    assert drive.wait(1000) == []
    assert phases(drive.send(TOPIC, {"t": 6})) == [PENDING]
    assert drive.wait(299) == []
    assert phases(drive.wait(1)) == [FIRING]


def test_an_event_alone_never_ends_a_for_so_that_no_timer_speaks_before_the_queue_is_drained():
    drive = freezer("when: t > 5", "for: 5m", "clear_for: 5m")
    drive.engine.process([event(TOPIC, {"t": 6})], 1000.0)
    drive.engine.process([event(TOPIC, {"t": 6})], 2000.0)
    assert phases(drive.said()) == [PENDING]
    drive.engine.tick(2000.0)
    assert phases(drive.said()) == [FIRING]
    drive.engine.process([event(TOPIC, {"t": 1})], 2000.0)
    drive.engine.process([event(TOPIC, {"t": 1})], 3000.0)
    assert drive.said() == []
    drive.engine.tick(3000.0)
    assert phases(drive.said()) == [RESOLVED]


def test_since_is_when_it_became_pending_then_when_it_fired():
    drive = freezer("when: t > 5", "for: 1m")
    drive.send(TOPIC, {"t": 6})
    (instance,) = drive.engine.states["Warm"].instances.values()
    assert instance.since == 1000.0
    drive.wait(60)
    assert instance.since == 1060.0


# clear, clear_for


def test_clear_is_the_only_condition_that_ends_it():
    drive = freezer("when: t > 5", "clear: t < 3")
    drive.send(TOPIC, {"t": 6})
    assert drive.send(TOPIC, {"t": 4}) == []
    assert drive.send(TOPIC, {"t": 6}) == []
    assert phases(drive.send(TOPIC, {"t": 2})) == [RESOLVED]


def test_a_pending_instance_goes_back_when_its_condition_ends_whatever_clear_says():
    drive = freezer("when: t > 5", "for: 1m", "clear: t < 3")
    drive.send(TOPIC, {"t": 6})
    assert phases(drive.send(TOPIC, {"t": 4})) == [INACTIVE]


def test_clear_for_ends_it_by_the_clock_and_flapping_within_it_stays_one_episode():
    drive = freezer("when: t > 5", "clear_for: 1m")
    drive.send(TOPIC, {"t": 6})
    assert drive.send(TOPIC, {"t": 5}) == []
    assert drive.send(TOPIC, {"t": 6}, after=59) == []
    assert drive.wait(100) == []
    assert drive.send(TOPIC, {"t": 5}) == []
    assert drive.send(TOPIC, {"t": 4}, after=30) == []
    assert drive.wait(29) == []
    assert drive.wait(1) == [("Warm", "a/7", RESOLVED, "cleared")]


def test_a_device_can_fire_again_after_it_resolved():
    drive = freezer("when: t > 5", "for: 10s", "clear_for: 10s")
    for _ in range(2):
        assert phases(drive.send(TOPIC, {"t": 6})) == [PENDING]
        assert phases(drive.wait(10)) == [FIRING]
        assert drive.send(TOPIC, {"t": 1}) == []
        assert phases(drive.wait(10)) == [RESOLVED]


# errors


@pytest.mark.parametrize("payload", [{}, {"t": "warm"}, {"t": None}, 5, "text", [1]])
def test_an_event_for_which_the_condition_has_no_value_changes_nothing_and_is_counted(payload):
    drive = freezer("when: t > 5", "for: 1m")
    drive.send(TOPIC, {"t": 6})
    assert drive.send(TOPIC, payload) == []
    assert phases(drive.wait(60)) == [FIRING]
    assert drive.send(TOPIC, payload) == []
    assert drive.engine.states["Warm"].errors == 2
    assert [error[:2] for error in drive.errors] == [("Warm", TOPIC)] * 2


# instances


def test_each_value_of_the_captures_is_an_instance_of_its_own():
    drive = freezer("when: t > 5")
    assert drive.send("site/a/freezer/1", {"t": 6}) == [("Warm", "a/1", FIRING, "condition")]
    assert drive.send("site/b/freezer/1", {"t": 6}) == [("Warm", "b/1", FIRING, "condition")]
    assert drive.send("site/a/freezer/1", {"t": 1}) == [("Warm", "a/1", RESOLVED, "cleared")]


def test_by_makes_instances_of_fewer_captures_or_of_payload_fields():
    drive = freezer("by: [probe, site]", "when: t > 5")
    assert drive.send(TOPIC, {"t": 6, "probe": 3}) == [("Warm", "3/a", FIRING, "condition")]
    assert drive.send("site/a/freezer/8", {"t": 1, "probe": 3}) == [("Warm", "3/a", RESOLVED, "cleared")]
    for probe in ([1], {"a": 1}):
        assert drive.send(TOPIC, {"t": 6, "probe": probe}) == []
    assert drive.send(TOPIC, {"t": 6}) == []
    assert [error[2] for error in drive.errors] == ["the payload has no single value 'probe', which `by` needs"] * 3


def test_by_names_fields_inside_of_objects_whose_labels_are_their_last_names():
    drive = Drive(
        "- {alert: Person, topic: frigate/events, by: [after.id, payload.after.camera], when: after.score > 1}"
    )
    drive.engine.process([event("frigate/events", {"after": {"id": "7.1", "camera": "door", "score": 2}})], 1000.0)
    assert drive.engine.take_transitions()[0].instance == (("id", "7.1"), ("camera", "door"))
    for payload in ({"after": {"id": 7}}, {"after": 5}, {"id": 1}):
        assert drive.send("frigate/events", payload) == []
    ways = ["after.camera", "after.id", "after.id"]
    assert [error[2] for error in drive.errors] == [
        f"the payload has no single value '{w}', which `by` needs" for w in ways
    ]


def test_null_in_by_is_no_value_and_the_same_as_empty_text():
    drive = freezer("by: [probe, site]", "when: t > 5")
    assert drive.send(TOPIC, {"t": 6, "probe": None}) == [("Warm", "/a", FIRING, "condition")]
    assert drive.send(TOPIC, {"t": 1, "probe": ""}) == [("Warm", "/a", RESOLVED, "cleared")]
    inside = Drive("- {alert: A, topic: t, by: after.id, when: true}")
    assert inside.send("t", {"after": None}) == [("A", "", FIRING, "condition")]
    assert drive.errors == inside.errors == []


def test_a_rule_that_demands_a_field_called_as_the_label_of_one_inside_hears_what_makes_its_instance():
    text = "- {alert: A, topic: t, by: after.id, when: id == 'x' && v > 1}\n"
    drive = Drive(text + "- {alert: B, topic: t, by: after.id, when: id == 'y' && v > 1}")
    assert drive.send("t", {"id": "x", "v": 2, "after": {"id": 1}}) == [("A", "1", FIRING, "condition")]
    assert drive.send("t", {"id": "z", "v": 2, "after": {"id": 1}}) == [("A", "1", RESOLVED, "cleared")]


def test_by_nothing_is_one_instance_for_all():
    drive = freezer("by: []", "when: t > 5")
    assert phases(drive.send("site/a/freezer/1", {"t": 6})) == [FIRING]
    assert drive.send("site/b/freezer/2", {"t": 6}) == []
    assert drive.send("site/c/freezer/3", {"t": 1}) == [("Warm", "", RESOLVED, "cleared")]


@pytest.mark.parametrize(
    ("value", "text"), [(1, "1"), (1.5, "1.5"), (True, "true"), (False, "false"), (None, ""), ("x", "x")]
)
def test_a_value_of_the_payload_is_written_into_a_key_as_json_writes_it(value, text):
    assert key_text(value) == text


def test_several_topics_of_a_rule_share_their_instances():
    drive = Drive('- {alert: A, topic: ["door/{site}/{n}", "lock/{n}/{site}"], when: open}')
    assert drive.send("door/a/1", {"open": True}) == [("A", "a/1", FIRING, "condition")]
    assert drive.send("lock/1/a", {"open": False}) == [("A", "a/1", RESOLVED, "cleared")]


# event rules


def test_an_event_rule_speaks_for_every_message_that_matches_and_keeps_no_instance():
    drive = Drive('- {event: Door, topic: "door/{id}", when: open}')
    for _ in range(2):
        assert drive.send("door/1", {"open": True}) == [("Door", "1", "event", "condition")]
    assert drive.send("door/1", {"open": False}) == []
    assert drive.engine.states["Door"].instances == {}
    assert drive.engine.states["Door"].serial == 2


def test_an_event_rule_without_a_condition_speaks_for_every_message():
    drive = Drive("- {event: Door, topic: door}")
    assert phases(drive.send("door", "anything")) == ["event"]


# retained messages


def test_a_retained_message_makes_no_event_but_updates_the_value_of_an_alert():
    drive = Drive("- {event: E, topic: t}\n- {alert: A, topic: t, when: v > 1}")
    assert drive.send("t", {"v": 2}, retain=True) == [("A", "", FIRING, "condition")]
    assert drive.send("t", {"v": 1}, retain=True) == [("A", "", RESOLVED, "cleared")]


def test_a_retained_message_is_no_sign_of_life():
    drive = Drive('- {alert: A, topic: "d/{x}", absent: 1m}')
    drive.send("d/1", {})
    drive.send("d/1", {}, after=50, retain=True)
    assert phases(drive.wait(10)) == [FIRING]
    assert drive.send("d/1", {}, retain=True) == []
    assert phases(drive.send("d/1", {})) == [RESOLVED]


def test_a_retained_message_makes_an_instance_known_whose_silence_counts_from_then():
    drive = Drive('- {alert: A, topic: "d/{x}", absent: 1m}')
    drive.send("d/1", {}, retain=True)
    assert drive.wait(59) == []
    assert drive.wait(1) == [("A", "1", FIRING, "no message within its time")]


# absent


def test_absent_fires_for_each_silent_instance_once_and_resolves_with_its_next_message():
    drive = Drive('- {alert: A, topic: "d/{x}", absent: 10m}')
    drive.send("d/1", {})
    drive.send("d/2", {}, after=300)
    assert drive.wait(300) == [("A", "1", FIRING, "no message within its time")]
    assert drive.send("d/2", {}, after=200) == []
    assert drive.wait(300) == []
    assert drive.send("d/1", {}) == [("A", "1", RESOLVED, "message again")]
    assert drive.wait(299) == []
    assert drive.wait(1) == [("A", "2", FIRING, "no message within its time")]


def test_every_message_pushes_the_deadline_also_one_that_the_condition_cannot_use():
    drive = Drive('- {alert: A, topic: "d/{x}", when: v > 1, absent: 1m}')
    for payload in ({"v": 1}, {}, "text", {"v": "x"}) * 3:
        assert drive.send("d/1", payload, after=59) == []
    assert phases(drive.wait(60)) == [FIRING]


def test_beside_when_silence_is_a_second_instance_with_the_label_reason():
    drive = Drive('- {alert: A, topic: "d/{x}", when: v > 1, absent: 1m}')
    assert drive.send("d/1", {"v": 2}) == [("A", "1", FIRING, "condition")]
    assert drive.wait(60) == [("A", "1/absent", FIRING, "no message within its time")]
    assert drive.send("d/1", {"v": 2}) == [("A", "1/absent", RESOLVED, "message again")]
    assert drive.send("d/1", {"v": 1}) == [("A", "1", RESOLVED, "cleared")]


def test_an_absence_tells_with_the_last_event_and_its_captures():
    drive = Drive('- {alert: A, topic: "d/{x}", absent: 1m}')
    drive.send("d/1", {"v": 7})
    drive.engine.tick(drive.now + 60)
    (transition,) = drive.engine.take_transitions()
    assert (transition.event.topic, transition.event.fields, transition.event.time) == ("d/1", {"v": 7}, 1000.0)
    assert transition.captures == ("1",)


def test_the_end_that_the_clock_brings_tells_with_the_last_event_and_not_with_the_first():
    drive = Drive('- {alert: A, topic: "d/{x}", when: v > 5, clear_for: 1m}')
    drive.send("d/1", {"v": 7})
    drive.send("d/1", {"v": 2}, after=10)
    drive.engine.tick(drive.now + 60)
    (transition,) = drive.engine.take_transitions()
    assert (transition.phase.value, transition.event.fields, transition.event.time) == (RESOLVED, {"v": 2}, 1010.0)
