"""Who is told of a group: what waits and is held back, what has ended, repeats, steps, rules that change."""

import pytest

from tests.alerts import flapper
from tests.alerts.flapper import Site, rule_set
from tests.rules.making import event
from tests.rules.posted.test_posted import DEFAULTS
from tests.rules.posted.test_posted import World as Posts

HOT = '- {alert: Hot, topic: "t/{site}/{device}", when: v > 5, notify: [chat], summary: "{device} is {v}"'
GROUP = HOT + ", group_by: [site]"
OFF = '- {alert: Off, topic: "s/{site}", when: v > 5}'


# what waits


@pytest.mark.parametrize("limit", ["", ", limit: 5/h"])
def test_an_alert_that_is_silenced_while_it_waits_in_its_group_is_told_when_that_ends(limit):
    at = Site(GROUP + limit + "}")
    at.send(9)
    at.wait(5)
    at.silence("site=a", 60)
    at.wait(59)
    assert at.heard() == []
    at.wait(20)
    assert at.heard() in (["65 chat: 1 firing"], ["75 chat: 1 firing"])  # it may wait anew for others


def test_an_alert_that_is_muted_while_it_waits_in_its_group_is_told_when_that_ends():
    at = Site(GROUP + ", mute: service}")
    at.send(9, service=False)
    at.wait(5)
    at.send(9, service=True)
    at.wait(55)
    assert at.heard() == []
    at.send(9, service=False)
    at.wait(20)
    assert at.heard() in (["60 chat: 1 firing"], ["70 chat: 1 firing"])  # it may wait anew for others


def test_an_alert_that_a_cause_explains_while_it_waits_in_its_group_is_told_after_its_end():
    at = Site(GROUP + ", unless: Off}\n" + OFF)
    at.send(9)
    at.wait(5)
    at.send(9, "s/a")
    at.wait(55)
    at.send(1, "s/a")
    at.wait(9)
    assert at.heard() == []
    at.wait(20)
    assert at.heard() in (["70 chat: 1 firing"], ["80 chat: 1 firing"])  # it may wait anew for others


def test_an_alert_that_limit_holds_back_in_its_group_is_told_as_soon_as_there_is_room():
    at = Site(GROUP + ", limit: 1/h, group_interval: 1m}")
    at.send(9)
    at.wait(20)
    at.send(1)
    at.wait(100)
    at.send(9)
    assert at.heard() == ["10 chat: 1 firing", "70 chat: 1 resolved"]
    at.wait(3489)
    assert at.heard() == []
    at.wait(60)
    assert at.heard() == ["3610 chat: 1 firing"]


@pytest.mark.parametrize("how", ["silenced", "acknowledged"])
def test_one_of_three_that_is_out_of_it_is_left_out_of_later_messages_and_is_back_when_that_ends(how):
    at = Site(GROUP + ", repeat: 10m}")
    for device in "123":
        at.send(9, f"t/a/{device}")
    at.wait(20)
    assert at.heard() == ["10 chat: 1 firing, 2 firing, 3 firing"]
    if how == "silenced":
        at.silence("device=2", 1000)
    else:
        at.acknowledge("device=2")
    at.wait(600)
    assert at.heard() == ["610 chat: 1 firing, 3 firing"]
    at.wait(400)
    if how == "acknowledged":
        at.unacknowledge("device=2")
    at.wait(400)
    assert at.heard() == ["1210 chat: 1 firing, 2 firing, 3 firing"]


def test_who_is_acknowledged_is_not_told_again_by_a_restart_after_the_others_ended():
    at = Site(GROUP + ", repeat: 10m, escalate: [{after: 1h, to: [boss]}]}")
    for device in "12":
        at.send(9, f"t/a/{device}")
    at.wait(20)
    at.acknowledge("site=a")
    at.send(1)
    at.wait(400)
    assert at.heard() == ["10 chat: 1 firing, 2 firing", "310 chat: 1 resolved"]
    at.world.restart()
    at.wait(7200)
    assert at.heard() == []


