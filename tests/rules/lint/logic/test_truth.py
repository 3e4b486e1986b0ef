"""truth: what is said never to be true, never is; what people write is seen."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import CompileError, EvaluationError
from hub.expressions import Scope, compile_condition
from hub.rules.lint.logic.entailment import entails
from hub.rules.lint.logic.truth import clauses, never

SCOPE = Scope(("device",), history=True)
NAMES = ("x", "y", "payload.x", "device")
CONSTANTS = ("1", "2", "2.5", "-1", "'a'", "'b'", "true", "null", "1m")
VALUES = (0, 1, 2, 2.5, 3, -2, "a", "b", "", True, False, None)


def condition(text):
    return compile_condition(text, SCOPE)


def value(program, fields):
    try:
        return program.run(fields, ("a",), None)
    except EvaluationError:
        return None


comparisons = st.builds(
    lambda a, o, b, turned: f"{b} {o} {a}" if turned else f"{a} {o} {b}",
    st.sampled_from(NAMES),
    st.sampled_from(("<", "<=", ">", ">=", "==", "!=")),
    st.sampled_from(CONSTANTS + NAMES),
    st.booleans(),
)
members = st.builds("{} in [{}]".format, st.sampled_from(NAMES), st.lists(st.sampled_from(CONSTANTS)).map(", ".join))
leaves = comparisons | members | st.sampled_from(("x", "y", "true", "false", "has(payload.x)", "size(x) > -1"))
expressions = st.recursive(
    leaves,
    lambda inner: (
        st.builds("({} && {})".format, inner, inner)
        | st.builds("({} || {})".format, inner, inner)
        | st.builds("!({})".format, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
    ),
    max_leaves=6,
)
payloads = st.fixed_dictionaries({}, optional={name: st.sampled_from(VALUES) for name in ("x", "y")})


@given(expressions, expressions, st.lists(payloads, min_size=5, max_size=30))
def test_what_never_is_never_is_and_what_is_implied_holds_whatever_a_device_sends(one, other, sent):
    try:
        first, second = condition(one), condition(other)
    except CompileError:
        return
    seen = [(value(first, fields), value(second, fields)) for fields in sent]
    if never((first, True)):
        assert all(told is not True for told, _ in seen)
    if never((first, False)):
        assert all(told is not False for told, _ in seen)
    if never((first, True), (second, True)):
        assert (True, True) not in seen
    for wish, same in product((True, False), repeat=2):
        if entails((first, wish), (second, same)):
            assert all(found is same for given, found in seen if given is wish)


@pytest.mark.parametrize(
    "text",
    [
        "t > 30 && t < 20",
        "t > 30 && t <= 30",
        "t >= 30 && t <= 30 && t != 30",
        "30 < t && 20 > payload.t",
        'state == "a" && state == "b"',
        'state in ["a", "b"] && state == "c"',
        'state in ["a", "b"] && state != "a" && state != "b"',
        'state == "a" && state > 3',
        "open && !open",
        "!(open || !open)",
        "a > b && b > a",
        "a > b && a == b",
        "avg(t, 10m) > 5 && avg(t, 10m) < 4",
        "size(items) < 0",
        "event.qos == 3",
        "unchanged(t) > 5m && unchanged(t) < 60s",
        "held(t > 8, 1h) > 2h",
        "reaches(t, 0, 6h) < 0s",
        "(t > 5 ? t < 3 : t > 7)",
        "device.limit > 3 && device.limit < 3",
        '(s == "a" || s == "b") && s == "c"',
    ],
)
def test_a_condition_that_cannot_be_true_is_seen(text):
    scope = Scope((), history=True)
    assert never((compile_condition(text, scope), True))


@pytest.mark.parametrize(
    "text",
    [
        "t > 30 || t < 20",
        "t > 3 && t < 4",
        "held(t > 8, 2h) > 1h",
        "t >= 30 && t <= 30",
        "a > 30 && b < 20",
        "avg(t, 10m) > 5 && avg(t, 11m) < 4",
        "t > 5 && previous(t) < 5",
        't > 5 && state == "a" && state != "b"',
        "items.exists(i, i > 3) && items.exists(i, i < 3)",
        "items[0] > 3 && items[1] < 3",
        "t > limit && t < 2 * limit",
        't == 5 || t == "5"',
    ],
)
def test_a_condition_that_can_be_true_is_left_alone(text):
    assert not never((condition(text), True))


def test_a_condition_with_very_many_ways_is_left_alone_and_takes_no_time():
    ways = " && ".join(f"(a{n} > 1 || b{n} > 1)" for n in range(40))
    assert clauses((condition(ways), True)) is None
    assert not never((condition(ways), True))
