"""What is found when a rule is loaded: the message, the place, what to do."""

import pytest

from hub.expressions import CompileError, Scope, caret, compile_condition, compile_expression

SCOPE = Scope(("site", "device"))


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("site.startWith('x')", "startWith", "unknown method 'startWith'", "'startsWith'"),
        ("siz(x) > 1", "siz", "unknown function 'siz'", "'size'"),
        ("math.flor(x) > 1.0", "flor", "unknown function 'math.flor'", "'math.floor'"),
        ("startsWith(site, 'x')", "startsWith", "unknown function", "x.startsWith"),
        ("'x'.abs()", "abs", "unknown method", ""),
        ("size() > 1", "size", "does not take 0 arguments", "size(string) -> int"),
        ("x.contains('a', 'b')", "contains", "does not take 2 arguments", "contains(string)"),
        ("x.contains(5)", "contains", r"does not take \(int\)", "contains(string)"),
        ("topic.getHours() > 1", "getHours", "a string has no method getHours", "(timestamp).getHours()"),
        ("device == 5", "==", "a string never equals an int", "quotes"),
        ("site != 1.5", "!=", "never equals", "quotes"),
        ("'a' == null", "==", "a string never equals a null", ""),
        ("type(x) == 'int'", "==", "a type never equals a string", ""),
        ("site > 5", ">", "a string cannot be compared with an int", "quotes"),
        ("5 < site", "<", "an int cannot be compared with a string", "the payload's field is payload.site"),
        ("now > 5", ">", "a timestamp cannot be compared with an int", "timestamp"),
        ("now - event.time > 300", ">", "a duration cannot be compared with an int", "90s"),
        ("site in [1, 2]", "in", "a string is never in a list of int", "quotes"),
        ("5 in 'abc'", "in", "has no members", "contains"),
        ("site + 5 == 'x'", "+", r"no string \+ int", "string(x)"),
        ("now + 5 > now", "+", r"no timestamp \+ int", "90s"),
        ("1u + 1 == 2u", "+", r"no uint \+ int", ""),
        ("!site", "!", "needs true or false", ""),
        ("site && x", "site", "on both sides", ""),
        ("site ? 1 : 2", "?", "before it", ""),
        ("site.x == 1", "x", "a string has no member 'x'", ""),
        ("site[0] == 'a'", "[", "has no elements", ""),
        ("x.map(y, y)['a'] == 1", "['", "the index of a list is a number", ""),
        ("'abc'.exists(x, true)", "exists", "list or a map", ""),
        ("x.matches('(')", "matches", "not a regular expression", "RE2"),
        (r"x.matches(r'(a)\1')", "matches", "not a regular expression", "RE2"),
        ("event.tim > now", "tim", "no member 'tim'", "'time'"),
        ("event == 1", "event", "event has members", "event.qos"),
        ("avg(x, 10m) > 1.0", "avg", "has no samples here", "conditions and texts"),
        ("changed(x)", "changed", "has no samples here", "conditions and texts"),
        ("{1.5: 2} == x", "1.5", "cannot be the key", ""),
    ],
)
def test_a_mistake_is_found_at_load_with_its_place_and_what_to_do(text, place, message, hint):
    with pytest.raises(CompileError, match=message) as caught:
        compile_condition(text, SCOPE)
    assert caught.value.offset == text.index(place)
    assert hint in caught.value.hint
    assert caught.value.text == text


@pytest.mark.parametrize("text", ["device.limit > 3", "device['limit'] > 3", "has(device.limit)"])
def test_a_capture_that_hides_the_registry_is_told_with_the_way_out(text):
    with pytest.raises(CompileError, match="a string has no") as caught:
        compile_condition(text, SCOPE)
    assert caught.value.hint == (
        "the capture {device} hides the device of the registry; give the capture another name to reach it"
    )
    assert compile_condition(text, Scope(("site",)))


def test_the_registry_compared_with_a_text_is_told_with_the_field_that_was_meant():
    with pytest.raises(CompileError, match="a map never equals a string") as caught:
        compile_condition("device == 'd7'", Scope())
    assert "payload.device" in caught.value.hint