@pytest.mark.parametrize("how", ["silenced", "acknowledged"])
def test_steps_and_repeats_of_who_is_left_go_on_from_where_they_were_after_the_others_ended(how):
    at = Site(GROUP + ", repeat: 10m, escalate: [{after: 5m, to: [boss]}]}")
    for device in "12":
        at.send(9, f"t/a/{device}")
    at.wait(400)
    assert at.heard() == ["10 chat: 1 firing, 2 firing", "310 boss: 1 firing, 2 firing"]
    if how == "silenced":
        at.silence("site=a", 1000)
    else:
        at.acknowledge("site=a")
    at.send(1)
    at.wait(999)
    assert [line for line in at.heard() if "firing" in line] == []
    at.unacknowledge("site=a")
    at.wait(60)
    assert [line.split(" ", 1)[1] for line in at.heard()] == ["chat: 2 firing", "boss: 2 firing"]


def test_a_group_waits_for_what_is_new_also_where_something_new_before_it_was_over_untold():
    at = Site(GROUP + "}")
    at.send(9)
    at.wait(400)
    at.send(9, "t/a/2")
    at.wait(1)
    at.send(1, "t/a/2")
    at.wait(4599)
    at.send(9, "t/a/3")
    at.wait(9)
    assert at.heard() == ["10 chat: 1 firing"]
    at.wait(1)
    assert at.heard() == ["5010 chat: 3 firing, 1 firing"]


@pytest.mark.parametrize("how", ["silenced", "acknowledged"])
def test_a_receiver_named_anew_hears_of_each_of_a_group_also_of_one_that_was_left_out_when_it_first_heard(how):
    at = Site(GROUP + "}")
    at.send(9)
    at.wait(20)
    if how == "silenced":
        at.silence("device=1", 1000)
    else:
        at.acknowledge("device=1")
    at.reload(GROUP.replace("[chat]", "[chat, mail]") + "}")
    at.send(9, "t/a/2")
    at.wait(999)
    assert [line for line in at.heard() if "mail" in line] == ["310 mail: 2 firing"]
    at.unacknowledge("device=1")
    at.wait(60)
    assert [line.split(" ", 1)[1] for line in at.heard() if "mail" in line] == ["mail: 1 firing, 2 firing"]


# what has ended


@pytest.mark.parametrize("zone", ["y", None])
def test_one_whose_last_message_gives_it_another_label_is_over_in_the_group_that_told_of_it(zone):
    text = HOT.replace("summary", 'labels: {zone: "{zone}"}, summary') + ", group_by: [zone], repeat: 10m}"
    at = Site(text)
    at.send(9, zone="x")
    at.wait(20)
    at.send(1, **({"zone": zone} if zone else {}))
    at.wait(400)
    at.send(9, "t/a/2", zone="x")
    at.wait(200)
    assert at.heard() == ["10 chat: 1 firing", "310 chat: 1 resolved", "610 chat: 2 firing"]
    at.send(1, "t/a/2", zone="x")
    at.wait(10800)
    assert at.heard() == ["910 chat: 2 resolved"]


@pytest.mark.parametrize("other", ["", ", group_by: []", ", group_by: [device]"])
def test_one_that_was_told_under_another_group_by_is_told_as_over_once_and_never_as_firing_again(other):
    at = Site(GROUP + ", repeat: 10m}")
    at.send(9)
    at.wait(20)
    at.reload(HOT + other + ", repeat: 10m}")
    at.wait(60)
    at.send(1)
    at.wait(10800)
    told = [line.split(" ", 1)[1] for line in at.heard()]
    assert told == ["chat: 1 firing", "chat: 1 resolved"]


def test_of_a_group_whose_rule_is_gone_nothing_stays_in_the_store_but_above_which_ids_begin():
    at = Site(GROUP + "}")
    at.send(9)
    at.wait(20)
    at.reload("[]")
    assert at.heard() == ["10 chat: 1 firing", "20 chat: 1 resolved"]
    rows = {key: state for kind, key, state in at.world.core.take_changes().desk if kind == "conversation"}
    assert rows.pop("floor") == "2"
    assert list(rows.values()) == [None]


