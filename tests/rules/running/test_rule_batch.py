"""rule_batch: rules that are evaluated together say what they say one by one, and cost one call while nothing holds."""

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.rules.running import rule_batch
from hub.rules.running.engine import Engine
from tests.rules.making import event, rules
from tests.rules.running.test_index import Naive, said

TERMS = [
    "v > 0",
    "v > 1",
    "v < 2",
    "v == 1",
    "kind == 'x' || v > 1",
    "missing > 1",
    "missing > 1 || v > 1",
    "on",
    "a != 'z'",
]
EXTRA = [[], [], ["for: 10s"], ["clear: v < 0"], ["clear: missing > 0"], ["clear_for: 10s"], ["by: a"], ["absent: 1m"]]
EXTRA += [["summary: '{v}'"], ["labels: {n: '{max(v, 1m)}'}"]]
RULE = st.tuples(
    st.booleans(),
    st.sampled_from(["t/{a}/{b}", "t/{b}/{a}", "t/{a}/+"]),
    st.sampled_from(TERMS),
    st.sampled_from(EXTRA),
)
EVENT = st.tuples(
    st.sampled_from(["t/1/2", "t/2/1"]),
    st.fixed_dictionaries(
        {},
        optional={
            "v": st.sampled_from([-1, 1, 2, "x", None]),
            "on": st.sampled_from([True, False, 1]),
            "missing": st.sampled_from([0, 2]),
            "kind": st.sampled_from(["x", "y"]),
        },
    ),
    st.sampled_from([0, 0, 5, 12]),
    st.sampled_from([False, False, True]),
)


def written(number, alert, topic, when, more):
    if not alert or "{b}" not in topic:
        more = [line for line in more if alert and line != "by: a"]
    lines = [f"- {'alert' if alert else 'event'}: R{number}", f"topic: {topic}", f'when: "{when}"', *more]
    return "\n  ".join(lines)


@given(st.lists(RULE, min_size=2, max_size=8), st.lists(EVENT, max_size=30), st.sampled_from([2, 3, 64]))
@settings(max_examples=300, deadline=None)
def test_rules_together_say_what_each_of_them_alone_says(drawn, events, size):
    text = "\n".join(written(number, *each) for number, each in enumerate(drawn))
    errors = {"together": [], "alone": []}
    with mock.patch.multiple(rule_batch, TOGETHER_AFTER=1, TOGETHER_RULES=size):
        engine = Engine(rules(text), on_error=lambda *error: errors["together"].append(error))
    naive, now = Naive(text), 1000.0
    naive.work.on_error = lambda *error: errors["alone"].append(error)
    for topic, payload, passes, retain in events:
        now += passes
        one = event(topic, payload, now, retain=retain)
        for each in (engine, naive):
            each.tick(now)
        engine.process([one], now)
        naive.process(one, now)
        assert said(engine) == said(naive), f"behind {topic} {payload} at {now}"
        assert sorted(errors["together"]) == sorted(errors["alone"])
    assert all(state.errors == engine.states[state.rule.name].errors for state in naive.states)


def steps(engine):
    """Return where the rules that do something are noted from now on."""
    seen = []
    for state in engine.states.values():
        for way in ("step", "conclude"):
            go = getattr(state, way)
            setattr(state, way, lambda *args, go=go, name=state.rule.name: (seen.append(name), go(*args))[1])
    return seen


@pytest.mark.parametrize("kind", ["alert", "event"])
def test_only_rules_that_have_something_to_do_do_anything(monkeypatch, kind):
    monkeypatch.setattr(rule_batch, "TOGETHER_AFTER", 2)
    engine = Engine(rules("".join(f'- {{{kind}: R{n}, topic: "t/{{x}}", when: v > {n}}}\n' for n in range(5))))
    seen = steps(engine)
    engine.process([event("t/1", {"v": 0})] * 2, 1000.0)
    assert len(seen) == 10
    engine.process([event("t/1", {"v": 0})], 1000.0)
    assert len(seen) == 10
    engine.process([event("t/1", {"v": 2})], 1000.0)
    assert seen[10:] == ["R0", "R1"]
    engine.process([event("t/2", {"v": 0})], 1000.0)
    engine.process([event("t/1", {"v": 0})], 1000.0)
    assert seen[12:] == (["R0", "R1"] if kind == "alert" else [])


def test_a_large_set_of_rules_is_compiled_bit_by_bit(monkeypatch):
    monkeypatch.setattr(rule_batch, "TOGETHER_RULES", 10)
    made = []
    monkeypatch.setattr(rule_batch, "compile_together", lambda programs: made.append(len(programs)))
    engine = Engine(rules("".join(f"- {{event: R{n}, topic: t, when: v > {n}}}\n" for n in range(35))))
    for expected in ([], [10], [10, 10], [10, 10, 10], [10, 10, 10, 5], [10, 10, 10, 5]):
        assert made == expected
        engine.process([event("t", {"v": 0})] * (rule_batch.TOGETHER_AFTER if not made else 1), 1000.0)


def test_firing_goes_on_in_the_batch_of_a_reload_and_a_restart(monkeypatch):
    monkeypatch.setattr(rule_batch, "TOGETHER_AFTER", 1)
    text = '- {alert: A, topic: "t/{x}", when: v > 1, for: 10s}\n- {alert: B, topic: "t/{x}", when: v > 2}\n'
    engine = Engine(rules(text))
    engine.process([event("t/1", {"v": 9})] * 3, 1000.0)
    rows, signatures = engine.take_changes(), dict(engine.signatures())
    again = Engine(rules(text))
    again.restore(rows, signatures, 1001.0)
    engine.reload(rules(text), None, 1001.0)
    engine.take_transitions()
    for each in (engine, again):
        each.process([event("t/1", {"v": 0})] * 3, 1002.0)
        assert [(t.rule.name, t.phase.value) for t in each.take_transitions()] == [("A", "inactive"), ("B", "resolved")]
