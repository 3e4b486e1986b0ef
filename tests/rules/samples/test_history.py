"""Rules that look back at samples: who is fed with what, when it is forgotten, and the way through the store."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.alerts.telling.texts import render
from hub.limits import HISTORY_IDLE_SECONDS, WINDOW_CHUNK
from hub.rules.instances import heard_order
from hub.rules.running.engine import Engine
from hub.store.changes import Changes
from hub.store.sqlite.database import Database
from tests.rules.making import Drive, event, rules


def drive(*lines, kind="alert"):
    return Drive("\n  ".join([f"- {kind}: A", 'topic: "d/{x}"', *lines]))


def phases(said):
    return [phase for _, _, phase, _ in said]


# samples


def test_a_mean_over_a_window_fires_and_resolves():
    hub = drive("when: avg(t, 10m) > 5.0")
    assert hub.send("d/1", {"t": 4}) == []
    assert phases(hub.send("d/1", {"t": 8}, after=60)) == ["firing"]
    assert hub.send("d/2", {"t": 4}) == []
    assert phases(hub.send("d/1", {"t": 5}, after=540)) == []
    assert phases(hub.send("d/1", {"t": 1}, after=60)) == ["resolved"]
    assert hub.errors == []


def test_what_and_leaves_out_is_a_sample_all_the_same():
    hub = drive("when: on && max(t, 10m) > 5.0")
    assert hub.send("d/1", {"on": False, "t": 9}) == []
    assert phases(hub.send("d/1", {"on": True, "t": 1})) == ["firing"]


def test_while_firing_when_is_fed_though_only_clear_is_evaluated_and_both_share_their_samples():
    hub = drive("when: count(t > 5, 10m) >= 3", "clear: count(t > 5, 10m) == 0")
    for expected in ([], [], ["firing"], [], []):
        assert phases(hub.send("d/1", {"t": 9}, after=60)) == expected
    (instance,) = hub.engine.states["A"].instances.values()
    assert len(instance.history.slots) == 1
    for expected in ([],) * 9 + (["resolved"],):
        assert phases(hub.send("d/1", {"t": 1}, after=60)) == expected


def test_null_and_what_has_no_value_or_is_no_number_is_no_sample():
    hub = drive("when: count(t, 10m) == 2 && avg(t, 10m) == 3.0")
    for payload in ({"t": None}, {}, {"t": 2}, "text"):
        assert hub.send("d/1", payload) == []
    assert phases(hub.send("d/1", {"t": 4})) == ["firing"]
    hub = drive("when: avg(t, 10m) == 3.0")
    for value in ("warm", True, [5], 1e200, 3):
        said = hub.send("d/1", {"t": value})
    assert phases(said) == ["firing"]


def test_without_samples_a_function_has_no_value_and_the_instance_keeps_its_state():
    hub = drive("when: avg(t, 1m) > 5.0")
    assert phases(hub.send("d/1", {"t": 9})) == ["firing"]
    assert hub.send("d/1", {}, after=120) == []
    hub = drive("when: rate(t, 10m) > 0.0")
    assert hub.send("d/1", {"t": 9}) == []
    assert hub.errors == []  # there is none yet


def test_a_retained_message_is_a_value_and_no_sample_of_a_window():
    hub = drive("when: count(t, 10m) > 0 || last(t) == 7")
    assert hub.send("d/1", {"t": 1}, retain=True) == []
    assert phases(hub.send("d/1", {"t": 7}, retain=True)) == ["firing"]
    assert phases(hub.send("d/1", {"t": 1}, retain=True)) == ["resolved"]
    assert phases(hub.send("d/1", {"t": 1})) == ["firing"]


def test_last_is_the_latest_value_from_any_topic_of_the_instance():
    hub = Drive('- {alert: A, topic: ["door/{x}", "temp/{x}"], when: "last(open) && last(t) < 0.0"}')
    assert hub.send("door/1", {"open": True}) == []
    assert phases(hub.send("temp/1", {"t": -2.5})) == ["firing"]
    assert phases(hub.send("door/1", {"open": False})) == ["resolved"]


def test_changed_and_previous_are_about_the_value_that_this_event_brings():
    hub = drive("when: changed(state) && previous(state) == 'a'", kind="event")
    said = [hub.send("d/1", {"state": state}) for state in ("a", "a", "b", "b", "a", "b")]
    assert [phases(each) for each in said] == [[], [], ["event"], [], [], ["event"]]
    hub.send("d/1", {"state": "a"})
    hub.send("d/1", {"state": "b"}, after=1)
    assert hub.send("d/1", {"other": 1}) == []
    assert hub.errors[-1][2] == "this event brings no value of it"


def test_true_is_another_value_than_1_and_1_is_the_same_as_1_0():
    hub = drive("when: changed(v)", kind="event")
    said = [hub.send("d/1", {"v": value}) for value in (1, 1.0, True, [1, 2], [1, 2], {"a": 1}, "1")]
    assert [len(each) for each in said] == [0, 0, 1, 1, 0, 1, 1]


def test_unchanged_is_how_long_the_value_has_been_what_it_is():
    hub = drive("when: unchanged(open) >= 5m && last(open)")
    for passed, value, expected in ((0, True, []), (299, True, []), (1, True, ["firing"]), (9, False, ["resolved"])):
        assert phases(hub.send("d/1", {"open": value}, after=passed)) == expected
    assert hub.send("d/1", {"open": True}, after=600) == []
    assert phases(hub.send("d/1", {"other": 1}, after=300)) == ["firing"]


def test_an_expression_with_captures_and_the_event_is_sampled_too():
    hub = drive("when: distinct(topic + string(event.qos), 10m) + count(x == '1', 10m) == 2")
    assert phases(hub.send("d/1", {})) == ["firing"]
    assert hub.send("d/2", {}) == []


def test_a_rule_that_looks_back_hears_of_every_message_of_its_instances():
    hub = drive("when: kind == 'b' && max(t, 10m) > 5.0", kind="event")
    assert hub.send("d/1", {"kind": "a", "t": 9}) == []
    assert phases(hub.send("d/1", {"kind": "b", "t": 1})) == ["event"]
    hub = drive("when: x == '1' && max(t, 10m) > 5.0")
    hub.send("d/2", {"t": 9})
    assert hub.engine.states["A"].instances == {}  # it could never fire


def test_a_clock_that_was_set_back_begins_anew_and_freezes_nothing():
    hub = drive("when: count(t, 10m) > 2")
    hub.send("d/1", {"t": 1})
    hub.send("d/1", {"t": 1}, after=1)
    hub.now -= 86400
    assert hub.send("d/1", {"t": 1}) == []
    hub.send("d/1", {"t": 1}, after=1)
    assert phases(hub.send("d/1", {"t": 1}, after=1)) == ["firing"]
    assert phases(hub.send("d/1", {"t": 1}, after=1200)) == ["resolved"]


# texts


def test_texts_show_the_samples_of_their_moment_though_more_came_before_they_are_rendered():
    hub = drive(
        "when: t > 5", 'summary: "{avg(t, 10m):.1f} {previous(t)} {max(t, 10m)}"', 'labels: {n: "{count(t, 1h)}"}'
    )
    hub.engine.process([event("d/1", {"t": value}, 1000.0 + at) for at, value in enumerate((1, 3, 8, 100))], 1003.0)
    (transition,) = hub.engine.take_transitions()
    texts = render(transition, 1, "x")
    assert (texts.summary, texts.labels["n"], texts.failures) == ("4.0 3 8", "3", ())


def test_a_text_for_which_there_are_no_samples_shows_a_question_mark_and_adds_none():
    hub = drive("when: t > 5", 'summary: "{previous(t)} {delta(t, 10m)}"')
    hub.engine.process([event("d/1", {"t": 8})], 1000.0)
    (transition,) = hub.engine.take_transitions()
    for _ in range(2):
        texts = render(transition, 1, "x")
        assert texts.summary == "? ?"
        assert len(texts.failures) == 2


def test_a_timer_speaks_with_the_samples_until_then():
    hub = drive("when: t > 5", "for: 1m", 'summary: "{count(t, 10m)}"')
    hub.send("d/1", {"t": 8})
    hub.send("d/1", {"t": 8}, after=30)
    hub.engine.tick(1060.0)
    (transition,) = hub.engine.take_transitions()
    assert render(transition, 1, "x").summary == "2"


# forgetting


def test_an_instance_that_was_silent_longer_than_its_longest_window_is_forgotten():
    hub = drive("when: avg(t, 10m) > 5.0 && count(t, 1h) > 0")
    hub.send("d/1", {"t": 1})
    hub.send("d/2", {"t": 1}, after=1800)
    hub.wait(1799)
    assert len(hub.engine.states["A"].instances) == 2
    hub.wait(2)
    assert list(hub.engine.states["A"].instances) == [("2",)]
    hub.wait(3600)
    assert hub.engine.states["A"].instances == {}
    assert hub.engine.next_due() is None


def test_a_firing_instance_is_kept_and_forgotten_only_behind_its_end():
    hub = drive("when: max(t, 1m) > 5.0")
    hub.send("d/1", {"t": 9})
    hub.wait(7200)
    assert phases(hub.send("d/1", {"t": 1})) == ["resolved"]
    hub.wait(59)
    assert len(hub.engine.states["A"].instances) == 1
    hub.wait(2)
    assert hub.engine.states["A"].instances == {}


def test_values_without_a_window_are_kept_for_a_week():
    hub = drive("when: changed(t)")
    hub.send("d/1", {"t": 1})
    hub.wait(HISTORY_IDLE_SECONDS - 1)
    assert len(hub.engine.states["A"].instances) == 1
    hub.wait(2)
    assert hub.engine.states["A"].instances == {}


def test_instances_of_one_rule_are_bounded_the_longest_silent_go_and_who_fires_stays(monkeypatch):
    monkeypatch.setattr(heard_order, "HISTORY_INSTANCES", 20)
    monkeypatch.setattr(heard_order, "HISTORY_FORGOTTEN", 2)
    hub = drive("when: max(t, 10m) > 5.0")
    hub.send("d/hot", {"t": 9})
    for number in range(100):
        hub.send(f"d/{number}", {"t": 1}, after=0.1)
    known = hub.engine.states["A"].instances
    assert len(known) <= 21
    assert {("hot",), ("99",), ("90",), ("82",)} <= known.keys()
    assert len(hub.errors) == 41
    assert hub.errors[0][:2] == ("A", "d/19")
    assert "1, silent longest, are forgotten" in hub.errors[0][2]  # the first of the two fires


def test_who_fires_keeps_its_samples_where_others_that_must_speak_lose_theirs_for_lack_of_room(monkeypatch):
    monkeypatch.setattr(heard_order, "HISTORY_INSTANCES", 20)
    monkeypatch.setattr(heard_order, "HISTORY_FORGOTTEN", 2)
    hub = drive("when: max(t, 10m) > 5.0\n  absent: 1h")
    hub.send("d/hot", {"t": 9})
    for number in range(100):
        hub.send(f"d/{number}", {"t": 1}, after=0.1)
    assert hub.send("d/hot", {"t": 1}) == []
    assert [each[1:3] for each in hub.wait(600)] == [("hot", "resolved")]


# the store


class Restarted(Drive):
    """A hub that is killed behind each commit, its store a pair of dicts."""

    def __init__(self, text, start=1000.0):
        super().__init__(text, None, start)
        self.text, self.rows, self.samples = text, {}, {}
        self.signatures = dict(self.engine.signatures())

    def commit(self):
        for name, key, state in self.engine.take_changes():
            self.rows[name, key] = state
            if state is None:
                del self.rows[name, key]
        for *key, state in self.engine.take_samples():
            if key[2] is None:
                self.samples = {known: text for known, text in self.samples.items() if known[:2] != tuple(key[:2])}
            elif state is None:
                del self.samples[tuple(key)]
            else:
                self.samples[tuple(key)] = state
        self.signatures = dict(self.engine.signatures())

    def restart(self, text=None):
        self.commit()
        self.text = text or self.text
        self.engine = Engine(rules(self.text), None, lambda *error: self.errors.append(error))
        rows = [(*key, state) for key, state in self.rows.items()]
        samples = [(*key, state) for key, state in self.samples.items()]
        return self.engine.restore(rows, self.signatures, self.now, samples)

    def reload(self, text):
        self.commit()
        self.text = text
        return self.engine.reload(rules(text), None, self.now)


ALL = """
- alert: A
  topic: "d/{x}"
  when: avg(t, 1m) > 0.0 && rate(t, 1m) > -1.0
  clear: stddev(t, 1m) > 50.0 || unchanged(s) > 20s
  for: 10s
  summary: "{avg(t, 1m)} {sum(t, 1m)} {min(t, 2m)} {max(t, 2m)} {count(t > 0, 1m)} {percentile(t, 75, 1m)}"
  details: "{delta(t, 1m)} {changes(s, 1m)} {distinct(s, 1m)} {previous(s)} {last(s)} {changed(s)} {unchanged(s)}"
