"""CBOR and MessagePack against their libraries, what is refused, and what any bytes at all do."""

import base64
import contextlib
import datetime as dt
import gzip
import json
import math
import struct
import zlib
from fractions import Fraction

import cbor2
import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.decoding.cbor import read_cbor
from hub.ingest.decoding.decoder import READERS, WRAPPERS, decoder
from hub.ingest.decoding.msgpack import read_msgpack
from hub.ingest.decoding.packed import packed_reader, packed_struct, values_in
from hub.ingest.decoding.wrapping import from_base64, from_gzip
from hub.ingest.payload_reading import Unreadable
from hub.limits import DECODED_BYTES, DECODED_ITEMS, PAYLOAD_DEPTH

NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.none() | st.booleans() | NUMBERS | st.text() | st.binary(max_size=300)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(), inner, max_size=20), max_leaves=30
)
PIPES = [decoder(*names) for names in (["cbor"], ["msgpack"], ["gzip"], ["base64"], ["base64", "gzip", "cbor"])]


@given(VALUES)
def test_cbor_says_what_its_library_has_written(value):
    assert read_cbor(cbor2.dumps(value)) == value
    assert read_cbor(cbor2.dumps(value, canonical=True) + b"\0\0") == value


@given(VALUES)
def test_messagepack_says_what_its_library_has_written(value):
    assert read_msgpack(msgpack.packb(value)) == value


@given(st.lists(st.integers(0, 23) | st.text(max_size=5), max_size=30), st.text(max_size=30))
def test_cbor_without_lengths_is_the_same(items, text):
    listed = b"\x9f" + b"".join(map(cbor2.dumps, items)) + b"\xff"
    assert read_cbor(listed) == items
    pieces = b"\x7f" + b"".join(cbor2.dumps(char) for char in text) + b"\xff"
    assert read_cbor(pieces) == text
    assert read_cbor(b"\xbf" + cbor2.dumps("a") + listed + b"\xff") == {"a": items}


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_to_be_refused(data):
    for pipe in PIPES:
        with contextlib.suppress(Unreadable):
            is_sound(pipe.read(data))


@given(VALUES, st.data())
def test_a_frame_with_a_fault_is_read_or_refused(value, data):
    for name, written in (("cbor", cbor2.dumps(value)), ("msgpack", msgpack.packb(value))):
        at = data.draw(st.integers(0, len(written) - 1))
        broken = written[:at] + data.draw(st.binary(max_size=3)) + written[at + data.draw(st.integers(0, 3)) :]
        with contextlib.suppress(Unreadable):
            is_sound(decoder(name).read(broken))
        packed = gzip.compress(written)
        with contextlib.suppress(Unreadable):
            decoder("gzip", name).read(packed[:at] + b"\xff" + packed[at + 1 :])


def is_sound(value, depth=0):
    """Assert that rules can do with a value what they do with JSON."""
    assert depth <= PAYLOAD_DEPTH + 1
    assert value is None or type(value) in (bool, int, float, str, bytes, list, dict)
    if isinstance(value, float):
        assert math.isfinite(value)
    if type(value) is int:
        assert -(2**63) <= value < 2**64
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        is_sound(each, depth + 1)
    if isinstance(value, dict):
        assert all(type(name) is str for name in value)


@pytest.mark.parametrize("dumps", [cbor2.dumps, msgpack.packb])
def test_names_are_text_and_what_is_no_number_is_null(dumps):
    read = read_cbor if dumps is cbor2.dumps else read_msgpack
    names = {7: 2, -5: 3, True: 4, None: 5, 1.5: 6, b"a": 7, b"\xff": 8}
    assert read(dumps(names)) == {"7": 2, "-5": 3, "true": 4, "null": 5, "1.5": 6, "a": 7, "ff": 8}
    assert read(dumps([math.nan, math.inf, -math.inf, 1e300])) == [None, None, None, 1e300]
    with pytest.raises(Unreadable, match="the name '1' twice"):
        read(dumps({1: 2, "1": 3}))


