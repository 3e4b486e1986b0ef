"""What `decode` takes, and where and how a mistake in it is told."""

import sys

import pytest

from hub.documents.document import Problems
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import load_rules

PROTO = 'syntax = "proto3"; package acme; message Telemetry { float t = 1; message Cell { int32 v = 1; } }'


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a rule with a `decode`: the rule, and the problems from their column on."""
    (tmp_path / "acme.proto").write_text(PROTO)

    def read(written):
        path, problems = tmp_path / "rules.yaml", Problems()
        path.write_text(f"rules:\n  - {{alert: A, topic: t, when: x > 1, decode: {written}}}\n")
        found = load_rules([path], problems, read_receivers, "hub")
        return found.rules.get("A"), [str(each).removeprefix(f"{path}:2:") for each in problems]

    return read


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("cbor", "cbor"),
        ("[base64, gzip, cbor]", "base64, gzip, cbor"),
        ("[gzip]", "gzip"),
        ('{packed: "<hxB", fields: [t, cell]}', "packed <hxB t cell"),
        ("[base64, {protobuf: acme.proto, message: Telemetry}]", "base64, protobuf acme.proto acme.Telemetry"),
    ],
)
def test_a_decoder_is_read_and_its_text_is_part_of_the_signature(read, written, text):
    made, problems = read(written)
    assert not problems
    assert made.decode.text == text
    assert made.signature != read("msgpack")[0].signature


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("cobr", "47: no decoder 'cobr' (did you mean 'cbor'?)"),
        ("json", "47: no decoder 'json' (JSON, numbers and text are read without 'decode')"),
        ("protobuf", "47: no decoder 'protobuf' (write {protobuf: FILE.proto, message: NAME})"),
        ("[]", "47: 'decode' names no decoder"),
        ("[cbor, gzip]", "54: nothing can follow cbor: it gives a value, not bytes (put it last)"),
        ("[base64, gzpi]", "56: no decoder 'gzpi' (did you mean 'gzip'?)"),
        ("{cbor: }", "47: a step of 'decode' needs 'packed' or 'protobuf' (write cbor, without braces)"),
        ('{packed: "hH", fields: [a, b]}', "57: 'hH' is no packed format: it does not say the order"),
        ('{packed: "<hZ", fields: [a, b]}', "57: '<hZ' is no packed format: bad char"),
        ('{packed: "<hH", fields: [a]}', "71: '<hH' has 2 values, and 'fields' 1 names"),
        ('{packed: "<hH", fields: [a, a]}', "71: the field 'a' stands twice"),
        ('{packed: "<hH"}', "47: a step of 'decode' needs the key 'fields'"),
        ('{packed: "<h", fields: [a], message: B}', "47: 'packed' does not belong beside 'message'"),
        ("{protobuf: acme.proto}", "47: a step of 'decode' needs the key 'message'"),
        ("{protobuf: nix.proto, message: A}", "58: cannot read nix.proto: no such file"),
        ("{protobuf: rules.yaml, message: A}", "58: rules.yaml cannot be used: neither a .proto file"),
        ("{protobuf: acme.proto, message: Telemetri}", "79: no message 'Telemetri' in acme.proto (did you mean"),
        ("{protobuf: acme.proto, mesage: A}", "did you mean 'message'"),
    ],
)
def test_a_mistake_is_told_at_its_place_with_a_remedy(read, written, told):
    made, problems = read(written)
    assert made is None
    assert any(told in each for each in problems), problems
    assert len(problems) <= 2


def test_a_missing_library_is_told_with_the_line_to_run(read, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.protobuf", None)
    _, problems = read("{protobuf: acme.proto, message: Telemetry}")
    assert problems == ["58: the package protobuf is not installed (pip install 'mqtt-notification-hub[protobuf]')"]
