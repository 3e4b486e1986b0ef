"""engine: all rules together, across restarts, reloads and gaps."""

import pytest

from hub.ingest.itself import Itself
from hub.model import Reason
from hub.rules.running.engine import Engine
from tests.rules.making import Drive, Packet, event, rules

WARM = '- {alert: Warm, topic: "f/{device}", when: t > 5, for: 5m, clear_for: 1m}\n'
DOOR = '- {event: Door, topic: "door/{id}"}\n'
SILENT = '- {alert: Silent, topic: "f/{device}", absent: 10m}\n'


class Registry:
    """Devices by topic."""

    def __init__(self, **devices):
        self.devices = {topic.replace("_", "/"): attributes for topic, attributes in devices.items()}

    def attributes(self, topic):
        return self.devices.get(topic, {})

    def topics(self, topic_filter):
        return [topic for topic in self.devices if topic.split("/")[0] == topic_filter.split("/")[0]]


class Disk:
    """What a store keeps: the rows of every commit, and what each rule meant."""

    def __init__(self):
        self.rows, self.rules = {}, {}

    def commit(self, engine):
        for rule, key, state in engine.take_changes():
            if state is None:
                self.rows.pop((rule, key), None)
            else:
                self.rows[rule, key] = state
        self.rules = dict(engine.signatures())

    def restart(self, drive, text=None, registry=None):
        """Begin a new engine from what is here; return the rules that are gone."""
        drive.rules = drive.rules if text is None else rules(text)
        drive.engine = Engine(drive.rules, registry)
        return drive.engine.restore([(*key, state) for key, state in self.rows.items()], self.rules, drive.now)


def reload(drive, text, registry=None):
    return drive.engine.reload(rules(text), registry, drive.now)


# restart


def test_for_goes_on_over_a_restart_from_where_it_began():
    drive, disk = Drive(WARM), Disk()
    drive.send("f/1", {"t": 6})
    disk.commit(drive.engine)
    drive.now += 200
    assert disk.restart(drive) == {}
    assert drive.wait(99) == []
    assert drive.wait(1) == [("Warm", "1", "firing", "held for its time")]


def test_firing_and_the_beginning_of_its_end_survive_a_restart():
    drive, disk = Drive(WARM), Disk()
    drive.send("f/1", {"t": 6})
    drive.wait(300)
    drive.send("f/1", {"t": 1})
    disk.commit(drive.engine)
    disk.restart(drive)
    assert drive.wait(59) == []
    assert drive.wait(1) == [("Warm", "1", "resolved", "cleared")]
    disk.commit(drive.engine)
    assert disk.rows == {}


def test_an_absence_survives_a_restart_and_resolves_with_the_next_message():
    drive, disk = Drive(SILENT), Disk()
    drive.send("f/1")
    drive.wait(600)
    disk.commit(drive.engine)
    disk.restart(drive)
    assert drive.wait(10_000) == []
    assert drive.send("f/1") == [("Silent", "1", "resolved", "message again")]


def test_what_an_event_rule_has_said_counts_on_over_a_restart_and_over_its_removal_and_return():
    drive, disk = Drive(DOOR), Disk()
    serials = []

    def open_door():
        drive.engine.process([event("door/1")], drive.now)
        serials.append(drive.engine.take_transitions()[0].serial)
        disk.commit(drive.engine)

    open_door()
    disk.restart(drive)
    open_door()
    reload(drive, WARM)
    disk.commit(drive.engine)
    reload(drive, DOOR)
    open_door()
    disk.restart(drive, WARM)
    disk.commit(drive.engine)
    disk.restart(drive, DOOR)
    open_door()
    assert serials == [1, 2, 3, 4]


