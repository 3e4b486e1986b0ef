"""bare_payloads and homonyms: what is said of texts that no payload is, and of names, is so."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.documents.document import Problems, parse_document
from hub.ingest.decode import Undecodable, decode
from hub.rules.lint.naming.bare_payloads import bare_payloads
from hub.rules.lint.naming.homonyms import homonyms
from hub.rules.reading.rule_reader import NO_DEFAULTS, read_rule
from hub.rules.reading.rule_values import KnownNames
from hub.rules.running.engine import Engine
from tests.rules.making import Packet


def read(**keys):
    """Return a rule and where it is written."""
    problems = Problems()
    text = "{" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in keys.items()) + "}"
    node = parse_document(text, "rules.yaml", problems)
    rule = read_rule(node, problems, NO_DEFAULTS, KnownNames())
    assert not problems, "\n".join(map(str, problems))
    return rule, node


def told(check=bare_payloads, **keys):
    return [problem.message for problem in check(*read(**{"event": "E", "topic": "t/{d}", **keys}))]


SAMPLES = [
    "false",
    "true",
    "0",
    "12345678",
    "21.5",
    "null",
    "007",
    " on",
    "on",
    "",
    "[1]",
    '{"a": 1}',
    "+5",
    ".5",
    '"x"',
    "nan",
]


@given(st.sampled_from(SAMPLES) | st.text(max_size=6), st.sampled_from(["==", "!=", "in"]), st.booleans())
@example("1e5", "==", False)
def test_a_text_of_which_it_is_said_that_no_payload_is_it_never_equals_one_that_comes(text, operator, turned):
    literal = json.dumps(text)
    if re.search(r"[\ud800-\udfff]|\\u", literal.encode("utf-8", "surrogatepass").decode("utf-8", "replace")):
        return  # not what CEL writes
    condition = f"value in ['a', {literal}]" if operator == "in" else f"value {operator} {literal}"
    condition = f"{literal} {operator} value" if turned and operator != "in" else condition
    found = told(when=condition)
    heard = decode(Packet("t/1", text.encode(), 1), 1000.0)
    if isinstance(heard, Undecodable) or isinstance(heard.value, dict):
        assert not found  # of an object `value` is a field, if it has one
        return
    rule, _ = read(event="E", topic="t/{d}", when=condition)
    engine = Engine([rule])
    engine.process([heard], 1000.0)
    equal = bool(engine.take_transitions()) is not (operator == "!=")
    assert bool(found) is not equal


@pytest.mark.parametrize("key", ["when", "clear", "pause", "mute"])
@pytest.mark.parametrize(
    "condition", ['value == "false"', '"0" == value', 'value != "21.5"', 'value in ["0", "x"]', '!(value == "1")']
)
def test_it_is_told_in_every_condition(key, condition):
    keys = {"when": "value > 1"} | {key: condition}
    rule, node = read(alert="A", topic="t/{d}", **keys)
    (problem,) = bare_payloads(rule, node)
    assert re.match("a payload .* is a (bool|number) here, so value .* is (never|always) true for it", problem.message)


def test_it_is_told_in_texts_with_what_to_write():
    (problem,) = bare_payloads(*read(event="E", topic="t", summary='{value == "0" ? "off" : "on"}'))
    assert str(problem).endswith("(write value == 0; where objects come, payload.value is their field)")


@pytest.mark.parametrize(
    "condition",
    [
        'value == "on"', 'value == "007"', 'payload.value == "0"', 'state == "0"', 'value == "0" || value == 0',
        'value in ["0", 0]', 'value == "0" && unit == "x"', 'string(value) == "0"', '["0"].exists(value, value == "0")',
        "value == false", 'd == "0"', 'topic == "0"', 'value.x == "0"',
    ],
)  # fmt: skip
def test_what_may_be_so_is_left_alone(condition):
    assert told(when=condition) == []


def test_a_capture_called_value_is_text():
    rule, node = read(event="E", topic="t/{value}", when='value == "0"')
    assert list(bare_payloads(rule, node)) == []


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ({"when": "payload.state == 'x'", "summary": "{d} {state}"}, ["state"]),
        ({"when": "payload.id > 1", "labels": {"x": "{d}"}, "details": "{id} {state}"}, ["id"]),
        ({"when": "payload.device == 'x'", "summary": "{d} {device}"}, ["device"]),
        ({"when": "payload.device == 'x'", "summary": "{d} {device.name}"}, []),
        ({"when": "state == 'x'", "summary": "{d} {state}"}, []),
        ({"when": "payload.state == 'x'", "by": ["state"], "summary": "{d} {state}"}, []),
        ({"when": "payload.state == 'x'", "summary": "{d} {payload.state}"}, []),
        ({"when": "payload.summary == 'x'", "summary": "{d} {summary}", "details": "{summary}"}, ["summary"]),
        ({"when": "x > 1", "summary": "{d} {state} {id}"}, []),
    ],
)
def test_a_name_that_is_the_alerts_where_a_condition_reads_the_payloads_is_told(keys, names):
    assert [re.match(r"\{(\w+)\} in", each)[1] for each in told(homonyms, **keys)] == names