def test_another_built_in_name_that_is_hidden_is_told_too():
    with pytest.raises(CompileError, match="a string has no member") as caught:
        compile_condition("event.qos == 1", Scope(("event",)))
    assert "hides the hub's own 'event'" in caught.value.hint


HISTORY = Scope(("site",), history=True)


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("avg(x) > 1.0", "avg", "does not take 1 argument", "avg(x, 10m)"),
        ("percentile(x, 10m) > 1.0", "percentile", "does not take 2 arguments", "percentile(x, 95, 10m)"),
        ("held(x) > 1m", "held", "does not take 1 argument", "held(x > 8, 24h)"),
        ("held(double(x), 1h) > 1m", "double", "a condition, not a double", "what must hold"),
        ("held(x > 1, 1h) > 30", "> 30", "a duration cannot be compared with an int", ""),
        ("mean(x > 1, 1h) > 1.0", "> 1, 1h", "numbers, not a bool", "held takes a condition"),
        ("mkt(x, 40d) > 1.0", "40d", "at most 31d", ""),
        ("predict(x, 1h) > 1.0", "predict", "does not take 2 arguments", "predict(x, 1h, 6h)"),
        ("predict(x, 1h, 6) > 1.0", "6) ", "the time ahead is a duration", "predict(x, 1h, 6h)"),
        ("predict(x, 1h, 400d) > 1.0", "400d", "at most 366d", ""),
        ("reaches(x, y, 6h) < 1h", "y", "a number that is written out", "reaches(x, 0, 6h)"),
        ("reaches(x, 0s, 6h) < 1h", "0s", "a number that is written out", ""),
        ("slope(x, y) > 1.0", "y", "the window is a duration", "slope(x, 1h)"),
        ("last(x, 1, 2) > 1", "last", "does not take 3 arguments", "last(x)"),
        ("derivative(x, 1h) > 1.0", "derivative", "unknown function", "slope(x, 1h)"),
        ("slop(x, 1h) > 1.0", "slop", "unknown function", ""),
        ("changed(x, 10m)", "changed", "does not take 2 arguments", "changed(x)"),
        ("avg(x, 600) > 1.0", "600", "the window is a duration", "avg(x, 10m)"),
        ("avg(x, y) > 1.0", "y", "the window is a duration", ""),
        ("avg(x, 0s) > 1.0", "0s", "longer than 0", ""),
        ("avg(x, 40d) > 1.0", "40d", "at most 31d", ""),
        ("percentile(x, 101, 10m) > 1.0", "101", "from 0 to 100", ""),
        ("percentile(x, y, 10m) > 1.0", "y", "from 0 to 100", ""),
        ("avg(site, 10m) > 1.0", "site", "numbers, not a string", "count"),
        ("max(x > 1, 10m) > 1.0", ">", "numbers, not a bool", ""),
        ("max(delta(x, 1m), 10m) > 1.0", "delta", "cannot stand in another", ""),
        ("xs.exists(y, avg(y, 10m) > 1.0)", "y, 10m", "a name of the macro around it", "once per event"),
        ("avg(x +, 10m) > 1.0", ",", "where a value", ""),
        ("avg(siz(x), 10m) > 1.0", "siz", "unknown function", "'size'"),
        ("changed(x) == 1", "==", "a bool never equals an int", ""),
        ("unchanged(x) > 5", ">", "a duration cannot be compared", "90s"),
        ("count(x, 10m) == 'a'", "==", "an int never equals a string", ""),
    ],
)
def test_a_mistake_in_a_history_function_is_found_at_load(text, place, message, hint):
    with pytest.raises(CompileError, match=message) as caught:
        compile_condition(text, HISTORY)
    assert caught.value.offset == text.index(place)
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["1", "'yes'", "site", "now", "x + 1.0", "[true]", "size(x)", "null"])
def test_a_condition_that_cannot_be_a_bool_is_refused_and_is_an_expression(text):
    with pytest.raises(CompileError, match="true or false"):
        compile_condition(text, SCOPE)
    assert compile_expression(text, SCOPE)