def test_the_count_of_an_event_rule_is_right_on_disk_though_it_spoke_before_and_after_a_reload():
    for _ in range(20):  # the order of a set
        drive, disk = Drive(DOOR), Disk()
        drive.engine.process([event("door/1")] * 3, drive.now)
        reload(drive, DOOR)
        drive.engine.process([event("door/1")] * 2, drive.now)
        disk.commit(drive.engine)
        assert disk.rows["Door", ""] == "[5]"


def test_steady_traffic_that_changes_nothing_writes_nothing():
    drive = Drive("- {alert: A, topic: t, when: v > 1}")
    drive.send("t", {"v": 2})
    drive.engine.take_changes()
    for _ in range(3):
        drive.send("t", {"v": 2})
        drive.send("u", {"v": 2})
    assert drive.engine.take_changes() == []


def test_changes_are_taken_once_and_one_row_for_each_instance():
    drive = Drive("- {alert: A, topic: t, when: v > 1}")
    for value in (2, 0, 2, 0):
        drive.send("t", {"v": value})
    assert drive.engine.take_changes() == [("A", "[]", None)]
    assert drive.engine.take_changes() == []


# reload


def test_a_reload_of_other_rules_changes_nothing_at_all():
    drive = Drive(WARM)
    drive.send("f/1", {"t": 6})
    drive.now += 100
    assert reload(drive, DOOR + WARM + SILENT) == {}
    assert drive.wait(199) == []
    assert drive.wait(1) == [("Warm", "1", "firing", "held for its time")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("clear_for: 1m", "clear_for: 2m"),
        ("clear_for: 1m", "clear: t < 2"),
        ("when", "severity: critical, summary: x, when"),
    ],
)
def test_a_rule_changed_in_what_is_no_part_of_its_meaning_keeps_its_instances(old, new):
    drive = Drive(WARM)
    drive.send("f/1", {"t": 6})
    assert reload(drive, WARM.replace(old, new)) == {}
    assert [phase for *_, phase, _ in drive.wait(300)] == ["firing"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("f/{device}", "g/{device}"),
        ("t > 5", "t > 6"),
        ("for: 5m", "for: 6m"),
        ("{device}", "{d}"),
        ("when", "by: [], when"),
    ],
)
def test_a_rule_that_means_something_else_begins_anew_and_is_named_as_changed(old, new):
    drive, disk = Drive(WARM), Disk()
    drive.send("f/1", {"t": 6})
    disk.commit(drive.engine)
    assert reload(drive, WARM.replace(old, new)) == {"Warm": Reason.RULE_CHANGED}
    assert drive.wait(1000) == []
    disk.commit(drive.engine)
    assert disk.rows == {}


def test_the_same_change_while_the_hub_was_off_has_the_same_effect():
    drive, disk = Drive(WARM), Disk()
    drive.send("f/1", {"t": 6})
    disk.commit(drive.engine)
    assert disk.restart(drive, WARM.replace("5m", "6m")) == {"Warm": Reason.RULE_CHANGED}
    disk.commit(drive.engine)
    assert disk.rows == {}


def test_a_removed_rule_is_named_and_its_state_forgotten():
    drive, disk = Drive(WARM), Disk()
    drive.send("f/1", {"t": 6})
    disk.commit(drive.engine)
    assert reload(drive, DOOR) == {"Warm": Reason.RULE_REMOVED}
    disk.commit(drive.engine)
    assert disk.rows == {}
    assert drive.wait(1000) == []


def test_a_rule_that_comes_back_before_a_commit_has_its_new_state_on_disk_not_its_old_ones_end():
    drive, disk = Drive(WARM), Disk()
    drive.send("f/1", {"t": 6})
    disk.commit(drive.engine)
    reload(drive, DOOR)
    reload(drive, WARM)
    drive.send("f/1", {"t": 6})
    disk.commit(drive.engine)
    assert list(disk.rows) == [("Warm", '["1"]')]


