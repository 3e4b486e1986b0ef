"""Sparkplug B payloads: what rules see of them, and that no payload is too strange."""

import base64
import gzip
import struct
import zlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest import sparkplug
from hub.ingest.decode import Undecodable, decode, decode_all
from hub.ingest.sparkplug import MetricEvent
from hub.ingest.sparkplug_wire import payload_class
from hub.limits import PAYLOAD_DEPTH, SPARKPLUG_METRICS
from tests.rules.making import Packet
from tests.support.sparkplug import field, metric, payload

TOPIC = "spBv1.0/plant/DDATA/line1/oven"


def read(*metrics, topic=TOPIC, **about):
    found = decode(Packet(topic, payload(*metrics, **about), 1), 1000.0)
    assert isinstance(found, MetricEvent), found.reason
    assert orjson.loads(found.raw) == found.value == found.fields
    return found


def refused(data, topic=TOPIC):
    found = decode(Packet(topic, data, 1), 1000.0)
    assert isinstance(found, Undecodable)
    return found.reason


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[("Int8", -128), ("Int16", -5), ("Int32", -(1 << 31)), ("Int64", -1), ("Int64", (1 << 63) - 1)],
        *[("UInt8", 255), ("UInt32", (1 << 32) - 1), ("UInt64", (1 << 64) - 1), ("DateTime", 1_790_000_000_000)],
        *[("Float", 21.5), ("Double", 0.1), ("Boolean", True), ("Boolean", False)],
        *[("String", "ä\u0000"), ("Text", ""), ("UUID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8")],
    ],
)
def test_a_value_of_each_type_is_what_the_device_meant(kind, value):
    found = read(metric("x", value, kind)).fields["x"]
    assert found == value
    assert type(found) is type(value)


INNER = payload(metric("temperature", 21.5, "Double"), seq=4, time=7000)


def squeezed(body, algorithm=None, **about):
    named = [] if algorithm is None else [metric("algorithm", algorithm, "String")]
    return payload(*named, **about) + field(4, "SPBV1.0_COMPRESSED") + field(5, body)


def raw_deflate(data):
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


@pytest.mark.parametrize("squeeze", [zlib.compress, gzip.compress, raw_deflate])
@pytest.mark.parametrize("algorithm", [None, "DEFLATE", "GZIP"])
def test_a_compressed_payload_is_the_one_in_it(squeeze, algorithm):
    found = decode(Packet(TOPIC, squeezed(squeeze(INNER), algorithm), 1), 1000.0)
    assert found.fields == {"temperature": 21.5, "sparkplug": {"timestamp": 7000, "seq": 4}}


def test_what_only_the_outer_payload_says_of_order_and_time_counts():
    found = decode(Packet(TOPIC, squeezed(zlib.compress(payload(metric("a", 1, "Int32"))), seq=9, time=5), 1), 1000.0)
    assert found.fields == {"a": 1, "sparkplug": {"timestamp": 5, "seq": 9}}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (squeezed(zlib.compress(bytes(2_000_000))), "over 1048576 bytes"),
        (squeezed(gzip.compress(bytes(200_000_000))), "over 1048576 bytes"),
        (squeezed(zlib.compress(squeezed(zlib.compress(INNER)))), "in a compressed payload"),
        (squeezed(zlib.compress(INNER)[:-9]), "cannot be inflated"),
        (squeezed(b""), "cannot be inflated"),
        (squeezed(b"nonsense"), "cannot be inflated"),
        (squeezed(zlib.compress(b"nonsense")), "holds no Sparkplug B payload"),
        (squeezed(zlib.compress(INNER), "LZMA"), "by 'LZMA'"),
    ],
)
def test_a_compressed_payload_that_is_none_or_a_bomb_is_refused(data, why):
    assert why in refused(data)


@given(st.binary(max_size=200), st.one_of(st.none(), st.text(max_size=8)))
def test_no_compressed_bytes_raise(body, algorithm):
    found = decode(Packet(TOPIC, squeezed(body, algorithm), 1), 1000.0)
    assert isinstance(found, Undecodable | MetricEvent)


def test_an_int8_that_was_written_in_one_byte_has_its_sign_too():
    assert read(field(1, "x") + field(4, 1) + field(10, 0xFB)).fields["x"] == -5


def test_metrics_are_fields_by_name_with_what_the_payload_says_beside_them():
    quality = field(9, field(1, "Quality") + field(2, field(1, 3) + field(3, 192)))
    event = read(
        metric("temperature", 21.5, "Double", time=5000, more=quality),
        metric("Node Control/Rebirth", False, "Boolean", time=7000),
        seq=4,
        time=7000,
    )
    assert event.fields == {
        "temperature": 21.5,
        "Node Control/Rebirth": False,
        "sparkplug": {
            "timestamp": 7000,
            "seq": 4,
            "timestamps": {"temperature": 5000},
            "properties": {"temperature": {"Quality": 192}},
        },
    }


def test_null_and_what_is_no_number_are_null_and_what_is_historical_is_no_field():
    event = read(
        metric("a", None, "Int32"),
        metric("b", float("nan"), "Float"),
        metric("c", float("inf"), "Double"),
        metric("d", 99, "Int32", historical=True),
    )
    assert event.fields == {"a": None, "b": None, "c": None, "sparkplug": {"historical": 1}}


