"""keeper: a new durable thing is a Keeper, a number and a place among the keepers; nothing else knows of it."""

import pytest

from hub.errors import StoreUnusable
from hub.store import formats, keeper
from hub.store.changes import Changes, Snapshot
from hub.store.keeper import Journal, Keeper, RowsTogether, restore_all, take_all
from hub.store.sqlite.database import Database


class Notes(Keeper):
    kind = "maintenance"

    def __init__(self):
        self.all, self.dirty = {}, set()

    def put(self, key, text):
        self.all[key] = text
        self.dirty.add(key)

    def drop(self, key):
        del self.all[key]
        self.dirty.add(key)

    def restore(self, rows):
        self.all.update(rows)

    def take_rows(self):
        dirty, self.dirty = self.dirty, set()
        return [(key, self.all.get(key)) for key in sorted(dirty)]


@pytest.fixture
def known(monkeypatch):
    """Let the hub know one kind more."""
    more = {**formats.FORMATS, Notes.kind: 3}
    monkeypatch.setattr(formats, "FORMATS", more)
    monkeypatch.setattr(keeper, "FORMATS", more)


def test_a_new_durable_thing_comes_back_from_the_file(tmp_path, known):
    notes, database = Notes(), Database(tmp_path / "hub.db")
    notes.put("a", "1")
    notes.put("b", "2")
    database.apply([take_all([notes])])
    notes.drop("a")
    database.apply([take_all([notes])])
    database.close()
    database, again = Database(tmp_path / "hub.db"), Notes()
    restore_all([again], database.load())
    stored = dict(database.connection.execute("SELECT kind, format FROM formats"))
    database.close()
    assert again.all == {"b": "2"}
    assert again.format == stored["maintenance"] == 3


def test_a_hub_that_does_not_know_it_refuses_the_file(tmp_path, known, monkeypatch):
    database = Database(tmp_path / "hub.db")
    database.apply([Changes(desk=[("maintenance", "a", "1")])])
    database.close()
    monkeypatch.undo()
    with pytest.raises(StoreUnusable, match=r"written by a newer hub .rows of the kind 'maintenance', which this one"):
        Database(tmp_path / "hub.db")


def test_rows_of_an_unknown_kind_are_neither_lost_nor_a_bug():
    with pytest.raises(StoreUnusable, match=r"written by a newer hub .rows of the kind 'maintenance', which this one"):
        restore_all([Journal("trace")], Snapshot(desk=[("maintenance", "a", "1")]))


def test_several_may_write_into_one_journal_and_each_keeper_gets_its_own_rows():
    one, other, samples = Journal("trace"), Journal("trace"), RowsTogether("samples", lambda: [("A", "1", "s", 0, "x")])
    one.add((1.0, "held", "f", "A", "", "{}"))
    other.add((2.0, "delivery", "f", "A", "", "{}"))
    changes = take_all([one, other, samples])
    assert [row[0] for row in changes.trace] == [1.0, 2.0]
    assert changes.samples == [("A", "1", "s", 0, "x")]
    assert changes.desk == []
    assert take_all([one, other]).trace == ()
    restore_all([samples], Snapshot(samples=[("A", "1", "s", 0, "y")], desk=[("silence", "s", "[]")]))
    assert samples.stored() == [("A", "1", "s", 0, "y")]
    assert samples.stored() == ()