def test_absent_added_to_a_rule_counts_from_the_reload():
    drive = Drive("- {alert: A, topic: t, when: v > 1}")
    drive.send("t", {"v": 2})
    drive.now += 10_000
    reload(drive, "- {alert: A, topic: t, when: v > 1, absent: 10m}")
    assert drive.wait(599) == []
    assert drive.wait(1) == [("A", "absent", "firing", "no message within its time")]


def test_absent_taken_out_of_a_rule_ends_the_silence_that_was_told_and_forgets_who_was_only_listened_for():
    drive = Drive('- {alert: A, topic: "t/{x}", when: v > 1, absent: 10m}')
    drive.send("t/1", {"v": 2})
    drive.send("t/2", {"v": 0})
    drive.wait(600)
    assert reload(drive, '- {alert: A, topic: "t/{x}", when: v > 1}') == {}
    assert sorted(drive.said()) == [
        ("A", "1/absent", "resolved", "rule changed"),
        ("A", "2/absent", "resolved", "rule changed"),
    ]
    assert list(drive.engine.states["A"].instances) == [("1",)]
    assert drive.wait(10_000) == []
    assert drive.send("t/1", {"v": 0}) == [("A", "1", "resolved", "cleared")]


def test_clear_for_taken_out_of_a_rule_ends_what_was_about_to_end():
    drive = Drive("- {alert: A, topic: t, when: v > 1, clear_for: 10m}")
    drive.send("t", {"v": 2})
    drive.send("t", {"v": 0})
    reload(drive, "- {alert: A, topic: t, when: v > 1}")
    assert drive.wait(0) == [("A", "", "resolved", "cleared")]


# gaps


def test_a_gap_of_our_own_is_no_devices_silence():
    drive = Drive(SILENT)
    drive.send("f/1")
    drive.now += 3600
    drive.engine.excuse(3600, drive.now)
    assert drive.wait(599) == []
    assert [key for _, key, *_ in drive.wait(1)] == ["1"]


def test_a_gap_does_not_push_beyond_now_who_was_heard_since():
    drive = Drive(SILENT)
    drive.send("f/1")
    drive.now += 3600
    drive.engine.process([event("f/1", {}, drive.now)], drive.now)
    drive.engine.excuse(3600, drive.now)
    assert [key for _, key, *_ in drive.wait(600)] == ["1"]


def test_an_excuse_is_on_disk_with_the_next_commit():
    drive, disk = Drive(SILENT), Disk()
    drive.send("f/1")
    disk.commit(drive.engine)
    drive.now += 300
    drive.engine.excuse(300, drive.now)
    disk.commit(drive.engine)
    disk.restart(drive)
    assert drive.wait(599) == []


# the registry


def test_devices_of_the_registry_are_missed_though_they_were_never_heard():
    drive = Drive(SILENT, Registry(f_1={"owner": "ann"}, f_2={}, g_3={}))
    drive.send("f/1", after=300)
    assert drive.wait(300) == [("Silent", "2", "firing", "no message within its time")]
    assert drive.wait(300) == [("Silent", "1", "firing", "no message within its time")]
    assert drive.send("f/2") == [("Silent", "2", "resolved", "message again")]


def test_the_attributes_of_a_device_that_was_never_heard_are_known_to_its_texts():
    drive = Drive(SILENT, Registry(f_1={"owner": "ann"}))
    drive.engine.tick(drive.now + 600)
    (transition,) = drive.engine.take_transitions()
    assert (transition.event, transition.captures, transition.device) == (None, ("1",), {"owner": "ann"})


def test_a_device_taken_out_of_the_registry_is_missed_no_longer_and_its_alert_ends():
    drive = Drive(SILENT, Registry(f_1={}, f_2={}))
    drive.send("f/2")
    drive.wait(600)
    reload(drive, SILENT, Registry())
    assert drive.said() == [("Silent", "1", "resolved", "device removed from the registry")]
    assert drive.send("f/2") == [("Silent", "2", "resolved", "message again")]


