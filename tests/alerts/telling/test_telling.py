"""Who is told again, who by a step, and what an acknowledgement ends: repeat, escalate and groups."""

import pytest

from hub.alerts.matchers import parse_matchers
from hub.alerts.suppression.silences import Silence
from hub.limits import RESOLVED_KEPT_SECONDS
from hub.model import Phase
from tests.alerts.flapper import HOT, Flapper, Site

ALL = parse_matchers("alertname=Hot")


def ack(at, until=None):
    ((fingerprint, _),) = at.world.core.book.find(ALL)
    at.world.core.book.acknowledge(fingerprint, "ann", "", until, at.world.now)
    at.world.collect()
    return fingerprint


@pytest.mark.parametrize("words", ["", " until ack"])
def test_an_acknowledgement_ends_repeat_and_escalate_and_they_go_on_when_it_is_taken_back(words):
    at = Flapper(HOT + f", repeat: 1h{words}, escalate: [{{after: 90m, to: [boss]}}]}}")
    at.send(9)
    at.wait(3600)
    assert [step for _, step, _ in at.told()] == ["1-firing", "1-repeat-1"]
    fingerprint = ack(at)
    at.wait(86400)
    assert at.told() == []
    at.world.core.book.unacknowledge(fingerprint, "ann", at.world.now)
    at.world.collect()
    assert [step for _, step, _ in at.told()] == ["1-repeat-2"]
    at.wait(1799)
    assert at.told() == []
    at.wait(1)
    assert [step for _, step, _ in at.told()] == ["1-escalate-1"]


def test_an_acknowledgement_with_an_end_ends_them_until_then():
    at = Flapper(HOT + ", repeat: 1h}")
    at.send(9)
    ack(at, at.world.now + 7200)
    at.wait(7199)
    assert len(at.told()) == 1
    at.wait(1)
    assert [step for _, step, _ in at.told()] == ["1-repeat-1"]


def test_an_alert_that_ends_before_its_repeat_was_due_goes_out_of_sight_as_any_other():
    at = Flapper(HOT + ", repeat: 10m}")
    at.send(9)
    at.wait(100)
    at.send(1)
    at.wait(RESOLVED_KEPT_SECONDS - 1)
    assert at.alert.state is Phase.RESOLVED
    at.wait(1)
    assert at.alert.state is Phase.INACTIVE


def test_a_step_marks_the_message_for_whom_it_is_the_first():
    at = Flapper(HOT + ", escalate: [{after: 5m, to: [boss, chat]}, {after: 10m, to: [boss]}]}")
    at.send(9)
    at.wait(600)
    told = [(each.receiver, each.id.split("-", 2)[2], each.body.get("first")) for each in at.world.told]
    assert told == [
        ("chat", "firing", None),
        ("boss", "escalate-1", True),
        ("chat", "escalate-1", None),
        ("boss", "escalate-2", None),
    ]


@pytest.mark.parametrize("how", ["ack", "silence"])
def test_a_group_whose_alerts_are_all_acknowledged_or_held_back_is_not_repeated_until_that_ends(how):
    at = Flapper(HOT + ", group_by: [], repeat: 10m}")
    at.send(9)
    at.wait(700)
    assert len(at.told()) == 2
    book = at.world.core.book
    if how == "ack":
        ack(at, at.world.now + 3600)
    else:
        book.silence(Silence("", tuple(ALL), at.world.now, at.world.now + 3600, "ann", "", at.world.now))
        at.world.collect()
    at.wait(3599)
    assert at.told() == []
    at.wait(1)
    assert len(at.told()) == 1


def test_a_group_with_nothing_to_repeat_does_not_ask_to_be_woken_at_once():
    at = Flapper(HOT + ", group_by: [], repeat: 10m}")
    at.send(9)
    at.wait(11)
    at.send(1)
    at.send(9)
    book = at.world.core.book
    book.silence(Silence("", tuple(ALL), at.world.now, at.world.now + 86400, "ann", "", at.world.now))
    at.world.collect()
    at.wait(3600)
    assert book.next_due() > at.world.now


def test_many_groups_that_have_spoken_cost_a_look_at_the_time_nothing():
    at = Flapper(HOT + ", group_by: [device]}")
    for device in range(300):
        at.send(9, f"t/{device}")
    at.wait(60)
    assert len(at.told()) == 300
    looked = []
    groups = at.world.core.book._conversations
    groups.all = Watched(groups.all, looked)
    assert at.world.core.book.next_due() is None
    at.send(1, "t/7")
    assert at.world.core.book.next_due() == at.world.now + 10.0
    assert len(looked) <= 5
    at.wait(250)
    assert len(at.told()) == 1


