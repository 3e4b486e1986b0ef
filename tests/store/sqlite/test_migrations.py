"""migrations: each step is one transaction; JSON that changed without a version is moved by step 10."""

import sqlite3

import orjson
import pytest

from hub.alerts.alert import Alert
from hub.alerts.suppression.silences import Silence
from hub.alerts.telling.conversation import Conversation, News, group_fingerprint
from hub.alerts.telling.said import NOTHING_SAID, Said
from hub.rules.instances.instance import Gated
from hub.store.sqlite import migrations
from hub.store.sqlite.migrations import STEPS, StateStep, migrate


@pytest.fixture
def earlier():
    """Return a connection to an empty file of the version before formats had numbers."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, STEPS[:9])
    yield connection
    connection.close()


def moved(connection, table, text, *key):
    """Put a row in, bring the file up to date, and return what has become of the row."""
    places = ", ".join("?" * (len(key) + 1))
    connection.execute(f"INSERT INTO {table} VALUES ({places})", (*key, text))
    migrate(connection, STEPS)
    return connection.execute(f"SELECT state FROM {table}").fetchone()[0]


def test_each_step_has_the_number_of_its_section():
    assert len(STEPS) == 10
    assert {number for number, step in enumerate(STEPS, 1) if step.move} == set(migrations.MOVES)


def test_a_step_in_python_that_fails_leaves_neither_its_sql_nor_its_rows(tmp_path):
    def fails(cursor):
        cursor.execute("INSERT INTO more VALUES (1)")
        raise ValueError("a row that cannot be moved")

    connection = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    migrate(connection, STEPS)
    step = StateStep("CREATE TABLE more (a INTEGER) STRICT;", fails)
    with pytest.raises(ValueError, match="cannot be moved"):
        migrate(connection, [*STEPS, step])
    connection.close()
    connection = sqlite3.connect(tmp_path / "hub.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'more'").fetchall()
    connection.close()


def test_a_group_of_the_first_edition_is_taken_over_with_what_it_has_to_say(earlier):
    news = [{"id": "m-1-resolved", "state": "resolved"}]
    text = '["A",{"site":"a"},4,900.0,1200.0,["w"],{"m":1},[{"id":"m-1-resolved","state":"resolved"}],1,["chat"]]'
    mark = group_fingerprint("A", {"site": "a"})
    it = Conversation.load(mark, moved(earlier, "desk", text, "conversation", mark))
    assert (it.rule, it.labels, it.episode, it.serial, it.spoke) == ("A", {"site": "a"}, 4, 4, 900.0)
    assert (it.news, it.changed, it.said.told) == ([News(("chat",), 1, news)], 1190.0, ("chat",))


FLAT = {"alertname": "A", "instance": [["d", "1"]], "state": "firing", "since": 5.0}
TOLD = {"told": ["chat"], "tellings": 2, "notified": 6.0, "last": 7.0, "steps": 1}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"told": ["chat"]}, Said(("chat",), 1, 5.0, 5.0)),  # before tellings were counted: it was told once
        ({"told": []}, NOTHING_SAID),
        (TOLD, Said(("chat",), 2, 6.0, 7.0, 1)),
        (TOLD | {"hidden": 9.0}, Said(("chat",), 2, 6.0, 7.0, 1, paused=9.0)),
        (TOLD | {"ack": {"by": "o", "comment": "", "at": 8.0}}, Said(("chat",), 2, 6.0, 7.0, 1, paused=8.0)),
        ({"said": {"told": ["chat"], "tellings": 3}}, Said(("chat",), 3)),
    ],
)
def test_what_was_said_of_an_alert_has_a_place_of_its_own(earlier, more, said):
    alert = Alert.load(moved(earlier, "alerts", orjson.dumps(FLAT | more).decode(), "f"))
    assert (alert.alertname, alert.since, alert.said) == ("A", 5.0, said)


def test_a_silence_of_before_has_no_annotations(earlier):
    it = Silence.load("s", moved(earlier, "desk", '[[["a","=","b"]],1.0,2.0,"olga","why",0.5]', "silence", "s"))
    assert (it.start, it.end, it.by, it.updated, it.annotations) == (1.0, 2.0, "olga", 0.5, ())


def test_gates_of_before_had_no_message_that_waited(earlier):
    text = '["i",0.0,0.0,3.0,0.0,0.0,"",null,null,[true,false,true,4.5,6.5,7]]'
    it = Gated(("k",))
    it.fill(orjson.loads(moved(earlier, "instances", text, "A", '["k"]')))
    gates = it.gates
    assert gates is not None
    assert (gates.paused, gates.heard, gates.waiting, gates.muted) == (True, False, None, True)
    assert (gates.gap, gates.observed, gates.messages) == (4.5, 6.5, 7)


@pytest.mark.parametrize("text", ["{", "3", '"x"', "[]", '{"told":3,"ack":4,"tellings":1}'])
def test_a_damaged_row_stays_as_it_is_for_who_names_it(earlier, text):
    assert moved(earlier, "alerts", text, "f") == text


def test_rows_that_look_as_they_should_are_not_written_again(earlier):
    for key, text in (("serial", "7"), ("floor", "9")):
        earlier.execute(
            "INSERT INTO desk VALUES (?, ?, ?)", ("silence" if key == "serial" else "conversation", key, text)
        )
    before = earlier.total_changes
    migrate(earlier, STEPS)
    assert earlier.total_changes == before
