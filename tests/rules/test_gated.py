"""pause, mute, timestamp and `absent: auto`: what they do to an instance, and that no restart or reload changes it."""

from datetime import UTC, datetime

import pytest

from hub.model import Phase
from hub.rules.engine import Engine
from tests.rules.making import Drive, event, rules

NIGHT = datetime(2026, 3, 1, 1, 0, tzinfo=UTC).timestamp()
"""An hour before the pause of the rules below."""
WARM = """
- alert: Warm
  topic: f/{device}
  when: t > -15
  for: 5m
  clear: t < -18
  pause: daily 02:00-02:30
"""
HOT, COLD, MILD = {"t": -9}, {"t": -20}, {"t": -16}


def phases(seen):
    return [each[2:] for each in seen]


def night(text=WARM, at=NIGHT):
    return Drive(text, start=at)


def again(drive, text=None, *, reload=False):
    """Go on after a restart, or a reload, with the same rules or others."""
    made = rules(text) if text else drive.rules
    if reload:
        drive.engine.reload(made, None, drive.now)
        return drive
    rows = [row for row in drive.engine.take_changes() if row[2] is not None]
    signatures = dict(drive.engine.signatures())
    samples = [row for row in drive.engine.take_samples() if row[4] is not None]
    drive.engine = Engine(made, None, lambda *error: drive.errors.append(error))
    drive.engine.restore(rows, signatures, drive.now, samples)
    return drive


# pause by a schedule


def test_a_pause_makes_pending_inactive_and_evaluates_the_last_value_when_it_ends():
    drive = night()
    assert phases(drive.send("f/7", HOT, after=3480)) == [("pending", "condition")]
    assert phases(drive.wait(180)) == [("inactive", "paused")]
    assert drive.send("f/7", MILD, after=600) == []
    assert drive.send("f/7", HOT) == []
    assert phases(drive.wait(1200)) == [("pending", "condition")]
    assert drive.now == NIGHT + 3480 + 180 + 600 + 1200
    assert phases(drive.wait(300)) == [("firing", "held for its time")]


def test_the_last_value_before_the_pause_counts_where_none_came_during_it():
    drive = night()
    drive.send("f/7", HOT, after=3480)
    assert phases(drive.wait(1920)) == [("inactive", "paused"), ("pending", "condition")]
    assert drive.now == NIGHT + 5400


def test_what_is_well_again_when_the_pause_ends_is_not_told():
    drive = night()
    drive.send("f/7", HOT, after=3660)
    drive.send("f/7", COLD, after=60)
    assert drive.wait(7200) == []
    assert not drive.engine.states["Warm"].instances


def test_firing_stays_firing_under_a_pause_and_ends_with_it_where_it_is_over():
    drive = night()
    drive.send("f/7", HOT)
    assert phases(drive.wait(300)) == [("firing", "held for its time")]
    assert drive.send("f/7", COLD, after=3600) == []
    assert phases(drive.wait(1800)) == [("resolved", "cleared")]
    assert drive.now == NIGHT + 300 + 3600 + 1800


def test_a_paused_event_rule_says_nothing_also_afterwards():
    drive = night("- {event: Open, topic: 'd/{door}', pause: daily 02:00-02:30}")
    assert drive.send("d/1", after=3660) == []
    assert phases(drive.send("d/1", after=1800)) == [("event", "condition")]


def test_the_end_of_a_clear_for_is_taken_back_by_a_pause():
    drive = night(WARM.replace("for: 5m", "clear_for: 10m"))
    drive.send("f/7", HOT)
    drive.send("f/7", COLD, after=3480)
    assert drive.wait(1920) == []
    assert drive.wait(599) == []
    assert phases(drive.wait(1)) == [("resolved", "cleared")]


@pytest.mark.parametrize("reload", [False, True])
def test_a_restart_or_reload_in_the_middle_of_a_pause_changes_nothing(reload):
    drive = night()
    drive.send("f/7", HOT, after=3480)
    drive.wait(240)
    again(drive, reload=reload)
    assert drive.send("f/7", HOT, after=60) == []
    again(drive, reload=reload)
    assert phases(drive.wait(1620)) == [("pending", "condition")]


def test_a_pause_that_ended_while_the_hub_was_off_is_over_at_the_start():
    drive = night()
    drive.send("f/7", HOT, after=3660)
    drive.now += 3600
    again(drive)
    assert drive.said() == []  # first what the broker has kept is heard
    assert phases(drive.wait(0)) == [("pending", "condition")]


def test_a_pause_that_is_taken_out_of_the_rule_is_over_at_once():
    drive = night()
    drive.send("f/7", HOT, after=3660)
    again(drive, WARM.replace("  pause: daily 02:00-02:30\n", ""), reload=True)
    assert phases(drive.said()) == [("pending", "condition")]
    assert phases(drive.wait(300)) == [("firing", "held for its time")]