def test_times_and_long_numbers_of_cbor_are_what_json_would_have():
    at = dt.datetime(2026, 3, 1, 1, 55, tzinfo=dt.UTC)
    assert read_cbor(cbor2.dumps(at)) == "2026-03-01T01:55:00Z"
    assert read_cbor(cbor2.dumps(at, datetime_as_timestamp=True)) == at.timestamp()
    assert read_cbor(cbor2.dumps(2**64 + 2)) == float(2**64)
    assert read_cbor(cbor2.dumps(-(2**70))) == -float(2**70)
    assert read_cbor(b"\xc2\x58\xc8" + b"\xff" * 200) is None
    assert read_cbor(bytes.fromhex("c48221196ab3")) == 273.15  # RFC 8949, 3.4.4
    assert read_cbor(bytes.fromhex("c5822003")) == 1.5
    assert read_cbor(cbor2.dumps(Fraction(1, 3))) == [1, 3]
    assert read_cbor(bytes.fromhex("d9d9f7a16174f7")) == {"t": None}  # self-described, and undefined


@given(st.integers(-(2**63), 2**63), st.integers(-(2**64), 2**64 - 1))
def test_an_exponent_costs_nothing_however_large(mantissa, exponent):
    for tag in (b"\xc4", b"\xc5"):
        value = read_cbor(tag + b"\x82" + cbor2.dumps(exponent)[:9] + cbor2.dumps(mantissa)[:9])
        assert value is None or math.isfinite(value)


@given(st.floats(-1e9, 2e10))
def test_a_timestamp_of_messagepack_is_seconds(seconds):
    at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    written = msgpack.packb(at, datetime=True)
    assert read_msgpack(written) == pytest.approx(at.timestamp(), abs=1e-6)


def test_other_extensions_are_bytes():
    assert read_msgpack(msgpack.packb([msgpack.ExtType(7, b"ab"), msgpack.ExtType(7, b"abc")])) == [b"ab", b"abc"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("9b7fffffffffffffff", "it ends after 9 bytes"),
        ("5b7fffffffffffffff", "it ends after 9 bytes"),
        ("81" * 40 + "00", "nested deeper than 32"),
        ("c1" * 40 + "00", "nested deeper than 32"),
        ("9f" * 40, "nested deeper than 32"),
        ("d81c8100", "a reference to another part"),
        ("d81d00", "a reference to another part"),
        ("d9010080", "a reference to another part"),
        ("0000ff", "bytes follow the end"),
        ("ff", "an end where nothing was open"),
        ("a1ff", "an end where nothing was open"),
        ("1c", "a length of the kind 28"),
        ("1f", "no length"),
        ("fc", "a value of the kind 28"),
        ("7f4161ff", "a piece of another kind"),
        ("c201", "a bignum that is no bytes"),
        ("c401", "an exponent and a mantissa"),
        ("a18000", "a list or an object for a name"),
    ],
)
def test_cbor_that_is_broken_or_too_much_is_refused(data, why):
    with pytest.raises(Unreadable, match=why):
        read_cbor(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("dd7fffffff", "it ends after 5 bytes"),
        ("c67fffffff", "it ends after 5 bytes"),
        ("91" * 40 + "00", "nested deeper than 32"),
        ("c1", "0xc1 at byte 0 means nothing"),
        ("0001", "bytes follow the end"),
        ("", "it ends after 0 bytes"),
    ],
)
def test_messagepack_that_is_broken_or_too_much_is_refused(data, why):
    with pytest.raises(Unreadable, match=why):
        read_msgpack(bytes.fromhex(data))


def test_the_number_of_values_is_bounded():
    many = [0] * (DECODED_ITEMS + 1)
    for read, written in ((read_cbor, cbor2.dumps(many)), (read_msgpack, msgpack.packb(many))):
        with pytest.raises(Unreadable, match="more than 100,000 values"):
            read(written)
    with pytest.raises(Unreadable, match="more than 100,000 values"):
        read_cbor(b"\x9f" + bytes(DECODED_ITEMS + 1) + b"\xff")


