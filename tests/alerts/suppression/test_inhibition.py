"""inhibition: who is held back by whom (`unless`), while a cause fires and for a while after it."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.suppression import inhibition as module
from hub.alerts.suppression.inhibition import Inhibition
from tests.rules.making import rules

RULES = {
    rule.name: rule
    for rule in rules("""
        - {alert: Cause, topic: "s/{site}", when: v > 5}
        - {alert: Short, topic: "t/{site}/{device}", when: v > 5, unless: Cause}
        - {alert: Long, topic: "u/{site}/{device}", when: v > 5, unless: {alert: Cause, after: 2m}}
    """)
}


def made():
    it = Inhibition()
    it.follow(RULES)
    return it


def held(it, name, now, site="a", unfilled=()):
    return it.cause_of(RULES[name], {"site": site, "device": "1"}, unfilled, now)


def test_a_cause_holds_back_what_agrees_in_the_labels_that_both_have():
    it = made()
    it.begins("Cause", "c", {"site": "a"}, ())
    assert (held(it, "Short", 1.0), held(it, "Short", 1.0, site="b")) == ("Cause", None)
    assert it.causes_of("Short", {"site": "a", "device": "1"}, ()) == ["c"]


def test_it_holds_back_on_for_the_time_that_each_rule_says():
    it = made()
    it.begins("Cause", "c", {"site": "a"}, ())
    it.ends("Cause", "c", {"site": "a"}, (), 1000.0)
    assert [held(it, "Short", at) for at in (1009.9, 1010.0)] == ["Cause", None]
    assert [held(it, "Long", at) for at in (1119.9, 1120.0)] == ["Cause", None]
    assert it.lasts("Cause") == 120.0


def test_whom_it_held_back_is_given_when_its_time_is_over_each_rule_at_its_own():
    it = made()
    for name, fingerprint in (("Short", "s"), ("Long", "l")):
        it.enter(name, fingerprint, {"site": "a", "device": "1"}, ())
    it.begins("Cause", "c", {"site": "a"}, ())
    it.ends("Cause", "c", {"site": "a"}, (), 1000.0)
    assert (it.next_due(), it.take_due(1009.0)) == (1010.0, [])
    assert set(it.take_due(1010.0)) == {"l", "s"}
    assert it.take_due(1120.0)
    assert it.next_due() is None


def test_a_cause_that_begins_names_whom_it_holds_back_from_now_on_and_a_second_one_nobody():
    it = made()
    it.enter("Short", "s", {"site": "a", "device": "1"}, ())
    assert it.begins("Cause", "c", {"site": "a"}, ()) == ["s"]
    assert it.begins("Cause", "d", {"site": "a"}, ()) == []
    it.ends("Cause", "c", {"site": "a"}, (), 1000.0)
    assert held(it, "Short", 9e9) == "Cause"
    assert it.dependents_of("Cause", {"site": "a"}, ()) == ["s"]
    it.leave("Short", "s", {"site": "a", "device": "1"}, ())
    assert it.dependents_of("Cause", {"site": "a"}, ()) == []


def test_a_label_that_could_not_be_filled_in_equals_nothing_on_either_side():
    it = made()
    it.begins("Cause", "c", {"site": "?"}, ("site",))
    assert held(it, "Short", 1.0, site="?") is None
    it.begins("Cause", "d", {"site": "?"}, ())
    assert held(it, "Short", 1.0, site="?") == "Cause"
    assert held(it, "Short", 1.0, site="?", unfilled=("site",)) is None
    assert held(it, "Short", 1.0, site="?", unfilled=("device",)) == "Cause"
    it.begins("Cause", "e", {"site": "b"}, ("zone",))
    assert held(it, "Short", 1.0, site="b") == "Cause"


def test_after_a_reload_only_what_the_rules_now_say_holds_back():
    it = made()
    it.begins("Cause", "c", {"site": "a"}, ())
    it.ends("Cause", "c", {"site": "a"}, (), 1000.0)
    it.follow({name: rule for name, rule in RULES.items() if name != "Cause"})
    assert (held(it, "Short", 1001.0), it.next_due(), it.has_causes) == (None, None, False)
    it.follow(RULES)
    assert held(it, "Short", 1001.0) is None
    it.ended("Cause", {"site": "a"}, (), 1000.0)
    assert held(it, "Short", 1001.0) == "Cause"


def test_after_a_reload_who_names_no_cause_any_more_is_held_back_by_none():
    free = {rule.name: rule for rule in rules('- {alert: Short, topic: "t/{site}/{device}", when: v > 5}')}
    it, labels = made(), {"site": "a", "device": "1"}
    it.begins("Cause", "c", {"site": "a"}, ())
    it.enter("Short", "s", labels, ())
    it.follow(RULES | free)
    it.begins("Cause", "c", {"site": "a"}, ())
    it.enter("Short", "s", labels, ())
    assert it.cause_of(free["Short"], labels, (), 1.0) is None
    assert (it.causes_of("Short", labels, ()), it.dependents_of("Cause", {"site": "a"}, ())) == ([], [])
    assert (it.has_causes, held(it, "Long", 1.0)) == (True, "Cause")
    it.follow(RULES)
    it.ended("Cause", {"site": "a"}, (), 1000.0)
    it.follow({"Cause": RULES["Cause"]} | free)
    assert (it.has_causes, it.lasts("Cause"), it.next_due(), it.take_due(9e9)) == (False, 0.0, None, [])


def test_of_several_that_fire_each_leaves_for_itself():
    it, labels = made(), {"site": "a", "device": "1"}
    for fingerprint in ("s", "z"):
        it.enter("Short", fingerprint, labels, ())
    for fingerprint in ("c", "d"):
        it.begins("Cause", fingerprint, {"site": "a"}, ())
    assert it.causes_of("Short", labels, ()) == ["c", "d"]
    it.leave("Short", "s", labels, ())
    assert it.dependents_of("Cause", {"site": "a"}, ()) == ["z"]
    it.ends("Cause", "c", {"site": "a"}, (), 1000.0)
    assert (it.causes_of("Short", labels, ()), it.next_due()) == (["d"], None)
    it.ends("Cause", "d", {"site": "a"}, (), 1000.0)
    assert (it.causes_of("Short", labels, ()), it.take_due(1010.0)) == ([], ["z"])


def test_one_that_ended_before_the_rules_were_taken_ends_no_sooner_than_the_last_of_its_place():
    it = made()
    it.ended("Cause", {"site": "a"}, (), 1000.0)
    it.ended("Cause", {"site": "a"}, (), 900.0)
    assert [held(it, "Short", at) for at in (1009.0, 1010.0)] == ["Cause", None]


def test_a_cause_that_chatters_leaves_no_more_behind_than_it_needs(monkeypatch):
    monkeypatch.setattr(module, "_TIDY", 0)
    it = made()
    it.enter("Short", "s", {"site": "a", "device": "1"}, ())
    for second in range(3):  # the third end leaves one too many behind
        it.begins("Cause", "c", {"site": "a"}, ())
        it.ends("Cause", "c", {"site": "a"}, (), 1000.0 + second)
    assert (it.next_due(), it.take_due(1011.9), held(it, "Short", 1011.9)) == (1012.0, [], "Cause")
    assert (it.take_due(1012.0), it.next_due()) == (["s"], 1122.0)
    assert [held(it, "Short", 1012.0), held(it, "Long", 1121.9), held(it, "Long", 1122.0)] == [None, "Cause", None]
    for second in range(3, 99):
        it.ended("Cause", {"site": "a"}, (), 1000.0 + second)
    left = 0
    while it.next_due() is not None:
        it.take_due(it.next_due())
        left += 1
    assert left <= 6


def test_the_ends_of_many_causes_cost_no_look_at_all_that_ended_before(monkeypatch):
    looks = []
    monkeypatch.setattr(module.heapq, "heapify", looks.append)
    it = made()
    for number in range(300):
        it.ended("Cause", {"site": str(number)}, (), 1000.0)
    assert not looks


def test_a_cause_that_ended_twice_before_anybody_looked_is_over_once():
    it = made()
    it.enter("Short", "s", {"site": "a", "device": "1"}, ())
    for at in (1000.0, 1001.0):
        it.begins("Cause", "c", {"site": "a"}, ())
        it.ends("Cause", "c", {"site": "a"}, (), at)
    assert (it.take_due(2000.0), it.next_due(), held(it, "Long", 1002.0)) == (["s"], None, None)


def test_one_that_never_began_ends_nothing():
    it = made()
    it.ends("Cause", "c", {"site": "a"}, (), 1000.0)
    assert (it.next_due(), held(it, "Short", 1001.0)) == (None, None)


def test_when_the_clock_is_set_its_times_move():
    it = made()
    it.begins("Cause", "c", {"site": "a"}, ())
    it.ends("Cause", "c", {"site": "a"}, (), 1000.0)
    it.shift(-500.0)
    assert (it.next_due(), held(it, "Short", 509.0), held(it, "Short", 510.0)) == (510.0, "Cause", None)


DEED = st.tuples(st.sampled_from(["begins", "ends"]), st.sampled_from("cd"), st.sampled_from("ab"), st.integers(0, 60))


@given(st.lists(DEED, max_size=20))
def test_an_alert_is_held_back_while_a_cause_of_its_site_fires_and_ten_seconds_longer(story):
    it, now, firing, ended = made(), 1000.0, {"a": set(), "b": set()}, {"a": -inf, "b": -inf}
    for deed, fingerprint, site, wait in story:
        now += wait
        it.take_due(now)
        if deed == "begins":
            it.begins("Cause", fingerprint + site, {"site": site}, ())
            firing[site].add(fingerprint)
        elif fingerprint in firing[site]:
            it.ends("Cause", fingerprint + site, {"site": site}, (), now)
            firing[site].discard(fingerprint)
            ended[site] = now if not firing[site] else ended[site]
        for each, fingerprints in firing.items():
            expected = bool(fingerprints) or now < ended[each] + 10.0
            assert (held(it, "Short", now, site=each) is not None) is expected
