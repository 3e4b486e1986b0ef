"""protobuf: messages by a .proto file or a set of descriptors, and what is told of files that cannot be used."""

import contextlib
import math

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.decoding.proto_text import BadProto, parse_proto
from hub.ingest.decoding.protobuf import open_types
from hub.ingest.payload_reading import Unreadable

PROTO = """
syntax = "proto3";  // a comment
package acme.v1;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";
option java_package = "org.acme";
/* another
   comment */
message Telemetry {
  reserved 20, 21 to 25; reserved "old";
  option deprecated = false;
  enum Mode { option allow_alias = true; OFF = 0; ON = 1 [deprecated = true]; RUNNING = 0x1; }
  message Position { double lat = 1; double lon = 2; message = 3; }
  float temperature = 1 [json_name = "temp"];
  optional int32 battery = 2;
  Mode mode = 3;
  repeated Position track = 4;
  map<string, Position> places = 5;
  map<int32, bool> flags = 6;
  oneof what { string name = 7; bytes blob = 8; }
  google.protobuf.Timestamp at = 9;
  google.protobuf.Duration took = 10;
  google.protobuf.DoubleValue perhaps = 11;
  google.protobuf.Struct more = 12;
  uint64 big = 13;
  repeated sint32 deltas = 14 [packed = true];
  .acme.v1.Telemetry inner = 15;
}
service S { rpc Get (Telemetry) returns (stream Telemetry) { option (a).b = { x: 1 }; } }
""".replace("double lon = 2; message = 3;", "double lon = 2;")


@pytest.fixture(scope="module")
def types(tmp_path_factory):
    path = tmp_path_factory.mktemp("protos") / "acme.proto"
    path.write_text(PROTO)
    return open_types(path)


@pytest.fixture(scope="module")
def message(types):
    return GetMessageClass(types._pool.FindMessageTypeByName("acme.v1.Telemetry"))


def test_a_message_becomes_its_fields(types, message):
    made = message(temperature=-9.5, battery=0, mode=1, big=2**63, deltas=[1, -2], blob=b"\xff")
    made.track.add(lat=1.5)
    made.places["a"].lon = 2
    made.flags[7] = True
    made.at.FromJsonString("2026-03-01T01:55:00Z")
    made.took.seconds = 3
    made.perhaps.value = math.nan
    made.more.update({"a": [1, "x", None, {"b": True}]})
    made.inner.temperature = math.inf
    read = types.reader("acme.v1.Telemetry")(made.SerializeToString())
    assert read.pop("inner")["temperature"] is None
    assert read == {
        "temperature": -9.5,
        "battery": 0,
        "mode": "ON",
        "track": [{"lat": 1.5, "lon": 0.0}],
        "places": {"a": {"lat": 0.0, "lon": 2.0}},
        "flags": {"7": True},
        "blob": b"\xff",
        "at": "2026-03-01T01:55:00Z",
        "took": "3s",
        "perhaps": None,
        "more": {"a": [1.0, "x", None, {"b": True}]},
        "big": 2**63,
        "deltas": [1, -2],
    }


def test_what_proto3_does_not_send_has_its_default_and_what_may_be_absent_is(types):
    nothing = {"temperature": 0.0, "mode": "OFF", "track": [], "places": {}, "flags": {}, "big": 0, "deltas": []}
    assert types.reader("acme.v1.Telemetry")(b"") == nothing
    assert types.reader("acme.v1.Telemetry")(b"\x18\x09") == nothing | {"mode": 9}  # an enumeration may have grown


def test_what_proto2_does_not_send_is_absent(tmp_path):
    path = tmp_path / "old.proto"
    path.write_text(
        "message A { optional int32 t = 1 [default = 5]; required string s = 2; repeated B b = 3; }"
        " message B { enum E { X = -1; } optional E e = 1; extensions 100 to max; }"
    )
    read = open_types(path).reader("A")
    assert read(b"\x12\x01x\x1a\x00") == {"s": "x", "b": [{}]}
    with pytest.raises(Unreadable):
        read(b"\x08\x01")  # without what is required


