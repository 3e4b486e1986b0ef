"""Corners of the library that neither the page's examples nor Google's runtime show."""

import pytest

from hub.errors import CompileError, EvaluationError
from hub.expressions import Context, Scope, compile_condition, compile_expression, evaluate
from hub.expressions.library import FUNCTIONS, GLOBALS
from hub.expressions.runtime.functions import Function, cel


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 1, 'b': 2}.all(k, v, k == 'a' || v == 2)", True),
        ("[3, 1].exists(i, v, i == 1 && v == 1)", True),
        ("[5, 6].existsOne(i, v, v > i + 5)", False),
        ("{'a': 1, 'b': 2}.transformList(k, v, v > 1, k)", ["b"]),
        ("[4, 5].transformMap(i, v, i > 0, v)", {1: 5}),
        ("['a', 'b'].transformMapEntry(i, v, {v: i})", {"a": 0, "b": 1}),
        ("{'a': 1}.map(k, k + '!')", ["a!"]),
        ("'%s'.format([{'b': [1.5, null], 'a': duration('1.5s')}])", "{a: 1.500s, b: [1.5, null]}"),
        ("'%.0f %.2e'.format([2.5, 0.000123])", "2 1.23e-04"),
        ("'%s %s'.format([double('NaN'), -1.0 / 0.0])", "NaN -Infinity"),
        ("''.split(',')", [""]),
        ("'a'.split(',', 0)", []),
        ("'\\u0085\\u2003x\\u180e'.trim()", "x\u180e"),
        ("'ÄÖa'.upperAscii()", "ÄÖA"),
        ("'👋🌍'.charAt(1) + '👋🌍'.reverse()", "🌍🌍👋"),
        ("string(1e15) + ' ' + string(0.00001) + ' ' + string(-1234567.5)", "1e+15 1e-05 -1.2345675e+06"),
        ("math.round(-0.4)", -0.0),
        ("timestamp('2016-12-31T23:59:60Z') == timestamp('2017-01-01T00:00:00Z')", True),
        ("timestamp('2026-07-01T00:00:00Z').getHours('Europe/Berlin')", 2),
        ("timestamp('2026-01-01T00:00:00Z').getHours('Europe/Berlin')", 1),
        ("timestamp('0001-01-01T00:00:00Z').getDate('America/New_York')", 31),
        ("duration('1us') + duration('1µs') == duration('.002ms')", True),
        ("duration('1m') == 60s && 1d == duration('24h') && 1w == 7d", True),
    ],
)
def test_a_corner_has_its_value(text, value):
    assert evaluate(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "['a', 'a'].transformMapEntry(i, v, {v: i})",
        "[1].transformMapEntry(i, v, v)",
        "'%s %s'.format([1])",
        "'%q'.format([1])",
        "'%d'.format(['1'])",
        "'%f'.format(['x'])",
        "'abc'.charAt(-1)",
        "'abc'.substring(2, 1)",
        "'abc'.indexOf('a', 9)",
        "[1, 'a'].join()",
        "base64.decode('!')",
        "math.greatest([])",
        "math.greatest('a')",
        "math.bitShiftLeft(1, -1)",
        "math.bitAnd(1, 1u)",
        "timestamp('2026-01-01')",
        "timestamp('2026-01-01T00:00:00')",
        "timestamp(253402300800)",
        "timestamp('9999-12-31T23:59:59Z') + 1s",
        "duration('1d')",
        "duration('')",
        "duration('1h x')",
        "duration('320000000000s')",
        "now.getHours('Mars/Base')",
        "now.getHours('../../etc/passwd')",
        "now.getHours('+25:00')",
        "[?1]",
        "{?'a': 1}",
        "optional.of(1).optFlatMap(x, x)",
        "dyn(1).orValue(2)",
    ],
)
def test_what_has_no_value_is_an_error(text):
    with pytest.raises(EvaluationError):
        evaluate(text, {"now": evaluate("timestamp(0)")})


def test_a_pattern_that_comes_with_the_event_is_bounded():
    condition = compile_condition("text.matches(pattern)", Scope())
    assert condition.run({"text": "abc", "pattern": "b+"}, (), None) is True
    for pattern in ("(", "a" * 101, "\\"):
        with pytest.raises(EvaluationError):
            condition.run({"text": "abc", "pattern": pattern}, (), None)


