"""Names, what a program knows of itself, and its errors at run time."""

import itertools
import re

import pytest

from hub.errors import EvaluationError
from hub.expressions import Context, Equality, Scope, compile_condition, compile_expression, compile_together

SCOPE = Scope(("site", "device"))
NOW = 1_772_323_200.0


def run(text, fields=(), captures=("berlin", "7"), scope=SCOPE, **context):
    return compile_expression(text, scope).run(dict(fields), captures, Context(**context))


def test_a_capture_hides_a_field_and_payload_gives_the_field():
    fields = {"site": "elsewhere", "topic": "fake", "now": 1, "device": "fake"}
    assert run("site", fields) == "berlin"
    assert run("payload.site", fields) == "elsewhere"
    assert run("topic", fields, topic="a/b") == "a/b"
    assert run("device", fields) == "7"
    assert run("payload.device + payload['topic']", fields) == "fakefake"


def test_a_templates_own_names_stand_before_captures():
    scope = Scope(("state", "site"), frozenset(("state",)))
    assert run("state + site", scope=scope, captures=("capture", "x"), extra={"state": "firing"}) == "firingx"


def test_the_event_is_seen_through_the_context():
    scope = Scope(())
    assert run("device.limit + event.qos + event.size", scope=scope, device={"limit": 5}, qos=1, size=10) == 16
    assert run("labels.severity", labels={"severity": "critical"}) == "critical"
    assert run("event.retain") is False
    assert run("now - event.time == 90s", now=NOW + 90, time=NOW) is True
    assert run("now.getFullYear()", now=NOW) == 2026


def test_value_is_a_payload_that_is_no_object():
    assert run("value > 20", value=21.5, payload_present=False) is True
    assert run("value.contains('x')", value="axb", payload_present=False) is True


def test_value_is_the_field_of_that_name_of_a_payload_that_is_an_object():
    document = {"value": 30, "unit": "C"}
    assert run("value > 20 && payload.value > 20", document, value=document) is True
    assert run("value == null", {"value": None}, value={"value": None}) is True
    for other in ({"v": 30}, None):
        with pytest.raises(EvaluationError, match="an object without a field 'value'"):
            run("value > 20", other or {}, value=other)


def test_a_capture_called_value_is_the_capture():
    assert run("value == 'x'", {"value": 30}, scope=Scope(("value",)), captures=("x",), value={"value": 30}) is True


@pytest.mark.parametrize(
    ("text", "fields", "captures", "needs_context"),
    [
        ("temperature > 30.0 && battery < 20", {"temperature", "battery"}, set(), False),
        ("payload.a == b", {"a", "b"}, set(), False),
        ("has(payload.a) && site == 'x'", {"a"}, {"site"}, False),
        ("x > device", {"x"}, {"device"}, False),
        ("topic == 'a'", set(), set(), True),
        ("event.qos == 1", set(), set(), True),
        ("items.exists(temperature, temperature > limit)", {"items", "limit"}, set(), False),
        ("type == 'alarm' && type(x) == int", {"type", "x"}, set(), False),
        ("count > 3 && last == 'x'", {"count", "last"}, set(), False),
    ],
)
def test_a_program_knows_what_it_uses(text, fields, captures, needs_context):
    program = compile_expression(text, SCOPE)
    assert (program.fields, program.captures, program.needs_context) == (fields, captures, needs_context)
    assert program.text == text


@pytest.mark.parametrize(
    ("text", "equalities"),
    [
        ('device == "d7" && temperature > 3', [("capture", "device", "d7")]),
        ('"d7" == device', [("capture", "device", "d7")]),
        ("state == 'open' && (payload.site == 'x' && y > 1)", [("field", "state", "open"), ("field", "site", "x")]),
        ("state == 'open' || x == 'y'", []),
        ("!(state == 'open')", []),
        ("state == 5 && other != 'x'", []),
        ("a.b == 'x' && topic == 'y' && payload.a.b == 'z'", []),
        ("payload.?a.orValue('') == 'x'", []),
    ],
)
def test_equalities_are_what_must_hold_for_the_condition_to_be_true(text, equalities):
    program = compile_expression(text, SCOPE)
    assert list(program.equalities) == list(itertools.starmap(Equality, equalities))


