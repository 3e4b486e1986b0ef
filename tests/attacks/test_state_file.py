"""State files that cannot be one, are damaged, full, taken, or go under a running hub: a sentence, never silence."""

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys

import pytest

from tests.acceptance.scene import document, scene
from tests.faults.test_disk_full import SmallDisk
from tests.support import prefork
from tests.support.ends import watching
from tests.support.hub import QUICK, ROOT, Hub

HOT = '  - {alert: Hot, topic: "t/{device}", when: "avg(value, 10m) > 30"}\n'
TELL = "self_watch: {notify: [bus]}\n"
PATIENCE = 15.0


async def refused(hub):
    """Start it; return the one sentence with which it ends at once, with 1."""
    await hub.start(connected=False)
    assert await hub.ended(20) == 1, [*hub.lines, *hub.errors]
    (said,) = hub.errors
    assert said.startswith("hub: ")
    return said


def a_pipe(path):
    os.mkfifo(path)


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def a_device(path):
    path.symlink_to("/dev/null")


def an_endless_device(path):
    path.symlink_to("/dev/zero")


def a_folder(path):
    path.mkdir()


def a_circle(path):
    path.symlink_to(path.name)


def something_else(path):
    path.write_bytes(b"not a database at all, but quite some text" * 50)


def of_another_program(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE states (entity TEXT)")
    connection.close()


PLACES = {
    a_pipe: "it is a pipe, no file; name another with --state",
    a_socket: "it is a socket, no file",
    a_device: "it is a device, no file",
    an_endless_device: "it is a device, no file",
    a_folder: "Is a directory",
    a_circle: "Too many levels of symbolic links",
    something_else: "file is not a database",
    of_another_program: "a database, but no hub's; name another file with --state",
}


@pytest.mark.parametrize("make", PLACES, ids=lambda each: each.__name__)
async def test_what_can_be_no_state_file_is_said_in_one_sentence(tmp_path, broker, make):
    hub = Hub(tmp_path, broker, document(HOT))
    make(hub.state)
    assert PLACES[make] in await refused(hub)
    assert "hub.db" in hub.errors[0]


@pytest.mark.parametrize("command", [("why", "Hot"), ("outbox", "list", "--state", "hub.db"), ("doctor",)])
async def test_commands_that_read_a_state_file_wait_for_no_pipe(tmp_path, command, broker):
    hub = Hub(tmp_path, broker, document(HOT))
    a_pipe(hub.state)
    env = os.environ | {"PASSWORD": broker.settings("hub").password.reveal()}
    process = await prefork.start(*command, "-c", "hub.yaml", cwd=tmp_path, env=env)
    async with asyncio.timeout(40):
        out, err = await process.communicate()
    assert "it is a pipe, no file" in (out + err).decode()
    assert "Traceback" not in err.decode()
    assert process.returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as somebody else")
@pytest.mark.parametrize("closed", ["folder", "file", "read-only file", "read-only folder"])
def test_what_the_hubs_user_may_not_use_is_said_in_one_sentence(tmp_path, closed):
    folder = tmp_path / "state"
    folder.mkdir()
    for each in (tmp_path, *list(tmp_path.parents)[:-2]):
        each.chmod(0o755)
    file = folder / "hub.db"
    make = (
        "from hub.store.sqlite.database import Database; from pathlib import Path; import sys; db = Path(sys.argv[1])\n"
    )
    subprocess.run([sys.executable, "-c", make + "Database(db).close()", file], check=True, cwd=ROOT)
    modes = {"folder": (0, 0o666), "file": (0o777, 0), "read-only file": (0o777, 0o444)}
    folder_mode, file_mode = modes.get(closed, (0o555, 0o666))
    (folder / "hub.db.lock").chmod(0o666)
    file.chmod(file_mode)
    folder.chmod(folder_mode)
    code = (
        "import os; from hub.errors import StoreUnusable\n"
        "os.setuid(65534)\n"
        "try: Database(db)\n"
        "except StoreUnusable as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", make + code, file], capture_output=True, text=True, cwd=ROOT, check=False
    )
    folder.chmod(0o755)
    assert done.stdout.startswith(f"{file}: cannot be used as the state file: "), done.stderr
    assert done.stdout.count("\n") == 1


