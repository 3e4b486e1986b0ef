"""doctor, machine and state file: a full disk, a clock that was never set, what waits and what was given up."""

import shutil
import time
from types import SimpleNamespace

from hub.operate.doctor import machine
from hub.operate.doctor.finding import Level
from hub.operate.doctor.machine import look_at_machine
from hub.operate.doctor.state_check import look_at_state
from hub.store.changes import Changes
from hub.store.sqlite.database import Database


def levels(findings):
    return {(each.subject, each.level) for each in findings}


def test_a_disk_with_room_is_good_and_one_without_is_bad(tmp_path, monkeypatch):
    assert ("disk", Level.GOOD) in levels(look_at_machine(tmp_path / "hub.db"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    assert ("disk", Level.BAD) in levels(look_at_machine(tmp_path / "hub.db"))


def test_a_folder_that_is_not_there_is_bad(tmp_path):
    assert ("disk", Level.BAD) in levels(look_at_machine(tmp_path / "no" / "hub.db"))


def test_a_clock_that_was_never_set_is_bad(tmp_path, monkeypatch):
    monkeypatch.setattr(machine.time, "time", lambda: 86400.0)
    assert ("clock", Level.BAD) in levels(look_at_machine(tmp_path / "hub.db"))


def test_a_state_file_tells_what_waits_long_and_what_was_given_up(tmp_path):
    path, old = tmp_path / "hub.db", time.time() - 7200
    database = Database(path)
    queued = [(1, "a", "chat", "x", "{}", old), (2, "b", "chat", "x", "{}", old)]
    database.apply([Changes(queued=queued, dead_letters=[(old, "t", b"?", "not JSON")])])
    database.apply([Changes(settled=[(2, "dead", 9, 0.0, "refused")])])
    found = [each.text for each in look_at_state(path) if each.level is Level.WARNING]
    database.close()
    assert found == [
        "1 waiting, the oldest for 2h",
        "1 notifications were given up",
        "1 messages could not be read",
    ]


def test_a_file_that_is_no_database_is_bad_and_none_at_all_is_unknown(tmp_path):
    path = tmp_path / "hub.db"
    assert [each.level for each in look_at_state(path)] == [Level.UNKNOWN]
    path.write_text("not a database, not at all, but long enough to be taken for one " * 20)
    assert [each.level for each in look_at_state(path)] == [Level.BAD]
