"""doctor: what is wrong with a state file is found beside a hub that may have it open."""

import os
import sqlite3

import pytest

from hub.errors import StoreUnusable
from hub.operate.doctor.finding import Level
from hub.operate.doctor.machine import look_at_machine
from hub.operate.doctor.state_check import look_at_state
from hub.store.changes import Changes
from hub.store.sqlite.database import Database
from hub.store.sqlite.sqlite_reader import ask_file


@pytest.fixture
def path(tmp_path):
    database = Database(tmp_path / "hub.db")
    database.apply([Changes(alerts=[("f1", "{}")])])
    database.close()
    return tmp_path / "hub.db"


def said(path, level):
    return [f"{each.text} -> {each.remedy}" for each in look_at_state(path) if each.level is level]


def change(path, sql):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql)
    connection.close()


def test_a_whole_file_is_good(path):
    assert all(each.level is Level.GOOD for each in look_at_state(path))


def test_a_damaged_row_is_named_with_its_remedy(path):
    change(path, "UPDATE alerts SET state = '{'")
    (found,) = said(path, Level.BAD)
    assert "a row of the table alerts cannot be read (no JSON)" in found
    assert found.endswith("DELETE FROM alerts WHERE fingerprint = 'f1'")


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (b"SQLite format 3\x00" + b"\xff" * 4096, "name another with --state"),
        (b"no database at all " * 300, "name another with --state"),
    ],
)
def test_a_file_that_is_no_whole_database_is_found_with_the_remedy(tmp_path, content, remedy):
    path = tmp_path / "hub.db"
    path.write_bytes(content)
    (found,) = said(path, Level.BAD)
    assert found.endswith(f"restore a backup, or {remedy}")
    with pytest.raises(StoreUnusable, match=f"restore a backup, or {remedy}"):
        ask_file(path, lambda _: None)


def test_a_circle_of_links_is_no_bug_of_the_hub(tmp_path):
    path = tmp_path / "hub.db"
    path.symlink_to("hub.db")
    assert look_at_state(path)
    assert look_at_machine(path)
    with pytest.raises(StoreUnusable):
        ask_file(path, lambda _: None)


def test_a_file_of_a_newer_hub_is_not_read_by_commands(path):
    change(path, "PRAGMA user_version = 99")
    with pytest.raises(StoreUnusable, match=r"written by a newer hub .* use that version of this command"):
        ask_file(path, lambda _: None)


def test_a_newer_file_a_pipe_and_another_name_are_found(path):
    other = path.with_name("other.db")
    other.hardlink_to(path)
    assert "has another name, too" in said(path, Level.WARNING)[0]
    change(path, "PRAGMA user_version = 99")
    assert "written by a newer hub (state version 99" in said(path, Level.BAD)[0]
    os.mkfifo(path.with_name("pipe.db"))
    assert "it is a pipe, no file" in said(path.with_name("pipe.db"), Level.BAD)[0]