@given(st.binary(max_size=100))
def test_no_bytes_do_more_than_to_be_refused(types, data):
    with contextlib.suppress(Unreadable):
        types.reader("acme.v1.Telemetry")(data)


def test_a_message_in_itself_is_bounded(types, message):
    made = inner = message()
    for _ in range(60):
        inner.inner.temperature = 1
        inner = inner.inner
    with pytest.raises(Unreadable, match="nested deeper than 32"):
        types.reader("acme.v1.Telemetry")(made.SerializeToString())


def test_a_set_of_descriptors_says_the_same(tmp_path, types, message):
    path = tmp_path / "acme.desc"
    found = descriptor_pb2.FileDescriptorSet()
    for name in ("timestamp", "duration", "wrappers", "struct"):
        types._pool.FindFileByName(f"google/protobuf/{name}.proto").CopyToProto(found.file.add())
    types._pool.FindFileByName("acme.proto").CopyToProto(found.file.add())
    path.write_bytes(found.SerializeToString())
    data = message(temperature=1, mode=1).SerializeToString()
    assert open_types(path).reader("acme.v1.Telemetry")(data) == types.reader("acme.v1.Telemetry")(data)
    assert open_types(path).names == ["acme.v1.Telemetry", "acme.v1.Telemetry.Position"]


def test_a_message_may_be_named_without_its_package(types):
    assert types.found("Position") == types.found("acme.v1.Telemetry.Position") == "acme.v1.Telemetry.Position"
    assert types.found(".acme.v1.Telemetry") == "acme.v1.Telemetry"
    assert types.found("osition") == types.found("PlacesEntry") == ""


def test_imports_are_found_beside_the_file_and_above_it(tmp_path):
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "base.proto").write_text('syntax = "proto3"; package b; message Base { int32 n = 1; }')
    path = tmp_path / "acme" / "top.proto"
    path.write_text('syntax = "proto3"; import public "acme/base.proto"; message Top { b.Base base = 1; }')
    assert open_types(path).reader("Top")(b"\x0a\x02\x08\x05") == {"base": {"n": 5}}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("message A {", "line 1: the file ends"),
        ("message A {\n int32 = 1; }", "line 2: a name is needed"),
        ("message A {\n int32 a = x; }", "line 2: a number is needed"),
        ("mesage A {}", "begins no statement"),
        ("message A { ~ }", "does not belong here"),
        ('import "nix.proto";', "imports nix.proto, which is not"),
        ('import "bad.proto";', "which imports it again"),
        ("message A { Nix a = 1; }", "Nix"),
        ("message A { int32 a = 1; int32 b = 1; }", "bad.proto: "),
        ("message A { repeated group B = 1 { } }", "a group cannot be read"),
        ("message A { message A { " * 40, "nested deeper"),
        ("\xff", "does not belong"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path, text, why):
    path = tmp_path / "bad.proto"
    path.write_text(text)
    with pytest.raises(BadProto, match=why):
        open_types(path)


def test_what_is_no_set_of_descriptors_is_told(tmp_path):
    for data in (b"", b"rules:\n", b"\x0a\x05abc"):
        path = tmp_path / "a.desc"
        path.write_bytes(data)
        with pytest.raises(BadProto, match="set of descriptors"):
            open_types(path)


WORDS = st.sampled_from([*"{}[]()<>=;,.-/ \n\"'", "message", "enum", "oneof", "map", "A", "b", "1", "option"])


@given(st.lists(WORDS | st.text(max_size=3), max_size=60))
def test_no_text_does_more_than_to_be_refused(words):
    with contextlib.suppress(BadProto):
        made = parse_proto(" ".join(words), "a.proto", descriptor_pb2)
        assert made.name == "a.proto"