def test_a_condition_gives_true_or_false_or_an_error_and_nothing_else():
    condition = compile_condition("on", SCOPE)
    assert condition.run({"on": True}, (), None) is True
    for wrong in (1, 0, "true", None, [True]):
        with pytest.raises(EvaluationError, match="neither true nor false"):
            condition.run({"on": wrong}, (), None)


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        ("temperature > 30", {}, "no field 'temperature'"),
        ("temperature > 30 && battery < 20", {"battery": 5}, "no field 'temperature'"),
        ("temperature > 30 && battery < 20", {"temperature": 31}, "no field 'battery'"),
        ("temperature > 30", {"temperature": "hot"}, "string > int"),
        ("temperature > 30.5", {"temperature": None}, "null > double"),
        ("temperature > 30", {"temperature": True}, "bool compared with a number"),
        ("temperature > 30", {"temperature": [31]}, "list > int"),
        ("door < 'x'", {"door": 5}, "int < string"),
        ("a.b > 1", {"a": {}}, "no field 'b'"),
        ("a.b > 1", {"a": 5}, "an int has no fields"),
        ("a[1] > 1", {"a": [1]}, "index 1 out of range"),
        ("a + b > 1", {"a": 1, "b": "x"}, r"int \+ string"),
        ("a / b > 1", {"a": 1, "b": 0}, "division by zero"),
        ("a > b", {"a": "x", "b": 1.5}, "string > double"),
    ],
)
def test_an_error_says_which_field_or_which_types(text, fields, message):
    with pytest.raises(EvaluationError, match=message):
        compile_condition(text, SCOPE).run(fields, (), None)


def test_a_missing_field_does_not_matter_where_the_other_one_decides():
    condition = compile_condition("temperature > 30.0 && battery < 20", SCOPE)
    assert condition.run({"battery": 50}, (), None) is False
    assert condition.run({"temperature": 5}, (), None) is False
    assert compile_condition("a == 1 || b == 1", SCOPE).run({"b": 1}, (), None) is True


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
@pytest.mark.parametrize("limit", ["-2", "-1.0", "0", "0.5", "1", "1.0", "2", "30.5"])
def test_a_bool_is_never_compared_with_a_number_whatever_it_would_give(operator, limit):
    for text in (f"x {operator} {limit}", f"{limit} {operator} x"):
        condition = compile_condition(text, SCOPE)
        for bad in (True, False):
            with pytest.raises(EvaluationError, match="bool"):
                condition.run({"x": bad}, (), None)
        for number in (-3, 0, 1, 0.75, 31):
            assert condition.run({"x": number}, (), None) is eval(text, {"x": number})


def test_an_error_holds_no_frame_alive_through_itself():
    program = compile_condition("a > 1 && b > 1", SCOPE)
    with pytest.raises(EvaluationError) as caught:
        program.run({}, (), None)
    assert caught.value.__cause__ is None


def test_compiled_together_each_has_its_own_value_or_error():
    texts = ["t > 30.0 && b < 20", "t > 30.0 && b < 5", "b < 20", "nope > 1", "site == 'berlin' && t > 30.0", "t + b"]
    programs = [compile_expression(text, SCOPE) for text in texts]
    run_all = compile_together(programs)
    for fields in (
        {"t": 31.0, "b": 12},
        {"t": 31.0},
        {"b": 3},
        {},
        {"t": "x", "b": None},
        {"t": 31.0, "b": 1, "nope": 2},
    ):
        outcomes = run_all(fields, ("berlin", "7"), None)
        for program, outcome in zip(programs, outcomes, strict=True):
            if isinstance(outcome, EvaluationError):
                with pytest.raises(EvaluationError, match=re.escape(str(outcome))):
                    program.run(fields, ("berlin", "7"), None)
            else:
                assert outcome == program.run(fields, ("berlin", "7"), None)


def test_conditions_compiled_together_are_bools_or_errors():
    run_all = compile_together([compile_condition("a", SCOPE), compile_condition("b == 1", SCOPE)])
    assert run_all({"a": True, "b": 1}, (), None) == [True, True]
    outcomes = run_all({"a": 1, "b": 1}, (), None)
    assert isinstance(outcomes[0], EvaluationError)
    assert outcomes[1] is True
    with pytest.raises(ValueError, match="one scope"):
        compile_together([compile_condition("a", SCOPE), compile_condition("a", Scope())])
