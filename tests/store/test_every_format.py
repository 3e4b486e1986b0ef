"""A file of every format that ever landed: today's hub opens it, moves it, takes it back and runs on.

What each of them has lived through stands in make_state.py, how they were made in states/README.md.
"""

import lzma
import sqlite3
from pathlib import Path

import pytest

from hub.ingest.idempotency import Keys
from hub.ingest.redelivery.receipts import Receipts
from hub.model import OWN, Phase
from hub.notify.subscribers import Subscribers
from hub.store.keeper import restore_all
from hub.store.sqlite.database import Database
from hub.store.sqlite.migrations import STEPS
from hub.store.sqlite.sqlite_reader import SqliteReader
from tests.store import make_state
from tests.store.opening import SAVED, Hub, shown

STATES = Path(__file__).with_name("states")
NAMES = sorted(path.name.removesuffix(".sql.xz") for path in STATES.glob("v*.sql.xz"))
KEYS = {
    "instances": "rule, instance",
    "samples": "rule, instance, slot, number",
    "alerts": "fingerprint",
    "desk": "CASE kind WHEN 'group' THEN 'conversation' ELSE kind END, key",
    "outbox": "id, receiver, state",
    "receipts": "number",
    "dead_letters": "topic",
    "keys": "digest",
    "audit": "at, actor",
    "subscribers": "endpoint",
    "trace": "row",
    "meta": "key",
}


def unpack(name, file):
    connection = sqlite3.connect(file)
    connection.executescript(lzma.decompress((STATES / f"{name}.sql.xz").read_bytes()).decode())
    connection.close()
    return file


def held_rows(file):
    """Return what names each row, by table; of the outbox those that still wait for somebody."""
    connection = sqlite3.connect(file)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    found = {
        table: {tuple(row) for row in connection.execute(f"SELECT {keys} FROM {table}") if OWN not in row}
        for table, keys in KEYS.items()
        if table in tables
    }
    connection.close()
    return found


@pytest.fixture
def opened(tmp_path):
    """Open the file of a format; return the hub, and what was in the file before."""
    hubs = []
    rules = tmp_path / "rules.yaml"
    lines = make_state.RULES.splitlines()
    rules.write_text(make_state.HEAD + "".join(f"  {line}\n" for line in lines), "utf-8")

    def open_(name):
        file = unpack(name, tmp_path / f"{len(hubs)}.db")
        before = held_rows(file)
        hubs.append(Hub(rules, file, discovery="homeassistant"))
        return hubs[-1], before

    yield open_
    for each in hubs:
        each.database.close()


def stands(hub, names):
    """Return how each alert of these rules stands: its phase, who acknowledged it, what holds it back."""
    found = {}
    for alert in hub.core.book.alerts.values():
        if alert.alertname in names and alert.state is not Phase.INACTIVE:
            instance = "/".join(value for _, value in alert.instance)
            held = alert.held[0] if alert.held else ""
            found[alert.alertname, instance] = str(alert.state), alert.ack.by if alert.ack else "", str(held)
    return found


def test_there_is_a_file_of_each_version():
    assert {int(name[1:3]) for name in NAMES} == set(range(1, len(STEPS) + 1))
    assert f"v{len(STEPS):02}" in NAMES  # of the hub of today


@pytest.mark.parametrize("name", NAMES)
def test_no_row_is_lost_when_a_file_is_opened_and_committed_again(opened, name):
    hub, before = opened(name)
    hub.pass_time(0.5)
    hub.restart()
    after = held_rows(hub.file)
    lost = {table: rows - after[table] for table, rows in before.items() if rows - after[table]}
    assert lost == {}


@pytest.mark.parametrize("name", NAMES)
def test_alerts_stand_as_they_did_and_nobody_is_told_again(opened, name):
    hub, before = opened(name)
    today, _ = opened("v10")
    names = {rule for rule, _ in before["instances"]} | {"Disk" for _ in stands(hub, {"Disk"})}
    assert hub.told == []
    mine, expected = stands(hub, names), stands(today, names)
    assert mine.keys() == expected.keys()
    assert {key: each[0] for key, each in mine.items()} == {key: each[0] for key, each in expected.items()}
    if ("silence", "serial") in before.get("desk", ()):  # there was a desk already
        assert {key: each[1:] for key, each in mine.items()} == {key: each[1:] for key, each in expected.items()}
        assert [each.by for each in hub.core.book.silences.values()] == ["olga"]


@pytest.mark.parametrize("name", NAMES)
def test_timers_go_on_and_an_end_is_told_to_who_was_told(opened, name):
    hub, _ = opened(name)
    hub.pass_time(1.0)
    hub.send("plain/1", 0)
    hub.pass_time(3700.0)
    told = [(round(at / 60), who, body["alertname"], shown(body), body.get("state", "")) for at, who, body in hub.told]
    assert (0, "chat", "Plain", "1", "resolved") in told
    assert (0, "mail", "Plain", "1", "resolved") in told
    assert (3, "chat", "Held", "2", "firing") in told  # `for: 10m`, seven minutes of which had passed
    assert not [each for each in told if each[2] == "Held" and each[3] == "1"]  # it was told
    ids = [(who, body["id"]) for _, who, body in hub.told]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_beside_the_core_is_taken_back(opened, name):
    hub, before = opened(name)
    snapshot = hub.database.load()
    keys, subscribers = Keys(), Subscribers(b"key")
    restore_all((keys, subscribers), snapshot)
    assert keys.take("a key", SAVED) is ("keys" not in before)
    assert list(subscribers.all) == (["https://push.example.org/7"] if "subscribers" in before else [])
    assert len(Receipts(snapshot.receipts)) == len(before["receipts"]) == 1
    assert snapshot.meta_float("alive", 0.0) == SAVED
    waiting = {(row[2], row[1]) for row in SqliteReader(hub.database.connection).queued("mail", 0, 100)}
    assert len(waiting) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_brought_up_to_date_once(opened, name):
    hub, _ = opened(name)
    hub.database.close()
    before = Path(hub.file).read_bytes()
    Database(hub.file).close()
    assert Path(hub.file).read_bytes() == before
    hub.start()