def test_arrays_datasets_templates_and_bytes_become_lists_and_objects():
    cells = [field(1, field(1, 7)) + field(1, field(6, "x")), field(1, field(1, (1 << 32) - 7)) + field(1, b"")]
    table = b"".join([field(2, "n"), field(2, "s"), field(3, 3), field(3, 12), *[field(4, cell) for cell in cells]])
    template = field(2, metric("speed", -3, "Int32")) + field(3, field(1, "p") + field(2, 9) + field(5, ("f", 1.5)))
    event = read(
        metric("ints", struct.pack("<3i", 1, -2, 3), "Int32Array"),
        metric("floats", struct.pack("<2f", 0.5, float("nan")), "FloatArray"),
        metric("bits", struct.pack("<I", 10) + bytes([0b10110000, 0b01000000]), "BooleanArray"),
        metric("words", b"a\0\0b\0", "StringArray"),
        metric("odd", b"\0\0\0", "Int32Array"),
        metric("few", struct.pack("<I", 99) + b"\0", "BooleanArray"),
        metric("file", b"\xff\x00", "Bytes"),
        metric("table", table, "DataSet"),
        metric("motor", template, "Template"),
    )
    assert {name: value for name, value in event.fields.items() if name != "sparkplug"} == {
        "ints": [1, -2, 3],
        "floats": [0.5, None],
        "bits": [True, False, True, True, False, False, False, False, False, True],
        "words": ["a", "", "b"],
        "odd": None,
        "few": None,
        "file": base64.b64encode(b"\xff\x00").decode(),
        "table": {"columns": ["n", "s"], "rows": [[7, "x"], [-7, None]]},
        "motor": {"p": 1.5, "speed": -3},
    }


def test_what_only_a_birth_can_tell_is_no_field_but_pending():
    event = read(
        metric(None, 5, "Int32", alias=3, typed=False),
        metric("sign", -5, "Int32", typed=False),
        metric("small", 5, "Int32", typed=False),
        metric("array", b"\1\0\0\0", None),
    )
    assert event.fields == {"small": 5, "sparkplug": {}}
    assert [(each.name, each.alias) for each in event.pending] == [(None, 3), ("sign", None), ("array", None)]


def test_json_and_the_state_of_a_host_are_json_and_an_empty_payload_has_no_metrics():
    found, failures = decode_all(
        [
            Packet(TOPIC, {"temperature": 4}),
            Packet("spBv1.0/STATE/scada", b'{"online":true,"timestamp":5}'),
            Packet("spBv1.0/STATE/scada", b"OFFLINE"),
            Packet(TOPIC, b""),
        ],
        1000.0,
    )
    assert [each.value for each in found] == [
        {"temperature": 4},
        {"online": True, "timestamp": 5},
        "OFFLINE",
        {"sparkplug": {}},
    ]
    assert not failures


def nested(levels):
    inner = metric("x", 1, "Int32")
    for _ in range(levels):
        inner = metric("t", field(2, inner), "Template")
    return payload(inner)


def test_what_no_rule_could_trust_is_refused_with_the_reason():
    assert "not a Sparkplug B payload" in refused(b"\xff\xff\xff")
    assert "not a Sparkplug B payload" in refused(b"\x12\x7f\x00")
    # protobuf without its C part finds this out by itself
    unreadable = {"text that is not UTF-8", "not a Sparkplug B payload: neither JSON nor protobuf"}
    assert refused(payload(metric(b"\xff", 1, "Int32"))) in unreadable
    assert refused(payload(metric("x", b"\xff", "String"))) in unreadable
    assert "the limit is" in refused(payload(*[b""] * (SPARKPLUG_METRICS + 1)))
    assert isinstance(decode(Packet(TOPIC, nested(PAYLOAD_DEPTH), 1), 0.0), MetricEvent)
    assert "nested deeper" in refused(nested(PAYLOAD_DEPTH + 1))
    assert "not a Sparkplug B payload" in refused(nested(500))


def test_without_the_extra_a_payload_is_a_dead_letter_that_says_how_to_get_it(monkeypatch):
    def absent():
        raise ImportError("No module named 'google'")

    monkeypatch.setattr(sparkplug, "payload_class", absent)
    assert refused(payload(metric("x", 1, "Int32"))).endswith("pip install 'mqtt-notification-hub[sparkplug]'")
    assert sparkplug.missing() == "No module named 'google'"


def test_our_descriptor_writes_what_is_written_by_hand():
    made = payload_class()(timestamp=7, seq=3)
    each = made.metrics.add(name="a", alias=9, timestamp=5, datatype=9)
    each.float_value = 1.5
    assert made.SerializeToString() == payload(metric("a", 1.5, "Float", alias=9, time=5), seq=3, time=7)


@given(st.binary(max_size=300))
def test_no_bytes_raise(data):
    found = decode(Packet(TOPIC, data, 1), 0.0)
    assert isinstance(found, Undecodable) or orjson.loads(found.raw) == found.value


MESSAGES = st.recursive(
    st.one_of(st.integers(0, (1 << 64) - 1), st.binary(max_size=12), st.text(max_size=6)),
    lambda inner: st.lists(st.tuples(st.integers(1, 19), inner), max_size=6).map(
        lambda fields: b"".join(field(number, content) for number, content in fields)
    ),
    max_leaves=25,
)


@given(st.lists(MESSAGES, max_size=5))
def test_no_fields_in_whatever_order_and_type_raise(metrics):
    data = b"".join(field(2, each) for each in metrics)
    found = decode(Packet(TOPIC, data, 1), 0.0)
    assert isinstance(found, Undecodable) or orjson.loads(found.raw) == found.value
