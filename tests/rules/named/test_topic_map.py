"""Several topics in one condition: each name is the latest message of its topic, in this instance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.telling.texts import render
from hub.rules.reading.loader import RuleSet
from hub.rules.running.engine import Engine
from hub.store.changes import Snapshot
from hub.store.keeper import restore_all, take_all
from hub.trial.world import World
from hub.why.why_not import why_not
from tests.rules.making import Drive, event, rules
from tests.rules.running.test_engine import Disk, Registry, reload

MOULD = (
    '- {alert: Mould, topic: {inside: "home/{room}/humidity", wall: "home/{room}/wall", outside: home/outdoor},'
    ' when: inside > 65 && wall < outside.t + 4, summary: "{room} {inside} {wall} {outside.t}"}\n'
)
KNOWN = (("home/outdoor", {"t": 6}), ("home/bath/wall", 9), ("home/bath/humidity", 70))


def phases(said):
    return [each[1:3] for each in said]


def test_until_each_name_has_a_value_the_condition_has_none():
    drive = Drive(MOULD)
    assert drive.send("home/bath/humidity", 70) == []
    assert drive.send("home/bath/wall", {"value": 9}) == []
    assert phases(drive.send("home/outdoor", {"t": 6})) == [("bath", "firing")]
    assert phases(drive.send("home/bath/humidity", 60)) == [("bath", "resolved")]


def test_a_message_on_a_shared_topic_judges_all_instances_again_and_a_new_one_sees_it_at_once():
    drive = Drive(MOULD)
    drive.send("home/outdoor", {"t": 0})
    for room in ("bath", "attic", "hall"):
        drive.send(f"home/{room}/humidity", 70 if room != "hall" else 20)
        assert drive.send(f"home/{room}/wall", 9) == []
    assert sorted(phases(drive.send("home/outdoor", {"t": 6}))) == [("attic", "firing"), ("bath", "firing")]
    drive.send("home/cellar/wall", 3)
    assert phases(drive.send("home/cellar/humidity", 99)) == [("cellar", "firing")]


def test_a_shared_topic_with_some_captures_belongs_to_the_instances_that_agree():
    drive = Drive('- {alert: A, topic: {t: "s/{site}/{room}/t", limit: "s/{site}/limit"}, when: t > limit}\n')
    for topic in ("s/a/1/t", "s/a/2/t", "s/b/1/t"):
        drive.send(topic, 9)
    assert sorted(phases(drive.send("s/a/limit", 5))) == [("a/1", "firing"), ("a/2", "firing")]


def test_texts_see_the_names():
    drive = Drive(MOULD)
    for topic, payload in KNOWN:
        drive.take(event(topic, payload, drive.now))
    (found,) = drive.engine.take_transitions()
    assert render(found, 1, "x").summary == "bath 70 9 6"


def test_an_emptied_retained_message_takes_the_value_back_and_keeps_the_state():
    drive = Drive(MOULD)
    for topic, payload in KNOWN:
        drive.send(topic, payload)
    drive.send("home/bath/wall", b"", retain=True)
    assert drive.send("home/bath/humidity", 80) == []


def test_an_older_message_is_not_the_latest():
    drive = Drive('- {alert: A, topic: {t: "s/{x}/t", u: "s/{x}/u"}, when: t > u}\n')
    drive.send("s/1/t", 9)
    drive.now += 10
    drive.send("s/1/u", 20)
    drive.take(event("s/1/u", 1, drive.now - 5))
    assert drive.said() == []


def test_a_window_of_a_name_has_only_samples_of_its_own_topic():
    when = "count(t, 1h) >= 3 && count(u > 0, 1h) == 1"
    drive = Drive(f'- {{alert: A, topic: {{t: "s/{{x}}/t", u: "s/{{x}}/u"}}, when: "{when}"}}\n')
    drive.send("s/1/u", 1)
    for _ in range(2):
        assert drive.send("s/1/t", 5) == []
    assert phases(drive.send("s/1/t", 5)) == [("1", "firing")]


def test_a_shared_topic_is_no_sign_of_life():
    drive = Drive('- {alert: A, topic: {t: "s/{x}/t", o: out}, when: t > o, absent: 10m}\n')
    drive.send("s/1/t", 1)
    drive.send("out", 5, after=500)
    assert [each[2] for each in drive.wait(100)] == ["firing"]


def test_the_values_outlive_a_restart_and_a_reload():
    drive, disk = Drive(MOULD), Disk()
    drive.send("home/outdoor", {"t": 6})
    drive.send("home/bath/wall", 9)
    rows = take_all((drive.engine.work.latest,)).desk
    disk.commit(drive.engine)
    drive.engine = Engine(drive.rules)
    restore_all((drive.engine.work.latest,), Snapshot(desk=list(rows)))
    drive.engine.restore([], disk.rules, drive.now)
    reload(drive, MOULD.replace("{room} ", "x"))
    assert phases(drive.send("home/bath/humidity", 70)) == [("bath", "firing")]


def test_a_rule_whose_topics_change_begins_without_values_and_its_rows_are_deleted():
    drive = Drive(MOULD)
    drive.send("home/outdoor", {"t": 6})
    drive.send("home/bath/wall", 9)
    take_all((drive.engine.work.latest,))
    reload(drive, MOULD.replace("/wall", "/wall2"))
    assert [row[-1] for row in take_all((drive.engine.work.latest,)).desk] == [None, None]
    assert drive.send("home/bath/humidity", 70) == []


def test_for_holds_over_messages_of_other_topics():
    drive = Drive('- {alert: A, topic: {t: "s/{x}/t", o: out}, when: t > o, for: 1m}\n')
    drive.send("out", 1)
    drive.send("s/1/t", 5)
    drive.send("out", 2, after=30)
    assert phases(drive.wait(30)) == [("1", "firing")]


def test_where_says_which_messages_become_the_latest():
    drive = Drive('- {alert: A, topic: {t: "s/{x}/t", o: out}, where: value < 100, when: t > o}\n')
    drive.send("out", 1)
    assert drive.send("s/1/t", 100) == []
    assert phases(drive.send("s/1/t", 99)) == [("1", "firing")]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("topic: {a: 's/{x}/a', b: 't/{y}/b'}", "no topic has all captures"),
        ("topic: {value: 's/{x}/a', b: b}", "cannot be the name of a topic"),
        ("topic: {x: 's/{x}/a', b: b}", "a capture has that name"),
        ("topic: {a: s/a, b: s/a}", "two names have the topic s/a"),
        ("topic: {a: 's/{x}/a', b: b}, each: payload.v", "does not go with a map of topics"),
        ("topic: {a: 's/{x}/a', b: b}, by: x", "does not go with a map of topics"),
    ],
)
def test_what_cannot_be_a_map_of_topics_is_refused_with_the_reason(keys, why):
    with pytest.raises(AssertionError, match=why):
        rules(f'- {{alert: A, {keys}, when: "true"}}')


def test_why_not_says_which_name_lacks_a_value():
    world = World(RuleSet({each.name: each for each in rules(MOULD)}), None, 1000.0)
    world.send([event("home/bath/humidity", 70)])
    (found,) = why_not(world.core, "Mould", {"room": "bath"}, 1001.0)["instances"]
    assert any("nothing has come yet for 'wall'" in sentence for sentence in found["sentences"]), found["sentences"]


def test_a_registered_device_is_expected_on_the_topics_of_its_own():
    drive = Drive('- {alert: A, topic: {t: "s/{x}/t", o: out}, absent: 10m}\n', Registry(s_1_t={}, out={}))
    assert phases(drive.wait(600)) == [("1", "firing")]


TOPICS = ["s/1/t", "s/2/t", "s/1/u", "s/2/u", "out"]


@given(st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(0, 4)), max_size=30))
def test_a_map_says_what_a_model_says_that_looks_at_everything(messages):
    drive = Drive('- {alert: A, topic: {t: "s/{x}/t", u: "s/{x}/u", o: out}, when: t > u + o}\n')
    known, firing = {}, set()
    for topic, value in messages:
        known[topic] = value
        said = {(who, phase) for _, who, phase, _ in drive.send(topic, value)}
        expected = set()
        for who in "12":
            if {f"s/{who}/t", f"s/{who}/u", "out"} <= known.keys():
                holds = known[f"s/{who}/t"] > known[f"s/{who}/u"] + known["out"]
                if holds is not (who in firing):
                    expected.add((who, "firing" if holds else "resolved"))
                    (firing.add if holds else firing.discard)(who)
        assert said == expected