@pytest.mark.parametrize(
    ("rule", "topic", "told"),
    [
        (GROUP + "}", "t/a/1", ["10 chat: 1 firing", "20 chat: 1 resolved"]),
        ('- {event: Bell, topic: "b/{site}", notify: [chat], group_by: [], summary: rang}', "b/a", []),
    ],
)
def test_when_a_rule_goes_while_the_hub_is_off_the_ends_that_its_groups_owe_are_told(rule, topic, told):
    at = Site(rule)
    at.send(9, topic)
    at.wait(20 if told else 5)
    if told:
        at.send(1, topic)
    at.world.rules = rule_set("[]")
    at.world.restart()
    at.wait(600)
    assert at.heard() == told


def test_a_rule_that_is_gone_and_comes_back_begins_anew_and_tells_no_old_alert():
    at = Site(GROUP + ", repeat: 10m}")
    at.send(9)
    at.wait(20)
    at.reload("[]")
    at.reload(GROUP + ", repeat: 10m}")
    at.wait(10800)
    assert at.heard() == ["10 chat: 1 firing", "20 chat: 1 resolved"]
    at.send(9)
    at.wait(10)
    (again,) = at.world.told
    assert again.body["episode"] > 1
    assert at.heard() == ["10830 chat: 1 firing"]


def test_a_posted_alert_of_a_group_that_is_gone_ends_nothing(tmp_path):
    at = Posts(tmp_path, DEFAULTS.replace("[chat]", "[chat], group_by: [instance], repeat: 10m"))
    at.post(ends=1060.0, summary="hot")
    assert at.wait(50) == [("chat", "firing", "hot")]
    assert at.wait(86400) == [("chat", "resolved", "hot")]
    assert at.core.rules == {}
    at.start(DEFAULTS)
    assert at.post(ends=at.now + 60, summary="hot anew") == [("chat", "firing", "hot anew")]
    assert at.wait(86400) == [("chat", "resolved", "hot anew")]


def test_a_posted_alert_whose_group_goes_with_a_reload_ends_alone_and_once(tmp_path):
    at = Posts(tmp_path, DEFAULTS.replace("[chat]", "[chat], group_by: [instance]"))
    at.post(ends=2000.0, summary="hot")
    assert at.wait(50) == [("chat", "firing", "hot")]
    at.reload(DEFAULTS)
    assert at.wait(86400) == [("chat", "resolved", "hot")]


# repeats and steps


def test_three_hundred_members_escalate_in_one_message_and_end_in_one():
    at = Site(GROUP + ", escalate: [{after: 15m, to: [boss]}]}")
    for value, wait in ((9, 2000), (1, 2000)):
        at.world.send([event(f"t/a/{n}", {"v": value}, at.world.now) for n in range(300)])
        at.world.collect()
        at.wait(wait)
    told = [(note.receiver, note.body["state"], note.body["count"]) for note in at.world.told]
    assert told == [
        ("chat", "firing", 300),
        ("boss", "firing", 300),
        ("chat", "resolved", 300),
        ("boss", "resolved", 300),
    ]


@pytest.mark.parametrize(
    ("repeat", "hours", "times"),
    [("10m, 30m, 4h", 3, [10, 610, 2410]), ("1m", 0.5, [10, 310, 610, 910, 1210, 1510])],
)
def test_a_group_repeats_by_the_list_and_no_more_often_than_its_interval(repeat, hours, times):
    at = Site(GROUP + f', repeat: "{repeat}"}}')
    at.send(9)
    at.wait(hours * 3600)
    assert [note.created - at.begun for note in at.world.told] == times


def test_something_new_in_a_group_begins_the_list_of_repeats_again():
    at = Site(GROUP + ', repeat: "10m, 1h"}')
    at.send(9)
    at.wait(1000)
    at.send(9, "t/a/2")
    at.wait(5000)
    assert [note.created - at.begun for note in at.world.told] == [10, 610, 1010, 1610, 5210]


def test_repeats_and_steps_of_a_group_tell_the_values_of_now():
    at = Site(GROUP + ", repeat: 10m, escalate: [{after: 15m, to: [boss]}]}")
    at.send(9)
    at.wait(60)
    at.send(30)
    at.wait(840)
    at.send(40)
    at.wait(60)
    told = [(note.receiver, note.body["summary"]) for note in at.world.told]
    assert told == [("chat", "1 is 9"), ("chat", "1 is 30"), ("boss", "1 is 40")]


