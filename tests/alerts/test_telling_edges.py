"""Edges of telling: flapping and its end, what an alert was before, a clock that is set, reloads."""

import pytest

from hub.model import OWN, Phase
from tests.alerts import flapper
from tests.alerts.flapper import HOT, Flapper, Site
from tests.rules.posted.test_posted import World as Posts

SITE = '- {alert: Hot, topic: "t/{site}/{device}", when: v > 5, notify: [chat], summary: "{device} is {v}"'
ZONED = SITE.replace("summary", 'labels: {zone: "{zone}"}, summary')
OFF = '- {alert: Off, topic: "s/{gateway}", when: v > 5, labels: {zone: "{zone}"}'
GROUP = SITE + ", group_by: [site]"


# flapping


def test_one_that_flaps_is_calm_a_minute_after_its_last_change_also_where_that_is_its_end():
    at = Flapper()
    for value, wait in ((9, 1), (1, 9), (9, 50), (1, 59)):
        at.send(value)
        at.wait(wait)
    assert [step for _, step, _ in at.told()] == ["1-firing", "1-resolved", "2-firing"]
    at.wait(1)
    assert [step for _, step, _ in at.told()] == ["2-resolved"]


def test_one_that_is_silenced_when_it_is_calm_stays_so_and_nothing_says_otherwise():
    at = Site(SITE + "}")
    for value in (9, 1, 9):
        at.send(value)
        at.wait(1)
    at.silence("site=a", 3600)
    at.wait(600)
    assert at.alert.held[0] == "silence"
    assert [row[1] for row in at.world.trace].count("held") == 1


def test_one_that_flaps_ends_at_once_when_its_rule_is_removed():
    at = Site(SITE + "}")
    for value in (9, 1, 9):
        at.send(value)
    at.heard()
    at.reload("[]")
    assert at.heard() == ["0 chat: 1 resolved"]
    at.wait(3600)
    assert at.heard() == []


def test_a_cause_that_flaps_and_has_another_label_now_holds_back_the_others_no_longer():
    at = Site(ZONED + f", unless: Off}}\n{OFF}}}")
    for value in (9, 1, 9):
        at.send(value, "s/1", zone="x")
    at.send(9, zone="x")
    at.wait(5)
    at.send(1, "s/1", zone="y")
    at.send(9, "s/1", zone="y")
    at.wait(300)
    assert at.heard() == ["15 chat: 1 firing"]


# what an alert was


def test_a_pending_alert_has_no_end_though_it_had_one_before():
    at = Flapper(HOT + ", for: 10s}")
    at.send(9)
    at.wait(10)
    at.send(1)
    at.send(9)
    assert (at.alert.state, at.alert.until) == (Phase.PENDING, None)


def test_whoever_has_other_labels_now_is_not_among_those_whom_a_cause_of_the_old_ones_explains():
    at = Site(ZONED + f", unless: Off}}\n{OFF}, notify: [mail]}}")
    at.send(9, zone="x")
    at.send(1, zone="x")
    at.wait(100)
    at.send(9, zone="y")
    at.send(9, "s/1", zone="x")
    assert "holds_back" not in at.world.told[-1].body


def test_what_a_silence_held_back_is_not_counted_as_held_back_by_limit():
    at = Site(SITE + "}")
    at.silence("site=a", 60)
    at.send(9)
    at.wait(60)
    (note,) = at.world.told
    assert note.body["summary"] == "1 is 9"


def test_a_receiver_without_ends_hears_of_no_end_of_an_alert_alone(monkeypatch):
    quiet = ", quiet: {apprise: json://localhost/q, send_resolved: false}}"
    monkeypatch.setattr(flapper, "RECEIVERS", flapper.RECEIVERS[:-1] + quiet)
    at = Site(SITE.replace("[chat]", "[chat, quiet]") + "}")
    at.send(9)
    at.send(1)
    assert at.heard() == ["0 chat: 1 firing", "0 quiet: 1 firing", "0 chat: 1 resolved"]


def test_an_alert_that_is_dropped_while_it_is_to_be_seen_goes_out_of_sight_by_one_message(tmp_path):
    at = Posts(tmp_path)
    at.post(ends=1060.0, summary="hot")
    at.wait(61)
    (fingerprint,) = at.core.book.alerts
    at.core.book.drop(fingerprint, at.now)
    assert [(note.receiver, note.body["payload"]) for note in at.core.take_notifications()] == [(OWN, None)]
    assert at.core.book.alerts == {}


def test_one_that_is_out_of_sight_already_is_dropped_without_a_word(tmp_path):
    at = Posts(tmp_path)
    at.post(ends=1060.0, summary="hot")
    at.wait(61)
    (fingerprint,) = at.core.book.alerts
    at.core.book.tick(at.now + 86400)
    at.take()
    at.core.book.drop(fingerprint, at.now)
    assert at.core.take_notifications() == []