- event: B
  topic: "d/{x}"
  when: changed(s)
  summary: "{previous(s)} {last(s)}"
"""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["d/1", "d/1", "d/2"]),
        st.fixed_dictionaries(
            {},
            optional={"t": st.floats(-100, 100) | st.none(), "s": st.sampled_from(["a", "b", 1, 1.0, True, "é" * 9])},
        ),
        st.sampled_from([0.0, 0.3, 1.0, 2.5, 15.0, 100.0, 400.0]),
        st.sampled_from([False, False, False, True]),
        st.sampled_from([False, False, False, False, True]),
    ),
    max_size=60,
)


def told(engine):
    found = []
    for each in engine.take_transitions():
        texts = render(each, 1, "x")
        found.append((each.rule.name, each.instance, each.phase.value, each.at, texts.summary, texts.details))
    return found


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_kills_change_nothing_of_what_rules_say(steps):
    steady, killed = Drive(ALL), Restarted(ALL)
    for topic, payload, passed, retain, kill in steps:
        steady.now = killed.now = steady.now + passed
        for hub in (steady, killed):
            hub.engine.tick(hub.now)
            hub.engine.process([event(topic, payload, hub.now, retain=retain)], hub.now)
        assert told(killed.engine) == told(steady.engine)
        if kill:
            killed.restart()
            assert killed.engine.take_transitions() == []


def test_nothing_is_left_in_the_store_of_an_instance_that_was_forgotten():
    hub = Restarted('- {alert: A, topic: "d/{x}", when: "avg(t, 10m) > 5.0"}')
    for number in range(300):
        hub.send("d/1", {"t": number % 5}, after=1)
        hub.commit()
    assert len(hub.samples) == 300 // WINDOW_CHUNK
    hub.restart()
    hub.wait(700)
    hub.commit()
    assert (hub.rows, hub.samples) == ({}, {})


def test_an_instance_that_is_forgotten_and_comes_back_within_one_commit_begins_anew_in_the_store():
    hub = Restarted('- {alert: A, topic: "d/{x}", when: "sum(t, 1m) > 99999.0"}')
    for _ in range(200):
        hub.send("d/1", {"t": 1}, after=0.1)
    hub.commit()
    hub.wait(100)
    for _ in range(40):
        hub.send("d/1", {"t": 1}, after=0.1)
    hub.restart()
    (instance,) = hub.engine.states["A"].instances.values()
    assert next(iter(instance.history.slots.values())).count() == 40


BASE = '- {alert: A, topic: "d/{x}", when: "avg(t, 10m) > 5.0"%s}\n'


@pytest.mark.parametrize("way", ["reload", "restart"])
def test_a_reload_keeps_samples_of_what_is_still_asked_and_drops_those_of_nothing(way):
    hub = Restarted(BASE % ', summary: "{max(s, 10m)}"')
    for number in range(100):
        hub.send("d/1", {"t": number % 5, "s": 7}, after=1)
    hub.commit()
    assert len({slot for _, _, slot, _ in hub.samples}) == 2
    getattr(hub, way)(BASE % ', details: "{min(t, 10m)} {count(s, 10m)}"' + "- {event: Other, topic: x}\n")
    hub.send("d/1", {"t": 1, "s": 1}, after=1)
    hub.commit()
    assert len({slot for _, _, slot, _ in hub.samples}) == 1
    (instance,) = hub.engine.states["A"].instances.values()
    known = {tuple(sorted(window.measures)): window.count() for window in instance.history.slots.values()}
    assert known == {("lowest", "total"): 101, (): 1}


@pytest.mark.parametrize("way", ["reload", "restart"])
@pytest.mark.parametrize("first", ["", ', summary: "{max(s, 10m)}"'])
def test_looking_back_can_come_to_a_rule_and_go(way, first):
    plain = '- {alert: A, topic: "d/{x}", when: "t > 1", for: 1h%s}\n'
    second = "" if first else ', summary: "{max(s, 10m)}"'
    hub = Restarted(plain % first)
    for _ in range(100):
        hub.send("d/1", {"t": 2, "s": 3}, after=1)
    getattr(hub, way)(plain % second)
    hub.send("d/1", {"t": 2, "s": 3}, after=1)
    hub.commit()
    assert bool(hub.samples) is False
    (instance,) = hub.engine.states["A"].instances.values()
    assert (instance.phase.value, instance.history is None) == ("pending", bool(first))
    (state,) = (orjson.loads(text) for text in hub.rows.values())
    assert len(state) == (8 if first else 9)


def test_a_rule_that_means_something_else_loses_its_samples():
    hub = Restarted(BASE % "")
    for _ in range(100):
        hub.send("d/1", {"t": 1}, after=1)
    hub.reload(BASE.replace("5.0", "6.0") % "")
    hub.commit()
    assert (hub.rows, hub.samples) == ({}, {})


def test_samples_go_through_the_real_store(tmp_path):
    text = '- {alert: A, topic: "d/{x}", when: "avg(t, 1m) < 0.0", summary: "{count(t, 1m)} {sum(t, 1m)}"}'
    steady, engine, now = Engine(rules(text)), Engine(rules(text)), 1000.0
    for number in range(400):
        now += 0.7
        for each in (steady, engine):
            each.process([event(f"d/{number % 3}", {"t": 0.1 * number if number < 390 else -9999.0}, now)], now)
        if number % 20 == 0:
            database = Database(tmp_path / "hub.db")
            changes = Changes(instances=engine.take_changes(), samples=engine.take_samples())
            changes.rules = engine.signatures()
            database.apply([changes])
            stored = database.load()
            database.close()
            engine = Engine(rules(text))
            engine.restore(stored.instances, stored.rules, now, stored.samples)
    assert len(stored.samples) >= 3
    said = told(engine)
    assert said == told(steady)
    assert len(said) == 3
    engine.tick(now + 61)
    engine.process([event(f"d/{number}", {"t": 1}, now + 70) for number in range(3)], now + 70)
    engine.tick(now + 200)
    database = Database(tmp_path / "hub.db")
    database.apply([Changes(instances=engine.take_changes(), samples=engine.take_samples())])
    assert (database.load().instances, database.load().samples) == ([], [])
    database.close()