class Watched(dict):
    """Groups that note each time somebody looks at one."""

    def __init__(self, items, looked):
        super().__init__(items)
        self.looked = looked

    def __getitem__(self, key):
        self.looked.append(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        self.looked.append(key)
        return super().get(key, default)

    def values(self):
        raise AssertionError("all of them were looked at")


# alone: what holds it back, two levels, reloads

OFF = '- {alert: Off, topic: "s/{site}", when: v > 5'
SITE = '- {alert: Hot, topic: "t/{site}/{device}", when: v > 5, notify: [chat], summary: "{device} is {v}"'
WARM = '- {alert: Warm, topic: "t/{site}/{device}", when: v > 5, unless: Very, notify: [chat]}'
VERY = '- {alert: Very, topic: "t/{site}/{device}", when: v > 8, notify: [chat]}'


def test_steps_of_escalate_come_when_they_are_due_whatever_limit_says():
    at = Flapper(HOT + ", limit: 1/h, repeat: 1m, escalate: [{after: 5m, to: [boss]}]}")
    at.send(9)
    at.wait(3599)
    assert [(note.receiver, note.created - 1000) for note in at.world.told] == [("chat", 0), ("boss", 300)]


def test_a_step_of_escalate_does_not_count_against_limit():
    at = Flapper(HOT + ", limit: 2/h, repeat: 30m, escalate: [{after: 5m, to: [boss]}]}")
    at.send(9)
    at.wait(1800)
    told = [(note.id.split("-", 2)[2], note.created - 1000) for note in at.world.told]
    assert told == [("firing", 0), ("escalate-1", 300), ("repeat-1", 1800), ("repeat-1", 1800)]


def test_what_limit_holds_back_of_repeats_is_counted_whether_or_not_somebody_looks():
    told = []
    for look in (False, True):
        at = Flapper(HOT + ", limit: 2/10m, repeat: 1m}")
        at.send(9)
        at.wait(121)
        if look:
            at.world.restart()
        at.wait(600)
        told.append([(note.id, note.created, note.body["summary"]) for note in at.world.told])
    assert told[0] == told[1]


def test_repeats_and_steps_tell_the_values_of_now():
    at = Flapper(HOT + ", repeat: 10m, escalate: [{after: 15m, to: [boss]}]}")
    at.send(9)
    at.wait(60)
    at.send(30)
    at.wait(800)
    at.send(40)
    at.wait(100)
    told = [(note.receiver, note.body["summary"]) for note in at.world.told]
    assert told == [("chat", "1 is 9"), ("chat", "1 is 30"), ("boss", "1 is 40")]


def test_a_repeat_tells_the_values_of_before_where_those_of_now_leave_a_gap_in_its_text():
    at = Site(HOT.replace("is {v}", "is {v} at {room}") + ", repeat: 10m}")
    at.send(9, "t/1", room="bath")
    at.send(30, "t/1")
    at.wait(600)
    assert [note.body["summary"] for note in at.world.told] == ["1 is 9 at bath"] * 2


@pytest.mark.parametrize("text", [WARM + "\n" + VERY, VERY + "\n" + WARM])
def test_of_two_levels_one_message_tells_the_right_one_whatever_their_order(text):
    at = Site(text)
    for value, wait in ((9, 100), (7, 10), (7, 100), (9, 100), (1, 100)):
        at.send(value)
        at.wait(wait)
    told = [(note.created - at.begun, note.body["alertname"], note.body["state"]) for note in at.world.told]
    assert sorted(told) == [
        (0, "Very", "firing"),
        (100, "Very", "resolved"),
        (110, "Warm", "firing"),
        (210, "Very", "firing"),
        (310, "Very", "resolved"),
        (310, "Warm", "resolved"),
    ]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize(("after", "seconds"), [("", 10), (", after: 2m", 120), (", after: 0s", 0)])
def test_a_cause_that_has_ended_holds_back_a_little_longer_also_what_begins_then(restart, after, seconds):
    at = Site(SITE + f", unless: {{alert: Off{after}}}}}\n{OFF}}}")
    at.send(9, "s/a")
    at.wait(200)
    at.send(9)
    at.send(1, "s/a")
    at.wait(min(seconds, 5))
    at.send(9, "t/a/2")
    if restart:
        at.world.restart()
    at.wait(max(seconds - 6, 0))
    assert at.heard() == [] or not seconds
    at.wait(10)
    told = [f"{200 + seconds} chat: {device} firing" for device in "12"]
    assert sorted(at.heard()) == (told if seconds else [])


def test_a_cause_names_whom_it_holds_back_in_the_order_in_which_they_began():
    at = Site(SITE + f", unless: Off}}\n{OFF}, notify: [chat], repeat: 1m}}")
    at.send(9, "s/a")
    devices = [str(number) for number in (5, 3, 9, 1, 7, 2, 8)]
    for device in devices:
        at.wait(1)
        at.send(9, f"t/a/{device}")
    at.wait(60)
    shown = at.world.told[-1].body["holds_back"]["alerts"]
    assert [each["labels"]["device"] for each in shown] == devices[: len(shown)]


def test_labels_that_could_not_be_filled_in_hold_nobody_back():
    labels = ', labels: {zone: "{zone}"}'
    at = Site(
        '- {alert: Hot, topic: "t/{x}", when: v > 5, notify: [chat], unless: Off' + labels + "}\n"
        '- {alert: Off, topic: "s/{y}", when: v > 5' + labels + "}"
    )
    at.send(9, "s/1")
    at.send(9, "t/1")
    at.wait(1)
    assert at.heard() == ["0 chat: Hot firing"]


def test_labels_that_a_reload_gives_hold_at_once_for_what_fires():
    at = Site(SITE + "}")
    at.silence("team=ops", 86400)
    at.send(9)
    at.reload(SITE + ", severity: critical, labels: {team: ops}, repeat: 1m}")
    assert at.alert.labels["team"] == "ops"
    at.wait(600)
    assert at.heard() == ["0 chat: 1 firing"], "a silence of that label hides its repeats"
    at.reload(SITE + "}")
    assert "team" not in at.alert.labels


@pytest.mark.parametrize(
    ("text", "reason"), [("[]", "rule removed"), (SITE.replace("> 5", "> 6") + "}", "rule changed")]
)
def test_an_end_by_the_rule_says_so_and_tells_no_value(text, reason):
    at = Site(SITE + ', details: "{v} is too hot"}')
    at.send(9)
    at.heard()
    at.reload(text)
    (note,) = at.world.told
    assert (note.body["summary"], note.body["details"]) == (f"Hot (site=a, device=1) ended: {reason}", "")
    assert note.body["reason"] == reason


def test_a_cause_that_is_pending_again_holds_back_on_also_over_reload_and_restart():
    cause = '- {alert: Off, topic: "s/{site}", when: v > 5, for: 1m}\n'
    for again in ("reload", "restart", ""):
        at = Site(cause + HOT.replace("t/{device}", "t/{site}/{device}") + ", unless: {alert: Off, after: 10m}}")
        at.send(9, "s/a")
        at.wait(60)
        at.send(9)
        at.send(1, "s/a")
        at.send(9, "s/a")
        at.wait(2)
        if again:
            getattr(at.world, again)()
        at.send(1, "s/a")
        at.wait(597)
        assert at.heard() == [], again
        at.wait(1)
        assert at.heard() == ["660 chat: 1 firing"], again


def test_a_step_that_calls_somebody_who_was_told_otherwise_is_taken_all_the_same():
    at = Site(HOT + ", escalate: [{after: 5m, to: [boss]}]}")
    at.send(9, "t/1")
    at.wait(400)
    at.heard()
    at.reload(HOT + ", escalate: [{after: 30m, to: [chat]}]}")
    at.wait(1400)
    assert at.heard() == ["1800 chat: 1 firing"]


def test_each_receiver_that_a_reload_names_anew_has_its_ten_seconds():
    at = Site(HOT + "}")
    at.send(9, "t/1")
    at.reload(HOT.replace("[chat]", "[chat, mail]") + "}")
    at.wait(1000)
    assert [line.split(":")[0] for line in at.heard()] == ["0 chat", "10 mail"]
    at.reload(HOT.replace("[chat]", "[chat, mail, boss]") + "}")
    at.wait(5)
    at.reload(HOT.replace("[chat]", "[chat, mail]") + "}")
    at.wait(100)
    assert at.heard() == []


def test_an_event_that_waited_for_room_is_not_told_under_a_silence():
    at = Site('- {event: Bell, topic: "b/{site}", notify: [chat], limit: 1/h}')
    for _ in range(2):
        at.send(1, "b/a")
    assert len(at.heard()) == 1
    at.silence("site=a", 7200)
    at.wait(7000)
    assert at.heard() == []


def test_what_limit_held_back_of_an_alert_is_counted_and_told():
    flapper = Flapper(HOT + ", limit: 1/10m}")
    flapper.send(9)
    flapper.wait(60)
    flapper.send(1)
    for _ in range(2):
        flapper.wait(61)
        flapper.send(9)
        flapper.wait(61)
        flapper.send(1)
    flapper.wait(61)
    flapper.send(9)
    assert flapper.alert.held == ("limit", "1/10m")
    flapper.world.restart()
    flapper.wait(600)
    told = [
        (note.id.split("-", 1)[1], note.created - 1000, note.body.get("held_back", 0)) for note in flapper.world.told
    ]
    assert told == [("1-firing", 0, 0), ("1-resolved", 60, 0), ("4-firing", 600, 3)]
