"""State files whose rows mean nothing to who uses them: the row is named with what to do, whatever would fail."""

import asyncio
import contextlib
import shutil
import sqlite3

import pytest

from hub.app import App
from hub.config import load_settings
from hub.errors import StoreError
from hub.observer import Observer

OUTBOX = "INSERT INTO outbox (row, id, receiver, lane, body, created) VALUES (9, 'a', 'hub', 'l', '[1]', 0)"
DAMAGES = [
    *(
        (f"INSERT INTO instances VALUES ('Hot', '{key}', '{state}')", "DELETE FROM instances WHERE rule = 'Hot'")
        for key, state in [('["1"]', "[]"), ('["1"]', '{"a": 1}'), ("x", "[]")]
    ),
    ("INSERT INTO desk VALUES ('silence', 'a''b', 'x')", "key = 'a''b'"),
    ("INSERT INTO desk VALUES ('conversation', 'c', '[]')", "key = 'c'"),
    (OUTBOX, "DELETE FROM outbox WHERE row = 9"),
    ("INSERT INTO subscribers VALUES ('https://a', '{}')", "DELETE FROM subscribers WHERE endpoint = 'https://a'"),
    *(
        (f"INSERT OR REPLACE INTO meta VALUES ('{key}', '{value}')", f"DELETE FROM meta WHERE key = '{key}'")
        for key, value in [
            ("key:token", ""),
            ("key:token", "abcd"),
            ("key:token", "xyz"),
            ("alive", "soon"),
            ("alive", "inf"),
            ("alive", "nan"),
            ("filters", "{no"),
            ("filters", "5"),
            ("filters", "[5]"),
            ("written", "{"),
            ("written", "[]"),
            ("written", '{"a": "b"}'),
            ("own_serial", "inf"),
            ("broker_dropped", "x"),
        ]
    ),
    *((f"DROP TABLE {table}", f"the table {table} is missing") for table in ("trace", "audit", "rules", "keys")),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text('rules: [{alert: Hot, topic: "t/{device}", when: value > 30}]')
    (tmp_path / "hub.yaml").write_text("broker: {url: 'mqtt://127.0.0.1:1'}\nhttp: false\n")
    return tmp_path


class Up(Observer):
    """Sees that the state was read in: only then is a broker looked for."""

    def __init__(self):
        self.event = asyncio.Event()

    def session(self, *_):
        self.event.set()


async def ended():
    """Run a hub without a broker until it looks for one; return why it ended before."""
    up = Up()
    app = App(load_settings(None), up)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            running, looks = asyncio.create_task(app.run()), asyncio.create_task(up.event.wait())
            await asyncio.wait([running, looks], return_when=asyncio.FIRST_COMPLETED)
            looks.cancel()
            app.stop()
            try:
                await running
            except StoreError as error:
                return str(error)
    return ""


async def test_what_cannot_be_used_is_named_and_what_it_says_mends_it(folder):
    assert await ended() == ""
    whole = folder / "whole.db"
    shutil.copy("hub.db", whole)
    for number, (sql, says) in enumerate(DAMAGES):
        shutil.copy(whole, "hub.db")
        change(sql)
        said = await ended()
        assert said.startswith("hub.db: damaged: "), (sql, said)
        assert says in said, (sql, said)
        assert "restore a backup" in said
        if says.startswith("DELETE") and number % 3 == 0:  # a start that succeeds takes over a second
            change(said.partition(" with sqlite3: ")[2])
            assert await ended() == "", sql


def change(sql):
    connection = sqlite3.connect("hub.db")
    with connection:
        connection.execute(sql)
    connection.close()