def test_the_details_of_members_are_those_of_their_group_each_once():
    at = Site(GROUP + ', details: "Look at {site}. {device}"}')
    for device in "12":
        at.send(9, f"t/a/{device}")
    at.wait(10)
    (note,) = at.world.told
    assert note.body["details"] == "Look at a. 1\n\nLook at a. 2"
    assert [each["details"] for each in note.body["alerts"]] == ["Look at a. 1", "Look at a. 2"]


# rules and receivers that change


@pytest.mark.parametrize(
    ("text", "reason"), [("[]", "rule removed"), (GROUP.replace("> 5", "> 6") + "}", "rule changed")]
)
def test_an_end_by_the_rule_says_so_in_the_group_at_once(text, reason):
    at = Site(GROUP + ', details: "{v} is too hot"}')
    at.send(9)
    at.wait(20)
    at.heard()
    at.reload(text)
    at.wait(300)
    (note,) = at.world.told
    assert note.body["alerts"][0]["summary"] == f"Hot (site=a, device=1) ended: {reason}"
    assert note.body["details"] == ""


def test_one_that_only_hears_of_an_end_is_not_told_what_fires():
    at = Site(GROUP.replace("[chat]", "[chat, mail]") + "}")
    at.send(9)
    at.wait(20)
    at.heard()
    at.reload(GROUP + "}")
    at.send(1)
    at.send(9, "t/a/2")
    at.wait(300)
    assert sorted(at.heard()) == ["310 chat: 2 firing, 1 resolved", "310 mail: 1 resolved"]
    at.send(1, "t/a/2")
    at.wait(600)
    assert [line.split(" ", 1)[1] for line in at.heard()] == ["chat: 2 resolved"]


def test_a_receiver_that_a_reload_names_anew_hears_of_a_group_soon_or_with_the_next_repeat():
    for repeat, first in (("", "410"), (", repeat: 10m", "610")):
        at = Site(GROUP + repeat + "}")
        at.send(9)
        at.wait(400)
        at.reload(GROUP.replace("[chat]", "[chat, mail]") + repeat + "}")
        at.wait(250)
        assert [line for line in at.heard() if "mail" in line] == [f"{first} mail: 1 firing"]
        at.send(1)
        at.wait(600)
        assert {line.split(" ", 1)[1] for line in at.heard()} == {"chat: 1 resolved", "mail: 1 resolved"}


def test_alerts_whose_label_could_not_be_filled_in_are_groups_of_their_own():
    at = Site(HOT.replace("summary", 'labels: {zone: "{zone}"}, summary') + ", group_by: [zone]}")
    for device in "12":
        at.send(9, f"t/a/{device}")
    at.wait(10)
    assert at.heard() == ["10 chat: 1 firing", "10 chat: 2 firing"]


def test_a_clock_that_is_set_keeps_the_interval_of_a_group_and_what_waits_in_it():
    at = Site(GROUP + ", repeat: 10m}")
    at.send(9)
    at.wait(20)
    at.send(9, "t/a/2")
    at.heard()
    at.set_clock(7200.0)
    at.world.restart()
    at.wait(289)
    assert at.heard() == []
    at.wait(11)
    assert at.heard() == ["310 chat: 2 firing, 1 firing"]


def test_a_clock_that_is_set_tells_a_group_no_sooner_than_it_waits():
    at = Site(GROUP + ", group_wait: 1m}")
    at.send(9)
    at.wait(20)
    at.set_clock(7200.0)
    at.wait(39)
    assert at.heard() == []
    at.wait(1)
    assert len(at.heard()) == 1


def test_a_group_that_was_told_its_end_is_another_conversation_when_it_fires_again():
    at = Site(GROUP + "}")
    ids = set()
    for _ in range(3):
        at.send(9)
        at.wait(1000)
        at.send(1)
        at.wait(1000)
        at.world.restart()
    for note in at.world.told:
        assert (note.id, note.receiver) not in ids
        ids.add((note.id, note.receiver))
    assert len(ids) == 6