def test_the_budget_is_full_again_for_the_next_evaluation():
    condition = compile_condition("items.exists(x, x > 5)", Scope())
    with pytest.raises(EvaluationError, match="too long"):
        condition.run({"items": [1] * 100_000}, (), None)
    assert condition.run({"items": [1, 9]}, (), None) is True


def test_every_function_has_a_name_of_its_own_in_generated_code_and_says_what_it_does():
    assert len({function.symbol for function in FUNCTIONS.values()}) == len(FUNCTIONS)
    assert all(GLOBALS[function.symbol] is function.call for function in FUNCTIONS.values())
    assert [function.name for function in FUNCTIONS.values() if not function.call.__doc__] == []
    assert GLOBALS["__builtins__"] == {}


def test_a_signature_that_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="not a signature"):
        cel("size of string")(len)
    assert isinstance(FUNCTIONS["size"], Function)


# places, JSON in texts, what patterns capture


@pytest.mark.parametrize(
    ("places", "metres"),
    [
        ("0, 0, 0, 0", 0.0),
        ("52.52, 13.405, 52.52, 13.405 - 360", 0.0),
        ("0, 0, 0, 1", 111_195.08),
        ("90, 0, -90, 77", 20_015_114.44),
        ("10, 179.5, 10, -179.5", 109_505.67),
    ],
)
def test_a_distance_is_that_on_a_ball(places, metres):
    assert evaluate(f"geo.distance({places})") == pytest.approx(metres, abs=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("geo.distance(91.0, 0, 0, 0)", "a latitude is from -90 to 90"),
        ("geo.distance(0, 0.0 / 0.0, 0, 0)", "a latitude is from -90 to 90"),
        ('geo.distance(dyn("1"), 0, 0, 0)', "no such overload"),
        ('json.parse("{")', "not JSON"),
        ('json.parse("nan")', "not JSON"),
        ("json.parse(dyn(1))", "no such overload"),
        (f'json.parse("{"[" * 33}{"]" * 33}")', "nested deeper than 32"),
        ('regex.extract("a", dyn(1))', "no such overload"),
        ('regex.extract("a", dyn("(a)" + "(b)"))', "at most one group"),
        ('regex.extract("a", dyn("(" + "a"))', "not a regular expression"),
        ('regex.replace("a", "a", r"\\x")', "digit of a group"),
        ('regex.replace("a", "(a)", r"\\2")', "the pattern has 1 groups"),
    ],
)
def test_what_has_no_value_says_why(text, message):
    with pytest.raises(EvaluationError, match=message):
        evaluate(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'regex.replace("a.b", "[.]", r"\\")', "a\\b"),
        (r'regex.replace("ab", "(a)|(b)", r"<\1\2>")', "<a><b>"),
        ('regex.replace("abc", "", "-")', "-a-b-c-"),
        ('regex.replace("abc", "b*", "-")', "-a-c-"),
        (r'regex.replace("a", "a", r"\0\0")', "aa"),
        ('regex.extractAll("a1b2", "[a-z](?:[0-9])")', ["a1", "b2"]),
        ('regex.extractAll("ab", "(a)|b")', ["a"]),
        ('regex.extract("b", "(a)|b").hasValue()', False),
        ('json.parse("[]") == []', True),
    ],
)
def test_what_patterns_capture_and_put_in_place(text, value):
    assert evaluate(text) == value
    program = compile_expression(text, Scope())
    assert program.run({}, (), None) == value


def test_a_pattern_that_is_written_out_is_checked_at_load_with_its_place():
    with pytest.raises(CompileError, match="not a regular expression") as caught:
        compile_expression('regex.extract(name, "(a").hasValue()', Scope())
    assert "RE2" in caught.value.hint
    with pytest.raises(CompileError, match="at most one group"):
        compile_expression('regex.extract(name, "(a)(b)").hasValue()', Scope())


def test_a_long_text_and_a_large_pattern_run_out_of_steps_and_not_of_time():
    program = compile_expression('regex.extractAll(value, "(?:a|b|c|d|e){1,50}x") == []', Scope())
    with pytest.raises(EvaluationError, match="takes too long"):
        program.run({"value": "abcde" * 10_000}, (), Context(value="abcde" * 10_000, payload_present=False))
