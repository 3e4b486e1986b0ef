"""What other tools get wrong, as rules.md lists it: a section for each point, as far as it is the engine's."""

from pathlib import Path

from hub.documents.document import Problems
from hub.model import Reason
from hub.rules.reading.loader import load_rules
from tests.rules.making import Drive, event, rules
from tests.rules.running.test_engine import Disk, Registry

START = 864_000.0
"""Midnight, so that the schedules below are easy to read."""
HOT, COLD = {"t": 9}, {"t": 1}
WARM = '- {alert: Warm, topic: "f/{device}", when: t > 5, for: 5m}\n'
OTHER = '- {alert: Other, topic: "g/{x}", when: v > 1}\n'
FIRING, RESOLVED = ("firing", "held for its time"), ("resolved", "cleared")


def drive_of(text, registry=None):
    return Drive(text, registry, start=START)


def what(said):
    """Leave out which rule it was and which device."""
    return [each[2:] for each in said]


def muted(drive):
    return [(each.phase.value, each.reason.value, each.muted) for each in drive.engine.take_transitions()]


# `for` counts from the first message that holds, and by the clock


def test_for_counts_from_the_first_message_that_holds_not_from_the_last():
    drive = drive_of(WARM)
    drive.send("f/1", HOT)
    drive.send("f/1", HOT, after=200)
    assert what(drive.wait(100)) == [FIRING]
    assert drive.now == START + 300


def test_for_fires_by_the_clock_even_if_no_further_message_comes():
    drive = drive_of(WARM)
    drive.send("f/1", HOT)
    assert drive.engine.next_due() == START + 300
    assert what(drive.wait(300)) == [FIRING]


def test_for_survives_a_restart_and_the_time_in_which_the_hub_was_away_counts():
    drive, disk = drive_of(WARM), Disk()
    drive.send("f/1", HOT)
    disk.commit(drive.engine)
    drive.now += 1000
    disk.restart(drive)
    assert drive.said() == []  # what the broker has kept is heard first
    drive.engine.tick(drive.now)
    assert drive.said() == [("Warm", "1", *FIRING)]


def test_for_is_not_over_where_a_message_that_came_while_the_hub_was_away_says_otherwise():
    drive, disk = drive_of(WARM), Disk()
    drive.send("f/1", HOT)
    disk.commit(drive.engine)
    drive.now += 1000
    disk.restart(drive)
    drive.engine.process([event("f/1", COLD, drive.now)], drive.now)
    drive.engine.tick(drive.now)
    assert what(drive.said()) == [("inactive", "condition")]


def test_for_survives_a_reload_of_unrelated_rules():
    drive = drive_of(WARM + OTHER)
    drive.send("f/1", HOT)
    drive.now += 100
    drive.engine.reload(rules(OTHER.replace("v > 1", "v > 2") + WARM), None, drive.now)
    assert drive.wait(199) == []
    assert what(drive.wait(1)) == [FIRING]


def test_for_survives_the_loss_of_the_broker():
    drive = drive_of(WARM)
    drive.send("f/1", HOT)
    drive.now += 250
    drive.engine.excuse(200, drive.now)
    assert what(drive.wait(50)) == [FIRING]


# `pause` is not `mute`

PAUSED = '- {alert: Warm, topic: "f/{device}", when: t > 5, for: 5m, pause: "daily 01:00-02:00"}'
AT_ONCE = '- {alert: Warm, topic: "f/{device}", when: t > 5, pause: "daily 01:00-02:00"}'
MUTED = '- {alert: Warm, topic: "f/{device}", when: t > 5, mute: "daily 01:00-02:00"}'


def test_under_a_pause_pending_becomes_inactive():
    drive = drive_of(PAUSED)
    drive.send("f/1", HOT, after=3400)
    assert what(drive.wait(200)) == [("inactive", "paused")]
    assert drive.now == START + 3600


def test_under_a_pause_firing_stays_as_it_is():
    drive = drive_of(AT_ONCE)
    drive.send("f/1", HOT, after=3400)
    assert drive.wait(200) == []
    assert drive.send("f/1", COLD, after=60) == []
    assert drive.send("f/1", HOT, after=60) == []
    assert drive.wait(7200) == []
    assert what(drive.send("f/1", COLD)) == [RESOLVED]


def test_when_a_pause_ends_the_last_value_is_evaluated_at_once_without_waiting_for_telemetry():
    drive = drive_of(AT_ONCE)
    drive.send("f/1", COLD, after=3700)
    drive.send("f/1", HOT, after=60)
    drive.send("f/2", HOT)
    drive.send("f/2", COLD, after=60)
    assert drive.wait(START + 7200 - drive.now - 1) == []
    assert drive.wait(1) == [("Warm", "1", "firing", "condition")]


def test_what_fires_and_is_well_again_when_a_pause_ends_resolves_then():
    drive = drive_of(AT_ONCE)
    drive.send("f/1", HOT, after=3400)
    drive.send("f/1", COLD, after=400)
    assert what(drive.wait(START + 7200 - drive.now)) == [RESOLVED]


def test_under_a_mute_the_rule_is_evaluated_and_says_that_it_is_muted():
    drive = drive_of(MUTED)
    drive.now += 3600
    drive.engine.process([event("f/1", HOT, drive.now)], drive.now)
    drive.engine.process([event("f/1", COLD, drive.now)], drive.now)
    assert [phase for phase, *_ in muted(drive)] == ["firing", "resolved"]


