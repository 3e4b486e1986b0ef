"""decode: what a payload becomes, and that nothing a device sends is an exception or is believed wrongly."""

import json
import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.decode import Undecodable, decode, decode_again, decode_all, decode_each
from hub.limits import DEAD_LETTER_HEAD_BYTES, PAYLOAD_BYTES, PAYLOAD_DEPTH
from hub.model import Delivery, Event
from tests.rules.making import Packet


def read(payload, **attributes):
    delivery = SimpleNamespace(topic="site/a", payload=payload, qos=1, retain=False, time=None, content_type=None)
    vars(delivery).update(attributes)
    return decode(delivery, 12.5)


def test_an_object_gives_its_fields_and_what_is_known_of_the_message():
    event = read(b'{"temperature": 21.5, "door": {"open": true}}', retain=True)
    assert isinstance(event, Event)
    assert event.fields == {"temperature": 21.5, "door": {"open": True}}
    assert (event.topic, event.time, event.qos, event.retain) == ("site/a", 12.5, 1, True)
    assert read(b"1", qos=0).qos == 0


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"21.5", 21.5),
        (b" 21 ", 21),
        (b"true", True),
        (b"null", None),
        (b'"on"', "on"),
        (b"[1, 2]", [1, 2]),
        (b"ON", "ON"),
        (b"ON\n", "ON"),
        ("21,5 °C".encode(), "21,5 °C"),
        (b"12:30", "12:30"),
        (b"", None),
        (b"  ", None),
        (b"+5", 5),
        (b"+300", 300),
        (b"+4503599627370497", 2**52 + 1),
        (b"+9007199254740993", 2**53 + 1),
        (b"+9223372036854775808", float(2**63)),
        (b".5", 0.5),
        (b"5.", 5.0),
        (b"-.5e1", -5.0),
        (b"007", "007"),
        (b"-", "-"),
        (b".", "."),
        (b"e5", "e5"),
        (b"+e5", "+e5"),
        (b"1_000", "1_000"),
        (b"0x1f", "0x1f"),
        (b"nano", "nano"),
        (b"9223372036854775807", 2**63 - 1),
        (b"18446744073709551615", 2**64 - 1),
        (b"18446744073709551616", float(2**64)),
        (b"+99999999999999999999", 1e20),
    ],
)
def test_what_is_no_object_is_a_value_without_fields(payload, value):
    event = read(payload)
    assert isinstance(event, Event)
    assert not event.fields
    assert (type(event.value), event.value) == (type(value), value)


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b'\xef\xbb\xbf{"t": 1}', {"t": 1}),
        (b"\xef\xbb\xbfON", "ON"),
        (b"\xef\xbb\xbf", None),
        (b'{"t": 35}\0', {"t": 35}),
        (b'{"t": 35}\r\n\0', {"t": 35}),
        (b"[1]\0\0\n", [1]),
        (b"21.5\0", 21.5),
        (b"ON\0", "ON"),
        (b"\0", None),
        (b"nan", None),
        (b"NaN\0", None),
        (b"-Infinity", None),
        (b"-nan(ind)", None),
        (b"1.#QNAN0", None),
        (b"1e999", None),
        (b"+1e999", None),
        (b"9" * 5000, None),
        (
            b'{"t": NaN, "h": -inf, "i": Infinity, "b": 1.#IND, "n": 1}',
            {"t": None, "h": None, "i": None, "b": None, "n": 1},
        ),
        (
            b'{"t": 1e999, "d": ' + b"9" * 5000 + b', "e": 1E3, "f": 1e300}',
            {"t": None, "d": None, "e": 1e3, "f": 1e300},
        ),
        (b'[nan, [inf, {"nan": "nan, \\" inf"}]]', [None, [None, {"nan": 'nan, " inf'}]]),
        (b"35\xb0C", "35\u00b0C"),
        (b"20 \x80\0", "20 \u20ac"),
        (b'{"unit": "\xb0C", "t": nan}', {"unit": "\u00b0C", "t": None}),
        (b'{"x": "\xf6\xe4\xfc\xf6\xe4\xfc\xf6\xe4\xfc\xf6\xe4\xfc"}', {"x": "\u00f6\u00e4\u00fc" * 4}),
    ],
)
def test_what_devices_add_or_write_wrongly_is_read_as_they_mean_it(payload, value):
    event = read(payload)
    assert isinstance(event, Event), event.reason
    assert (type(event.value), event.value, event.raw) == (type(value), value, payload)
    assert event.fields == (value if isinstance(value, dict) else {})


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xfe",
        b"\x01",
        b"\x01\0\0",
        b'"\x01\x02',
        b"{\x01\x82",
        b"a\x1b[2J",
        "a\x9b".encode(),
        "ON".encode("utf-16"),
        b"\x81\x8d",
    ],
)
def test_what_is_no_text_is_an_event_whose_value_is_bytes(payload):
    event = read(payload)
    assert isinstance(event, Event), event.reason
    assert (event.value, event.raw, dict(event.fields)) == (payload, payload, {})


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"t": 1', "broken JSON"),
        (b'{"t": 1} x', "broken JSON"),
        (b"{oops", "broken JSON"),
        (b"[1,2", "broken JSON"),
        (b'{"t": nano}', "broken JSON"),
        (b'{"t": 1nan}', "broken JSON"),
        (b'{"t": -}', "broken JSON"),
        (b'{"t": nan, "t": 1}', "'t' twice"),
        (b'{"t": "a\x1b"}', "broken JSON"),
        (b'\xef\xbb\xbf{"a": 1, "a": 2}\0', "'a' twice"),
        (b"[" * 33 + b"nan" + b"]" * 33, "deeper"),
        (b'"' + b'\\"' * 100_000, "broken JSON"),
        (b'"open', "broken JSON"),
        (b'{"t": "\\ud800"}', "broken JSON"),
        (b"[" * 100_000, "broken JSON"),
        (b"[" * 500 + b"]" * 500, "deeper"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "deeper"),
        (b'{"a": 1, "a": 2}', "'a' twice"),
        (b'{"a" : 1, "a" : 2}', "'a' twice"),
        (b'{"a"\t: 1, "a": 2}', "'a' twice"),
        (b'{"a"\n:1,"a"\r:2}', "'a' twice"),
        (b'{"a":1,"\\u0061":2}', "'a' twice"),
        (b'{"x": [{"a": 1, "a": 2}]}', "'a' twice"),
        (b'[{"a": 1, "a": 2}]', "'a' twice"),
        (b'[{"a": 1, "a": 2}, 5]', "'a' twice"),
        (b'{"a": {"b": 1, "b": 2}, "t": "12:30"}', "'b' twice"),
        (b'{"at": "12:30", "at": "12:31"}', "'at' twice"),
        (b'{"a": {}, "a": "\\":"}', "'a' twice"),
    ],
)
def test_hostile_input_is_refused_with_its_reason(payload, reason):
    refused = read(payload)
    assert isinstance(refused, Undecodable)
    assert reason in refused.reason
    assert refused.head == payload[:DEAD_LETTER_HEAD_BYTES]
    assert (refused.topic, refused.time) == ("site/a", 12.5)


