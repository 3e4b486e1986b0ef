"""records: what is recorded is read again as it was; what is no record is named, never a traceback."""

import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.decode import decoded
from hub.model import Event
from hub.rules.reading.loader import RuleSet
from hub.trial.records import BadLine, line_of, read_line, records
from hub.trial.replaying import Replay
from tests.rules.making import Packet, rules


@given(
    st.binary(max_size=60)
    | st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False), st.lists).map(orjson.dumps)
)
def test_a_message_comes_back_with_what_a_rule_would_see_of_it(raw):
    line = line_of(Packet("a/b", raw, 1, retain=True), 1772323200.25)
    found = read_line(line, 1)
    if isinstance(found, BadLine):
        assert "no rule could see this payload" in found.why
    else:
        assert (found.topic, found.time, found.retain) == ("a/b", 1772323200.25, True)


def test_an_object_is_read_with_its_fields():
    found = read_line(line_of(Packet("a", {"t": -9.5}, 1), 5.0), 1)
    assert (found.fields, found.value, found.raw) == ({"t": -9.5}, {"t": -9.5}, b'{"t":-9.5}')


def test_text_and_times_of_other_recorders_are_read():
    found = read_line(b'{"time": "2026-03-01T00:00:00+01:00", "topic": "a", "text": "offline"}', 1)
    assert (found.value, found.time) == ("offline", 1772319600.0)
    assert read_line(b'{"time": 5, "topic": "a", "payload": 21.5}', 1).value == 21.5


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "not JSON"),
        (b"[]", "no object with"),
        (b"5", "no object with"),
        (b'{"topic": "a", "payload": 1}', "no object with"),
        (b'{"time": "soon", "topic": "a", "payload": 1}', "Invalid isoformat"),
        (b'{"time": 5.0, "topic": 5, "payload": 1}', "no object with"),
        (b'{"time": 5.0, "topic": "a"}', "no object with"),
        (b'{"time": 5.0, "topic": "a", "base64": "!"}', ""),
    ],
)
def test_a_line_that_is_no_record_is_named_with_its_number(line, why):
    found = read_line(line, 7)
    assert isinstance(found, BadLine)
    assert found.number == 7
    assert why in found.why


def test_empty_lines_are_nothing():
    found = list(records(io.BytesIO(b'\n{"time": 1.0, "topic": "a", "payload": {}}\n\n')))
    assert [isinstance(each, Event) for each in found] == [True]


BYTES = [b"\xff\xd8\xff\xe0\0\x10JFIF", b'{"t": nan}\0', b"\xef\xbb\xbfON", b"35\xb0C", b"nan", b'{"u": "\xb0C"}']


@pytest.mark.parametrize("raw", BYTES)
def test_what_is_no_sound_json_is_recorded_as_it_came(raw):
    found = read_line(line_of(Packet("a", raw, 1), 5.0), 1)
    assert (found.raw, found.value) == (raw, decoded("a", raw, 5.0).value)


def test_a_message_that_no_rule_could_see_is_a_bad_line_and_a_sign_of_life():
    rule = '- {alert: Silent, topic: "f/{x}", absent: 10m}'
    replay = Replay(RuleSet(rules={each.name: each for each in rules(rule)}))
    lines = [line_of(Packet("f/1", payload, 1), at) for payload, at in ((b"1", 0.0), (b"{oops", 500.0), (b"2", 1000.0))]
    replay.feed(read_line(line, number) for number, line in enumerate(lines, 1))
    replay.end()
    assert replay.happenings() == []
    assert (replay.events, replay.bad, replay.bad_lines[0].number) == (2, 1, 2)
