"""index: which rules a topic concerns; what it leaves out changes nothing: every rule on every event says the same."""

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ingest.topics import matches
from hub.rules.running import rule_batch
from hub.rules.running.engine import Engine
from hub.rules.running.engine_context import EngineContext, NoDevices
from hub.rules.running.index import RuleIndex
from hub.rules.running.rule_runner import RuleRunner
from tests.rules.making import event, rules


def index_of(text):
    work = EngineContext(NoDevices(), lambda *_: None)
    states = [RuleRunner(rule, work) for rule in rules(text)]
    return RuleIndex(states)


def always(index, topic):
    return [(bound.runner.rule.name, bound.captures) for bound in index.plan(topic).always]


def test_a_plan_holds_the_rules_whose_filters_match_with_what_their_captures_take():
    index = index_of(
        """
        - {event: A, topic: "site/{site}/door"}
        - {event: B, topic: "site/#"}
        - {event: C, topic: "{a}/{b}/{c}"}
        - {event: D, topic: "site/x/window"}
        - {event: E, topic: "{all...}"}
        """
    )
    assert sorted(always(index, "site/x/door")) == [
        ("A", ("x",)), ("B", ()), ("C", ("site", "x", "door")), ("E", ("site/x/door",))
    ]  # fmt: skip
    assert sorted(always(index, "site")) == [("B", ()), ("E", ("site",))]
    assert always(index, "$SYS/x/door") == []


def test_a_rule_is_there_once_however_many_of_its_filters_match_and_the_first_decides_the_captures():
    index = index_of('- {event: A, topic: ["a/{x}/+", "a/+/{x}", "a/b/{x}"]}')
    assert always(index, "a/b/c") == [("A", ("b",))]
    assert index.plan("a/b/c").copies == 2


def test_a_demanded_capture_leaves_a_rule_out_of_other_topics_plans():
    index = index_of('- {alert: A, topic: "d/{device}", when: device == "d7" && t > 3}')
    assert always(index, "d/d7") == [("A", ("d7",))]
    assert always(index, "d/d8") == []


def test_a_demanded_payload_field_costs_a_rule_nothing_for_other_values():
    index = index_of(
        "".join(f'- {{event: R{n}, topic: t, when: payload.kind == "k{n}" && v > 1}}\n' for n in range(100))
    )
    plan = index.plan("t")
    assert plan.always == ()
    (group,) = plan.groups
    assert [bound.runner.rule.name for bound in group.of({"kind": "k7"})] == ["R7"]
    assert group.of({"kind": "other"}) == ()
    assert group.of({}) == ()
    assert group.of({"kind": ["k7"]}) == ()


def test_a_capture_outside_the_instance_is_no_demand_of_an_alert_because_other_values_end_it():
    engine = Engine(rules('- {alert: A, topic: "d/{x}/{y}", by: [x], when: y == "bad"}'))
    said = []
    for level in ("bad", "well"):
        engine.process([event(f"d/1/{level}")], 1000.0)
        said += [each.phase.value for each in engine.take_transitions()]
    assert said == ["firing", "resolved"]


def test_what_has_ended_sleeps_again_and_hears_no_other_values():
    engine = Engine(rules('- {alert: A, topic: "d/{x}", when: payload.kind == "bad"}'))
    heard = []
    for kind in ("well", "bad", "well", "well", "other"):
        engine.process([event("d/1", {"kind": kind})], 1000.0)
        heard.append(engine.states["A"].heard)
    assert heard == [0, 1, 2, 2, 2]


def test_a_rule_with_absent_hears_every_message():
    index = index_of('- {alert: A, topic: "d/{device}", when: device == "d7", absent: 1m}')
    assert always(index, "d/d8") == [("A", ("d8",))]


def test_so_many_filters_that_nobody_compares_them_may_overlap(monkeypatch):
    text = '- {event: A, topic: "a/+"}\n- {event: B, topic: "b/+"}'
    assert not index_of(text).overlaps
    monkeypatch.setattr("hub.rules.running.index.OVERLAP_COMPARISONS", 3)
    assert index_of(text).overlaps


def test_overlapping_filters_are_told_only_where_both_are_subscribed():
    def overlaps(*topics):
        return index_of("".join(f'- {{event: "R{n}", topic: "{topic}"}}\n' for n, topic in enumerate(topics))).overlaps

    assert not overlaps("a/b", "a/c")
    assert not overlaps("a/+", "b/+")
    assert not overlaps("a/+", "a/b")  # covered: not subscribed
    assert not overlaps("a/+", "a/#")
    assert not overlaps("a/#", "a/+")
    assert overlaps("a/+", "+/b")
    assert overlaps("a/+/c", "a/b/#")