def test_the_largest_payload_is_read_and_one_byte_more_is_refused_with_its_head_kept():
    assert isinstance(read(b"x" * PAYLOAD_BYTES), Event)
    refused = read(b"x" * (PAYLOAD_BYTES + 1))
    assert isinstance(refused, Undecodable)
    assert str(PAYLOAD_BYTES) in refused.reason
    assert len(refused.head) == DEAD_LETTER_HEAD_BYTES


def test_nesting_is_read_down_to_the_limit_and_no_further():
    assert isinstance(read(b"[" * PAYLOAD_DEPTH + b"]" * PAYLOAD_DEPTH), Event)
    assert isinstance(read(b"[" * (PAYLOAD_DEPTH + 1) + b"]" * (PAYLOAD_DEPTH + 1)), Undecodable)


texts = st.one_of(st.text(max_size=8), st.sampled_from(['":', ":", ' "a": ', "\t:", "[{"]))
documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=20,
)


@given(documents, st.sampled_from([None, (",", ":"), (" , ", " : "), (",\n", "\t:\n")]))
def test_every_sound_document_is_read_as_json_reads_it(document, separators):
    payload = json.dumps(document, separators=separators).encode()
    event = read(payload)
    if "Infinity" in payload.decode():
        return
    assert isinstance(event, Event), event.reason
    assert event.value == document


@given(st.binary(max_size=64))
def test_any_bytes_give_an_event_or_a_reason_and_a_number_is_finite(payload):
    outcome = read(payload)
    if isinstance(outcome, Undecodable):
        assert outcome.reason
    elif isinstance(outcome.value, float):
        assert math.isfinite(outcome.value)


