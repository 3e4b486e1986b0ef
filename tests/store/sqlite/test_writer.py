"""writer: one thread, group commit; a full disk holds everything back and loses nothing."""

import asyncio
import threading

import pytest

from hub.errors import StoreError
from hub.store.changes import Changes
from hub.store.sqlite import writer as module
from hub.store.sqlite.database import Database
from hub.store.sqlite.writer import SqliteStore


@pytest.fixture
async def store(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STORE_RETRY_SECONDS", 0.02)
    said = []
    store = SqliteStore(tmp_path / "hub.db", said.append)
    store.said = said
    yield store
    await store.close()


def meta(value):
    return Changes(meta=[("k", str(value))])


def committed(store, changes):
    """Commit; return a future of the error or None."""
    future = asyncio.get_running_loop().create_future()
    store.commit(changes, future.set_result)
    return future


async def within(awaitable, seconds=10):
    return await asyncio.wait_for(awaitable, seconds)


def pages(store, more):
    """Limit the file's size to what it has and some pages more."""

    def limit(database):
        now = database.connection.execute("PRAGMA page_count").fetchone()[0]
        database.connection.execute(f"PRAGMA max_page_count = {now + more}")

    return store._ask(limit)


async def test_done_is_called_on_the_loop_when_the_changes_are_on_disk(store):
    thread = []
    done = asyncio.get_running_loop().create_future()
    store.commit(meta(1), lambda error: (thread.append(threading.current_thread()), done.set_result(error)))
    assert await within(done) is None
    assert thread == [threading.main_thread()]
    assert (await within(store.load())).meta == {"k": "1"}


async def test_commits_are_made_and_told_in_the_order_of_calls(store):
    told = []
    for number in range(100):
        store.commit(meta(number), lambda error, number=number: told.append((number, error)))
    await within(committed(store, Changes()))
    assert told == [(number, None) for number in range(100)]
    assert (await within(store.load())).meta == {"k": "99"}


async def test_all_that_waits_while_the_writer_is_busy_is_one_transaction(store, monkeypatch):
    groups, gate = [], threading.Event()
    apply = Database.apply

    def slow(self, changes):
        groups.append(len(changes))
        gate.wait(10)
        apply(self, changes)

    monkeypatch.setattr(Database, "apply", slow)
    first = committed(store, meta(0))
    while not groups:
        await asyncio.sleep(0.001)
    others = [committed(store, meta(number)) for number in range(1, 6)]
    gate.set()
    assert await within(asyncio.gather(first, *others)) == [None] * 6
    assert groups == [1, 5]


async def test_a_read_sees_what_was_committed_before_it(store):
    store.commit(meta(5), lambda _: None)
    assert (await within(store._ask(Database.load))).meta == {"k": "5"}


async def test_a_query_that_fails_fails_alone(store):
    with pytest.raises(StoreError, match="cannot be read: no such table"):
        await within(store.read(lambda reader: reader._connection.execute("SELECT * FROM nowhere")))
    with pytest.raises(OverflowError):
        await within(store.read(lambda reader: reader._connection.execute("SELECT ?", (1 << 70,))))
    assert await within(committed(store, meta(1))) is None


async def test_a_full_disk_is_said_once_and_waited_for_and_nothing_is_told_or_lost(store):
    await within(pages(store, 2))
    big = Changes(alerts=[("f", '"' + "x" * 200_000 + '"')])
    first, second = committed(store, big), committed(store, meta(7))
    while not store.said:
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.2)  # some attempts
    assert not first.done()
    assert not second.done()
    assert store.said == [f"{store.path}: cannot be written: database or disk is full"]
    assert store.failing.is_set()
    await within(pages(store, 1_000))
    assert await within(asyncio.gather(first, second)) == [None, None]
    snapshot = await within(store.load())
    assert store.said[1:] == [""]
    assert not store.failing.is_set()
    assert (len(snapshot.alerts), snapshot.meta) == (1, {"k": "7"})


async def test_queries_are_answered_while_the_disk_is_full(store):
    await within(committed(store, meta(1)))
    await within(pages(store, 2))
    failing = committed(store, Changes(alerts=[("f", '"' + "x" * 200_000 + '"')], meta=[("k", "2")]))
    while not store.said:
        await asyncio.sleep(0.005)
    assert (await within(store.load(), 2)).meta == {"k": "1"}
    assert not failing.done()


