"""Rules with a `decode` at work: beside plain ones, with frames that cannot be read, over restart and reload."""

import base64
import gzip

import cbor2
import msgpack
import pytest

from hub.ingest.decode import decode, decode_again
from hub.model import Delivery, Event, Phase, Reason
from hub.rules.running.engine import Engine
from tests.rules.making import rules

START = 1_000.0


def engine_of(text, **kwargs):
    engine = Engine(rules(text), **kwargs)
    engine.restore((), {}, START)
    return engine


def send(engine, topic, payload, at=START, **about):
    event = decode(Delivery(topic, payload, **about), at, is_encoded=engine.is_encoded)
    if isinstance(event, Event):
        engine.process([event], at)
    else:
        engine.hear([event], at)
    return [(each.rule.name, each.phase) for each in engine.take_transitions()]


CBOR = "- {alert: Hot, topic: 'a/{d}', decode: cbor, when: t > 5}"


def test_a_rule_sees_what_its_decode_makes_of_a_message():
    engine = engine_of(CBOR)
    assert send(engine, "a/1", cbor2.dumps({"t": 6})) == [("Hot", Phase.FIRING)]
    assert send(engine, "a/1", cbor2.dumps({"t": 4})) == [("Hot", Phase.RESOLVED)]


def test_a_message_is_decoded_once_for_all_rules_of_one_decode(monkeypatch):
    engine = engine_of("\n".join(f"- {{alert: A{n}, topic: 'a/#', decode: cbor, when: t > {n}}}" for n in range(30)))
    read = []
    (own, _), *_ = engine.plan("a/1").decoded
    monkeypatch.setattr(type(own), "read", lambda _, payload: read.append(payload) or {"t": 9.5})
    assert len(send(engine, "a/1", b"x")) == 10
    assert read == [b"x"]


def test_rules_of_one_topic_decode_it_each_in_its_way():
    engine = engine_of(
        "- {alert: Text, topic: a, when: value == 'oWF0Bg=='}\n"
        "- {alert: Cbor, topic: a, decode: [base64, cbor], when: t == 6}\n"
        "- {alert: Bytes, topic: a, decode: base64, when: size(value) == 4}\n"
        "- {alert: Packed, topic: a, decode: [base64, {packed: '<4B', fields: [a, b, c, d]}], when: d == 6}\n"
    )
    found = send(engine, "a", base64.b64encode(cbor2.dumps({"t": 6})))
    assert sorted(name for name, _ in found) == ["Bytes", "Cbor", "Packed", "Text"]


def test_rules_that_wait_for_a_value_find_it_in_what_was_decoded():
    engine = engine_of(
        "\n".join(f"- {{alert: A{n}, topic: a, decode: msgpack, when: id == 'd{n}' && t > 1}}" for n in range(9))
    )
    assert send(engine, "a", msgpack.packb({"id": "d7", "t": 2})) == [("A7", Phase.FIRING)]
    assert send(engine, "a", msgpack.packb({"id": "d8", "t": 2})) == [("A8", Phase.FIRING), ("A7", Phase.RESOLVED)]


@pytest.mark.parametrize("frame", [b"\xa1", b"{broken", b'{"a": 1, "a": 2}', b"\xff" * 9])
def test_a_frame_that_cannot_be_read_keeps_the_state_and_is_told(frame):
    errors = []
    engine = engine_of(CBOR, on_error=lambda *error: errors.append(error))
    send(engine, "a/1", cbor2.dumps({"t": 6}))
    assert send(engine, "a/1", frame) == []
    assert errors[0][:2] == ("Hot", "a/1")
    assert "CBOR" in errors[0][2]
    assert engine.states["Hot"].errors == 1
    for _ in range(9):
        send(engine, "a/1", frame)
    assert engine.work.misses.unjudged(START)["Hot"].topic == "a/1"
    assert engine.now_of("Hot", (("d", "1"),), START) is not None


def test_a_frame_that_cannot_be_read_is_a_sign_of_life():
    engine = engine_of("- {alert: Gone, topic: 'a/{d}', decode: cbor, absent: 10s}")
    send(engine, "a/1", cbor2.dumps({"t": 6}))
    assert send(engine, "a/1", b"{broken", START + 9) == []
    engine.tick(START + 18)
    assert engine.take_transitions() == []
    engine.tick(START + 20)
    assert [each.phase for each in engine.take_transitions()] == [Phase.FIRING]
    assert send(engine, "a/1", b"\xa1", START + 21) == [("Gone", Phase.RESOLVED)]


