"""MQTT 5's content type, as it comes in packets of the codec and beside others."""

import cbor2
import mqtt5

from hub.ingest.decode import decode_all
from hub.ingest.decoding.content_types import decoder_of_type
from hub.model import TypedPayload


def packet(payload, content_type=None):
    return mqtt5.read(mqtt5.PublishPacket("a", payload, content_type=content_type).write())[0]


def test_packets_are_read_as_their_content_type_says_in_their_order():
    sent = [
        packet(b'{"t": 1}'),
        packet(cbor2.dumps({"t": 2}), "application/cbor"),
        packet(b'{"t": 3}', "application/json"),
        packet(b'{"t": 4}', "application/cbor"),
        packet(b"{oops", "text/plain"),
    ]
    events, failures = decode_all(sent, 1000.0)
    assert [event.value for event in events] == [{"t": 1}, {"t": 2}, {"t": 3}, "{oops"]
    assert [type(event.raw) for event in events] == [bytes, TypedPayload, bytes, TypedPayload]
    assert [(each.topic, each.head) for each in failures] == [("a", b'{"t": 4}')]


def test_where_a_rule_decodes_itself_what_cannot_be_read_is_bytes_in_its_place():
    sent = [packet(b'{"t": 1}'), packet(b"{oops"), packet(b'{"t": 4}', "application/cbor"), packet(b"1")]
    events, failures = decode_all(sent, 1000.0, is_encoded=lambda topic: topic == "a")
    assert [event.value for event in events] == [{"t": 1}, b"{oops", b'{"t": 4}', 1]
    assert not failures


def test_a_content_type_is_known_whatever_its_case_and_parameters():
    for written in ("application/cbor", "Application/CBOR", "application/cbor; a=b", " application/senml+cbor "):
        assert decoder_of_type(written).text == "cbor"
    for written in ("", "application/json", "image/png", "cbor", ";"):
        assert decoder_of_type(written) is None