def test_a_pause_that_comes_to_the_rule_holds_at_once():
    drive = night(WARM.replace("  pause: daily 02:00-02:30\n", ""), NIGHT + 3600)
    drive.send("f/7", HOT)
    again(drive, WARM, reload=True)
    assert phases(drive.wait(0)) == [("inactive", "paused")]


def test_silence_does_not_count_under_a_pause_and_counts_anew_behind_it():
    drive = night("- {alert: Silent, topic: 'f/{device}', absent: 10m, pause: daily 02:00-02:30}")
    drive.send("f/7", after=3540)
    assert drive.wait(60 + 1800 + 599) == []
    assert phases(drive.wait(1)) == [("firing", "no message within its time")]


def test_who_speaks_again_under_a_pause_is_no_longer_silent_when_it_ends():
    drive = night("- {alert: Silent, topic: 'f/{device}', absent: 10m, pause: daily 02:00-02:30}")
    drive.send("f/7")
    assert phases(drive.wait(600)) == [("firing", "no message within its time")]
    assert drive.send("f/7", after=3060) == []
    assert phases(drive.wait(1740)) == [("resolved", "message again")]


def test_what_comes_under_a_pause_is_no_sample_but_the_last_of_it():
    drive = night(
        "- {alert: Warm, topic: 'f/{device}', when: 'count(t, 2h) > 2', pause: daily 02:00-02:30, summary: x}"
    )
    for _ in range(5):
        drive.send("f/7", HOT, after=721)
    assert drive.now > NIGHT + 3600
    drive.wait(1800)
    assert drive.engine.states["Warm"].instances["7",].history is not None
    assert phases(drive.said()) == []


# pause by a condition

DOOR = "- {alert: Warm, topic: 'f/{device}', when: t > 5, for: 1m, clear: t < 3, pause: defrosting}"


def test_a_condition_pauses_each_instance_for_itself():
    drive = Drive(DOOR)
    drive.send("f/1", {"t": 9, "defrosting": False})
    drive.send("f/2", {"t": 9, "defrosting": False})
    assert phases(drive.send("f/1", {"t": 9, "defrosting": True}, after=30)) == [("inactive", "paused")]
    assert drive.wait(30) == [("Warm", "2", "firing", "held for its time")]
    assert phases(drive.send("f/1", {"t": 9, "defrosting": False}, after=60)) == [("pending", "condition")]


def test_a_pause_whose_condition_has_no_value_stays_as_it_was():
    drive = Drive(DOOR)
    assert drive.send("f/1", {"t": 9, "defrosting": True}) == []
    assert drive.send("f/1", {"t": 9}, after=60) == []
    assert len(drive.errors) == 1
    again(drive)
    assert drive.send("f/1", {"t": 9}, after=60) == []
    assert phases(drive.send("f/1", {"t": 9, "defrosting": False})) == [("pending", "condition")]


def test_an_instance_that_a_pause_has_kept_is_forgotten_when_nothing_needs_it():
    drive = Drive(DOOR)
    drive.send("f/1", {"t": 9, "defrosting": True})
    drive.send("f/1", {"t": 1, "defrosting": False})
    assert not drive.engine.states["Warm"].instances


# mute


def transitions(drive):
    return [(each.phase.value, each.reason.value, each.muted) for each in drive.engine.take_transitions()]


def send(drive, topic, payload, after=0.0):
    drive.now += after
    drive.engine.tick(drive.now)
    drive.engine.process([event(topic, payload, drive.now)], drive.now)
    return transitions(drive)


def test_a_mute_by_schedule_is_told_with_each_transition_and_where_it_changes():
    drive = night("- {alert: Warm, topic: 'f/{device}', when: t > 5, mute: daily 02:00-02:30}")
    assert send(drive, "f/1", {"t": 9}) == [("firing", "condition", False)]
    assert send(drive, "f/2", {"t": 9}, 3600) == [("firing", "mute began", True), ("firing", "condition", True)]
    assert send(drive, "f/2", {"t": 1}, 60) == [("resolved", "cleared", True)]
    drive.now += 1740
    drive.engine.tick(drive.now)
    assert transitions(drive) == [("firing", "mute ended", False)]


def test_a_mute_by_condition_holds_for_each_instance_at_its_events_and_for_its_timers():
    drive = Drive("- {alert: Warm, topic: 'f/{device}', when: t > 5, for: 1m, mute: service}")
    assert send(drive, "f/1", {"t": 9, "service": True}) == [("pending", "condition", True)]
    drive.now += 60
    drive.engine.tick(drive.now)
    assert transitions(drive) == [("firing", "held for its time", True)]
    assert send(drive, "f/1", {"t": 9, "service": False}) == [("firing", "mute ended", False)]
    assert send(drive, "f/1", {"t": 9}) == []
    assert len(drive.errors) == 1