def test_a_cleared_retained_message_is_null_and_no_error():
    errors = []
    engine = engine_of(
        "- {alert: A, topic: a, decode: cbor, when: value == null}", on_error=lambda *e: errors.append(e)
    )
    assert send(engine, "a", b"", retain=True) == [("A", Phase.FIRING)]
    assert errors == []


def again(engine, text, signatures=None):
    """Return an engine that goes on from what another one has stored."""
    rows = [row for row in engine.take_changes() if row[2] is not None]
    made = engine_of(text)
    gone = made.restore(rows, dict(signatures or engine.signatures()), START + 1)
    return made, gone


LATER = "- {alert: Hot, topic: 'a/{d}', decode: cbor, when: t > 5, for: 10s, summary: '{t} {size(b)}'}"


def test_what_was_remembered_is_decoded_again_after_a_restart():
    engine = engine_of(LATER)
    send(engine, "a/1", cbor2.dumps({"t": 6, "b": b"\xff\x00"}))
    engine, gone = again(engine, LATER)
    assert not gone
    engine.tick(START + 10)
    (transition,) = engine.take_transitions()
    assert transition.phase is Phase.FIRING
    assert transition.event.value == {"t": 6, "b": b"\xff\x00"}


def test_what_came_with_a_content_type_is_decoded_again_after_a_restart():
    text = LATER.replace("decode: cbor, ", "")
    engine = engine_of(text)
    assert send(engine, "a/1", cbor2.dumps({"t": 6, "b": b"\xff"}), content_type="Application/CBOR; x=1") == [
        ("Hot", Phase.PENDING)
    ]
    engine, _ = again(engine, text)
    engine.tick(START + 10)
    (transition,) = engine.take_transitions()
    assert transition.event.value == {"t": 6, "b": b"\xff"}


def test_the_last_message_is_judged_again_when_a_pause_ends():
    engine = engine_of("- {alert: Hot, topic: a, decode: msgpack, when: t > 5, pause: daily 00:00-01:00}")
    assert send(engine, "a", msgpack.packb({"t": 6})) == []
    engine.tick(3600.0)
    assert [each.phase for each in engine.take_transitions()] == [Phase.FIRING]


def test_an_older_message_undoes_nothing_of_a_newer_one():
    engine = engine_of("- {alert: Hot, topic: a, decode: msgpack, by: [id], when: t > 5}")
    send(engine, "a", msgpack.packb({"id": "x", "t": 6}), START)
    event = Event("a", msgpack.packb({"id": "x", "t": 1}), {}, None, START - 5, 1, False)
    engine.process([event], START + 1)
    assert engine.take_transitions() == []


def test_a_changed_decode_begins_anew_and_the_same_goes_on():
    engine = engine_of(CBOR)
    send(engine, "a/1", cbor2.dumps({"t": 6}))
    assert engine.reload(rules(CBOR), None, START) == {}
    assert engine.reload(rules(CBOR.replace("cbor", "[gzip, cbor]")), None, START) == {"Hot": Reason.RULE_CHANGED}


@pytest.mark.parametrize(
    ("content_type", "payload", "value"),
    [
        ("application/cbor", cbor2.dumps({"t": 1}), {"t": 1}),
        ("application/senml+cbor", cbor2.dumps([{2: 1}]), [{"2": 1}]),
        ("application/msgpack", msgpack.packb([1]), [1]),
        ("application/x-msgpack", msgpack.packb(49), 49),
        ("application/vnd.msgpack", b"1", 49),
        ("application/gzip", gzip.compress(b'{"t": 1}', mtime=0), {"t": 1}),
        ("application/json; charset=utf-8", b'{"t": 1}', {"t": 1}),
        ("application/octet-stream", b'{"t": 1}', {"t": 1}),
        ("", b"21.5", 21.5),
        ("text/plain", b"21.5", 21.5),
        ("text/plain", b"{broken", "{broken"),
        ("text/plain", b"", None),
    ],
)
def test_the_content_type_chooses_for_rules_without_a_decode(content_type, payload, value):
    event = decode(Delivery("a", payload, content_type=content_type), START)
    assert event.value == value
    assert bytes(event.raw) == payload
    assert decode_again("a", event.raw, START).value == value


def test_what_is_not_what_its_content_type_says_cannot_be_read():
    failure = decode(Delivery("a", b'{"t": 1}', content_type="application/cbor"), START)
    assert "CBOR" in failure.reason


def test_the_decode_of_a_rule_goes_before_the_content_type():
    engine = engine_of("- {alert: A, topic: a, decode: msgpack, when: t == 1}")
    assert send(engine, "a", msgpack.packb({"t": 1}), content_type="application/cbor") == [("A", Phase.FIRING)]