async def test_what_comes_while_the_disk_is_full_keeps_its_order(store):
    await within(pages(store, 2))
    told = []
    store.commit(Changes(alerts=[("f", '"' + "x" * 200_000 + '"')]), lambda _: told.append("big"))
    while not store.said:
        await asyncio.sleep(0.005)
    for number in range(3):
        store.commit(meta(number), lambda _, number=number: told.append(number))
        await asyncio.sleep(0.03)
    assert told == []
    await within(pages(store, 1_000))
    await within(committed(store, Changes()))
    assert told == ["big", 0, 1, 2]
    assert (await within(store.load())).meta == {"k": "2"}


async def test_a_process_that_ends_without_closing_the_store_does_not_wait_for_its_thread(store):
    (thread,) = [each for each in threading.enumerate() if each.name == "store-writer"]
    assert thread.daemon


async def test_closing_commits_what_was_handed_in(tmp_path):
    store = SqliteStore(tmp_path / "hub.db", lambda _: None)
    futures = [committed(store, meta(number)) for number in range(10)]
    await within(store.close())
    assert [await within(future) for future in futures] == [None] * 10
    database = Database(tmp_path / "hub.db")
    assert database.load().meta == {"k": "9"}
    database.close()


async def test_closing_gives_up_what_cannot_be_committed_and_says_so(tmp_path):
    store = SqliteStore(tmp_path / "hub.db", lambda _: None)
    await within(pages(store, 2))
    failing = committed(store, Changes(alerts=[("f", '"' + "x" * 200_000 + '"')]))
    await within(store.close(), 5)
    assert "not written: database or disk is full" in str(await within(failing))
    assert store.ended.done()
    Database(tmp_path / "hub.db").close()


async def test_a_closed_store_can_be_closed_again_and_answers_no_query(tmp_path):
    store = SqliteStore(tmp_path / "hub.db", lambda _: None)
    await within(store.close())
    await within(store.close())
    with pytest.raises(StoreError, match="closed"):
        await store.load()


async def test_a_mistake_of_ours_ends_the_writer_loudly_instead_of_waiting_for_ever(store):
    failing = committed(store, Changes(queued=[(1, "a", "b", "c", "{}", 1.0), (1, "d", "e", "f", "{}", 1.0)]))
    with pytest.raises(StoreError, match=r"the writer of .* died: IntegrityError"):
        await within(asyncio.shield(store.ended))
    assert not failing.done()
    with pytest.raises(StoreError, match="closed"):
        await store.load()


async def test_a_crash_behind_a_commit_keeps_it_and_before_it_keeps_nothing(tmp_path):
    """As far as a process can try: the file as another one finds it when the first is simply gone."""
    store = SqliteStore(tmp_path / "hub.db", lambda _: None)
    await within(committed(store, meta(1)))
    copy = tmp_path / "copy.db"
    for suffix in ("", "-wal"):
        copy.with_name(copy.name + suffix).write_bytes((tmp_path / f"hub.db{suffix}").read_bytes())
    await within(store.close())
    database = Database(copy)
    assert database.load().meta == {"k": "1"}
    database.close()


async def test_what_people_ask_keeps_no_commit_waiting_and_sees_what_is_on_disk(store):
    begun, end = threading.Event(), threading.Event()

    def slow(reader):
        begun.set()
        assert end.wait(10)
        return reader.rules()

    asked = [asyncio.create_task(store.look(slow)) for _ in range(20)]
    assert await within(asyncio.to_thread(begun.wait, 10))
    assert await within(committed(store, Changes(rules=[("Hot", "{}")]))) is None
    end.set()
    assert await within(asked[-1]) == ["Hot"]
    await within(asyncio.gather(*asked))


async def test_a_query_of_somebody_cannot_write_and_one_that_comes_too_late_is_told_so(store):
    with pytest.raises(StoreError, match="readonly"):
        await within(store.look(lambda reader: reader._connection.execute("DELETE FROM meta")))
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.look(lambda reader: reader.rules())