async def filled(hub, at):
    """Let a hub write some state, and end."""
    await at.send("t/1", 31)
    await at.notified("Hot", "firing")
    assert await hub.stop() == 0


def change(hub, sql, *values):
    connection = sqlite3.connect(hub.state)
    with connection:
        assert connection.execute(sql, values).rowcount
    connection.close()


DAMAGES = [
    ("UPDATE instances SET state = ? WHERE rule = 'Hot'", "{no", "instances cannot be read (no JSON)", "rule = 'Hot'"),
    ("UPDATE alerts SET state = ?", "[1,2]", "alerts cannot be read", "fingerprint = '"),
    ("UPDATE alerts SET state = CAST(x'ff' AS TEXT) || ?", "", "alerts cannot be read (no UTF-8 text)", "fingerprint"),
    ("INSERT INTO desk VALUES ('silence', 's1', ?)", "{}", "desk cannot be read", "kind = 'silence' AND key = 's1'"),
    (
        "INSERT INTO outbox (row, id, receiver, lane, body, created) VALUES (99, 'a', 'bus', 'l', ?, 0)",
        "{",
        "outbox cannot be read (no JSON object)",
        "row = 99",
    ),
    ("INSERT INTO receipts VALUES (?, x'0102')", 7, "receipts cannot be read", "number = 7"),
]
"""Others, tests/node/test_custody.py tries without a process for each."""


async def test_a_damaged_row_is_named_with_what_to_do_and_what_it_says_mends_it(tmp_path, broker):
    async with scene(tmp_path, broker, HOT) as at:
        await filled(at.hub, at)
        whole = at.hub.state.read_bytes()
        for sql, value, table, row in DAMAGES:
            at.hub.state.write_bytes(whole)
            change(at.hub, sql, value)
            said = await refused(at.hub)
            assert said.startswith("hub: hub.db: damaged: a row of the table "), (sql, said)
            assert table in said, (sql, said)
            assert row in said, (sql, said)
            assert "restore a backup, or let this row go" in said
            change(at.hub, said.partition(" with sqlite3: ")[2])
        await at.hub.start()
        assert await at.hub.stop() == 0


@pytest.mark.parametrize("how", ["cut", "written over"])
async def test_a_damaged_file_is_said_in_one_sentence(tmp_path, broker, how):
    async with scene(tmp_path, broker, HOT) as at:
        await filled(at.hub, at)
        data = at.hub.state.read_bytes()
        at.hub.state.write_bytes(data[:8192] if how == "cut" else data[:4096] + b"\xff" * (len(data) - 4096))
        assert "malformed; restore a backup" in await refused(at.hub)


async def test_a_file_of_a_newer_hub_is_refused_and_left_as_it_is(tmp_path, broker):
    hub = Hub(tmp_path, broker, document(HOT))
    async with hub:
        assert await hub.stop() == 0
    connection = sqlite3.connect(hub.state)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = hub.state.read_bytes()
    assert "hub.db: written by a newer hub (state version 99, this one knows" in await refused(hub)
    assert hub.state.read_bytes() == before


# what passes