def test_events_of_a_rule_with_group_by_are_told_together_to_whom_it_names():
    text = '- {event: Seen, topic: "t/{site}/{device}", when: v > 5, notify: [chat, mail], group_by: [site]}'
    at = Site(text)
    for topic in ("t/a/1", "t/a/2", "t/b/1"):
        at.send(9, topic)
    at.wait(20)
    told = [(note.receiver, note.body["labels"]["site"], note.body["count"]) for note in at.world.told]
    assert sorted(told) == [("chat", "a", 2), ("chat", "b", 1), ("mail", "a", 2), ("mail", "b", 1)]


def test_a_receiver_without_ends_hears_that_a_group_fires_and_not_that_it_is_over(monkeypatch):
    text = GROUP.replace("[chat]", "[chat, quiet]") + "}"
    monkeypatch.setattr(flapper, "RECEIVERS", flapper.RECEIVERS[:-1] + QUIET)
    at = Site(text)
    at.send(9)
    at.wait(20)
    at.send(1)
    at.wait(600)
    assert at.heard() == ["10 chat: 1 firing", "10 quiet: 1 firing", "310 chat: 1 resolved"]


QUIET = ", quiet: {apprise: json://localhost/q, send_resolved: false}}"


def test_the_end_of_a_group_goes_to_those_who_were_told_whoever_the_rule_names_by_then():
    at = Site(GROUP + "}")
    at.send(9)
    at.wait(20)
    at.reload(GROUP.replace("[chat]", "[mail]") + ", repeat: 1h}")
    at.send(1)
    at.wait(600)
    assert at.heard() == ["10 chat: 1 firing", "310 chat: 1 resolved"]


def test_a_step_that_two_alerts_share_in_a_group_is_told_to_both_of_its_receivers_once():
    at = Site(GROUP + ", escalate: [{after: 1m, to: [chat, boss]}]}")
    for device in "12":
        at.send(9, f"t/a/{device}")
    at.wait(200)
    at.send(1, "t/a/1")
    at.send(1, "t/a/2")
    at.wait(600)
    told = [line.split(" ", 1)[1] for line in at.heard()]
    both = "1 firing, 2 firing"
    assert sorted(told[:3]) == [f"boss: {both}", f"chat: {both}", f"chat: {both}"]
    assert sorted(told[3:]) == ["boss: 1 resolved, 2 resolved", "chat: 1 resolved, 2 resolved"]


def test_a_step_that_comes_before_an_end_is_told_shows_its_receivers_what_fires_and_is_one_message():
    at = Site(GROUP + ", escalate: [{after: 2m, to: [chat, boss]}]}")
    for device in "12":
        at.send(9, f"t/a/{device}")
    at.wait(20)
    at.send(1)
    at.wait(110)
    assert len({note.id for note in at.world.told}) == 2
    assert at.heard() == ["10 chat: 1 firing, 2 firing", "130 chat: 2 firing", "130 boss: 2 firing"]
    at.wait(600)
    assert [line for line in at.heard() if "resolved" in line] == ["430 chat: 2 firing, 1 resolved"]


# what one member must not do to the others


def test_a_new_member_that_limit_holds_back_delays_no_repeat_of_the_others():
    at = Site(GROUP + ", repeat: 20m, limit: 3/h, group_interval: 1m}")
    at.send(9)
    at.wait(61)
    for _ in range(3):
        at.send(9, "t/a/2")
        at.wait(61)
        at.send(1, "t/a/2")
        at.wait(61)
    at.send(9, "t/a/2")
    at.wait(60)
    last = int(at.heard()[-1].split(" ")[0])
    at.wait(1300)
    assert [line.split(" ", 1)[1] for line in at.heard()] == ["chat: 1 firing"]
    assert at.world.now - at.begun - last >= 1200


def test_ends_that_a_receiver_does_not_hear_put_off_none_of_its_repeats():
    at = Site(GROUP.replace("[chat]", "[boss]") + ", repeat: 10m}")
    at.world.core.book._out.follow(frozenset({"boss"}))
    for device in range(8):
        at.send(9, f"t/a/{device}")
    at.wait(20)
    at.heard()
    for device in range(5):
        at.wait(400)
        at.send(1, f"t/a/{device}")
    assert len(at.heard()) == 3