def test_a_device_added_to_the_registry_has_its_full_time_from_then():
    drive = Drive(SILENT)
    drive.now += 5000
    reload(drive, SILENT, Registry(f_1={}))
    assert drive.wait(599) == []
    assert drive.wait(1) == [("Silent", "1", "firing", "no message within its time")]


def test_rules_ask_the_registry_for_the_device():
    drive = Drive("- {event: E, topic: f/1, when: device.limit < v}", Registry(f_1={"limit": 5}))
    assert drive.send("f/1", {"v": 5}) == []
    assert len(drive.send("f/1", {"v": 6})) == 1


# deadlines


def test_the_next_deadline_is_the_earliest_and_nothing_is_due_where_nothing_waits():
    drive = Drive(WARM)
    assert drive.engine.next_due() is None
    drive.send("f/1", {"t": 6})
    drive.send("f/2", {"t": 6}, after=100)
    assert drive.engine.next_due() == 1300.0
    drive.send("f/1", {"t": 1})
    assert drive.wait(10_000) == [("Warm", "2", "firing", "held for its time")]
    assert drive.engine.next_due() is None


def test_a_tick_before_anything_is_due_does_nothing():
    drive = Drive(WARM)
    drive.send("f/1", {"t": 6})
    drive.engine.take_changes()
    drive.engine.tick(1299.9)
    assert drive.said() == []
    assert drive.engine.take_changes() == []


# an older message comes behind a newer one: the pipeline knows, and gives it the time at which its connection ended


def older(drive, topic, payload, seconds=5.0):
    drive.engine.process([event(topic, payload, drive.now - seconds)], drive.now)
    return drive.said()


MIXED = """\
- {alert: Alone, topic: "f/{device}", when: t > 5 && now > timestamp(0)}
- {alert: One, topic: "f/{device}", when: t > 5}
- {alert: Two, topic: "f/{device}", when: t > 6}
- {alert: Named, topic: "f/{device}", when: 'k == "x" && t > 5'}
- {alert: Field, topic: "f/{device}", by: [device, tag], when: t > 5}
- {event: Said, topic: "f/{device}", when: t > 5}
"""


def test_what_a_newer_message_of_its_topic_has_overtaken_changes_no_alert_and_event_rules_tell_it():
    drive = Drive(MIXED)
    drive.send("f/1", {"t": 1, "k": "x", "tag": "a"})
    drive.wait(60)
    drive.send("f/1", {"t": 1, "k": "x", "tag": "a"})
    assert older(drive, "f/1", {"t": 9, "k": "x", "tag": "a"}) == [("Said", "1", "event", "condition")]
    assert len(drive.send("f/1", {"t": 9, "k": "x", "tag": "a"}, after=60)) == 6
    assert older(drive, "f/1", {"t": 1, "k": "x", "tag": "a"}) == []


def test_of_another_instance_or_topic_an_older_message_is_as_good_as_new():
    drive = Drive(MIXED)
    drive.wait(60)
    drive.send("f/1", {"t": 1, "tag": "a"})
    assert ("Field", "1/b", "firing", "condition") in older(drive, "f/1", {"t": 9, "tag": "b"})
    assert ("One", "2", "firing", "condition") in older(drive, "f/2", {"t": 9, "tag": "b"})


def test_an_older_message_ends_what_fires_for_another_instance_of_its_topic_though_it_lacks_what_the_rule_demands():
    drive = Drive("- {alert: A, topic: f, by: [tag], when: 'k == \"x\" && t > 5'}")
    drive.send("f", {"t": 9, "k": "x", "tag": "b"})
    drive.wait(60)
    drive.send("f", {"t": 1, "k": "x", "tag": "a"})
    assert older(drive, "f", {"t": 9, "k": "y", "tag": "b"}) == [("A", "b", "resolved", "cleared")]


