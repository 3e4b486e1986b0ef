"""`hub outbox` on the state file of a hub that is not running: list, retry, drop."""

import json
import os
import sqlite3
from pathlib import Path

import pytest

from hub.notify.outbox_port import Queued
from hub.spine.store_outbox import outbox_row
from hub.store.changes import Changes
from hub.store.sqlite.database import Database
from tests.notify.fakes import notification
from tests.support import prefork

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    """A state file with two queued notifications and two dead letters."""
    made = [
        notification(1, order="a", created=1000.0),
        notification(2, "mail", "b", 1001.0, summary="evil \x1b[2J"),
        notification(3, "mail", "c", 1002.0),
        notification(4, "$hub", "own", 1003.0),
        notification(5, order="d", created=1004.0),
    ]
    database = Database(tmp_path / "hub.db")
    rows = [outbox_row(Queued(row, each)) for row, each in enumerate(made, 1)]
    settled = [(2, "dead", 7, 0.0, "550 no such user"), (3, "dead", 1, 0.0, "too old"), (5, "retry", 2, 2000.0, "503")]
    database.apply([Changes(queued=rows, settled=settled)])
    database.close()
    return tmp_path


def outbox(folder, *arguments):
    code, out, err = prefork.run("outbox", *arguments, cwd=folder, env=os.environ | {"NO_COLOR": "1"})
    assert "Traceback" not in err, err
    return code, out, err


def rows(folder):
    with sqlite3.connect(folder / "hub.db") as connection:
        return connection.execute("SELECT id, receiver, state, attempts, row FROM outbox ORDER BY row").fetchall()


def test_it_lists_what_is_queued_and_dead_with_the_reasons_and_nothing_of_the_hubs_own(folder):
    code, out, _ = outbox(folder, "list", "--json")
    found = json.loads(out)
    assert code == 0
    assert [(each["id"], each["state"], each["reason"]) for each in found] == [
        ("a-1", "queued", ""),
        ("b-2", "dead", "550 no such user"),
        ("c-3", "dead", "too old"),
        ("d-5", "queued", "503"),
    ]
    assert found[3]["next_attempt"] == "1970-01-01T00:33:20.000Z"
    _, out, _ = outbox(folder)
    assert "550 no such user" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--receiver", "mail"), ["b-2", "c-3"]),
        (("--dead",), ["b-2", "c-3"]),
        (("--queued", "--receiver", "chat"), ["a-1", "d-5"]),
        (("list", "d-5", "b-2"), ["b-2", "d-5"]),
        (("--receiver", "$hub"), ["own-4"]),
    ],
)
def test_it_lists_what_was_asked_for(folder, arguments, expected):
    arguments = arguments if arguments[0] == "list" else ("list", *arguments)
    assert [each["id"] for each in json.loads(outbox(folder, *arguments, "--json")[1])] == expected


def test_a_dead_letter_is_queued_again_as_a_new_row(folder):
    code, out, _ = outbox(folder, "retry", "b-2")
    assert (code, out) == (0, "queued again: mail b-2\n")
    assert rows(folder)[-1] == ("b-2", "mail", "queued", 0, 6)
    assert [each[0] for each in rows(folder)] == ["a-1", "c-3", "own-4", "d-5", "b-2"]


def test_retry_of_all_leaves_what_is_queued_alone(folder):
    assert outbox(folder, "retry", "--all")[1] == "queued again: mail b-2\nqueued again: mail c-3\n"
    assert {each[2] for each in rows(folder)} == {"queued"}
    assert outbox(folder, "retry", "--all")[1] == "nothing to do\n"


def test_what_is_dropped_is_gone_and_stands_in_the_trace(folder):
    code, out, _ = outbox(folder, "drop", "--receiver", "mail", "--by", "ann")
    assert (code, out) == (0, "dropped: mail b-2\ndropped: mail c-3\n")
    assert [each[0] for each in rows(folder)] == ["a-1", "own-4", "d-5"]
    with sqlite3.connect(folder / "hub.db") as connection:
        traced = connection.execute("SELECT notification, data FROM trace ORDER BY row").fetchall()
    assert [identity for identity, _ in traced] == ["b-2", "c-3"]
    assert json.loads(traced[0][1]) == {"receiver": "mail", "outcome": "dropped", "reason": "by ann"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("drop",), 1, "which notifications? give ids, a receiver, a state, or all"),
        (("retry", "b-1"), 1, "no dead letter has the id 'b-1'"),
        (("retry", "a-1"), 1, "no dead letter has the id 'a-1'"),
        (("list", "z"), 1, "no notification in the outbox has the id 'z'"),
        (("retry", "--queued"), 1, "only dead letters are queued anew"),
        (("list", "--queued", "--dead"), 2, "exclude each other"),
        (("list", "--state", "none.db"), 1, "none.db: no such state file"),
        (("drop", "--all", "--state", "none.db"), 1, "none.db: no such state file"),
        (("burn",), 2, "burn"),
    ],
)
def test_a_mistake_says_what_to_do_and_changes_nothing(folder, arguments, code, message):
    before = rows(folder)
    found, _, err = outbox(folder, *arguments)
    assert message in " ".join(err.split())
    assert found == code
    assert rows(folder) == before
    assert not (folder / "none.db").exists()