def test_text_that_is_no_utf8_stays_bytes():
    assert read_cbor(b"\x62\xff\xfe") == b"\xff\xfe" == read_msgpack(b"\xa2\xff\xfe")


@given(st.binary(max_size=1000), st.sampled_from([0, 1, 9]))
def test_gzip_and_zlib_are_undone_also_in_members(data, level):
    assert from_gzip(gzip.compress(data, level)) == data
    assert from_gzip(zlib.compress(data, level)) == data
    assert from_gzip(gzip.compress(data) + gzip.compress(data) + b"\0\0") == data + data


def test_a_bomb_is_refused_before_it_goes_off():
    bomb = gzip.compress(gzip.compress(bytes(1 << 28)))
    inner = gzip.compress(bytes(DECODED_BYTES + 1))
    for data in (gzip.compress(bytes(1 << 26)), inner, gzip.compress(bytes(DECODED_BYTES // 2)) * 3):
        with pytest.raises(Unreadable, match="more than 1,048,576 bytes"):
            from_gzip(data)
    with pytest.raises(Unreadable):
        decoder("gzip", "gzip").read(bomb)
    assert len(from_gzip(gzip.compress(bytes(DECODED_BYTES)))) == DECODED_BYTES


def test_gzip_without_an_end_or_with_more_behind_it_is_refused():
    with pytest.raises(Unreadable, match="its end is missing"):
        from_gzip(gzip.compress(b"abc")[:-3])
    with pytest.raises(Unreadable, match="follow the end"):
        from_gzip(gzip.compress(b"abc") + b"x")
    with pytest.raises(Unreadable, match="broken gzip"):
        from_gzip(b"abc")


@given(st.binary(max_size=200))
def test_base64_is_undone_in_each_of_its_spellings(data):
    for written in (base64.b64encode(data), base64.urlsafe_b64encode(data), base64.encodebytes(data)):
        assert from_base64(written) == data == from_base64(written.rstrip(b"=\n"))
        assert from_base64(json.dumps(written.decode().replace("\n", "")).encode()) == data


@pytest.mark.parametrize("text", [b"a", b"ab!c", b"{}", b"abcde", "ä".encode()])
def test_what_is_no_base64_is_refused(text):
    with pytest.raises(Unreadable, match="no base64"):
        from_base64(text)


@given(st.data())
def test_packed_values_have_their_names(data):
    letters = data.draw(st.text("bBhHiIqQefd?x", min_size=1, max_size=20))
    text = data.draw(st.sampled_from("<>!")) + letters
    made = packed_struct(text)
    payload = data.draw(st.binary(min_size=made.size, max_size=made.size))
    names = [f"f{number}" for number in range(values_in(made))]
    assert len(names) == len(letters.replace("x", ""))
    read = packed_reader(made, names)(payload)
    for name, value in zip(names, struct.unpack(text, payload), strict=True):
        assert read[name] == value or (read[name] is None and not math.isfinite(value))
    with pytest.raises(Unreadable, match="the packed format has"):
        packed_reader(made, names)(payload + b"\0")


@pytest.mark.parametrize("text", ["", "hHB", "@h", "=h", "<hQZ", "<99999999999999999999B", "<5000B", "<", "<0B", "<ä"])
def test_what_is_no_packed_format_is_refused_with_a_remedy(text):
    with pytest.raises(ValueError, match=r"; |bytes"):
        packed_struct(text)


def test_an_empty_payload_is_null_for_every_decoder():
    assert [decoder(name).read(b"") for name in (*READERS, *WRAPPERS)] == [None] * 4


def test_what_is_wrapped_is_read_as_any_payload_is():
    assert decoder("gzip").read(gzip.compress(b'\xef\xbb\xbf{"t": nan}\0')) == {"t": None}
    assert decoder("base64").read(base64.b64encode(b"21.5")) == 21.5
    assert decoder("base64").read(base64.b64encode(b"\xff\x00\xfe")) == b"\xff\x00\xfe"
    with pytest.raises(Unreadable, match="broken JSON"):
        decoder("base64").read(base64.b64encode(b'{"t": '))
