"""log_record: whatever a commit changes is the same after it was the body of a record."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cluster.log.log_record import RECORD_FORMAT, Tip, chained, decode_changes, encode_changes, part_of
from hub.cluster.servers.jetstream import Stored
from hub.errors import StoreUnusable
from hub.model import Position
from hub.store.changes import Changes

WORD = st.text(max_size=8)
MAYBE = st.none() | WORD
NUMBER = st.integers(-(2**53), 2**53)
REAL = st.floats(allow_nan=False, allow_infinity=False)
BLOB = st.binary(max_size=12)


def rows(*parts):
    return st.lists(st.tuples(*parts), max_size=3)


PARTS = {
    "instances": rows(WORD, WORD, MAYBE),
    "alerts": rows(WORD, MAYBE),
    "queued": rows(NUMBER, WORD, WORD, WORD, WORD, REAL),
    "settled": rows(NUMBER, WORD, NUMBER, REAL, WORD),
    "dropped": st.lists(NUMBER, max_size=3),
    "handed": rows(NUMBER, WORD),
    "closed": rows(WORD, WORD),
    "dead_letters": rows(REAL, WORD, BLOB, WORD),
    "positions": st.dictionaries(
        WORD, st.builds(Position, MAYBE, st.none() | st.tuples(NUMBER, BLOB), st.integers(0, 99)), max_size=2
    ),
    "meta": rows(WORD, MAYBE),
    "rules": st.none() | rows(WORD, WORD),
    "samples": rows(WORD, WORD, MAYBE, NUMBER, MAYBE),
    "desk": rows(WORD, WORD, MAYBE),
    "trace": rows(REAL, WORD, WORD, WORD, WORD, WORD),
    "keys": rows(WORD, st.none() | REAL),
    "audit": rows(REAL, WORD, WORD, WORD, WORD),
    "subscribers": rows(WORD, MAYBE),
}
ANY = st.builds(Changes, **PARTS)


def plain(value):
    """Return a value with lists for all that is a row: of which kind a row is matters to nobody."""
    if isinstance(value, dict):
        return {key: (each.text, plain(each.entry), each.forget) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


@given(ANY)
def test_any_changes_are_the_same_after_they_were_a_record(changes):
    again = decode_changes(encode_changes(changes))
    for field in dataclasses.fields(Changes):
        assert plain(getattr(again, field.name)) == plain(getattr(changes, field.name)), field.name


def test_the_property_test_fills_every_field_that_changes_have():
    assert {field.name for field in dataclasses.fields(Changes)} == PARTS.keys()


@pytest.mark.parametrize("body", [b"x", encode_changes(Changes(meta=[("a", "1")]))[:-3], b"\x78\x9c\x03\x00"])
def test_what_is_no_body_of_a_record_is_said_to_be_unreadable(body):
    with pytest.raises(StoreUnusable, match="cannot be read"):
        decode_changes(body)


def stored(**headers):
    return Stored(7, b"", 1.0, {f"Hub-{name.title()}": value for name, value in headers.items()})


def test_a_record_of_a_newer_hub_or_of_no_hub_is_not_read():
    assert part_of(stored(format=str(RECORD_FORMAT))) == (1, 1)
    assert part_of(stored(format=str(RECORD_FORMAT), part="2/3")) == (2, 3)
    with pytest.raises(StoreUnusable, match=f"newer hub .record format {RECORD_FORMAT + 1}.*install that version"):
        part_of(stored(format=str(RECORD_FORMAT + 1)))
    for wrong in ({}, {"format": "x"}):
        with pytest.raises(StoreUnusable, match="record 7 of the log is not a hub's"):
            part_of(stored(**wrong))


@given(st.integers(0, 2**60), st.sampled_from(["", "ab12"]))
def test_a_tip_is_the_same_after_it_was_a_row(seq, chain):
    assert Tip.loads(Tip(seq, chain).dumps()) == Tip(seq, chain)


def test_the_chain_of_a_record_hangs_on_all_records_before_it():
    one, two = chained("", "n1"), chained("", "n2")
    assert chained(one, "n3") != chained(two, "n3")
    assert chained(one, "n3") != chained(one, "n4")
    assert Tip.loads("") == Tip()