@pytest.mark.parametrize(
    "text",
    [
        "x == 5 || x == 'five' || x == null",
        "dyn(site) == 5",
        "1 == 1.0 && 1u == 1",
        "now - 5m < event.time",
        "x in ['a', 1, null]",
        "site in ['a', 1]",
        "type(x) in [int, double]",
        "type(x) != string",
        "int > 5 && string == 'x'",
        "x.items.filter(i, i.on).size() > 2",
        "(x > 1 ? 'a' : 'b') == site",
        "math.greatest(x, 5) > 7.5",
    ],
)
def test_what_can_hold_is_not_refused(text):
    assert compile_condition(text, SCOPE).kind == "bool"


def shown(text, offset):
    return caret(CompileError("m", offset, text))


def test_the_caret_stands_below_the_place():
    assert shown("a + b", 2) == "a + b\n  ^"
    assert shown("a +", 3) == "a +\n   ^"
    assert shown("a\nb + c\nd", 4) == "b + c\n  ^"
    assert shown("a\r\nb", 1) == "a\n ^"
    assert shown("\tx +", 3) == "    x +\n      ^"
    assert shown("'漢字' + é", 6) == "'漢字' + é\n       " + " ^"
    assert shown("'\x1b[2J' + 1", 7) == "'\\x1b[2J' + 1\n" + " " * 10 + "^"
    assert shown("", 0) == ""
    assert shown("abc", 99) == "abc\n   ^"


def test_a_long_line_is_cut_around_the_place():
    lines = shown("a" * 300 + "!" + "b" * 300, 300).split("\n")
    assert len(lines[0]) < 110
    assert lines[0][lines[1].index("^")] == "!"


NIGHT = Scope(("site",), schedules=frozenset({"night", "maintenance", "shift1", "clean"}), own=(("severity", "info"),))


@pytest.mark.parametrize(
    ("text", "at", "meant"),
    [
        ("nihgt", 0, "night"),
        ("Night", 0, "night"),
        ("nigt && t > 5", 0, "night"),
        ("t > 5 || !nights", 10, "night"),
        ("nigth ? t > 5 : t > 9", 0, "night"),
        ("t > 5 && (open || maintenence)", 18, "maintenance"),
        ("items.all(i, i > 3 && nigth)", 22, "night"),
    ],
)
def test_a_misspelt_schedule_that_is_asked_for_true_or_false_is_refused(text, at, meant):
    with pytest.raises(CompileError) as caught:
        compile_condition(text, NIGHT)
    assert caught.value.offset == at
    assert caught.value.hint.startswith(f"did you mean '{meant}'? a field of the payload is payload.")
    assert compile_condition(text, Scope(("site",)))


@pytest.mark.parametrize(
    "text",
    [
        *("service", "light && night", "!sight", "payload.nihgt", "has(payload.nihgt) && payload.nihgt", "shift2"),
        *("nihgt > 5", "items.exists(nigth, nigth && t > 3)", "maintained", "eight || night", "mainframe", "clear"),
    ],
)
def test_a_field_that_is_no_slip_of_a_schedules_name_stays_legal(text):
    assert compile_condition(text, NIGHT)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("night > 5", "'night' is a schedule, true or false; the payload's field is payload.night"),
        ("night == 'on'", "'night' is a schedule, true or false; the payload's field is payload.night"),
    ],
)
def test_a_schedule_that_is_compared_as_a_field_says_how_the_field_is_written(text, hint):
    with pytest.raises(CompileError) as caught:
        compile_condition(text, NIGHT)
    assert caught.value.hint == hint


def test_a_capture_that_hides_a_schedule_is_named_where_that_cannot_be():
    for text in ("night && t > 5", "night"):
        with pytest.raises(CompileError) as caught:
            compile_condition(text, Scope(("night",), schedules=frozenset({"night"})))
        assert caught.value.hint.startswith("the capture {night} hides the schedule 'night'")


def test_a_program_knows_which_schedules_it_names_and_whether_it_asks_the_event():
    for text, named, asks in (("night && t > 5", {"night"}, False), ("night && topic == 'a'", {"night"}, True)):
        program = compile_condition(text, NIGHT)
        assert (program.schedules, program.asks_event, program.needs_context) == (named, asks, True)
    plain = compile_condition("t > 5 && severity == 'info'", NIGHT)
    assert (plain.schedules, plain.needs_context, plain.fields) == (frozenset(), False, {"t"})
    assert plain.equalities == compile_condition("night == open", NIGHT).equalities == ()