def test_what_is_subscribed_beside_the_rules_is_heard_and_counts_among_the_copies():
    index = RuleIndex([], ["a/+/$state"])
    assert (index.filters, index.hears("a/b/$state"), index.hears("a/b")) == (["a/+/$state"], True, False)
    assert index.plan("a/b/$state").copies == 1


def test_plans_of_topics_not_seen_lately_are_forgotten(monkeypatch):
    monkeypatch.setattr("hub.rules.running.engine.PLAN_CACHE_TOPICS", 3)
    engine = Engine(rules('- {event: A, topic: "t/{x}"}'))
    engine.process([event(f"t/{n}") for n in range(10)], 1000.0)
    assert list(engine._plans) == ["t/7", "t/8", "t/9"]
    assert len(engine.take_transitions()) == 10


# the trie against the definition of matching

LEVEL = st.sampled_from(["a", "b", "", "$x"])
TOPIC = st.lists(LEVEL, min_size=1, max_size=4).map("/".join).filter(bool)
FILTER = st.lists(st.sampled_from(["a", "b", "", "$x", "+", "+", "#"]), min_size=1, max_size=4).map(
    lambda levels: "/".join(levels[: levels.index("#") + 1] if "#" in levels else levels)
).filter(bool)  # fmt: skip


@given(st.lists(FILTER, unique=True, max_size=8), TOPIC)
@settings(max_examples=300)
def test_the_trie_finds_exactly_the_filters_that_match(filters, topic):
    index = index_of("".join(f'- {{event: R{n}, topic: "{text}"}}\n' for n, text in enumerate(filters)))
    plan = index.plan(topic)
    assert sorted(bound.runner.rule.name for bound in plan.always) == sorted(
        f"R{n}" for n, text in enumerate(filters) if matches(text, topic)
    )
    assert plan.copies == sum(matches(text, topic) for text in filters)


# the index against running every rule on every event

VALUES = ["1", "2", "x"]
TOPICS = ["t/{a}/{b}", "t/{a}/+", "t/+/{b}", "t/{rest...}", "t/1/{b}", "t/1/2", "+/{a}/{b}", "{all...}"]
PATHS = ["t/1/2", "t/2/1", "t/1/1", "t/x/2", "u/1/2"]


@st.composite
def conditions(draw, captures):
    names = [*captures, "kind", "payload.mode", "kind"]
    parts = draw(
        st.lists(
            st.tuples(st.sampled_from(names), st.sampled_from(["==", "==", "!="]), st.sampled_from(VALUES)), max_size=2
        )
    )
    terms = [f"{name} {operator} '{value}'" for name, operator, value in parts]
    if draw(st.booleans()) or not terms:
        terms.append(draw(st.sampled_from(["v > 0", "v < 0", "missing > 1", "true"])))
    return " && ".join(draw(st.permutations(terms)))


@st.composite
def a_rule(draw, number):
    patterns = draw(st.lists(st.sampled_from(TOPICS), min_size=1, max_size=1))
    if draw(st.integers(0, 4)) == 0:
        patterns = draw(st.permutations(["t/{a}/+", "t/+/{a}", "+/{a}/#"]))[:2]
    captures = [name for name in ("a", "b", "rest", "all") if f"{{{name}" in patterns[0]]
    lines = [f"- {'alert' if (alert := draw(st.booleans())) else 'event'}: R{number}", f"  topic: {patterns!r}"]
    if draw(st.booleans()):
        by = draw(st.lists(st.sampled_from([*captures, "kind", "mode"]), unique=True, max_size=2))
        lines.append(f"  by: {by}")
    lines.append(f'  when: "{draw(conditions(captures))}"')
    if alert:
        lines += draw(st.sampled_from([[], [], ["  for: 10s"]]))
        lines += draw(st.sampled_from([[], [], ['  clear: "v < 1"'], ["  clear: \"kind == '1'\""]]))
        lines += draw(st.sampled_from([[], [], [], ["  clear_for: 10s"]]))
        lines += draw(st.sampled_from([[], [], [], ["  absent: 15s"]]))
    return "\n".join(lines)


PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from([*VALUES, 1, 2, True, None, 1.0, ["1"]]),
        "mode": st.sampled_from(VALUES),
        "v": st.sampled_from([-1, 1, 2]),
    },
)
EVENTS = st.lists(st.tuples(st.sampled_from(PATHS), PAYLOADS, st.sampled_from([0, 0, 5, 12])), max_size=25)


