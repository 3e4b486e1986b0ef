"""`hub eval`, as a shell runs it."""

import json
import os
from pathlib import Path

import pytest

from tests.support import prefork

ROOT = Path(__file__).parents[2]


def evaluate(*arguments, stdin=b""):
    """Run it to its end; return (exit code, stdout, stderr)."""
    env = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    code, out, err = prefork.run("eval", *arguments, cwd=ROOT, env=env, stdin=stdin)
    assert "Traceback" not in err, err
    return code, out, err


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["t > 30.0 && b < 20", "--payload", '{"t": 31, "b": 12}'], "true (bool)"),
        (["t + 1", "--payload", '{"t": 31}'], "32 (int)"),
        (["t + 1", "--payload", '{"t": 31.5}'], "32.5 (double)"),
        (["value + 'x'", "--payload", "open"], '"openx" (string)'),
        (["5m + 30s"], "5m30s (google.protobuf.Duration)"),
        (["timestamp(0)"], "1970-01-01T00:00:00Z (google.protobuf.Timestamp)"),
        (["[1, 'a', null]"], '[1,"a",null] (list)'),
        (["{'a': 5u}"], '{"a":5} (map)'),
        (["type(1.0)"], "double (type)"),
        ([r"'\x1b[2J'"], r'"\u001b[2J" (string)'),
        (["device + site + topic", "--topic", "s/a/7", "--on", "s/{site}/{device}"], '"7as/a/7" (string)'),
        (["rest", "--topic", "s/a/7", "--on", "s/{rest...}"], '"a/7" (string)'),
        (["event.topic == 'x' || event.qos == 1"], ""),
        (["avg(t, 10m) + sum(t, 1h)", "--payload", '{"t": 3}'], "6 (double)"),
    ],
)
def test_the_value_and_its_type_are_shown(arguments, shown):
    code, out, err = evaluate(*arguments)
    if shown:
        assert (code, out, err) == (0, shown + "\n", "")
    else:
        assert (code, out) == (1, "")


def test_a_mistake_is_shown_with_a_caret_and_a_value_that_there_is_not_with_the_reason():
    assert evaluate("siz(x) > 1") == (1, "", "hub: unknown function 'siz' (did you mean 'size'?)\nsiz(x) > 1\n^\n")
    assert evaluate("x > > 1")[2].splitlines()[1:] == ["x > > 1", "    ^"]
    assert evaluate("x > 1") == (1, "", "hub: no field 'x'\n")
    assert evaluate("rate(x, 10m)", "--payload", '{"x": 1}')[2] == "hub: fewer than two samples in the window\n"


def test_a_capture_that_hides_the_registry_is_told():
    code, _, err = evaluate("device.limit > 1", "--topic", "s/7", "--on", "s/{device}")
    assert code == 1
    assert "the capture {device} hides the device of the registry" in err


@pytest.mark.parametrize(
    ("expression", "value", "kind"),
    [
        ("1 + 1.5", 2.5, "double"),
        ("5u", 5, "uint"),
        ("'é'", "é", "string"),
        ("{'a': [true, null]}", {"a": [True, None]}, "map"),
        ("{1: b'x'}", {"1": "x"}, "map"),
        ("90s", "1m30s", "google.protobuf.Duration"),
        ("1.0 / 0.0", "inf", "double"),
        ("type(1)", "int", "type"),
    ],
)
def test_as_json_it_is_one_object(expression, value, kind):
    code, out, err = evaluate(expression, "--json")
    assert (code, json.loads(out), err) == (0, {"value": value, "type": kind}, "")


def test_as_json_an_error_is_an_object_too():
    code, out, _ = evaluate("x + siz(x)", "--json")
    assert (code, json.loads(out)) == (
        1, {"error": "unknown function 'siz'", "offset": 4, "hint": "did you mean 'size'?"}
    )  # fmt: skip
    code, out, _ = evaluate("x", "--json")
    assert (code, json.loads(out)) == (1, {"error": "no field 'x'"})


def test_the_payload_comes_from_standard_input():
    assert evaluate("value * 2", "--payload", "-", stdin=b"21.5\n") == (0, "43 (double)\n", "")


def test_the_schedules_of_rule_files_can_be_named_at_any_time(tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("schedules: {night: {daily: 22:00-07:00, tz: Europe/Berlin}}\n")
    ask = ("night && t < 50", "--payload", '{"t": 40}', "--rules", str(rules))
    assert evaluate(*ask, "--now", "2026-06-01T21:00:00Z") == (0, "true (bool)\n", "")
    assert evaluate(*ask, "--now", "2026-06-01T10:00:00Z") == (0, "false (bool)\n", "")
    code, _, err = evaluate("!nihgt", "--rules", str(rules))
    assert (code, err.splitlines()[0]) == (
        1, "hub: there is no schedule 'nihgt' (did you mean 'night'? a field of the payload is payload.nihgt)"
    )  # fmt: skip
    rules.write_text("schedules: {night: {daily: 22:00}}\n")
    code, out, err = evaluate("night", "--rules", str(rules))
    assert (code, out) == (1, "")
    assert f"{rules}:1:28: '22:00' is not a range of times" in err
    assert evaluate("night") == (1, "", "hub: no field 'night'\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument"),
        (["x", "--payload", "{"], "no rule could see this payload: broken JSON"),
        (["x", "--payload", '{"a": 1, "a": 2}'], "the name 'a' twice"),
        (["x", "--on", "s/{site}"], "say which with --topic"),
        (["x", "--on", "s/{site}", "--topic", "t/a"], "t/a does not match it"),
        (["x", "--on", "s/{site", "--topic", "s/a"], "'{site' is no level of a topic"),
        (["x", "--nonsense"], "No such option"),
        (["x", "--now", "noon"], "'noon' is not a timestamp: write it as 2026-03-01T01:55:00Z"),
    ],
)
def test_wrong_usage_says_what_is_wrong_and_ends_with_2(arguments, message):
    code, out, err = evaluate(*arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
