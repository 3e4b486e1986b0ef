"""pause, mute, timestamp and `absent: auto`: what they do to an instance, and that no restart or reload changes it."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import EvaluationError
from hub.limits import VALUE_CHARS
from hub.model import Phase
from hub.rules.running.engine import Engine
from tests.rules.making import Drive, event, rules
from tests.rules.running.test_engine import Registry

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


def test_the_last_value_of_an_inactive_instance_is_evaluated_at_the_end_though_none_came_during_the_pause():
    drive = night(
        """
        - alert: Late
          topic: f/{device}
          when: t > -15 && now > timestamp("2026-03-01T02:15:00Z") && count(t, 1d) > 0
          pause: daily 02:00-02:30
        """
    )
    assert drive.send("f/7", HOT) == []
    assert phases(drive.wait(5400)) == [("firing", "condition")]
    assert drive.now == NIGHT + 5400


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


SERVICED = "- {alert: Warm, topic: 'f/{device}', when: t > 5, mute: service, pause: daily 02:00-02:30}"


@pytest.mark.parametrize(("value", "known"), [(1, []), (9, [("firing", "condition", False)])])
def test_the_end_of_a_pause_does_not_undo_what_the_newest_message_said_of_mute(value, known):
    drive = night(SERVICED)
    assert send(drive, "f/1", {"t": value, "service": False}) == known
    began = [("firing", "mute began", True)] if known else []
    assert send(drive, "f/1", {"service": True}, 60) == began
    drive.now += 7200
    drive.engine.tick(drive.now)
    assert transitions(drive) == []
    assert send(drive, "f/1", {"t": 9, "service": True}) == ([] if known else [("firing", "condition", True)])


def test_a_message_that_came_under_a_pause_decides_of_mute_when_it_ends():
    drive = night(SERVICED)
    assert send(drive, "f/1", {"t": 9, "service": True}) == [("firing", "condition", True)]
    assert send(drive, "f/1", {"t": 9, "service": False}, 3660) == []
    drive.now += 3600
    drive.engine.tick(drive.now)
    assert transitions(drive) == [("firing", "mute ended", False)]


def test_a_mute_that_ended_while_the_hub_was_off_is_told_at_the_start():
    drive = night("- {alert: Warm, topic: 'f/{device}', when: t > 5, mute: daily 02:00-02:30}", NIGHT + 3600)
    assert send(drive, "f/1", {"t": 9}) == [("firing", "condition", True)]
    drive.now += 3600
    again(drive)
    drive.engine.tick(drive.now)
    assert transitions(drive) == [("firing", "mute ended", False)]


# timestamp


@pytest.mark.parametrize(
    "written",
    [
        NIGHT - 60,
        int(NIGHT - 60),
        *(int(NIGHT - 60) * 10**digits for digits in (3, 6, 9)),
        *(str(int(NIGHT - 60) * 10**digits) for digits in (0, 3, 6, 9)),
        f" {NIGHT - 60} ",
        "2026-03-01T00:59:00.000000000Z",
        "2026-03-01T01:59:00+01:00",
        "2026-03-01 01:59:00+01:00",
        "2026-03-01 01:59:00 +0100",
        "2026-03-01T01:59+01",
        "2026-03-01 00:59:00,000 UTC",
        "2026-02-28T19:29:00-0530",
    ],
)
def test_an_events_own_time_is_read_as_devices_write_it(written):
    drive = night("- {event: E, topic: t, timestamp: ts}")
    drive.engine.process([event("t", {"ts": written}, drive.now)], drive.now)
    (said,) = drive.engine.take_transitions()
    assert said.event.time == NIGHT - 60
    assert said.at == NIGHT


@pytest.mark.parametrize(
    "written",
    [
        "soon",
        True,
        0,
        -1,
        1e17,
        1e20,
        "1" * 21,
        "2026-03-01",
        "2026-13-01T00:59:00",
        "2026-03-01T00:59:00+1",
        "",
        None,
        [1],
    ],
)
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


def test_a_time_of_a_week_ago_is_believed_and_an_older_one_is_not():
    drive = night("- {event: E, topic: t, timestamp: ts}")
    for age in (7 * 86400, 7 * 86400 + 1):
        drive.engine.process([event("t", {"ts": NIGHT - age}, drive.now)], drive.now)
    assert [each.event.time for each in drive.engine.take_transitions()] == [NIGHT - 7 * 86400, NIGHT]
    assert len(drive.errors) == 1


def test_a_cel_timestamp_is_a_time_and_other_rules_see_the_arrival():
    drive = night("- {event: E, topic: t, timestamp: timestamp(ts) - 5s}\n- {event: F, topic: t}")
    drive.engine.process([event("t", {"ts": "2026-03-01T00:59:00Z"}, drive.now)], drive.now)
    assert [each.event.time for each in drive.engine.take_transitions()] == [NIGHT - 65, NIGHT]


def test_samples_have_the_events_own_time():
    drive = night("- {alert: A, topic: t, when: 'delta(v, 10m) > 5', timestamp: ts}")
    assert drive.send("t", {"v": 1, "ts": NIGHT - 660}) == []
    assert drive.send("t", {"v": 3, "ts": NIGHT - 30}) == []
    assert phases(drive.send("t", {"v": 9, "ts": NIGHT})) == [("firing", "condition")]


def test_clear_for_counts_from_the_events_own_time_too():
    drive = night("- {alert: A, topic: t, when: v > 1, clear_for: 5m, timestamp: ts}")
    drive.send("t", {"v": 2, "ts": NIGHT})
    drive.send("t", {"v": 0, "ts": NIGHT + 100}, after=200)
    assert drive.wait(199) == []
    assert phases(drive.wait(1)) == [("resolved", "cleared")]


def test_for_counts_from_the_events_own_time():
    drive = night("- {alert: A, topic: 't/{x}', when: v > 1, for: 5m, timestamp: ts}")
    assert phases(drive.send("t/1", {"v": 2, "ts": NIGHT - 200})) == [("pending", "condition")]
    assert phases(drive.wait(100)) == [("firing", "held for its time")]
    assert drive.now == NIGHT + 100


def test_behind_a_pause_for_counts_from_its_end_whatever_time_the_event_has():
    text = "- {alert: A, topic: t, when: v > 1, for: 5m, timestamp: ts, pause: daily 02:00-02:30}"
    drive = night(text, NIGHT + 3600)
    drive.send("t", {"v": 2, "ts": NIGHT + 3600}, after=60)
    assert phases(drive.wait(1740)) == [("pending", "condition")]
    assert drive.wait(299) == []
    assert phases(drive.wait(1)) == [("firing", "held for its time")]


# an older message comes behind a newer one


def test_by_its_own_time_an_older_message_begins_and_ends_nothing_and_one_of_the_same_time_does():
    drive = night("- {alert: A, topic: 't/{x}', when: v > 1, timestamp: ts}")
    drive.send("t/1", {"v": 0, "ts": NIGHT - 10})
    assert drive.send("t/1", {"v": 2, "ts": NIGHT - 20}) == []
    assert phases(drive.send("t/2", {"v": 2, "ts": NIGHT - 20})) == [("firing", "condition")]
    assert phases(drive.send("t/1", {"v": 2, "ts": NIGHT - 10})) == [("firing", "condition")]
    assert drive.send("t/1", {"v": 0, "ts": NIGHT - 11}) == []
    assert phases(drive.send("t/1", {"v": 0, "ts": NIGHT - 9})) == [("resolved", "cleared")]


def test_an_older_message_takes_no_for_and_no_clear_for_back():
    drive = night("- {alert: A, topic: t, when: v > 1, for: 5m, clear_for: 5m, timestamp: ts}")
    drive.send("t", {"v": 2, "ts": NIGHT})
    assert drive.send("t", {"v": 0, "ts": NIGHT - 30}, after=60) == []
    assert phases(drive.wait(240)) == [("firing", "held for its time")]
    drive.send("t", {"v": 0, "ts": NIGHT + 300})
    assert drive.send("t", {"v": 2, "ts": NIGHT + 200}, after=60) == []
    assert phases(drive.wait(240)) == [("resolved", "cleared")]


@pytest.mark.parametrize("condition", ["v > 1", "avg(v, 10m) > 1"])
def test_after_our_clock_was_set_back_devices_whose_clocks_are_ahead_are_judged(condition):
    drive = night(f"- {{alert: A, topic: t, when: '{condition}', timestamp: ts}}")
    drive.send("t", {"v": 0, "ts": NIGHT})
    drive.engine.shift(-86400.0, drive.now - 86400.0)
    drive.now -= 86400.0
    assert phases(drive.send("t", {"v": 9, "ts": NIGHT + 5}, after=5)) == [("firing", "condition")]


def test_what_is_newest_is_known_after_a_restart():
    drive = night("- {alert: A, topic: t, when: v > 1, timestamp: ts}")
    drive.send("t", {"v": 0, "ts": NIGHT})
    again(drive)
    assert drive.send("t", {"v": 2, "ts": NIGHT - 1}) == []
    assert phases(drive.send("t", {"v": 2, "ts": NIGHT}, after=1)) == [("firing", "condition")]


def test_an_older_message_is_a_sample_at_its_place_and_no_latest_value():
    drive = night("- {alert: A, topic: t, when: 'count(v, 10m) > 2 && last(v) == 1', timestamp: ts}")
    drive.send("t", {"v": 1, "ts": NIGHT})
    drive.send("t", {"v": 7, "ts": NIGHT - 60})
    drive.send("t", {"v": 7, "ts": NIGHT - 601})  # from before the window: it takes nothing away
    assert phases(drive.send("t", {"v": 1, "ts": NIGHT}, after=1)) == [("firing", "condition")]


def test_an_older_message_is_a_sign_of_life_and_a_text_tells_of_the_newer():
    drive = night("- {alert: A, topic: t, when: v > 1, absent: 10m, timestamp: ts}")
    drive.send("t", {"v": 0, "ts": NIGHT})
    drive.send("t", {"v": 2, "ts": NIGHT - 5}, after=500)
    assert drive.wait(599) == []
    drive.engine.tick(drive.now + 1)
    (silent,) = drive.engine.take_transitions()
    assert silent.event.fields["v"] == 0


def test_under_a_pause_an_older_message_is_not_what_its_end_evaluates():
    drive = night("- {alert: A, topic: t, when: v > 1, timestamp: ts, pause: maintenance == true}")
    drive.send("t", {"v": 0, "ts": NIGHT})
    drive.send("t", {"v": 0, "maintenance": True, "ts": NIGHT + 1}, after=1)
    drive.send("t", {"v": 2, "maintenance": False, "ts": NIGHT - 5})
    assert drive.send("t", {"v": 2, "ts": NIGHT - 4, "maintenance": True}, after=9) == []
    assert phases(drive.send("t", {"v": 2, "maintenance": False, "ts": NIGHT + 11}, after=1)) == [
        ("firing", "condition")
    ]


def test_a_device_whose_clock_is_set_back_is_heard_again_after_a_minute_and_that_is_told():
    drive = night("- {alert: A, topic: t, when: 'avg(v, 10m) > 1 && last(v) > 1', timestamp: ts}")
    drive.send("t", {"v": 0, "ts": NIGHT})
    said = [drive.send("t", {"v": 9, "ts": NIGHT - 3600 + 20 * step}, after=20) for step in range(5)]
    assert said[:4] == [[]] * 4
    assert phases(said[4]) == [("firing", "condition")]
    assert phases(drive.send("t", {"v": 0, "ts": NIGHT - 3600 + 100}, after=20)) == [("resolved", "cleared")]
    ((_, _, message),) = drive.errors
    assert "its own time went back by 3520 s" in message


def test_several_devices_in_one_instance_are_compared_each_with_itself_only():
    drive = night("- {alert: A, topic: '{site}/{device}', by: [site], when: v > 1, timestamp: ts}")
    drive.send("s/ahead", {"v": 0, "ts": NIGHT})
    assert phases(drive.send("s/behind", {"v": 2, "ts": NIGHT - 300})) == [("firing", "condition")]
    assert drive.send("s/behind", {"v": 0, "ts": NIGHT - 301}) == []


def test_an_event_rule_tells_of_an_older_message_too_and_changed_looks_at_newer_ones_only():
    drive = night(
        "- {event: E, topic: t, when: v > 1, timestamp: ts}\n- {event: C, topic: t, when: changed(v), timestamp: ts}"
    )
    drive.send("t", {"v": 2, "ts": NIGHT})
    assert [each[0] for each in drive.send("t", {"v": 3, "ts": NIGHT - 9})] == ["E"]
    assert [each[0] for each in drive.send("t", {"v": 2, "ts": NIGHT}, after=1)] == ["E"]
    assert [each[0] for each in drive.send("t", {"v": 3, "ts": NIGHT + 2}, after=1)] == ["E", "C"]


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
    assert drive.engine.states["Silent"].instances["2",].absent_since - start == pytest.approx(1800, rel=0.01)


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


@settings(max_examples=60, deadline=None)
@given(
    period=st.floats(0.5, 2 * 86400),
    gaps=st.lists(st.floats(0.51, 1.49), min_size=30, max_size=80),
    burst=st.integers(1, 20),
)
def test_an_interval_that_varies_by_half_is_never_called_silent(period, gaps, burst):
    drive = Drive(AUTO)
    assert sum(every(drive, gap * period, 1) + every(drive, min(period / 5000, 5.0), burst - 1) for gap in gaps) == 0


@settings(max_examples=60, deadline=None)
@given(period=st.floats(10, 3600), longer=st.floats(1, 10), count=st.integers(20, 200))
def test_an_interval_that_becomes_up_to_ten_times_as_long_is_called_silent_at_most_twice(period, longer, count):
    drive = Drive(AUTO)
    assert every(drive, period, count) == 0
    assert every(drive, period * longer, 60) <= 2


@pytest.mark.parametrize("away", [3600.0, 86_400.0])
def test_the_time_in_which_the_hub_was_away_is_no_interval(away):
    drive = Drive(AUTO)
    for count in (2, 40):  # before it knows the interval, and when it does
        every(drive, 60, count)
        drive.now += away
        again(drive)
        drive.engine.process([event("f/1", {}, drive.now)], drive.now)  # the broker's queue, before any timer
        drive.engine.excuse(away, drive.now)
        drive.engine.tick(drive.now)
        assert drive.said() == []
    every(drive, 60, 20)
    assert drive.wait(179) == []
    assert len(drive.wait(2)) == 1


def test_a_pause_is_no_interval():
    drive = night("- {alert: A, topic: t, absent: auto, pause: daily 02:00-06:00}", NIGHT - 3600)
    assert every(drive, 60, 119, "t") == 0
    assert drive.wait(3600 * 4) == []
    assert every(drive, 60, 5, "t") == 0
    assert drive.wait(179) == []
    assert len(drive.wait(2)) == 1


def test_a_long_silence_that_was_told_makes_the_interval_three_times_as_long_at_most():
    drive = Drive(AUTO)
    every(drive, 60, 30)
    assert every(drive, 86_400, 1) == 1
    assert drive.wait(539) == []
    assert len(drive.wait(2)) == 1


def test_before_five_messages_and_for_devices_never_heard_a_week_is_waited():
    drive = Drive(AUTO, Registry(f_9={}))
    every(drive, 600, 3)
    seen = drive.now
    assert [each[1] for each in drive.wait(7 * 86_400)] == ["9", "1"]
    assert drive.engine.states["Silent"].instances["1",].absent_since == seen + 7 * 86_400


def test_an_interval_of_seconds_is_never_called_silent_within_half_a_minute():
    drive = Drive(AUTO)
    every(drive, 1, 700)
    assert drive.wait(29) == []
    assert len(drive.wait(1)) == 1


# values


def test_a_transition_says_what_the_parts_of_its_condition_came_to():
    drive = Drive("- {alert: A, topic: 't/{x}', when: 'v > 1 && avg(v, 1h) > 1.0', clear: w < 2}")
    drive.engine.process([event("t/1", {"v": 3}, drive.now)], drive.now)
    (said,) = drive.engine.take_transitions()
    assert said.values == [("v", 3), ("avg(v, 1h)", 3.0)]
    drive.engine.process([event("t/1", {"w": 1}, drive.now)], drive.now)
    (said,) = drive.engine.take_transitions()
    assert (said.phase, said.values) == (Phase.RESOLVED, [("w", 1)])


def test_values_that_are_long_are_cut_and_what_has_none_is_an_error():
    drive = Drive("- {alert: A, topic: t, when: 'name.size() > 3 && (list.size() > 1 || missing > 1)'}")
    drive.engine.process([event("t", {"name": "x" * 500, "list": ["y" * 90] * 2}, drive.now)], drive.now)
    (said,) = drive.engine.take_transitions()
    values = dict(said.values)
    assert values["name.size()"] == 500
    assert isinstance(values["missing"], EvaluationError)
    drive = Drive("- {alert: A, topic: t, when: name != list}")
    drive.engine.process([event("t", {"name": "x" * 500, "list": [1, {"a": None}]}, drive.now)], drive.now)
    (said,) = drive.engine.take_transitions()
    assert said.values == [("name", "x" * (VALUE_CHARS - 1) + "…"), ("list", '[1,{"a":null}]')]


def test_a_timer_shows_the_values_of_the_last_event_and_a_silence_none():
    drive = Drive("- {alert: A, topic: t, when: v > 1 && now > timestamp(0), for: 5m, absent: 10m}")
    drive.engine.process([event("t", {"v": 3}, drive.now)], drive.now)
    drive.engine.tick(drive.now + 600)
    pending, firing, silent = drive.engine.take_transitions()
    assert [name for name, _ in pending.values] == ["v", "now"]
    assert firing.values[0] == ("v", 3)
    assert silent.values == ()


def test_a_pause_or_mute_shows_the_values_of_its_own_condition():
    drive = Drive("- {alert: A, topic: t, when: v > 1, for: 5m, pause: mode == 'defrost', mute: level < 2}")
    for payload in ({"v": 3, "mode": "on", "level": 5}, {"v": 3, "mode": "defrost"}):
        drive.engine.process([event("t", payload, drive.now)], drive.now)
    assert [each.values for each in drive.engine.take_transitions()] == [[("v", 3)], [("mode", "defrost")]]


# gates and what else a rule has


def test_a_pause_by_history_ends_and_what_the_rule_looks_at_has_no_samples_of_it():
    text = "- {alert: A, topic: t, when: 'max(v, 1h) > 5', pause: 'avg(power, 1m) > 100.0'}"
    drive = Drive(text)
    drive.send("t", {"v": 1, "power": 500})
    assert drive.send("t", {"v": 9, "power": 500}, after=30) == []
    assert drive.send("t", {"v": 2, "power": 0}, after=120) == []  # 9 came under the pause
    assert phases(drive.send("t", {"v": 6, "power": 0}, after=1)) == [("firing", "condition")]


def test_a_mute_by_history_sees_the_sample_at_hand():
    drive = Drive("- {alert: A, topic: t, when: v > 5, mute: 'previous(v) > 5'}")
    assert send(drive, "t", {"v": 6}) == [("firing", "condition", False)]
    assert send(drive, "t", {"v": 7}) == [("firing", "mute began", True)]


def test_a_mute_without_a_value_is_as_it_was_also_for_what_was_inactive():
    drive = Drive("- {alert: A, topic: ['t/{x}/value', 't/{x}/service'], when: v > 5, mute: service}")
    assert send(drive, "t/1/service", {"service": True}) == []
    assert send(drive, "t/1/value", {"v": 9}) == [("firing", "condition", True)]
    assert send(drive, "t/1/value", {"v": 0}) == [("resolved", "cleared", True)]
    assert send(drive, "t/1/service", {"service": False}) == []
    assert drive.engine.states["A"].instances == {}


@pytest.mark.parametrize("retain", [False, True])
def test_an_event_rule_is_paused_or_muted_by_what_another_message_said(retain):
    text = "- {event: Open, topic: ['d/{x}', 'd/{x}/service'], when: open, KEY: service}"
    for key, expected in (("pause", []), ("mute", [("event", "condition", True)])):
        drive = Drive(text.replace("KEY", key))
        drive.engine.process([event("d/1/service", {"service": True}, drive.now, retain=retain)], drive.now)
        again(drive)
        assert send(drive, "d/1", {"open": True}) == expected
        assert send(drive, "d/2", {"open": True}) == [("event", "condition", False)]
        send(drive, "d/1/service", {"service": False})
        assert send(drive, "d/1", {"open": True}) == [("event", "condition", False)]
        assert drive.engine.states["Open"].instances == {}


def test_a_mute_that_ends_with_the_alert_is_not_told():
    drive = Drive("- {alert: A, topic: t, when: v > 5, mute: service}")
    send(drive, "t", {"v": 9, "service": True})
    assert send(drive, "t", {"v": 0, "service": False}) == [("resolved", "cleared", False)]


def test_a_silence_is_muted_like_the_alert_beside_it():
    drive = Drive("- {alert: A, topic: 't/{x}', when: v > 5, absent: 1m, mute: service}")
    send(drive, "t/1", {"v": 9, "service": True})
    drive.now += 60
    drive.engine.tick(drive.now)
    assert transitions(drive) == [("firing", "no message within its time", True)]
    drive.engine.process([event("t/1", {"v": 9, "service": False}, drive.now, retain=True)], drive.now)
    found = drive.engine.take_transitions()
    assert [(dict(each.instance).get("reason"), each.reason.value) for each in found] == [
        (None, "mute ended"),
        ("absent", "mute ended"),
    ]


@pytest.mark.parametrize("reload", [True, False])
def test_a_mute_that_is_taken_out_of_the_rule_is_over_at_once(reload):
    text = "- {alert: A, topic: t, when: v > 5, mute: service}"
    drive = Drive(text)
    send(drive, "t", {"v": 9, "service": True})
    again(drive, text.replace(", mute: service", ""), reload=reload)
    assert transitions(drive) == [("firing", "mute ended", False)]
    assert send(drive, "t", {"v": 0}) == [("resolved", "cleared", False)]


def test_a_condition_in_place_of_a_schedule_leaves_a_pause_to_the_next_message():
    drive = night(WARM, NIGHT + 3660)
    drive.send("f/7", HOT)
    again(drive, WARM.replace("daily 02:00-02:30", "mode == 'off'"), reload=True)
    assert drive.wait(3600) == []
    assert phases(drive.send("f/7", HOT | {"mode": "on"})) == [("pending", "condition")]


def test_rows_of_before_there_were_gates_are_read():
    drive = night()
    drive.send("f/7", HOT)
    rows = [(rule, key, state) for rule, key, state in drive.engine.take_changes()]
    old = [(rule, key, orjson.dumps(orjson.loads(state)[:8]).decode()) for rule, key, state in rows]
    drive.engine = Engine(drive.rules)
    drive.engine.restore(old, dict(drive.engine.signatures()), drive.now)
    assert phases(drive.wait(300)) == [("firing", "held for its time")]


def test_a_message_that_says_what_the_rule_does_not_ask_for_is_the_last_one_of_a_pause_all_the_same():
    text = "- {alert: A, topic: 'd/{x}', when: kind == 'temperature' && v > 5, pause: daily 02:00-02:30}"
    drive = night(text, NIGHT + 3660)
    drive.send("d/1", {"kind": "temperature", "v": 9})
    drive.send("d/1", {"kind": "humidity", "v": 9}, after=1)
    drive.send("d/2", {"kind": "temperature", "v": 9})
    assert [each[1] for each in drive.wait(3600)] == ["2"]


@pytest.mark.parametrize("key", ["pause", "mute"])
def test_a_message_that_the_rule_does_not_ask_for_decides_of_its_gates(key):
    text = f"- {{event: E, topic: 'd/+', by: [], when: kind == 'a', {key}: kind == 'stop' || (kind == 'a' && stay)}}"
    drive = Drive(text)
    drive.send("d/1", {"kind": "stop"})
    said = send(drive, "d/1", {"kind": "a"})  # no `stay`: as it was
    assert said == ([] if key == "pause" else [("event", "condition", True)])


def test_many_rules_with_a_pause_that_each_ask_for_one_device_are_still_found_by_it():
    drive = night(
        "".join(WARM.replace("Warm", f"W{n}").replace("t > -15", f"device == '{n}' && t > -15") for n in range(9))
    )
    plan = drive.engine.plan("f/7")
    assert [bound.runner.rule.name for bound in plan.always] == ["W7"]


def test_a_schedule_that_never_changes_again_wants_no_clock():
    drive = night("- {alert: A, topic: t, when: v > 1, mute: daily 00:00-24:00}")
    drive.engine.tick(drive.now)
    drive.send("t", {"v": 0})
    assert drive.engine.next_due() is None
    assert send(drive, "t", {"v": 2}) == [("firing", "condition", True)]


def test_the_next_change_of_a_schedule_is_a_deadline():
    drive = night(WARM)
    drive.engine.tick(drive.now)
    assert drive.engine.next_due() == NIGHT + 3600
    drive.engine.tick(NIGHT + 3600)
    assert drive.engine.next_due() == NIGHT + 5400


def test_a_clock_that_is_set_back_is_followed():
    drive = night(WARM, NIGHT + 3660)
    drive.send("f/7", HOT)
    drive.now = NIGHT
    assert phases(drive.send("f/7", HOT)) == [("pending", "condition")]


def test_a_pause_that_was_over_for_good_begins_again_where_the_clock_is_set_back():
    once = WARM.replace("daily 02:00-02:30", "from 2026-03-01T02:00 to 2026-03-01T02:30")
    drive = night(once, NIGHT + 7200)
    drive.wait(0)
    drive.now = NIGHT
    drive.engine.shift(-7200.0, drive.now)
    assert phases(drive.send("f/7", HOT, after=3480)) == [("pending", "condition")]
    assert phases(drive.wait(180)) == [("inactive", "paused")]


def test_what_is_due_when_a_pause_begins_does_not_fire():
    drive = night(WARM)
    drive.send("f/7", HOT, after=3300)
    assert phases(drive.wait(300)) == [("inactive", "paused")]