def test_a_muted_event_rule_says_that_it_is():
    drive = Drive("- {event: Open, topic: 'd/{door}', mute: service}")
    assert send(drive, "d/1", {"service": True}) == [("event", "condition", True)]
    assert send(drive, "d/1", {"service": False}) == [("event", "condition", False)]


def test_a_mute_that_ended_while_the_hub_was_off_is_told_at_the_start():
    drive = night("- {alert: Warm, topic: 'f/{device}', when: t > 5, mute: daily 02:00-02:30}", NIGHT + 3600)
    assert send(drive, "f/1", {"t": 9}) == [("firing", "condition", True)]
    drive.now += 3600
    again(drive)
    drive.engine.tick(drive.now)
    assert transitions(drive) == [("firing", "mute ended", False)]


# timestamp


@pytest.mark.parametrize(
    "written", [NIGHT - 60, (NIGHT - 60) * 1000, "2026-03-01T00:59:00Z", "2026-03-01T01:59:00+01:00"]
)
def test_an_events_own_time_is_read_as_devices_write_it(written):
    drive = night("- {event: E, topic: t, timestamp: ts}")
    drive.engine.process([event("t", {"ts": written}, drive.now)], drive.now)
    (said,) = drive.engine.take_transitions()
    assert said.event.time == NIGHT - 60
    assert said.at == NIGHT


@pytest.mark.parametrize("written", ["soon", True, 0, "2026-03-01T00:59:00", None])
def test_a_time_that_is_none_is_counted_and_the_arrival_counts(written):
    drive = night("- {event: E, topic: t, timestamp: ts}")
    drive.engine.process([event("t", {"ts": written}, drive.now)], drive.now)
    (said,) = drive.engine.take_transitions()
    assert said.event.time == NIGHT
    assert len(drive.errors) == 1


def test_a_time_in_the_future_counts_as_the_arrival():
    drive = night("- {event: E, topic: t, timestamp: ts}")
    drive.engine.process([event("t", {"ts": NIGHT + 3600}, drive.now)], drive.now)
    assert drive.engine.take_transitions()[0].event.time == NIGHT


def test_for_counts_from_the_events_own_time():
    drive = night("- {alert: A, topic: 't/{x}', when: v > 1, for: 5m, timestamp: ts}")
    assert phases(drive.send("t/1", {"v": 2, "ts": NIGHT - 200})) == [("pending", "condition")]
    assert phases(drive.wait(100)) == [("firing", "held for its time")]
    assert drive.now == NIGHT + 100


# learned intervals

AUTO = "- {alert: Silent, topic: 'f/{device}', absent: auto}"


def every(drive, seconds, count, topic="f/1"):
    """Send at an interval; return how often it was called silent."""
    return sum(1 for _ in range(count) for each in drive.send(topic, after=seconds) if each[2] == "firing")


def test_absent_auto_learns_the_interval_of_each_device():
    drive = Drive(AUTO)
    assert every(drive, 60, 30) == 0
    assert every(drive, 600, 30, "f/2") <= 1  # f/1 is silent meanwhile
    start = drive.now
    assert [each[1:3] for each in drive.wait(3000)] == [("2", "firing")]
    assert drive.engine.states["Silent"].instances["2",].silent - start == pytest.approx(1800, rel=0.01)


@pytest.mark.parametrize("burst", [1, 20, 200])
def test_bursts_are_no_interval(burst):
    drive = Drive(AUTO)
    told = 0
    for _ in range(40):
        told += every(drive, 600, 1) + every(drive, 0.05, burst - 1)
    assert told == 0


def test_a_device_that_sends_less_often_from_now_on_is_called_silent_at_most_twice():
    drive = Drive(AUTO)
    assert every(drive, 60, 60) == 0
    assert 1 <= every(drive, 600, 60) <= 2


def test_what_was_learned_outlives_a_restart():
    drive = Drive(AUTO)
    every(drive, 60, 30)
    again(drive)
    assert drive.wait(179) == []
    assert phases(drive.wait(2)) == [("firing", "no message within its time")]


# values


def test_a_transition_says_what_the_parts_of_its_condition_came_to():
    drive = Drive("- {alert: A, topic: 't/{x}', when: 'v > 1 && avg(v, 1h) > 1.0', clear: w < 2}")
    drive.engine.process([event("t/1", {"v": 3}, drive.now)], drive.now)
    (said,) = drive.engine.take_transitions()
    assert said.values == [("v", 3), ("avg(v, 1h)", 3.0)]
    drive.engine.process([event("t/1", {"w": 1}, drive.now)], drive.now)
    (said,) = drive.engine.take_transitions()
    assert (said.phase, said.values) == (Phase.RESOLVED, [("w", 1)])
