"""Windows that move by the clock: what a condition over samples says when they leave, though no message comes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.alerts.telling.texts import render
from tests.rules.making import Drive, event
from tests.rules.samples.test_history import Restarted


def drive(*lines, kind="alert", start=1000.0):
    return Restarted("\n  ".join([f"- {kind}: A", 'topic: "d/{x}"', *lines]), start=start)


def after(hub, seconds):
    """Let time pass; return what happened, each with the time since the start."""
    begun, said = hub.now, []
    while hub.now < begun + seconds:
        due = min(hub.engine.next_due() or begun + seconds, begun + seconds)
        said += [(hub.now - begun, phase) for _, _, phase, _ in hub.wait(max(0.0, due - hub.now))]
    return said


def thrice(hub, payload=None, gap=60.0):
    """Send three messages, the first now; return what the last one did."""
    hub.send("d/1", payload or {"v": 1})
    hub.send("d/1", payload or {"v": 1}, after=gap)
    return [phase for _, _, phase, _ in hub.send("d/1", payload or {"v": 1}, after=gap)]


# what moves


def test_a_count_is_over_when_the_third_last_message_has_left_the_window_and_nothing_more_comes():
    hub = drive("when: count(v, 10m) >= 3")
    assert thrice(hub) == ["firing"]
    assert after(hub, 3600) == [(480.0, "resolved")]


def test_too_few_messages_come_true_by_themselves():
    hub = drive("when: count(v, 20m) < 2", "for: 1m")
    hub.send("d/1", {"v": 1})
    hub.send("d/1", {"v": 1}, after=30)
    assert after(hub, 3600) == [(1170.0, "pending"), (1230.0, "firing")]


def test_a_mean_moves_as_its_samples_leave_and_without_any_keeps_the_state():
    hub = drive("when: avg(v, 10m) > 5.0")
    hub.send("d/1", {"v": 8})
    hub.send("d/1", {"v": 1}, after=300)
    hub.send("d/1", {"v": 9}, after=100)
    assert after(hub, 3600) == [(200.0, "resolved"), (500.0, "firing")]


def test_the_other_part_of_the_condition_is_that_of_the_last_message():
    hub = drive("when: count(v, 10m) < 2 && battery < 10")
    hub.send("d/1", {"v": 1, "battery": 5})
    hub.send("d/1", {"v": 1, "battery": 50}, after=5)
    assert after(hub, 3600) == []
    hub.send("d/1", {"v": 1, "battery": 5})
    hub.send("d/1", {"v": 1, "battery": 5}, after=60)
    assert after(hub, 3600) == [(540.0, "firing")]


@pytest.mark.parametrize("gap", [1, 5, 50])
def test_messages_without_a_value_however_many_do_not_keep_an_alert_that_the_clock_ends(gap):
    hub = drive("when: count(v > 5, 10m) >= 3 && battery < 10")
    assert thrice(hub, {"v": 9, "battery": 5}) == ["firing"]
    begun, said = hub.now, []
    while hub.now < begun + 600:
        said += [(hub.now - begun, phase) for _, _, phase, _ in hub.send("d/1", {"other": 1}, after=gap)]
    ((at, phase),) = said
    assert phase == "resolved"
    assert 480 <= at <= 500


def test_clear_ends_by_the_clock_and_clear_for_counts_from_there():
    hub = drive("when: count(v > 5, 10m) >= 2", "clear: count(v > 5, 10m) == 0", "clear_for: 1m")
    hub.send("d/1", {"v": 9})
    hub.send("d/1", {"v": 9}, after=60)
    assert after(hub, 3600) == [(660.0, "resolved")]


def test_what_a_window_takes_away_at_the_end_of_for_has_not_held_long_enough():
    hub = drive("when: count(v, 1m) >= 2", "for: 50s")
    hub.send("d/1", {"v": 1})
    hub.send("d/1", {"v": 1}, after=10)
    assert after(hub, 3600) == [(50.0, "inactive")]


def test_a_text_shows_what_the_windows_hold_when_the_clock_ends_the_alert():
    hub = drive("when: count(v, 10m) >= 3", 'summary: "{count(v, 10m)} in ten minutes, {count(v, 9m)} in nine"')
    thrice(hub)
    hub.now += 480
    hub.engine.tick(hub.now)
    (ended,) = hub.engine.take_transitions()
    assert render(ended, 1, "id").summary == "2 in ten minutes, 1 in nine"


def test_an_event_rule_speaks_by_messages_only():
    hub = drive("when: count(v, 10m) < 2", kind="event")
    assert thrice(hub, gap=1.0) == []
    assert after(hub, 3600) == []


# what holds it up


def test_nothing_is_judged_by_the_clock_while_messages_come_faster_than_a_60th_of_the_window(monkeypatch):
    hub = drive("when: count(v, 10m) > 100000")
    judged = []
    state = hub.engine.states["A"]
    monkeypatch.setattr(state, "judge_again", lambda *_: judged.append(hub.now))
    for _ in range(200):
        hub.send("d/1", {"v": 1}, after=9.0)
    assert judged == []
    hub.wait(3600)
    assert 60 <= len(judged) <= 67  # one for each sample that was left, when no more came


def test_one_judgement_more_a_sample_at_most(monkeypatch):
    hub = drive("when: count(v, 10m) > 100000 || avg(w, 1h) > 1e9")
    judged = []
    monkeypatch.setattr(hub.engine.states["A"], "judge_again", lambda *_: judged.append(hub.now))
    for _ in range(50):
        hub.send("d/1", {"v": 1}, after=70.0)
    hub.wait(7200)
    assert len(judged) == 50


def test_a_pause_stops_it_and_its_end_judges_what_has_left_meanwhile():
    hub = drive("when: count(v, 10m) >= 3", "pause: hold")
    assert thrice(hub, {"v": 1, "hold": False}) == ["firing"]
    hub.send("d/1", {"v": 1, "hold": True}, after=60)
    assert after(hub, 3600) == []
    assert [phase for _, _, phase, _ in hub.send("d/1", {"v": 1, "hold": False})] == ["resolved"]


def test_a_pause_over_a_window_ends_by_the_clock_and_the_last_message_counts():
    hub = drive("when: v > 5", "pause: count(v > 100, 10m) > 0")
    hub.send("d/1", {"v": 200})
    hub.send("d/1", {"v": 9}, after=60)
    assert after(hub, 3600) == [(540.0, "firing")]


def test_a_mute_over_a_window_ends_by_the_clock():
    hub = drive("when: v > 5", "mute: count(v > 100, 10m) > 0")
    hub.send("d/1", {"v": 200})
    hub.send("d/1", {"v": 9}, after=60)
    said = hub.wait(3600)
    assert [reason for *_, reason in said] == ["mute ended"]


def test_the_devices_own_time_is_the_windows_time_however_far_behind_it_is():
    hub = drive("when: count(v, 10m) >= 3", "timestamp: ts", start=1_800_000_000.0)
    behind = 86400.0
    for _ in range(3):
        said = hub.send("d/1", {"v": 1, "ts": hub.now + 60 - behind}, after=60.0)
    assert [phase for _, _, phase, _ in said] == ["firing"]
    assert after(hub, 3600) == [(480.0, "resolved")]


def test_a_device_that_has_caught_up_is_judged_by_its_clock_of_now():
    hub = drive("when: count(v, 10m) >= 3", "timestamp: ts", start=1_800_000_000.0)
    for ago in (300, 300, 0):
        said = hub.send("d/1", {"v": 1, "ts": hub.now + 20 - ago}, after=20.0)
    assert [phase for _, _, phase, _ in said] == ["firing"]
    assert after(hub, 3600) == [(260.0, "resolved")]


def test_the_end_of_a_pause_judges_by_no_samples_that_have_left_meanwhile():
    named = 'night: {daily: "22:00-07:00"}\ndefrost: {daily: "20:00-22:00"}'
    text = "- alert: A\n  topic: d/{x}\n  when: count(v > 5, 10m) >= 3 && night\n  pause: defrost"
    hub = Drive(text, named=named, start=1_767_211_020.0)  # 19:57, UTC
    for _ in range(3):
        hub.send("d/1", {"v": 9}, after=20.0)
    assert hub.wait(3 * 3600) == []


def test_our_own_absence_is_no_time_of_the_device():
    hub = drive("when: count(v, 10m) < 2")
    hub.send("d/1", {"v": 1})
    hub.send("d/1", {"v": 1}, after=60)
    hub.now += 3000
    hub.engine.excuse(3000, hub.now)
    assert after(hub, 3600) == [(540.0, "firing")]


def test_a_clock_that_is_set_takes_no_sample_away():
    hub = drive("when: count(v, 10m) < 2")
    hub.send("d/1", {"v": 1})
    hub.send("d/1", {"v": 1}, after=60)
    hub.now += 7200
    hub.engine.shift(7200, hub.now)
    assert after(hub, 3600) == [(540.0, "firing")]


def test_a_restart_goes_on_where_it_was_also_with_a_device_whose_clock_is_behind():
    for lines, behind in (((), 0.0), (("timestamp: ts",), 86400.0)):
        hub = drive("when: count(v, 10m) >= 3", *lines, start=1_800_000_000.0)
        for _ in range(3):
            hub.send("d/1", {"v": 1, "ts": hub.now + 60 - behind}, after=60.0)
        hub.restart()
        assert after(hub, 3600) == [(480.0, "resolved")]


def test_what_the_last_sample_leaves_behind_is_judged_before_the_instance_is_forgotten():
    hub = drive("when: count(v > 5, 10m) == 0")
    hub.send("d/1", {"v": 9})
    assert after(hub, 3600) == [(600.0, "firing")]


# against a model that looks at every second


@settings(deadline=None)
@given(
    window=st.sampled_from([30, 60, 100]),
    compare=st.sampled_from([">=", "<", "=="]),
    bound=st.integers(0, 4),
    messages=st.lists(st.tuples(st.integers(2, 80), st.integers(0, 10)), min_size=1, max_size=25),
    restarts=st.sets(st.integers(1, 300), max_size=3),
)
def test_the_alert_changes_just_when_the_samples_of_the_window_say_so(window, compare, bound, messages, restarts):
    hub = drive(f'when: "count(v > 5, {window}s) {compare} {bound}"')
    arrivals, at = {}, 0
    for gap, value in messages:
        at += gap
        arrivals[at] = value
    told, held, expected = [], False, []
    for second in range(1, at + 200):
        hub.now = 1000.0 + second
        hub.engine.tick(hub.now)
        if second in arrivals:
            hub.engine.process([event("d/1", {"v": arrivals[second]}, hub.now)], hub.now)
        told += [(second, phase) for _, _, phase, _ in hub.said()]
        if second in restarts:
            hub.restart()
        high = [each for each, value in arrivals.items() if value > 5 and second - window < each <= second]
        heard = second >= min(arrivals)
        holds = heard and {">=": len(high) >= bound, "<": len(high) < bound, "==": len(high) == bound}[compare]
        if holds is not held:
            held = holds
            expected.append((second, "firing" if holds else "resolved"))
    assert told == expected