def test_when_a_mute_ends_what_still_fires_is_told_then():
    drive = drive_of(MUTED)
    drive.now += 3700
    for name in ("f/1", "f/2"):
        drive.engine.process([event(name, HOT, drive.now)], drive.now)
    drive.engine.process([event("f/2", COLD, drive.now)], drive.now)
    assert muted(drive)[:2] == [("firing", "condition", True)] * 2
    drive.now = START + 7200
    drive.engine.tick(drive.now)
    assert muted(drive) == [("firing", "mute ended", False)]


# Resolved reaches everyone who was told: the engine says it whatever holds


def test_the_end_of_an_alert_is_said_under_a_mute_too():
    drive = drive_of(MUTED)
    drive.send("f/1", HOT)
    assert what(drive.wait(3700)) == [("firing", "mute began")]
    assert what(drive.send("f/1", COLD)) == [RESOLVED]


# `absent` counts per instance

SILENT = '- {alert: Silent, topic: "f/{device}", absent: 10m}\n'


def test_absent_counts_for_each_device_of_one_wildcard_rule():
    drive = drive_of(SILENT)
    drive.send("f/1")
    drive.send("f/2", after=300)
    assert [each[1] for each in drive.wait(300)] == ["1"]
    assert [each[1] for each in drive.wait(300)] == ["2"]


def test_absent_misses_devices_of_the_registry_that_were_never_heard():
    drive = drive_of(SILENT, Registry(f_7={}))
    assert [each[1] for each in drive.wait(600)] == ["7"]


def test_absent_beside_when_is_a_second_alert_with_a_label_of_its_own():
    drive = drive_of('- {alert: Warm, topic: "f/{device}", when: t > 5, absent: 10m}')
    assert [each[1] for each in drive.send("f/1", HOT)] == ["1"]
    assert [each[1] for each in drive.wait(600)] == ["1/absent"]


def test_the_time_in_which_the_hub_was_away_is_no_devices_silence():
    drive, disk = drive_of(SILENT), Disk()
    drive.send("f/1")
    disk.commit(drive.engine)
    drive.now += 86_400
    disk.restart(drive)
    drive.engine.excuse(86_400, drive.now)
    drive.engine.tick(drive.now)
    assert drive.said() == []
    assert [each[1] for each in drive.wait(600)] == ["1"]


def test_absent_resolves_with_the_next_message():
    drive = drive_of(SILENT)
    drive.send("f/1")
    drive.wait(600)
    assert what(drive.send("f/1", "anything")) == [("resolved", "message again")]


# A retained message updates the value; it is not a sign of life and makes no event


def test_a_retained_message_updates_the_value():
    drive = drive_of('- {alert: Warm, topic: "f/{device}", when: t > 5}')
    assert len(drive.send("f/1", HOT, retain=True)) == 1
    assert what(drive.send("f/1", COLD, retain=True)) == [RESOLVED]


def test_a_retained_message_updates_the_value_under_a_pause_too():
    drive = drive_of(AT_ONCE)
    drive.send("f/1", HOT, after=3700, retain=True)
    assert [each[1] for each in drive.wait(3600)] == ["1"]


def test_a_retained_message_is_no_sign_of_life():
    drive = drive_of(SILENT)
    drive.send("f/1")
    drive.send("f/1", after=599, retain=True)
    assert len(drive.wait(1)) == 1
    assert drive.send("f/1", retain=True) == []


def test_a_retained_message_makes_no_event():
    drive = drive_of('- {event: Door, topic: "d/{door}"}')
    assert drive.send("d/1", retain=True) == []
    assert len(drive.send("d/1")) == 1


# Overlapping filters evaluate a message once per rule


def test_a_message_that_several_filters_of_a_rule_match_is_evaluated_once():
    drive = drive_of('- {event: E, topic: ["a/{x}", "+/{x}", "a/{x...}"]}\n- {event: F, topic: "a/#"}')
    assert sorted(each[0] for each in drive.send("a/1")) == ["E", "F"]


# A rule that is changed keeps the instances whose meaning did not change


def test_a_rule_keeps_its_instances_where_only_its_words_and_gates_change():
    drive = drive_of(WARM)
    drive.send("f/1", HOT)
    more = "summary: x, clear_for: 1m, severity: critical, mute: 'daily 01:00-02:00', pause: 'daily 03:00-04:00', for"
    assert drive.engine.reload(rules(WARM.replace("for", more)), None, drive.now) == {}
    assert what(drive.wait(300)) == [FIRING]


def test_a_rule_that_is_removed_says_why_its_alerts_end():
    drive = drive_of(WARM + OTHER)
    drive.send("f/1", HOT, after=1)
    assert drive.engine.reload(rules(OTHER), None, drive.now) == {"Warm": Reason.RULE_REMOVED}


# A rule that can hear what the hub publishes is an error at load


def test_a_rule_that_names_the_hubs_own_topics_is_refused(tmp_path: Path):
    problems = Problems()
    (tmp_path / "loop.yaml").write_text("rules:\n  - {event: Loop, topic: 'hub/#'}\n")
    load_rules([tmp_path], problems, lambda *_: {}, "hub")
    assert "a loop" in str(problems)


# Flapping within `clear_for` stays one episode


def test_an_alert_that_flaps_within_clear_for_begins_once_and_ends_once():
    drive = drive_of('- {alert: Warm, topic: "f/{device}", when: t > 5, clear_for: 5m}')
    said = [each for n in range(20) for each in drive.send("f/1", COLD if n % 2 else HOT, after=100)]
    assert what(said + drive.wait(1000)) == [("firing", "condition"), RESOLVED]