def test_those_that_come_long_after_one_that_was_held_back_untold_wait_for_each_other():
    at = Site(GROUP + "}")
    at.send(9)
    at.wait(2)
    at.silence("device=1", 90000)
    at.wait(3598)
    for device in (2, 3, 4):
        at.send(9, f"t/a/{device}")
        at.wait(1)
    at.wait(60)
    assert at.heard() == ["3610 chat: 2 firing, 3 firing, 4 firing"]


def test_an_event_that_waits_in_its_group_is_told_though_its_rule_goes():
    at = Site('- {event: Bell, topic: "b/{site}", notify: [chat], group_by: [], summary: rang}')
    at.send(1, "b/a")
    at.wait(3)
    at.reload(GROUP + "}")
    assert [line.split(": ")[0] for line in at.heard()] == ["3 chat"]


def test_events_of_a_group_count_for_limit():
    at = Site('- {event: Bell, topic: "b/{site}", notify: [chat], group_by: [], limit: 2/h, group_interval: 1m}')
    for _ in range(6):
        at.send(1, "b/a")
        at.wait(100)
    assert len(at.heard()) == 2


def test_when_a_reload_takes_limit_away_nothing_is_held_back_by_it():
    at = Site(GROUP + ", repeat: 10m, limit: 1/h}")
    at.send(9)
    at.wait(900)
    ((_, alert),) = at.world.core.book.firing()
    assert alert.held == ("limit", "1/h")
    at.reload(GROUP + ", repeat: 10m}")
    at.wait(1)
    ((_, alert),) = at.world.core.book.firing()
    assert alert.held is None


def test_a_repeat_leaves_out_whom_limit_holds_back_and_a_step_nobody():
    keys = "limit: 2/1h, repeat: 10m, group_wait: 10s, group_interval: 10m"
    at = Site(GROUP + f", {keys}, escalate: [{{after: 40m, to: [boss]}}]}}")
    at.send(9)
    at.wait(700)
    at.send(9, "t/a/2")
    at.wait(2500)
    assert at.heard() == [
        "10 chat: 1 firing",
        "610 chat: 1 firing",
        "1210 chat: 2 firing, 1 firing",
        "1810 chat: 2 firing",
        "2410 boss: 1 firing, 2 firing",
    ]


def spoken(at):
    told, at.world.told = at.world.told, []
    return [(note.receiver, note.id.split("-", 1)[1], note.body.get("first", False)) for note in told]


def test_each_conversation_of_a_group_has_ids_of_its_own_and_begins_with_a_first_message():
    at = Site(GROUP + "}")
    for _ in range(2):
        at.send(9)
        at.wait(10)
        at.send(1)
        at.wait(1000)
    assert spoken(at) == [
        ("chat", "1-group-1", True),
        ("chat", "1-group-2", False),
        ("chat", "3-group-3", True),
        ("chat", "3-group-4", False),
    ]


def test_what_was_held_back_until_all_others_were_told_as_over_is_another_conversation():
    at = Site(GROUP + "}")
    at.send(9)
    at.wait(10)
    at.silence("device=2", 2000)
    at.send(9, "t/a/2")
    at.send(1)
    at.wait(1000)
    at.world.restart()
    at.wait(1100)
    assert spoken(at) == [("chat", "1-group-1", True), ("chat", "1-group-2", False), ("chat", "2-group-3", True)]


def test_an_end_with_which_all_hear_what_fires_on_puts_off_the_next_repeat():
    at = Site(GROUP + ", repeat: 10m, group_wait: 10s, group_interval: 1m}")
    at.send(9)
    at.send(9, "t/a/2")
    at.wait(400)
    at.send(1)
    at.wait(1300)
    assert at.heard() == [
        "10 chat: 1 firing, 2 firing",
        "410 chat: 2 firing, 1 resolved",
        "1010 chat: 2 firing",
        "1610 chat: 2 firing",
    ]


def test_who_was_only_called_by_a_step_has_messages_of_his_own():
    at = Site(GROUP + ", escalate: [{after: 5m, to: [boss]}]}")
    at.send(9)
    at.send(9, "t/a/2")
    at.wait(400)
    at.send(1)
    at.wait(400)
    assert spoken(at) == [
        ("chat", "1-group-1", True),
        ("boss", "1-escalate-2", True),
        ("chat", "1-group-3", False),
        ("boss", "1-group-4", False),
    ]