def spelled(document):
    """Write JSON as a C program does that knows no null: what is missing is `nan`."""
    return json.dumps(document).replace("null", "nan")


plain = st.text(
    alphabet=st.characters(min_codepoint=32, exclude_characters="nN", exclude_categories=["Cs"]), max_size=6
)
measured = st.dictionaries(plain, st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), plain), max_size=4)


@given(measured, st.sampled_from(["", "\ufeff"]), st.text(alphabet="\0 \t\r\n", max_size=4))
def test_an_object_with_nan_a_mark_before_it_and_padding_behind_it_is_that_object(document, mark, padding):
    event = read((mark + spelled(document) + padding).encode())
    assert isinstance(event, Event), event.reason
    assert event.value == document


@pytest.mark.parametrize("payload", [b'{"a": 1}', b"ON", b"", b"[1]", b".5", b"\xff\xd8", b"35\xb0C", b'{"a": nan}\0'])
def test_an_event_decoded_again_is_the_same(payload):
    first, again = read(payload), decode_again("site/a", payload, 12.5)
    assert (again.fields, again.value, again.topic, again.time) == (first.fields, first.value, "site/a", 12.5)


@pytest.mark.parametrize(
    ("payload", "value"),
    [(b"{oops", "{oops"), (b'{"a": 1, "a": 2}', '{"a": 1, "a": 2}'), (b'"\xff\xff\xff', b'"\xff\xff\xff')],
)
def test_what_could_not_be_read_is_shown_again_as_it_came(payload, value):
    again = decode_again("site/a", payload, 12.5)
    assert (again.value, dict(again.fields)) == (value, {})


def test_who_could_not_be_read_says_whether_it_was_retained():
    assert not read(b"{oops").retain
    assert read(b"{oops", retain=True).retain


def batch(*payloads, qos=1, retain=False):
    return [Packet("site/a", each, 7 if qos else None, retain=retain) for each in payloads]


@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize("payload", [b'{"t": 1}', b'{"t": [1]}', b"21.5", b"ON", b"nan", b'{"t": NaN}'])
def test_of_a_batch_each_event_says_how_it_came(payload, qos, retain):
    (event,), failures = decode_all(batch(payload, qos=qos, retain=retain), 12.5)
    assert (event.topic, event.raw, event.time, event.qos, event.retain) == ("site/a", payload, 12.5, qos, retain)
    assert not failures


def test_what_is_larger_than_the_limit_of_a_batch_is_refused_and_what_is_as_large_is_not():
    events, failures = decode_all(
        batch(b'{"t": 100}', b'{"t": 1000}', b'"12345678"', b'"123456789"', retain=True), 12.5, 10
    )
    assert [event.raw for event in events] == [b'{"t": 100}', b'"12345678"']
    assert [(each.reason, each.head, each.time, each.retain) for each in failures] == [
        ("a payload of 11 bytes; the limit is 10", b'{"t": 1000}', 12.5, True),
        ("a payload of 11 bytes; the limit is 10", b'"123456789"', 12.5, True),
    ]


PAYLOADS = st.one_of(
    st.binary(max_size=30),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(
        [b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 2}}', b'{"a": "[:"}', b"{", b'{"a": [1]}', b'{"a": 1}']
    ),
)


@given(st.lists(PAYLOADS, max_size=6), st.booleans(), st.booleans(), st.sampled_from([8, 25, PAYLOAD_BYTES]))
def test_packets_read_at_once_are_what_each_is_by_itself(payloads, sure, retain, limit):
    packets = [Packet("site/a", payload, 7 if sure else None, retain=retain) for payload in payloads]
    deliveries = [Delivery("site/a", payload, qos=int(sure), retain=retain) for payload in payloads]

    def shown(found):
        return [[repr({name: getattr(each, name) for name in each.__slots__}) for each in part] for part in found]

    assert shown(decode_all(packets, 12.5, limit)) == shown(decode_each(deliveries, 12.5, limit))


@pytest.mark.parametrize(("sent", "at"), [(None, 12.5), (3.0, 3.0), (99.0, 12.5)])
def test_a_delivery_is_of_the_time_that_its_source_gives_and_never_of_a_later_one_than_now(sent, at):
    assert decode(Delivery("site/a", b"1", time=sent), 12.5).time == at
    assert decode(Delivery("site/a", b"{", time=sent), 12.5).time == at
