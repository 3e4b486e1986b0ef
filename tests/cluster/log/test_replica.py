"""replica: a copy says of itself only what its file has, and what cannot be a copy is set aside."""

import asyncio
import sqlite3

import pytest

from hub.cluster.log.log_record import Tip
from hub.cluster.log.replica import Replica, open_replica
from hub.errors import StoreError, StoreUnusable
from hub.limits import REPLICA_WAITING
from hub.store.changes import Changes
from hub.store.reader import COPY_ROW
from hub.store.sqlite.writer import SqliteStore
from hub.store.store import durably

BIG = '"' + "x" * 200_000 + '"'


async def opened(path, cluster="one"):
    said = []
    made = await open_replica(path, print, said.append, cluster)
    made.said = said
    return made


async def test_a_copy_goes_on_where_its_file_ends(tmp_path):
    path = tmp_path / "hub.db"
    copy = await opened(path)
    assert copy.tip == Tip()
    copy.apply(Changes(meta=[("k", "1")]), Tip(7, "ab"), 1.0)
    await copy.store.close()
    copy = await opened(path)
    assert (copy.tip, copy.said) == (Tip(7, "ab"), [])
    assert (await copy.store.load()).meta["k"] == "1"
    await copy.store.close()


@pytest.mark.parametrize("fault", ["damaged", "other"])
async def test_what_cannot_be_a_copy_is_set_aside_and_never_deleted(tmp_path, fault):
    path = tmp_path / "hub.db"
    for number in (1, 2):
        copy = await opened(path, "two")
        copy.apply(Changes(meta=[("k", "1")]), Tip(7, "ab"), 1.0)
        await copy.store.close()
        if fault == "damaged":
            path.write_bytes(b"no database" * 1000)
        before = path.read_bytes()
        copy = await opened(path)
        [why] = copy.said
        assert f"set aside as {path}.{fault}-{number}" in why
        assert copy.tip == Tip()
        assert (tmp_path / f"hub.db.{fault}-{number}").read_bytes() == before
        await copy.store.close()
        path.unlink()


async def test_the_state_of_a_single_hub_is_left_where_it_is(tmp_path):
    path = tmp_path / "hub.db"
    store = SqliteStore(path, print)
    await durably(store, Changes(meta=[("alive", "1.0")]))
    await store.close()
    with pytest.raises(StoreUnusable, match="hub cluster import"):
        await opened(path)
    assert [each.name for each in tmp_path.glob("hub.db.*-1")] == []
    copy = SqliteStore(path, print)
    assert COPY_ROW not in (await copy.load()).meta
    await copy.close()


@pytest.mark.parametrize("waiting", [0, 1])
async def test_who_asks_a_copy_to_settle_does_not_wait_for_more_records(tmp_path, monkeypatch, waiting):
    copy = await opened(tmp_path / "hub.db")
    monkeypatch.setattr("hub.cluster.log.replica.REPLICA_GATHER_SECONDS", 3600.0)
    for number in range(waiting):
        copy.apply(Changes(meta=[("k", "1")]), Tip(number + 1, "ab"), 1.0)
    async with asyncio.timeout(10):
        await copy.settled()
        await copy.settled()
    assert copy.written.seq == waiting
    await copy.store.close()


async def full(copy, *, more):
    """Let the file have room for so many more pages."""

    def limit(database):
        pages = database.connection.execute("PRAGMA page_count").fetchone()[0]
        database.connection.execute(f"PRAGMA max_page_count = {pages + more}")

    await copy.store._ask(limit)


async def test_a_copy_whose_disk_is_full_is_not_settled_though_it_answers(tmp_path, monkeypatch):
    monkeypatch.setattr("hub.store.sqlite.writer.STORE_RETRY_SECONDS", 0.02)
    copy = await opened(tmp_path / "hub.db")
    await full(copy, more=1)
    copy.apply(Changes(alerts=[("f", BIG)]), Tip(1, "a"), 1.0)
    settling = asyncio.create_task(copy.settled())
    await asyncio.wait_for(copy.store.failing.wait(), 10)
    assert (await copy.store.load()).alerts == [], "who begins with this has lost a record"
    assert not settling.done()
    assert copy.is_behind
    await full(copy, more=1000)
    await asyncio.wait_for(settling, 10)
    assert [row[0] for row in (await copy.store.load()).alerts] == ["f"]
    assert not copy.is_behind
    await copy.store.close()


async def test_what_waits_for_the_file_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("hub.store.sqlite.writer.STORE_RETRY_SECONDS", 0.02)
    copy = await opened(tmp_path / "hub.db")
    await full(copy, more=1)
    for number in range(REPLICA_WAITING):
        copy.apply(Changes(alerts=[("f", BIG)]), Tip(number + 1, "a"), 1.0)
    room = asyncio.create_task(copy.room())
    await asyncio.wait_for(copy.store.failing.wait(), 30)
    await asyncio.sleep(0.1)
    assert not room.done()
    await full(copy, more=100_000)
    await asyncio.wait_for(room, 30)
    await copy.store.close()


async def test_a_copy_whose_file_takes_nothing_any_more_does_not_go_on_as_if_it_did(tmp_path):
    copy = await opened(tmp_path / "hub.db")
    copy.apply(Changes(), Tip(1, "a"), 1.0)
    await copy.settled()
    await copy.store.close()
    with pytest.raises(StoreError, match="closed"):
        copy.apply(Changes(), Tip(2, "b"), 1.0)
    with pytest.raises(StoreError):
        await copy.settled()
    assert copy.tip == Tip(1, "a")


async def test_a_copy_takes_a_file_that_has_more_and_leaves_none_behind(tmp_path):
    path, more = tmp_path / "hub.db", tmp_path / "more.db"
    ahead = await opened(more)
    ahead.apply(Changes(meta=[("k", "9")]), Tip(9, "z"), 1.0)
    assert await ahead.copy_to(tmp_path / "fetched") == Tip(9, "z")
    await ahead.store.close()
    copy = await opened(path)
    copy.apply(Changes(meta=[("old", "1")]), Tip(2, "b"), 1.0)
    await copy.take(tmp_path / "fetched")
    assert (copy.tip, copy.is_behind) == (Tip(9, "z"), False)
    meta = (await copy.store.load()).meta
    assert (meta["k"], meta.get("old")) == ("9", None)
    assert not (tmp_path / "fetched").exists()
    assert path.stat().st_mode & 0o777 == 0o600
    copy.apply(Changes(meta=[("on", "1")]), Tip(10, "y"), 1.0)
    await copy.store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'on'").fetchone() == ("1",)
    connection.close()
    assert isinstance(copy, Replica)


async def test_a_copy_that_cannot_be_replaced_goes_on_as_it_was(tmp_path):
    copy = await opened(tmp_path / "hub.db")
    copy.apply(Changes(meta=[("k", "1")]), Tip(1, "a"), 1.0)
    await copy.settled()
    with pytest.raises(StoreError, match=r"hub.db: cannot be replaced by fetched: "):
        await copy.take(tmp_path / "fetched")  # which is not there
    copy.apply(Changes(meta=[("k", "2")]), Tip(2, "b"), 1.0)
    await copy.settled()
    assert (copy.tip.seq, (await copy.store.load()).meta["k"]) == (2, "2")
    await copy.store.close()
