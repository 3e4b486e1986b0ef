"""The language, beyond the examples of docs/expressions.md and what test_against_google finds."""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from hub.errors import EvaluationError, HubError
from hub.expressions import CompileError, UInt, evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("missing || true", True),
        ("true || missing", True),
        ("missing && false", False),
        ("unknown(1) || true", True),
        ("(missing || x) || true", True),
        ("!(missing && false)", True),
        ("x && (missing || true)", True),
        ("(missing ? 1 : 2) == 1 || x", True),
        ("x ? 1 : missing", 1),
        ("'no bool' || x", True),
        ("[1, 0].exists(n, 1 / n == 1)", True),
        ("[0, 1].all(n, 1 / n == 2)", False),
        ("[0, 1].exists(n, missing || n == 1)", True),
        ("{0: 1}.all(k, v, v / k == 1 && false)", False),
        ("(missing && missing) || (missing || x)", True),
        ("[missing].size() == 1 || x", True),
    ],
)
def test_an_error_is_absorbed_where_the_other_side_decides(text, value):
    assert evaluate(text, {"x": True}) == value


@pytest.mark.parametrize(
    "text",
    [
        "missing && true",
        "true && missing",
        "false || missing",
        "missing || missing",
        "x && 1",
        "1 || false",
        "!1",
        "1 ? true : false",
        "[0, 1].all(n, 1 / n == 1)",
        "[0, 1].exists(n, 1 / n == 2)",
        "[1, 0].exists_one(n, 1 / n == 1)",
        "[1, 0].filter(n, 1 / n == 1)",
        "true > 0",
        "true + 1",
        "1 < true",
        "[1] < [2]",
        "{} > {}",
        "null < 1",
        "1u + 1",
        "1u + 1.0",
        "-1u",
        "1.5 % 1.0",
        "'a' - 'b'",
        "[1][true]",
        "{true: 1}[1]",
        "{1: 1}[true]",
        "{1.0: 1}",
        "{true: 1, 1: 2}",
        "'abc'.a",
        "(5).a",
        "null.a",
        "size(5)",
        "size()",
        "'a'.contains(1)",
        "-duration('1s')",
        "int('9223372036854775808')",
        "timestamp('2026-02-29T00:00:00Z')",
        "'a'.matches('(')",
        "uint(-1)",
        "x.y.z",
    ],
)
def test_what_has_no_value_is_an_evaluation_error(text):
    with pytest.raises(EvaluationError) as caught:
        evaluate(text, {"x": True})
    assert str(caught.value)


def test_true_is_no_number_and_no_number_is_true():
    assert evaluate("1 == dyn(true)") is False
    assert evaluate("x == 1", {"x": True}) is False
    assert evaluate("x != 1", {"x": True}) is True
    assert evaluate("x == 0", {"x": False}) is False
    assert evaluate("1.0 == x", {"x": True}) is False
    assert evaluate("x == true", {"x": 1}) is False
    assert evaluate("[true] == [1]") is False
    assert evaluate("true in [1, 2]") is False
    assert evaluate("true in {1: 2}") is False
    assert evaluate("x in [1]", {"x": True}) is False


def test_a_value_has_its_own_type_in_python():
    assert type(evaluate("5u")) is UInt
    assert type(evaluate("5")) is int
    assert type(evaluate("1 + 1.0")) is float
    assert str(evaluate("type(5u)")) == "uint"
    assert evaluate("timestamp('2026-03-01T00:00:00+01:00')") == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert evaluate("duration('1.5s')") == timedelta(seconds=1.5)
    assert issubclass(UInt, int)
    assert issubclass(CompileError, HubError)


def test_nanoseconds_are_kept_and_compared():
    assert evaluate("timestamp('2026-01-01T00:00:00.000000001Z') > timestamp('2026-01-01T00:00:00Z')") is True
    assert evaluate("string(timestamp('2026-01-01T00:00:00.000000001Z'))") == "2026-01-01T00:00:00.000000001Z"
    assert evaluate("duration('1ns') + duration('1ns') == duration('2ns')") is True
    assert evaluate("duration('1ns') == duration('2ns')") is False
    assert evaluate("[duration('1ns')] == [duration('2ns')]") is False


def test_a_name_with_dots_is_the_longest_binding():
    assert evaluate("a.b.c", {"a.b.c": 1, "a.b": {"c": 2}, "a": {"b": {"c": 3}}}) == 1
    assert evaluate("a.b.c", {"a.b": {"c": 2}, "a": {"b": {"c": 3}}}) == 2
    assert evaluate("a.b.c", {"a": {"b": {"c": 3}}}) == 3
    assert evaluate("[{'b': 1}].map(a, a.b)", {"a.b": 7}) == [1]
    assert evaluate("[1].map(int, int + 1)") == [2]
    assert evaluate("int", {"int": 5}) == 5


def test_a_variable_of_a_macro_hides_the_outer_one():
    assert evaluate("[[1], [2]].map(x, x.map(x, x * 10))") == [[10], [20]]
    assert evaluate("[1, 2].map(x, [x].exists(y, y == x))") == [True, True]
    assert evaluate("[1, 2].map(a, [3, 4].map(b, a * b))") == [[3, 4], [6, 8]]
    assert evaluate("x + [1].map(x, x)[0] + x", {"x": 5}) == 11
    assert evaluate("cel.bind(x, 1, cel.bind(y, x + 1, x + y))") == 3


def test_what_stands_twice_is_computed_once_and_gives_the_same():
    fields = {"a": {"b": 4.0}, "t": 1.0}
    assert evaluate("a.b + a.b * a.b", fields) == 20.0
    assert evaluate("a.b > 3.0 ? a.b : t", fields) == 4.0
    assert evaluate("t > 3.0 ? a.b : a.b + t", fields) == 5.0
    assert evaluate("t > 3.0 && a.b > 1.0 || a.b + t == 5.0", fields) is True
    assert evaluate("(t + a.b) + a.b == a.b + (t + a.b)", fields) is True
    assert evaluate("[a.b].map(x, a.b + x) == [a.b + a.b]", fields) is True
    assert evaluate("(nope.x == 1 || a.b == 4.0) && a.b == 4.0", fields) is True


def test_any_mapping_is_a_map():
    view = MappingProxyType({"limit": 5, "deep": MappingProxyType({"x": 1})})
    assert evaluate("device.limit == 5 && has(device.deep.x) && device.deep.x == 1", {"device": view}) is True
    assert evaluate("'limit' in device && size(device) == 2 && type(device) == map", {"device": view}) is True
    assert evaluate("device == {'limit': 5, 'deep': {'x': 1}}", {"device": view}) is True