def test_what_is_posted_a_moment_ago_is_no_older_message_after_the_clock_was_set_back():
    drive = Drive(MIXED)
    drive.send("f/1", {"t": 1, "tag": "a"})
    drive.engine.shift(-3600.0, drive.now - 3600.0)
    drive.now -= 3590.0
    assert ("One", "1", "firing", "condition") in older(drive, "f/1", {"t": 9, "tag": "a"}, 0.001)


def test_a_clock_that_was_set_back_makes_no_message_an_older_one():
    drive = Drive(MIXED)
    drive.send("f/1", {"t": 1, "tag": "a"})
    drive.engine.shift(-600.0, drive.now - 600.0)
    drive.now -= 600.0
    assert ("One", "1", "firing", "condition") in drive.send("f/1", {"t": 9, "tag": "a"})


# The hub's own topics


OWN = ("hub/status", "hub/alerts/Any/1", "hub/command/ack", "hub/answers/a/b", "hub/events/session_lost")


def test_a_wildcard_never_matches_what_the_hub_says_of_itself():
    drive = Drive("- {event: All, topic: '#'}\n- {alert: Any, topic: '{node}/{rest...}', absent: 1h}")
    for topic in OWN:
        assert drive.send(topic, {"state": "online"}) == []
    assert drive.engine.states["Any"].instances == {}
    assert list(drive.engine.last_messages()) == []
    assert [rule for rule, *_ in drive.send("hub/sensor/x/state", 31)] == ["All"]
    assert [topic for topic, *_ in drive.engine.last_messages()] == ["hub/sensor/x/state"]


def test_the_hubs_own_topics_follow_its_prefix():
    made = rules("- {event: All, topic: '#'}")
    engine = Engine(made, itself=Itself("home/hub"))
    engine.process([event("hub/status", "x"), event("home/hub/status", "x"), event("home/hub/x", "x")], 1000.0)
    assert [each.event.topic for each in engine.take_transitions()] == ["hub/status", "home/hub/x"]


def test_only_where_a_filter_can_bring_them_each_delivery_is_looked_at():
    packets = [Packet("hub/status"), Packet("a/status")]
    narrow, wide = Engine(rules("- {event: E, topic: a/status}")), Engine(rules("- {event: E, topic: +/status}"))
    assert narrow.events_of(packets) is packets
    assert wide.events_of(packets) == packets[1:]
    narrow.reload(rules("- {event: E, topic: '#'}"), None, 1000.0)
    assert narrow.events_of(packets) == packets[1:]


def test_a_registered_device_on_a_topic_of_the_hubs_own_is_not_waited_for():
    class All(Registry):
        def topics(self, _filter):
            return list(self.devices)

    drive = Drive("- {alert: Gone, topic: '{node}/status', absent: 1m}", All(hub_status={}, a_status={}))
    assert [where for _, where, *_ in drive.wait(61)] == ["a"]


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_what_the_clock_will_do_is_done_after_the_same_time_however_the_wall_clock_is_set(step):
    def set_clock():
        drive.now += step
        drive.engine.shift(step, drive.now)

    drive = Drive(WARM + SILENT)
    drive.send("f/1", {"t": 6})
    drive.wait(100)
    set_clock()
    assert drive.wait(199) == []
    assert drive.wait(1) == [("Warm", "1", "firing", "held for its time")]
    drive.send("f/1", {"t": 1})
    drive.wait(20)
    set_clock()
    assert drive.wait(39) == []
    assert drive.wait(1) == [("Warm", "1", "resolved", "cleared")]
    set_clock()
    assert drive.wait(539) == []
    assert drive.wait(1) == [("Silent", "1", "firing", "no message within its time")]
    set_clock()
    drive.engine.process([event("f/1", {"t": 1}, drive.now)], drive.now)
    (back,) = [each for each in drive.engine.take_transitions() if each.rule.name == "Silent"]
    assert (back.phase.value, back.since) == ("resolved", drive.now)
