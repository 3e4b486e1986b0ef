"""What is stored has a format number: rows that look otherwise need a new one, a file, and a way from the old."""

import copy

import orjson
import pytest

from hub.rules.reading.loader import RuleSet
from hub.spine.core import Core
from hub.store.formats import FORMATS
from tests.store import make_state

HOW = """
rows of the kind {kind!r} look otherwise than formats.json says:
  no more: {gone}
  new:     {new}
An older hub cannot read them. So
  1. raise the number of {kind!r} in FORMATS (hub/store/formats.py);
  2. let its `restore` read the rows of before, or move them with a step (hub/store/sqlite/migrations.py, schema.sql);
  3. run `python -m tests.store.make_state NAME`: it writes formats.json and a file of today's rows (states/README.md).
"""
ANEW = """
the format of {kind!r} is {now} in FORMATS and {then} in formats.json: run `python -m tests.store.make_state NAME`
"""
NO_JSON = {"rules", "outbox", "receipts", "dead_letters", "trace", "keys", "audit", "meta"}


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    """Return what today's hub writes."""
    file = tmp_path_factory.mktemp("today") / "hub.db"
    make_state.make(file)
    return make_state.looks(file), make_state.shapes(file)


@pytest.fixture(scope="module")
def listed():
    return orjson.loads(make_state.LOOKS.read_bytes())


def complaints(today, listed):
    """Say of each kind that looks otherwise than the list what is to be done."""
    for kind in today.keys() | listed.keys():
        now, then = today.get(kind, {"format": 0, "looks": []}), listed.get(kind, {"format": 0, "looks": []})
        gone, new = (sorted(set(a["looks"]) - set(b["looks"])) for a, b in ((then, now), (now, then)))
        if now["format"] != then["format"]:
            yield ANEW.format(kind=kind, now=now["format"], then=then["format"])
        elif gone or new:
            yield HOW.format(kind=kind, gone=gone, new=new)


def test_rows_look_as_their_format_says(today, listed):
    assert not list(complaints(today[0], listed)), "".join(complaints(today[0], listed))


def test_the_hour_that_is_lived_through_has_rows_of_each_kind(today):
    assert FORMATS.keys() - today[1].keys() == NO_JSON
    assert all(each["looks"] for each in today[0].values())


def test_a_row_that_looks_otherwise_without_a_new_number_is_found_with_what_to_do(listed):
    changed = copy.deepcopy(listed)
    changed["silence"]["looks"] = [*listed["silence"]["looks"][:-1], "7 bool"]
    (said,) = complaints(changed, listed)
    assert "'silence'" in said
    assert "7 bool" in said
    assert "FORMATS" in said
    changed["silence"]["format"] += 1
    (said,) = complaints(changed, listed)
    assert "make_state" in said
    assert list(complaints(changed, changed)) == []


def test_each_kind_has_one_keeper_and_each_keeper_a_number():
    core = Core(RuleSet(), None, "hub", {}, print)
    kinds = [each.kind for each in core.keepers]
    assert len(kinds) == len(set(kinds))
    assert all(each.format == FORMATS[each.kind] for each in core.keepers)
    assert FORMATS.keys() - set(kinds) <= NO_JSON | {"subscribers"}
