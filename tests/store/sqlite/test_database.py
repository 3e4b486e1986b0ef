"""database: the state file, opened by one, migrated, committed whole or not at all."""

import sqlite3
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from hub.errors import StoreLocked, StoreUnusable
from hub.limits import AUDIT_KEPT_SECONDS, TRACE_KEPT_SECONDS
from hub.model import BROKER, Position
from hub.store.changes import Changes
from hub.store.sqlite import database as module
from hub.store.sqlite.database import Database
from hub.store.sqlite.migrations import StateStep
from hub.store.sqlite.sqlite_reader import SqliteReader

FULL = Changes(
    instances=[("Warm", '["7"]', '["p",1.5]'), ("Door", "", "[3]")],
    alerts=[("f1", '{"a":1}')],
    queued=[(1, "f1-1-firing", "chat", "f1", '{"x":"é"}', 1000.25)],
    dead_letters=[(1.0, "t", b"\xff\x00", "no JSON")],
    positions={BROKER: Position(entry=(1, b"\x01\x02\x03\x04\x05\x06"))},
    meta=[("alive", "1000.5")],
    rules=[("Warm", "s1"), ("Door", "s2")],
    keys=[("d1", 1000.0), ("d2", 1001.0)],
    audit=[(1.0, "olga", "http", "ack", "{}")],
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "hub.db"


@pytest.fixture
def opened(path):
    """Open the file, and close whatever was opened."""
    all_opened = []

    def open_(at=path):
        all_opened.append(Database(at))
        return all_opened[-1]

    yield open_
    for each in all_opened:
        each.close()


def reopened(database, opened):
    database.close()
    return opened()


# opening


def test_an_empty_place_becomes_a_state_file_that_only_its_owner_can_read(path, opened):
    database = opened(path.parent / "new" / "folder" / "hub.db")
    assert database.connection.execute("PRAGMA user_version").fetchone()[0] == len(module.STEPS)
    assert database.path.stat().st_mode & 0o777 == 0o600
    assert database.load().last_row == 0


def test_it_is_opened_so_that_a_commit_survives_power_loss(opened):
    run = opened().connection.execute
    assert run("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert run("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_each_version_is_migrated_from_the_one_before_and_keeps_its_rows(path, opened, monkeypatch):
    database = opened()
    database.apply([FULL])
    more = ["ALTER TABLE meta ADD COLUMN more TEXT;", "CREATE TABLE extra (a INTEGER) STRICT;"]
    more = [*module.STEPS, *map(StateStep, more)]
    monkeypatch.setattr(module, "STEPS", more)
    database = reopened(database, opened)
    assert database.connection.execute("PRAGMA user_version").fetchone()[0] == len(more)
    assert database.connection.execute("SELECT key, value, more FROM meta").fetchall() == [("alive", "1000.5", None)]
    assert database.connection.execute("SELECT count(*) FROM extra").fetchone() == (0,)


def test_a_migration_that_fails_leaves_the_version_before_it_whole(path, opened, monkeypatch):
    database = opened()
    database.apply([FULL])
    database.close()
    steps = module.STEPS
    wrong = StateStep("CREATE TABLE extra (a INTEGER) STRICT; NO SUCH SQL;")
    monkeypatch.setattr(module, "STEPS", [*steps, wrong])
    with pytest.raises(StoreUnusable, match="syntax error"):
        Database(path)
    monkeypatch.setattr(module, "STEPS", steps)
    database = opened()
    assert database.load().meta == {"alive": "1000.5"}
    assert "extra" not in {row[0] for row in database.connection.execute("SELECT name FROM sqlite_master")}


def test_a_file_of_a_newer_hub_is_refused_untouched(path, opened, monkeypatch):
    opened().close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreUnusable, match=r"written by a newer hub \(state version 99, this one knows \d+\)"):
        Database(path)


def test_what_is_no_database_is_refused_untouched(path):
    path.write_text("not a database at all, but quite some text" * 50, "utf-8")
    before = path.read_bytes()
    with pytest.raises(StoreUnusable, match="cannot be used as the state file: file is not a database"):
        Database(path)
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_refused_untouched(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE states (entity TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnusable, match="a database, but no hub's; name another file with --state"):
        Database(path)
    assert path.read_bytes() == before


def test_a_folder_and_a_folder_that_cannot_be_made_are_refused(tmp_path):
    with pytest.raises(StoreUnusable, match="Is a directory"):
        Database(tmp_path)
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(StoreUnusable, match="cannot be used as the state file: "):
        Database(tmp_path / "file" / "hub.db")


def test_a_refused_file_is_not_kept_locked(path, opened):
    path.write_text("x" * 5000, "utf-8")
    with pytest.raises(StoreUnusable):
        Database(path)
    path.unlink()
    assert opened().load().rules == {}


def test_a_second_process_is_refused_within_a_second_with_who_has_the_file(path):
    code = (
        f"from pathlib import Path; from hub.store.sqlite.database import Database; d = Database(Path({str(path)!r}));"
    )
    code += "print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        began = time.monotonic()
        with pytest.raises(StoreLocked, match=rf"another hub \(process {other.pid}\) has this state file open"):
            Database(path)
        assert time.monotonic() - began < 1
        other.kill()
    Database(path).close()  # the lock went with the process, however it ended


# committing


def test_what_was_committed_is_there_after_it_was_opened_again(opened):
    database = opened()
    database.apply([FULL])
    database = reopened(database, opened)
    snapshot = database.load()
    assert sorted(snapshot.instances) == sorted(FULL.instances)
    assert snapshot.alerts == FULL.alerts
    assert snapshot.receipts == [FULL.positions[BROKER].entry]
    assert snapshot.rules == dict(FULL.rules)
    assert snapshot.keys == FULL.keys
    assert database.connection.execute("SELECT at, actor, via, action, detail FROM audit").fetchall() == FULL.audit
    assert (snapshot.meta_float("alive", 0), snapshot.meta_float("none", 7)) == (1000.5, 7)
    assert snapshot.last_row == 1


def test_a_later_row_takes_the_place_of_an_earlier_one_and_none_deletes_it(opened):
    database = opened()
    database.apply([FULL])
    database.apply(
        [Changes(instances=[("Warm", '["7"]', "new"), ("Door", "", None)], alerts=[("f1", None)], rules=[("X", "s")])]
    )
    snapshot = database.load()
    assert snapshot.instances == [("Warm", '["7"]', "new")]
    assert (snapshot.alerts, snapshot.rules) == ([], {"X": "s"})


def test_several_changes_are_committed_in_order_as_one(opened):
    database = opened()
    database.apply([Changes(meta=[("k", "1")]), Changes(meta=[("k", "2")]), Changes(instances=[("a", "b", None)])])
    assert database.load().meta == {"k": "2"}


@pytest.mark.parametrize("table", ["instances", "alerts", "outbox", "meta", "receipts", "rules", "dead_letters"])
def test_a_failure_anywhere_in_the_middle_commits_nothing_of_the_group(opened, table):
    database = opened()
    database.connection.execute(
        f"CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'injected'); END"
    )
    with pytest.raises(sqlite3.Error, match="injected"):
        database.apply([Changes(meta=[] if table == "meta" else [("before", "1")]), FULL])
    assert not database.connection.in_transaction
    snapshot = database.load()
    assert (snapshot.instances, snapshot.alerts, snapshot.meta, snapshot.receipts, snapshot.last_row) == (
        [],
        [],
        {},
        [],
        0,
    )
    database.connection.execute("DROP TRIGGER broken")
    database.apply([FULL])
    assert database.load().last_row == 1


def test_receipts_are_forgotten_up_to_the_number_that_is_known(opened):
    database = opened()
    for number in (1, 2, 3):
        database.apply([Changes(positions={BROKER: Position(entry=(number, b"x"))})])
    database.apply([Changes(positions={BROKER: Position(forget=2, entry=(4, b"y"))})])
    assert database.load().receipts == [(3, b"x"), (4, b"y")]


def test_dead_letters_are_kept_up_to_a_bound_the_newest_stay(opened, monkeypatch):
    monkeypatch.setattr(module, "DEAD_LETTERS", 3)
    database = opened()
    for number in range(5):
        database.apply([Changes(dead_letters=[(float(number), "t", b"", "why")])])
    assert [row[0] for row in database.connection.execute("SELECT at FROM dead_letters")] == [2.0, 3.0, 4.0]


# the outbox


def outbox(database):
    return database.connection.execute(
        "SELECT row, state, attempts, next_at, reason FROM outbox ORDER BY row"
    ).fetchall()


def queue(database, *rows, receiver="chat"):
    database.apply([Changes(queued=[(row, f"id{row}", receiver, "lane", "{}", 1000.0) for row in rows])])


def test_a_notification_is_queued_once_for_each_id_and_receiver(opened):
    database = opened()
    row = (1, "id", "chat", "lane", "{}", 1000.0)
    database.apply([Changes(queued=[row, (2, "id", "mail", *row[3:]), (3, "id", "chat", *row[3:])])])
    assert [row[0] for row in outbox(database)] == [1, 2]


def test_pages_of_a_receiver_come_in_the_order_of_their_rows_without_those_that_are_dead(opened):
    database = opened()
    queue(database, 5, 1, 3)
    queue(database, 2, receiver="mail")
    database.apply([Changes(settled=[(3, "dead", 1, 0.0, "refused")])])
    assert [row[0] for row in SqliteReader(database.connection).queued("chat", 0, 10)] == [1, 5]
    assert [row[0] for row in SqliteReader(database.connection).queued("chat", 1, 10)] == [5]
    assert [row[0] for row in SqliteReader(database.connection).queued("chat", 0, 1)] == [1]
    assert sorted(SqliteReader(database.connection).receivers()) == ["chat", "mail"]


def test_what_came_of_an_attempt_is_recorded(opened):
    database = opened()
    queue(database, 1, 2, 3)
    settled = [(1, "delivered", 1, 0.0, ""), (2, "retry", 2, 1234.5, "down"), (3, "dead", 3, 0.0, "refused")]
    database.apply([Changes(settled=settled)])
    assert outbox(database) == [(2, "queued", 2, 1234.5, "down"), (3, "dead", 3, 0.0, "refused")]
    assert SqliteReader(database.connection).queued("chat", 0, 10)[0][-2:] == (2, 1234.5)


def test_the_last_of_several_results_for_a_row_holds(opened):
    database = opened()
    queue(database, 1)
    database.apply([Changes(settled=[(1, "retry", 1, 5.0, "a"), (1, "retry", 2, 6.0, "b"), (1, "dead", 3, 0.0, "c")])])
    assert outbox(database) == [(1, "dead", 3, 0.0, "c")]


def test_a_row_that_is_dead_stays_so_whatever_comes_late(opened):
    database = opened()
    queue(database, 1, 2)
    database.apply([Changes(settled=[(1, "dead", 1, 0.0, "old"), (2, "dead", 1, 0.0, "old")])])
    database.apply([Changes(settled=[(1, "retry", 2, 5.0, "late"), (2, "delivered", 2, 0.0, "")])])
    assert outbox(database) == [(1, "dead", 1, 0.0, "old"), (2, "dead", 1, 0.0, "old")]


def test_a_row_queued_and_settled_in_one_group_is_settled(opened):
    database = opened()
    database.apply(
        [Changes(queued=[(1, "id", "chat", "l", "{}", 1.0)]), Changes(settled=[(1, "delivered", 1, 0.0, "")])]
    )
    assert outbox(database) == []


def test_numbers_of_rows_go_on_behind_the_dead_ones(opened):
    database = opened()
    queue(database, 1, 2)
    database.apply([Changes(settled=[(1, "delivered", 1, 0.0, ""), (2, "dead", 1, 0.0, "x")])])
    assert reopened(database, opened).load().last_row == 2


@pytest.mark.parametrize("text", ["é𝄞", "a\\u0000b", "'; DROP TABLE meta; --", '"', "\u2028", "x" * 100_000])
def test_any_text_comes_back_as_it_went_in(opened, text):
    database = opened()
    database.apply([Changes(alerts=[("f", text)], meta=[(text, text)], instances=[(text, text, text)])])
    snapshot = reopened(database, opened).load()
    assert (snapshot.alerts, snapshot.meta, snapshot.instances) == ([("f", text)], {text: text}, [(text, text, text)])


def test_the_newest_dead_letters_of_notifications_stay_and_those_whose_fallback_still_waits(opened, monkeypatch):
    monkeypatch.setattr(module, "DEAD_LETTERS", 100)
    monkeypatch.setattr(module, "DEAD_LETTERS_SLACK", 10)
    database = opened()
    queued = [(row, f"f{row}-1-firing", "chat", f"f{row}", "{}", 1.0) for row in range(1, 401)]
    handed = Changes(
        queued=queued[:2], settled=[(1, "dead", 1, 0.0, "no"), (2, "dead", 1, 0.0, "no")], handed=[(1, "x")]
    )
    database.apply([handed])

    def rows(state):
        return [row for (row,) in database.connection.execute(f"SELECT row FROM outbox WHERE state = '{state}'")]

    sizes = []
    for each in queued[2:]:
        database.apply([Changes(queued=[each], settled=[(each[0], "dead", 1, 0.0, "no")])])
        sizes.append(len(rows("dead")))
    assert max(sizes) == 1 + 110
    assert sum(later <= before for before, later in pairwise(sizes)) <= 398 // 10  # many at once
    database.apply([Changes(queued=[(401, "f401-1-firing", "chat", "f401", "{}", 1.0)])])
    kept = rows("dead")
    assert (kept[0], kept[-1], rows("queued")) == (1, 400, [401])
    assert 100 <= len(kept) - 1 <= 110
    assert kept[1:] == list(range(kept[1], 401))


def test_what_went_to_a_fallback_is_bounded_and_then_a_dead_letter_as_all_others(opened, monkeypatch):
    monkeypatch.setattr(module, "DEAD_LETTERS", 100)
    monkeypatch.setattr(module, "HANDED", 50)
    monkeypatch.setattr(module, "DEAD_LETTERS_SLACK", 10)
    database = opened()
    for row in range(1, 401):
        queued = [(row, f"f{row}-1-firing", "chat", f"f{row}", "{}", 1.0)]
        database.apply([Changes(queued=queued, settled=[(row, "dead", 1, 0.0, "no")], handed=[(row, "mail")])])
        assert len(SqliteReader(database.connection).handed()) <= 60
    assert SqliteReader(database.connection).handed()[-1] == ("chat", "f400-1-firing", "mail")
    assert len(list(database.connection.execute("SELECT row FROM outbox"))) <= 60 + 110


def test_a_file_is_not_larger_after_the_tenth_storm_than_after_the_second(opened):
    database, pages = opened(), []
    for storm in range(10):
        names = [f"d{storm}-{n}" for n in range(2000)]
        keys, text = [f'["{name}"]' for name in names], "x" * 300
        rows = range(storm * 2000 + 1, storm * 2000 + 2001)
        database.apply(
            [
                Changes(
                    instances=[("A", key, text) for key in keys],
                    samples=[("A", key, "s", 0, text) for key in keys],
                    alerts=[(name, text) for name in names],
                    desk=[("conversation", name, text) for name in names],
                    keys=[(name, 1.0) for name in names],
                    queued=[(row, name, "chat", name, text, 1.0) for row, name in zip(rows, names, strict=True)],
                )
            ]
        )
        gone = Changes(
            instances=[("A", key, None) for key in keys],
            samples=[("A", key, None, 0, None) for key in keys],
            alerts=[(name, None) for name in names],
            desk=[("conversation", name, None) for name in names],
            keys=[(name, None) for name in names],
            settled=[(row, "delivered", 1, 0.0, "") for row in rows],
        )
        database.apply([gone])
        for table in ("instances", "samples", "alerts", "desk", "keys", "outbox"):
            assert list(database.connection.execute(f"SELECT * FROM {table}")) == []
        pages.append(database.connection.execute("PRAGMA page_count").fetchone()[0])
    assert pages[-1] <= 1.02 * pages[1]


def test_samples_of_instances_that_are_gone_leave_with_the_upgrade(path, opened):
    database = opened()
    database.apply(
        [
            Changes(
                instances=[("A", '["1"]', "{}")],
                samples=[("A", '["1"]', "s", 0, "kept"), ("A", '["2"]', "s", 0, "left behind")],
            )
        ]
    )
    database.connection.executescript("PRAGMA user_version = 7; DROP TABLE formats;")
    assert [row[1] for row in reopened(database, opened).load().samples] == ['["1"]']


# what is over leaves


def trace_row(at):
    return (at, "held", "f", "Warm", "", "{}")


def times(database, table="trace"):
    return [row[0] for row in database.connection.execute(f"SELECT at FROM {table} ORDER BY row")]


def test_entries_that_are_too_old_leave_two_for_each_that_comes(opened):
    database, day = opened(), 86400.0
    database.apply([Changes(trace=[trace_row(at * day) for at in range(10)])])
    database.apply([Changes(trace=[trace_row(TRACE_KEPT_SECONDS)])])
    assert times(database)[0] == 0.0  # an age old, and no older
    database.apply([Changes(trace=[trace_row(TRACE_KEPT_SECONDS + 5.5 * day)])])
    assert times(database)[0] == 2 * day
    database.apply([Changes(trace=[trace_row(TRACE_KEPT_SECONDS + 5.5 * day)] * 4)])
    assert times(database)[0] == 6 * day
    database.apply([Changes(trace=[trace_row(TRACE_KEPT_SECONDS + 5.6 * day)] * 40)])
    assert times(database)[0] == 6 * day


def test_a_clock_that_is_years_ahead_for_a_moment_empties_no_table(opened):
    database = opened()
    database.apply([Changes(trace=[trace_row(float(at)) for at in range(1000)])])
    database.apply([Changes(trace=[trace_row(4e9)])])
    assert len(times(database)) == 999
    for at in range(1000, 1010):
        database.apply([Changes(trace=[trace_row(float(at))])])
    assert len(times(database)) == 1009


def test_the_audit_log_has_an_age_of_its_own(opened):
    database = opened()
    database.apply([Changes(audit=[(at, "olga", "http", "ack", "{}") for at in (0.0, 5.0)])])
    database.apply([Changes(audit=[(AUDIT_KEPT_SECONDS + 1.0, "olga", "http", "ack", "{}")])])
    assert times(database, "audit") == [5.0, AUDIT_KEPT_SECONDS + 1.0]


def test_what_leaves_by_age_is_the_same_after_a_restart(opened):
    database = opened()
    database.apply([Changes(trace=[trace_row(at) for at in (0.0, 1.0, 9.0)])])
    database = reopened(database, opened)
    database.apply([Changes(trace=[trace_row(TRACE_KEPT_SECONDS + 5.0)])])
    assert times(database) == [9.0, TRACE_KEPT_SECONDS + 5.0]


def test_a_file_whose_name_is_gone_is_written_anew_with_all_that_it_held(opened, path):
    database = opened()
    database.apply([FULL])
    assert database.look_after() == ""
    path.unlink()
    path.with_name("hub.db.anew").write_text("left by a hub that died meanwhile")
    assert database.look_after() == f"{path} is gone; it was written anew, with all that the hub holds"
    assert database.look_after() == ""
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in path.parent.glob("hub.db.anew*")) == []
    database.apply([Changes(meta=[("written", "behind that")])])
    database.close()
    again = opened()
    assert again.load().meta["written"] == "behind that"
    assert again.load().alerts == [("f1", '{"a":1}')]


def test_a_file_in_whose_place_another_was_put_is_left_alone(opened, path):
    database = opened()
    path.rename(path.with_name("away.db"))
    path.write_text("mine")
    assert database.look_after() == f"{path} is another file now"
    assert path.read_text() == "mine"