# reloads


def test_an_alert_whose_rule_names_no_cause_any_more_is_told_at_once():
    at = Site(ZONED + f", unless: Off}}\n{OFF}}}")
    at.send(9, "s/1", zone="x")
    at.send(9, zone="x")
    assert at.heard() == []
    at.reload(ZONED + f"}}\n{OFF}}}")
    assert at.heard() == ["0 chat: 1 firing"]


def test_an_alert_whose_rule_names_another_cause_now_is_held_back_by_that_one_alone():
    third = OFF.replace("Off", "Third").replace("s/{gateway}", "x/{other}") + ", unless: Off}"
    other = f"{OFF}}}\n{OFF.replace('Off', 'Other').replace('s/', 'o/')}}}\n{third}"
    at = Site(ZONED + f", unless: Off}}\n{other}")
    at.send(9, "s/1", zone="x")
    at.send(9, zone="x")
    at.reload(ZONED + f", unless: Other}}\n{other}")
    assert at.heard() == ["0 chat: 1 firing"]
    at.send(1, "s/1", zone="x")
    at.wait(100)
    at.reload(f"{ZONED}, unless: Other}}\n" + other.replace(", unless: Off", ""))
    at.reload(ZONED + f", unless: Off}}\n{other}")
    at.send(9, "t/a/2", zone="x")
    assert at.heard() == ["100 chat: 2 firing"], "a cause that ended meanwhile holds nobody back"


def test_an_alert_whose_rule_has_no_mute_any_more_is_told_at_once():
    at = Site(SITE + ", mute: service}")
    at.send(9, service=True)
    assert at.heard() == []
    at.reload(SITE + "}")
    assert at.heard() == ["0 chat: 1 firing"]


@pytest.mark.parametrize("after", ["1m", "10m"])
def test_a_step_that_was_taken_and_is_moved_by_a_reload_is_not_taken_again(after):
    at = Site(SITE + ", escalate: [{after: 5m, to: [boss]}]}")
    at.send(9)
    at.wait(400)
    assert at.heard() == ["0 chat: 1 firing", "300 boss: 1 firing"]
    at.reload(SITE + f", escalate: [{{after: {after}, to: [boss]}}]}}")
    at.wait(3600)
    assert at.heard() == []


def test_limit_does_not_hold_back_the_end_of_one_of_a_group_of_which_others_fire():
    at = Site(GROUP + ", limit: 1/h}")
    at.send(9)
    at.send(9, "t/a/2")
    at.wait(20)
    at.send(1)
    at.wait(300)
    assert at.heard() == ["10 chat: 1 firing, 2 firing", "310 chat: 2 firing, 1 resolved"]


# a clock that is set


def test_a_clock_that_is_set_changes_nothing_of_when_a_group_that_has_not_spoken_does():
    at = Site(GROUP + ", group_wait: 1m, group_interval: 1h}")
    at.send(9)
    at.wait(20)
    at.set_clock(7200.0)
    at.wait(40)
    assert at.heard() == ["60 chat: 1 firing"]


def test_what_is_new_to_a_group_after_the_clock_was_set_waits_for_more():
    at = Site(GROUP + "}")
    at.send(9)
    at.wait(20)
    at.heard()
    at.set_clock(7200.0)
    at.wait(400)
    at.send(9, "t/a/2")
    at.wait(9)
    assert at.heard() == []
    at.wait(1)
    assert len(at.heard()) == 1


@pytest.mark.parametrize("seconds", [7200.0, -500.0])
def test_repeats_of_a_group_come_when_they_are_due_whatever_the_clock_is_set_to_also_over_a_restart(seconds):
    at = Site(GROUP + ", repeat: 10m}")
    at.send(9)
    at.wait(20)
    at.heard()
    at.world.restart()
    at.set_clock(seconds)
    at.world.restart()
    at.wait(589)
    assert at.heard() == []
    at.wait(1)
    assert at.heard() == ["610 chat: 1 firing"]


def test_a_cause_that_has_ended_holds_back_as_long_as_ever_when_the_clock_is_set():
    for seconds in (7200.0, -500.0):
        at = Site(ZONED + f", unless: {{alert: Off, after: 2m}}}}\n{OFF}}}")
        at.send(9, "s/1", zone="x")
        at.send(9, zone="x")
        at.send(1, "s/1", zone="x")
        at.wait(20)
        at.set_clock(seconds)
        at.wait(99)
        assert at.heard() == []
        at.wait(1)
        assert at.heard() == ["120 chat: 1 firing"]
