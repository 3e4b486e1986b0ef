"""Conditions that name schedules: true while these hold, and judged again when they change, without a message."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.documents.document import Problems
from hub.limits import HISTORY_IDLE_SECONDS
from hub.notify.receiver_settings import read_receivers
from hub.rules.instances import heard_order
from hub.rules.reading.loader import load_rules
from hub.trial.world import World
from tests.rules.making import Drive, event, rules
from tests.rules.running.test_engine import Disk, Registry

EVENING = datetime(2026, 3, 1, 21, 0, tzinfo=UTC).timestamp()
"""An hour before the night below begins."""
NAMED = "night: {daily: 22:00-07:00}\noffice: {weekly: mon-fri 08:00-18:00}\n"
HOUR = 3600.0
HOT, WARM, COLD = {"t": 60}, {"t": 40}, {"t": 1}
MUTED = '- {alert: A, topic: "a/{x}", when: t > 30, mute: "night && t < 50"}'
PAUSED = '- {alert: A, topic: "a/{x}", when: t > 30, pause: "night && t < 50"}'
OPEN = '- {alert: Open, topic: "w/{x}", when: open && night}'


def evening(text, registry=None):
    return Drive(text, registry, start=EVENING, named=NAMED)


def what(said):
    return [each[2:] for each in said]


def told(drive):
    return [(each.phase.value, each.reason.value, each.muted) for each in drive.engine.take_transitions()]


def tick(drive, seconds):
    """Let time pass, and say what came of it, with whether it was muted."""
    until, said = drive.now + seconds, []
    while (due := drive.engine.next_due()) is not None and due <= until:
        drive.now = max(drive.now, due)
        drive.engine.tick(drive.now)
        said += [(drive.now - EVENING, *each) for each in told(drive)]
    drive.now = until
    return said


def hear(drive, topic, payload):
    drive.engine.process([event(topic, payload, drive.now)], drive.now)
    return told(drive)


# mute


def test_a_mute_that_names_a_schedule_holds_while_both_do():
    drive = evening(MUTED)
    assert hear(drive, "a/1", WARM) == [("firing", "condition", False)]
    assert hear(drive, "a/2", HOT) == [("firing", "condition", False)]
    assert tick(drive, HOUR) == [(HOUR, "firing", "mute began", True)]
    assert hear(drive, "a/3", WARM) == [("firing", "condition", True)]
    assert hear(drive, "a/4", HOT) == [("firing", "condition", False)]
    assert hear(drive, "a/3", HOT) == [("firing", "mute ended", False)]


def test_what_still_fires_is_told_when_the_schedule_ends_without_a_message():
    drive = evening(MUTED)
    drive.now += 2 * HOUR
    drive.engine.tick(drive.now)
    assert hear(drive, "a/1", WARM) == [("firing", "condition", True)]
    assert tick(drive, 8 * HOUR) == [(10 * HOUR, "firing", "mute ended", False)]


@pytest.mark.parametrize("reload", [False, True])
def test_a_mute_that_names_a_schedule_goes_on_over_a_restart_and_ends_in_time(reload):
    drive, disk = evening(MUTED), Disk()
    drive.now += 2 * HOUR
    hear(drive, "a/1", WARM)
    hear(drive, "a/2", COLD)
    if reload:
        drive.engine.reload(rules(MUTED, named=NAMED), None, drive.now)
    else:
        disk.commit(drive.engine)
        assert disk.restart(drive) == {}
    assert tick(drive, 8 * HOUR) == [(10 * HOUR, "firing", "mute ended", False)]
    assert list(drive.engine.states["A"].instances) == [("1",)]


def test_a_mute_that_ended_while_the_hub_was_off_is_told_at_the_start():
    drive, disk = evening(MUTED), Disk()
    drive.now += 2 * HOUR
    hear(drive, "a/1", WARM)
    disk.commit(drive.engine)
    drive.now += 10 * HOUR
    disk.restart(drive)
    assert tick(drive, 0) == [(12 * HOUR, "firing", "mute ended", False)]


def test_an_absence_under_a_mute_that_names_a_schedule_is_told_at_its_end_also_of_who_never_spoke():
    registry = Registry(a_1={"calm": True}, a_2={"calm": False})
    drive = evening('- {alert: A, topic: "a/{x}", absent: 2h, mute: night && device.calm}', registry)
    assert sorted(tick(drive, 2 * HOUR)) == [
        (2 * HOUR, "firing", "no message within its time", False),
        (2 * HOUR, "firing", "no message within its time", True),
    ]
    assert tick(drive, 8 * HOUR) == [(10 * HOUR, "firing", "mute ended", False)]


def test_an_event_under_a_mute_that_names_a_schedule_is_muted_and_nothing_is_kept_of_it_afterwards():
    drive = evening('- {event: E, topic: "e/{x}", mute: night && calm}')
    assert hear(drive, "e/1", {"calm": True}) == [("event", "condition", False)]
    tick(drive, HOUR)
    assert hear(drive, "e/1", {"calm": True}) == [("event", "condition", True)]
    assert hear(drive, "e/2", {"calm": False}) == [("event", "condition", False)]
    assert tick(drive, 9 * HOUR) == []
    assert not drive.engine.states["E"].instances


# pause


def test_a_pause_that_names_a_schedule_begins_and_ends_by_the_clock():
    drive = evening(PAUSED.replace("when: t > 30", "when: t > 30, for: 90m"))
    assert hear(drive, "a/1", WARM) == [("pending", "condition", False)]
    assert hear(drive, "a/2", HOT) == [("pending", "condition", False)]
    assert tick(drive, 2 * HOUR) == [
        (HOUR, "inactive", "paused", False),
        (1.5 * HOUR, "firing", "held for its time", False),
    ]
    assert tick(drive, 10 * HOUR) == [
        (10 * HOUR, "pending", "condition", False),
        (11.5 * HOUR, "firing", "held for its time", False),
    ]


def test_the_last_message_is_evaluated_at_the_end_of_a_pause_that_the_clock_ends():
    drive = evening(PAUSED)
    tick(drive, 2 * HOUR)
    assert hear(drive, "a/1", WARM) == []
    assert tick(drive, 8 * HOUR) == [(10 * HOUR, "firing", "condition", False)]


def test_a_message_before_the_clock_was_looked_at_finds_what_the_pause_kept_back():
    drive = evening(PAUSED)
    tick(drive, 2 * HOUR)
    hear(drive, "a/1", WARM)
    drive.now += 9 * HOUR
    assert hear(drive, "a/1", COLD) == [("firing", "condition", False), ("resolved", "cleared", False)]


def test_a_message_that_ends_a_pause_while_the_schedule_holds_counts_alone():
    drive = evening(PAUSED.replace("t > 30", "t < 45"))
    tick(drive, 2 * HOUR)
    assert hear(drive, "a/1", WARM) == []
    assert hear(drive, "a/1", HOT) == []
    assert tick(drive, 12 * HOUR) == []


def test_a_paused_event_rule_says_nothing_at_the_end_of_a_schedule_that_its_pause_names():
    drive = evening('- {event: E, topic: "e/{x}", pause: night && calm}')
    tick(drive, 2 * HOUR)
    assert hear(drive, "e/1", {"calm": True}) == []
    assert tick(drive, 8 * HOUR) == []
    assert hear(drive, "e/1", {"calm": True}) == [("event", "condition", False)]


# when and clear


def test_a_condition_that_names_a_schedule_fires_at_its_begin_and_ends_with_it():
    drive = evening(OPEN)
    assert hear(drive, "w/1", {"open": True}) == []
    assert hear(drive, "w/2", {"open": True}) == []
    assert hear(drive, "w/2", {"open": False}) == []
    assert tick(drive, 11 * HOUR) == [(HOUR, "firing", "condition", False), (10 * HOUR, "resolved", "cleared", False)]


@pytest.mark.parametrize("away", [0.0, 2 * HOUR])
def test_what_waits_for_a_schedule_waits_over_a_restart(away):
    drive, disk = evening(OPEN), Disk()
    hear(drive, "w/1", {"open": True})
    disk.commit(drive.engine)
    drive.now += away
    assert disk.restart(drive) == {}
    assert tick(drive, 3 * HOUR) == [(max(HOUR, away), "firing", "condition", False)]
    disk.commit(drive.engine)
    assert disk.restart(drive) == {}
    assert tick(drive, HOUR) == []


def test_a_message_that_another_value_demands_is_heard_where_the_clock_may_fire():
    drive = evening('- {alert: Open, topic: "w/{x}", when: state == "open" && night}')
    hear(drive, "w/1", {"state": "open"})
    hear(drive, "w/1", {"state": "closed"})
    assert tick(drive, 3 * HOUR) == []


def test_for_counts_from_the_begin_of_the_schedule_and_a_clear_that_names_one_ends_by_it():
    drive = evening('- {alert: A, topic: "a/{x}", when: t > 30 && night, for: 1h, clear: t < 20 || !night}')
    hear(drive, "a/1", WARM)
    assert tick(drive, 12 * HOUR) == [
        (HOUR, "pending", "condition", False),
        (2 * HOUR, "firing", "held for its time", False),
        (10 * HOUR, "resolved", "cleared", False),
    ]


def test_a_condition_that_has_no_value_for_the_last_message_stays_as_it_was_and_is_not_counted_again():
    drive = evening('- {alert: A, topic: "a/{x}", when: t > 30, clear: "night && low"}')
    hear(drive, "a/1", WARM)
    assert tick(drive, 12 * HOUR) == []
    assert drive.errors == []
    assert drive.engine.states["A"].instances[("1",)].phase.value == "firing"


def test_under_a_pause_the_condition_waits_for_its_end():
    drive = evening('- {alert: A, topic: "a/{x}", when: open && night, pause: cleaning}')
    hear(drive, "a/1", {"open": True, "cleaning": True})
    assert tick(drive, 2 * HOUR) == []
    assert hear(drive, "a/1", {"open": True, "cleaning": False}) == [("firing", "condition", False)]


def test_what_fires_by_the_clock_is_muted_where_the_mute_holds():
    drive = evening(OPEN.replace("}'", "}").replace("night}", "night, mute: daily 21:30-23:00}"))
    hear(drive, "w/1", {"open": True})
    assert tick(drive, 3 * HOUR) == [(HOUR, "firing", "condition", True), (2 * HOUR, "firing", "mute ended", False)]


def test_what_the_clock_evaluates_again_is_no_match_and_no_sample():
    drive = evening('- {alert: A, topic: "a/{x}", when: "count(t > 30, 1d) > 1 && night || t > 50"}')
    hear(drive, "a/1", HOT)
    hear(drive, "a/1", HOT)
    state = drive.engine.states["A"]
    assert (state.matches, state.heard) == (2, 2)
    assert tick(drive, 12 * HOUR) == []
    assert state.matches == 2


@pytest.mark.parametrize(
    ("keys", "change"),
    [
        ("when: 'avg(t, 1d) > 30 && night'", "condition"),
        ("when: t < 50, mute: 'avg(t, 1d) > 30 && night'", "mute began"),
    ],
)
def test_the_clock_asks_each_instance_for_its_own_samples(keys, change):
    drive = evening(f'- {{alert: A, topic: "a/{{x}}", {keys}}}')
    hear(drive, "a/1", WARM)
    hear(drive, "a/2", COLD)
    assert [each[2] for each in tick(drive, HOUR)] == [change]


def test_what_is_inactive_and_silent_for_a_week_waits_no_longer():
    drive = evening(OPEN)
    hear(drive, "w/1", {"open": False})
    tick(drive, HISTORY_IDLE_SECONDS - 1)
    assert drive.engine.states["Open"].instances
    tick(drive, 1)
    assert not drive.engine.states["Open"].instances


def test_who_must_speak_is_missed_also_where_it_waited_for_a_schedule_longer_than_a_week():
    drive = evening('- {alert: Open, topic: "w/{x}", when: open && night, absent: 30d}')
    hear(drive, "w/1", {"open": False})
    assert tick(drive, 30 * 24 * HOUR) == [(30 * 24 * HOUR, "firing", "no message within its time", False)]


def test_who_was_silent_longest_makes_room_for_who_waits(monkeypatch):
    monkeypatch.setattr(heard_order, "HISTORY_INSTANCES", 10)
    monkeypatch.setattr(heard_order, "HISTORY_FORGOTTEN", 1)
    drive = evening(OPEN)
    for number in range(11):
        drive.now += 1
        hear(drive, f"w/{number}", {"open": True})
    assert [key[0] for key in drive.engine.states["Open"].instances] == [str(number) for number in range(1, 11)]


def test_an_event_rule_is_judged_at_its_messages_only():
    drive = evening('- {event: E, topic: "e/{x}", when: night && open}')
    assert hear(drive, "e/1", {"open": True}) == []
    assert tick(drive, 2 * HOUR) == []
    assert hear(drive, "e/1", {"open": True}) == [("event", "condition", False)]
    assert not drive.engine.states["E"].instances


# names


@pytest.mark.parametrize(
    ("rule", "fires"),
    [
        ("when: payload.night", True),
        ("when: night", False),
        ("when: '!night'", True),
        ("when: night || office", False),
        ("when: 'has(payload.night) && !(night || office)'", True),
    ],
)
def test_a_schedule_stands_before_the_field_of_its_name(rule, fires):
    drive = evening(f'- {{alert: A, topic: "a/{{x}}", {rule}}}')
    assert (hear(drive, "a/1", {"night": True}) != []) is fires


def test_a_capture_stands_before_a_schedule_of_its_name():
    drive = evening('- {alert: A, topic: "a/{night}", when: night == "1"}')
    assert hear(drive, "a/1", {}) == [("firing", "condition", False)]


def test_in_pause_and_mute_the_severity_and_the_name_of_the_rule_can_be_asked():
    text = '- {{alert: A, topic: "a/{{x}}", when: t > 30, mute: \'night && severity != "critical"\', severity: {0}}}'
    for severity, muted in (("critical", False), ("warning", True)):
        drive = evening(text.format(severity))
        tick(drive, 2 * HOUR)
        assert hear(drive, "a/1", WARM | {"severity": "info"}) == [("firing", "condition", muted)]
    drive = evening('- {alert: A, topic: "a/{x}", when: severity == "info", mute: alertname == "A" && payload.quiet}')
    assert hear(drive, "a/1", {"severity": "info", "quiet": True}) == [("firing", "condition", True)]


def test_samples_labels_and_times_may_be_taken_by_a_schedule():
    text = '- {alert: A, topic: "a/{x}", when: "count(night && t > 30, 1d) > 1", timestamp: "night ? payload.at : now"}'
    drive = evening(text)
    hear(drive, "a/1", HOT | {"at": EVENING})
    assert hear(drive, "a/1", HOT | {"at": EVENING}) == []
    tick(drive, HOUR)
    assert hear(drive, "a/1", HOT | {"at": EVENING + HOUR}) == []
    assert hear(drive, "a/1", HOT | {"at": EVENING + HOUR}) == [("firing", "condition", False)]
    assert drive.errors == []


def test_a_rule_whose_conditions_name_no_schedule_is_a_plain_one():
    plain, told_by = rules("- {alert: A, topic: a, when: t > 30}\n- {event: B, topic: a, when: night}", named=NAMED)
    assert plain.schedules == ()
    assert [name for name, _ in told_by.schedules] == ["night"]
    drive = evening("- {alert: A, topic: a, when: t > 30}\n- {event: B, topic: a, when: night}")
    assert [state.parts for state in drive.engine.states.values()] == [(), ()]
    assert evening(OPEN).engine.states["Open"].parts


def test_what_the_parts_of_a_condition_came_to_is_told_with_the_change():
    drive = evening(MUTED)
    hear(drive, "a/1", WARM)
    drive.now += HOUR
    drive.engine.tick(drive.now)
    (change,) = drive.engine.take_transitions()
    assert change.values == [("night", True), ("t", 40)]


# against the schedule alone


def world(gate, line, keys, folder):
    """Return a world with one rule behind this gate, where S stands for the schedule."""
    text = (
        f"receivers: {{chat: json://localhost:8090/chat}}\nschedules: {{S: {line}}}\nrules:\n"
        f'  - {{alert: A, topic: "d/{{x}}", when: v > 5, notify: [chat], repeat: 2h, {keys}{gate}}}\n'
        f'  - {{event: E, topic: "d/{{x}}", when: v > 5, notify: [chat], {gate}}}\n'
    )
    path = Path(folder) / "rules.yaml"
    path.write_text(text, "utf-8")
    problems = Problems()
    found = load_rules([path], problems, read_receivers, "hub")
    assert not problems, [str(each) for each in problems]
    return World(found, Registry(d_1={}, d_2={}), EVENING, UTC)


def seen(played):
    """Return all that was told and all that happened, with its time, in any order for one time."""
    notified = [(each.receiver, each.id, each.body["state"], each.body["reason"]) for each in played.told]
    changes = [(row[0], row[1], row[2], row[4]) for row in played.trace]
    return sorted(map(repr, notified)), sorted(map(repr, changes))


def clock(minutes):
    return f"{minutes // 60:02}:{minutes % 60:02}"


RANGES = st.tuples(st.integers(0, 1439), st.integers(1, 1439)).map(
    lambda each: f'{{daily: "{clock(each[0])}-{clock((each[0] + each[1]) % 1440)}"}}'
)
LINES = RANGES | st.sampled_from(
    ['{cron: "*/20 * * * *", for: 5m}', "{weekly: mon 00:00-12:00}", "{from: 2026-03-01T22:10, to: 2026-03-02T03:00}"]
)
KEYS = st.sampled_from(
    ["", "for: 30m, ", "clear: v < 3, ", "clear_for: 45m, ", "absent: 90m, ", "for: 10m, absent: 3h, "]
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 7, 20, 60, 400]), st.sampled_from([0, 4, 6, 99, "restart", "reload"]), st.integers(1, 3)
    ),
    min_size=3,
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(key=st.sampled_from(["mute", "pause"]), line=LINES, keys=KEYS, steps=STEPS, inverse=st.booleans())
def test_a_schedule_in_a_condition_does_what_it_does_alone(key, line, keys, steps, inverse):
    alone, inside = ("not S", "!S && true") if inverse else ("S", "S && true")
    with TemporaryDirectory() as folder:
        both = [world(f'{key}: "{gate}"', line, keys, folder) for gate in (alone, inside)]
    for minutes, what_comes, device in steps:
        for each in both:
            each.pass_time(each.now + 60.0 * minutes + 1.0)  # no message comes at the very second of a change
            if what_comes == "restart":
                each.restart()
            elif what_comes == "reload":
                each.reload()
            else:
                each.send([event(f"d/{device}", {"v": what_comes}, each.now)])
        assert seen(both[0]) == seen(both[1])
    for each in both:
        each.pass_time(each.now + 2 * 86_400.0)
    assert seen(both[0]) == seen(both[1])