@pytest.fixture
def small(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield SmallDisk(folder)
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("first", [True, False], ids=["a new file", "a file with state"])
async def test_a_disk_that_is_full_at_the_start_is_said_once_and_waited_for(tmp_path, broker, small, first):
    async with scene(tmp_path, broker, HOT, state="state/hub.db") as at:
        await at.send("t/1", 31)
        await at.notified("Hot", "firing")
        assert await at.hub.stop() == 0
        if first:
            for file in small.folder.glob("hub.db*"):
                file.unlink()
        small.fill()
        await at.hub.start(connected=False)
        await at.hub.says(" trouble store: ", "hub.db", "the hub waits, and starts as soon as it can")
        await at.send("t/2", 32)
        await asyncio.sleep(2.5)
        assert at.hub.process.returncode is None
        assert sum("the hub waits" in line for line in at.hub.lines) <= 2, "once for each reason"
        small.empty()
        await at.hub.says(" drained ")
        await at.notified("Hot", "firing", device="2")
        assert await at.hub.stop() == 0
        assert not at.hub.errors


HOLD = """
import sys, time
from pathlib import Path
from hub.store.sqlite.database import Database
database = Database(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
database.stopping()
print("stopping", flush=True)
sys.stdin.readline()
database.close()
"""


class Holder:
    """A process that has a state file open; `go` lets it take the next step: say that it stops, stop."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
        )
        assert self.process.stdout.readline() == "open\n"

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


async def test_a_hub_that_is_just_stopping_is_waited_for(tmp_path, broker):
    hub = Hub(tmp_path, broker, document(HOT))
    with Holder(hub.state) as other:
        other.go()
        assert other.process.stdout.readline() == "stopping\n"
        await hub.start(connected=False)
        await hub.says(" trouble store: ", f"another hub (process {other.process.pid}, stopping)", "the hub waits")
        other.go()
        await hub.says(" drained ")
    assert await hub.stop() == 0


ALIASES = {
    "a link": lambda path, other: other.symlink_to(path.name),
    "a hard link": lambda path, other: other.hardlink_to(path),
    "a hard link in another folder": lambda path, other: (other.parent.mkdir(), other.hardlink_to(path)),
    "a link to its folder": lambda path, other: other.parent.symlink_to(path.parent),
    "its own name, its lock removed": lambda path, _: path.with_name(path.name + ".lock").unlink(),
}


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ("a link", "other.db"),
        ("a hard link", "other.db"),
        ("a hard link in another folder", "sub/other.db"),
        ("a link to its folder", "linked/hub.db"),
        ("its own name, its lock removed", "hub.db"),
    ],
)
async def test_the_lock_holds_whatever_the_file_is_called(tmp_path, broker, how, name):
    (tmp_path / "real").mkdir()
    path, other = tmp_path / "real" / "hub.db", tmp_path / "real" / name
    if how == "a link to its folder":
        other = tmp_path / name
    with Holder(path) as holder:
        ALIASES[how](path, other)
        hub = Hub(tmp_path, broker, document(HOT), state=str(other))
        said = await refused(hub)
        assert "has this state file open; stop it or name another with --state" in said
        if "link" in how and "hard" not in how:
            assert f"process {holder.process.pid}" in said


# under a running hub


def gone(path):
    path.unlink()


def moved(path):
    path.rename(path.with_name("away.db"))


def replaced(path):
    shutil.copy(path, path.with_name("copy.db"))
    path.with_name("copy.db").rename(path)


def cut(path):
    os.truncate(path, 4096)


def emptied(path):
    path.write_bytes(b"")


def without_log(path):
    path.with_name(path.name + "-wal").unlink()


LOST = {
    gone: "hub.db is gone; it was written anew, with all that the hub holds",
    moved: "hub.db is gone; it was written anew, with all that the hub holds",
    replaced: "hub.db is another file now",
    without_log: "hub.db-wal, a part of the state, is gone or another file now; it was written anew",
}


@pytest.mark.parametrize("how", LOST, ids=lambda each: each.__name__)
async def test_a_state_file_that_is_taken_from_a_running_hub_is_told(tmp_path, broker, how):
    async with scene(tmp_path, broker, HOT, limits=QUICK, settings=TELL) as at:
        await at.send("t/1", 31)
        await at.notified("Hot", "firing")
        await checkpointed(at.hub)
        how(at.hub.state)
        told = await at.notified("HubStateLost", "firing", within=PATIENCE)
        assert LOST[how] in told["summary"]
        assert told["severity"] == "critical"
        await at.hub.says(" trouble state: ", LOST[how])
        await at.send("t/1", 1)
        await at.notified("Hot", "resolved", within=PATIENCE)  # it goes on
        assert sum(" trouble state: " in line for line in at.hub.lines) == 1
        if "anew" in LOST[how]:
            await at.settled()
            assert at.hub.rows("PRAGMA quick_check") == [("ok",)]
            await at.hub.kill()
            await at.hub.start()
            await at.send("t/2", 31)
            assert (await at.notified("Hot", "firing", device="2"))["episode"] == 1
            await at.send("t/1", 99)
            assert (await at.notified("Hot", "firing", 2, device="1"))["episode"] == 2  # nothing was forgotten


@pytest.mark.parametrize("how", [cut, emptied], ids=lambda each: each.__name__)
async def test_a_state_file_that_is_cut_under_a_running_hub_is_told_and_no_state_is_made_up(tmp_path, broker, how):
    async with (
        watching(broker, "hub/events/#", name="events") as events,
        scene(tmp_path, broker, HOT, limits=QUICK, settings=TELL) as at,
    ):
        await at.send("t/1", 31)
        await at.notified("Hot", "firing")
        await checkpointed(at.hub)
        how(at.hub.state)
        told = await events.first(lambda each: each.topic == "hub/events/state_lost", PATIENCE)
        assert "hub.db" in json.loads(told.payload)["detail"]
        if at.hub.process.returncode is None and any(" trouble state: " in line for line in at.hub.lines):
            await at.hub.kill()  # its own pages are still in memory: it goes on, and only a start finds out
        else:
            assert await at.hub.ended() == 1
            assert "hub.db: cannot be used as the state file: " in at.hub.errors[-1]
        if how is cut:
            assert "restore a backup" in await refused(at.hub)


async def checkpointed(hub):
    """Let SQLite bring what is in its log into the file, as it does by itself after 4 MB."""
    connection = sqlite3.connect(hub.state)
    while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        await asyncio.sleep(0.05)
    connection.close()
    assert hub.state.stat().st_size > 8192


async def test_a_vacuum_and_a_backup_beside_the_running_hub_are_nothing_to_tell(tmp_path, broker):
    async with scene(tmp_path, broker, HOT, limits=QUICK, settings=TELL) as at:
        for n in range(300):
            await at.send(f"t/{n}", 31)
        await at.settled()
        connection = sqlite3.connect(at.hub.state)
        connection.execute("VACUUM")
        with sqlite3.connect(tmp_path / "backup.db") as backup:
            connection.backup(backup)
        backup.close()
        connection.close()
        await checkpointed(at.hub)
        await asyncio.sleep(1)
        assert not at.notifications("HubStateLost")


@pytest.mark.parametrize("how", ["removed", "emptied"])
async def test_state_that_is_lost_while_the_hub_is_off_is_told_where_the_broker_knows_the_hub(tmp_path, broker, how):
    async with scene(tmp_path, broker, HOT, limits=QUICK, settings=TELL) as at:
        await filled(at.hub, at)
        at.hub.state.unlink() if how == "removed" else at.hub.state.write_bytes(b"")
        await at.hub.start()
        told = await at.notified("HubStateLost", "firing", within=PATIENCE)
        assert "hub.db was empty, and the broker knows us" in told["summary"]
        await at.hub.says(" trouble state: ", "alerts, timers and what waited to be told are lost")
        assert await at.hub.stop() == 0
        said = len(at.notifications("HubStateLost"))
        await at.hub.start()
        await asyncio.sleep(1)
        assert len(at.notifications("HubStateLost")) == said, "once"


async def test_a_first_start_and_a_restart_are_nothing_to_tell(tmp_path, broker):
    async with scene(tmp_path, broker, HOT, limits=QUICK, settings=TELL) as at:
        await at.hub.kill()
        await at.hub.start()
        assert await at.hub.stop() == 0
        await at.hub.start()
        await asyncio.sleep(1)
        assert not at.notifications("HubStateLost")
        assert not [json.loads(each.payload) for each in at.told if each.topic == "notify/HubStateLost"]
