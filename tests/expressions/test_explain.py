"""explain: a condition taken apart into what it looks at."""

import pytest

from hub.expressions import Scope, compile_condition
from hub.expressions.explain import parts


@pytest.mark.parametrize(
    ("text", "looks_at"),
    [
        ("temperature > -15", ["temperature"]),
        ("temperature > 30.0 && battery < 20", ["temperature", "battery"]),
        ("!(open || state == 'a b')", ["open", "state"]),
        ("a > 1 ? b : c", ["a", "b", "c"]),
        ("avg(t, 10m) > -15.0 && delta(t, 10m) > 2.0", ["avg(t, 10m)", "delta(t, 10m)"]),
        ("power > device.max_power * 2", ["power", "device.max_power * 2"]),
        ("state in ['a', 'b'] && has(payload.x)", ["state", "has(payload.x)"]),
        ("items.exists(i, i.size > 3)", ["items.exists(i, i.size > 3)"]),
        ("(a + b) * c > 4", ["(a + b) * c"]),
        ("name == '(' && (x > 1)", ["name", "x"]),
        ("a > 1 && a < 5", ["a"]),
    ],
)
def test_what_a_condition_looks_at(text, looks_at):
    program = compile_condition(text, Scope(history=True))
    assert [part for part, _ in parts(program)] == looks_at


def test_a_schedule_is_a_part_and_a_name_whose_value_is_known_is_none():
    scope = Scope(schedules=frozenset({"night"}), own=(("severity", "info"),))
    program = compile_condition('night && t < 50 && severity != "critical"', scope)
    assert [part for part, _ in parts(program)] == ["night", "t"]


def test_a_part_is_a_program_of_its_own():
    ((_, part), _) = parts(compile_condition("size(name) > 3 && site == 'a'", Scope(("site",))))
    assert part.run({"name": "abc"}, ("a",), None) == 3


def test_what_the_whole_left_out_because_it_can_never_decide_is_no_part():
    scope = Scope(("x",), history=True, schedules=frozenset({"night"}))
    assert [text for text, _ in parts(compile_condition("true ? v > 1 : night", scope))] == ["v"]
    assert [text for text, _ in parts(compile_condition("true ? v > 1 : changed(w)", scope))] == ["v"]