class Naive:
    """Every rule on every event: no trie, no plan, no table."""

    def __init__(self, text):
        self.work = EngineContext(NoDevices(), lambda *_: None)
        self.states = [RuleRunner(rule, self.work) for rule in rules(text)]

    def process(self, one, now):
        for state in self.states:
            for pattern in state.rule.patterns:
                if matches(pattern.filter, one.topic):
                    state.step(one, pattern.values(one.topic.split("/")), None, now)
                    break

    def tick(self, now):
        while (found := self.work.deadlines.take(now)) is not None:
            found[0].deadline(found[1], now)

    def take_transitions(self):
        said, self.work.transitions = self.work.transitions, []
        return said


def said(engine):
    return sorted(
        (t.rule.name, t.instance, t.phase.value, t.reason.value, t.at, t.since, t.captures, t.serial)
        for t in engine.take_transitions()
    )


@given(st.integers(1, 6).flatmap(lambda count: st.tuples(*map(a_rule, range(count)))), EVENTS)
@settings(max_examples=400, deadline=None)
@pytest.mark.parametrize("after", [1, 32])
def test_the_engine_with_its_index_says_what_running_every_rule_on_every_event_says(after, texts, events):
    text = "\n".join(texts)
    with mock.patch.object(rule_batch, "TOGETHER_AFTER", after):
        engine, naive, now = Engine(rules(text)), Naive(text), 1000.0
    for topic, payload, passes in events:
        now += passes
        for each in (engine, naive):
            each.tick(now)
        assert said(engine) == said(naive)
        one = event(topic, payload, now)
        engine.process([one], now)
        naive.process(one, now)
        assert said(engine) == said(naive), f"after {topic} {payload} at {now}"


def test_rules_by_different_captures_with_the_same_values_keep_to_their_own_instances():
    text = """
        - {alert: A, topic: "s/{site}/{device}", by: site, when: kind == "x" && v > 1}
        - {alert: B, topic: "s/{site}/{device}", by: device, when: kind == "x" && v > 1}
    """
    engine = Engine(rules(text))
    engine.process([event("s/1/2", {"kind": "x", "v": 2})], 1000.0)
    assert [(t.rule.name, t.instance) for t in engine.take_transitions()] == [
        ("A", (("site", "1"),)), ("B", (("device", "2"),))
    ]  # fmt: skip
    engine.process([event("s/2/1", {"kind": "y", "v": 0})], 1001.0)
    assert engine.take_transitions() == []


def test_a_rule_is_evaluated_once_where_several_fields_are_demanded_by_others():
    runs = []
    text = """
        - {alert: A, topic: t, when: kind == "x" && v > 1, clear: v > 1}
        - {alert: B, topic: t, when: mode == "y"}
    """
    engine = Engine(rules(text))
    for state in engine.states.values():
        step = state.step
        state.step = lambda *args, step=step, name=state.rule.name: (runs.append(name), step(*args))
    engine.process([event("t", {"kind": "x", "mode": "y", "v": 2})], 1000.0)
    assert sorted(runs) == ["A", "B"]
    runs.clear()
    engine.process([event("t", {"kind": "x", "mode": "z", "v": 0})], 1001.0)
    assert sorted(runs) == ["A", "B"]


def test_a_number_that_by_writes_as_text_reaches_the_rule_that_demands_the_text():
    engine = Engine(rules("- {alert: A, topic: t, by: unit, when: unit == '5'}"))
    engine.process([event("t", {"unit": "5"}), event("t", {"unit": 5})], 1000.0)
    assert [t.phase.value for t in engine.take_transitions()] == ["firing", "resolved"]


def test_cost_follows_matches_not_rules():
    text = "".join(f'- {{alert: R{n}, topic: "t/{n}/+", when: v > 1}}\n' for n in range(300))
    engine = Engine(rules(text))
    ran = []
    for state in engine.states.values():
        state.step = lambda *_, name=state.rule.name: ran.append(name)
    engine.process([event("t/7/x", {"v": 2})], 1000.0)
    assert ran == ["R7"]


def test_an_evaluation_error_is_told_with_rule_and_topic_and_changes_nothing():
    seen = []
    engine = Engine(rules("- {event: A, topic: t, when: missing > 1}"), on_error=lambda *error: seen.append(error))
    engine.process([event("t", {})], 1000.0)
    ((rule, topic, message),) = seen
    assert (rule, topic) == ("A", "t")
    assert "missing" in message
    assert engine.take_transitions() == []
