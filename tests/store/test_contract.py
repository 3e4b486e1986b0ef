"""The contract of a store: one suite for the one on SQLite, the one in memory and the one over a replicated log, and a
model beside them."""

import asyncio
import itertools
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.cluster.log.follower import Follower
from hub.cluster.log.lease import Lease
from hub.cluster.log.log_record import RecordKind
from hub.cluster.log.replica import open_replica
from hub.cluster.log.replicated_store import ReplicatedStore
from hub.cluster.log.state_log import LogNames, StateLog
from hub.cluster.servers.jetstream import JetStream
from hub.cluster.servers.link import Link
from hub.cluster.servers.streams import create
from hub.errors import StoreBusy, StoreError
from hub.limits import AUDIT_KEPT_SECONDS
from hub.model import BROKER, OWN, Position
from hub.store import memory
from hub.store.changes import Changes
from hub.store.memory import MemoryStore
from hub.store.sqlite import database
from hub.store.sqlite.writer import SqliteStore
from hub.store.store import durably
from hub.store.waiting import unless_failing
from tests.support.nats_cluster import settings_of
from tests.support.shared_servers import new_name

CLUSTER = new_name("contract")
BIG = '"' + "x" * 200_000 + '"'


class Place:
    """Where a store keeps what it has: `open` is a start of the hub, `again` a restart."""

    def __init__(self, kind, folder):
        self.kind, self.file, self.tables, self.store = kind, folder / "hub.db", None, None

    async def open(self):
        self.store = SqliteStore(self.file, lambda _: None) if self.kind == "sqlite" else MemoryStore(self.tables)
        return self.store

    async def close(self):
        await self.store.close()
        self.tables = getattr(self.store, "tables", None)

    async def again(self):
        await self.close()
        return await self.open()


class LogPlace:
    """The same of a store over a log: a restart is a take-over by a node that has nothing but the log."""

    kind = "replicated"
    units = itertools.count(1)

    def __init__(self, servers, folder):
        self.folder, self.unit, self.starts = folder, f"u{next(self.units)}", itertools.count(1)
        self.link = Link(settings_of(servers), "contract", lambda _: None)
        self.names, self.stream = LogNames(CLUSTER, self.unit), JetStream(self.link)
        self.running = self.replica = None

    async def open(self):
        if self.running is None:
            self.running = asyncio.create_task(self.link.run())
            await self.link.ready()
            await create(self.stream, self.names, 1)  # what three servers prove, tests/cluster proves
        start = next(self.starts)
        self.replica = await open_replica(self.folder / f"{start}.db", print, print, CLUSTER)
        follower = Follower(self.link, self.names, self.replica)
        await follower.begin()
        if follower.seen.seq:
            await self.follow(follower)
        log = StateLog(self.link, self.names, f"n.{start}", follower.end)
        self.replica.apply(Changes(), await log.append(RecordKind.CLAIM), 1.0)
        self.store = ReplicatedStore(log, self.replica, Lease(5.0), dict, time.time)
        log.failing = self.store.failed
        return self.store

    async def follow(self, follower):
        async for record in self.stream.follow(self.names.stream, self.names.subject, 1):
            if record is not None:
                await follower.take(record)
            if follower.end.seq == follower.seen.seq:
                return

    async def close(self):
        await self.leave()
        await self.room(1 << 29)
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    async def leave(self):
        await self.store.close()
        await self.replica.store.close()

    async def again(self):
        await self.leave()
        return await self.open()

    async def room(self, bytes_more):
        """Leave so much room in the stream."""
        info = await self.stream.info(self.names.stream)
        config = info["config"] | {"max_bytes": info["state"]["bytes"] + bytes_more}
        await self.stream.api(f"STREAM.UPDATE.{self.names.stream}", config)


@pytest.fixture(params=["sqlite", "memory", "replicated"])
async def place(request, tmp_path):
    if request.param == "replicated":
        made = LogPlace(request.getfixturevalue("log_servers"), tmp_path)
    else:
        made = Place(request.param, tmp_path)
    await made.open()
    yield made
    await made.close()


def queued(*rows, receiver="chat", body='{"state": "firing"}'):
    return [(row, f"f{row}-1-firing", receiver, f"lane{row}", body, 1000.0 + row) for row in rows]


def traced(*numbers, kind="transition", alert="f0", rule="Hot", notification="", **data):
    return [(float(number), kind, alert, rule, notification, json.dumps(data)) for number in numbers]


async def outbox(store, **wanted):
    wanted = {"ids": (), "receiver": "", "state": "", "limit": 10_000} | wanted
    return await store.read(lambda reader: reader.outbox(**wanted))


# commits


async def test_what_was_committed_is_there_after_a_restart_and_in_order(place):
    await durably(
        place.store,
        Changes(
            instances=[("Hot", "2", "1"), ("Hot", "10", "2"), ("Cold", "9", "3")],
            samples=[("Hot", "2", "x", 10, "[1]"), ("Hot", "2", "x", 9, "[2]")],
            alerts=[("f1", "{}"), ("f0", '{"a": 1}')],
            desk=[("silence", "s", "1"), ("heard", "t", "2")],
            keys=[("digest", 5.0)],
            subscribers=[("https://b", "[]"), ("https://a", "[]")],
            meta=[("alive", "9.0"), ("key:token", "ab")],
            rules=[("Hot", "signed")],
            positions={BROKER: Position(entry=(3, b"\x00\x01")), "nats": Position("41")},
            queued=queued(7),
        ),
    )
    found = await (await place.again()).load()
    assert found.instances == [("Cold", "9", "3"), ("Hot", "10", "2"), ("Hot", "2", "1")]
    assert found.samples == [("Hot", "2", "x", 9, "[2]"), ("Hot", "2", "x", 10, "[1]")]
    assert found.alerts == [("f0", '{"a": 1}'), ("f1", "{}")]
    assert found.desk == [("heard", "t", "2"), ("silence", "s", "1")]
    assert found.keys == [("digest", 5.0)]
    assert found.subscribers == [("https://a", "[]"), ("https://b", "[]")]
    assert found.meta == {"alive": "9.0", "key:token": "ab", "source:nats": "41"}
    assert found.rules == {"Hot": "signed"}
    assert found.position(BROKER).entries == [(3, b"\x00\x01")]
    assert found.position("nats").text == "41"
    assert found.last_row == 7


async def test_commits_are_made_and_told_in_the_order_of_calls_and_never_within_the_call(place):
    told = []
    for number in range(50):
        place.store.commit(
            Changes(meta=[("k", str(number))]), lambda error, number=number: told.append((number, error))
        )
    assert told == []
    await durably(place.store, Changes())
    assert told == [(number, None) for number in range(50)]
    assert (await place.store.load()).meta == {"k": "49"}


async def test_none_deletes_a_row_and_a_row_written_twice_is_the_later_one(place):
    tables = ("instances", "alerts", "desk", "keys", "subscribers", "meta")
    keys = {"instances": ("Hot", "1"), "desk": ("silence", "s")}

    def changes(value):
        return Changes(
            **{name: [(*keys.get(name, ("k",)), 1.0 if name == "keys" and value else value)] for name in tables}
        )

    for value in ("1", "2"):
        await durably(place.store, changes(value))
    found = await place.store.load()
    assert found.instances == [("Hot", "1", "2")]
    assert found.meta == {"k": "2"}
    await durably(place.store, changes(None))
    await durably(place.store, changes(None))  # of what is gone
    found = await (await place.again()).load()
    assert not any(getattr(found, name) for name in tables)


async def test_samples_without_a_slot_are_all_of_the_instance_and_go_before_the_others_come(place):
    await durably(
        place.store, Changes(samples=[("Hot", "1", "x", 1, "1"), ("Hot", "1", "y", 1, "2"), ("Hot", "2", "x", 1, "3")])
    )
    await durably(place.store, Changes(samples=[("Hot", "1", "x", 2, "4"), ("Hot", "1", None, 0, None)]))
    assert (await place.store.load()).samples == [("Hot", "1", "x", 2, "4"), ("Hot", "2", "x", 1, "3")]
    await durably(place.store, Changes(samples=[("Hot", "1", "x", 2, None)]))
    assert (await place.store.load()).samples == [("Hot", "2", "x", 1, "3")]


async def audit_of(place):
    """Return when each entry of the audit log was."""
    return [entry[1] for entry in await place.store.read(lambda reader: reader.audit(1 << 60, 100))]


async def test_audit_entries_that_are_too_old_leave_two_for_each_that_comes(place):
    def entry(at):
        return (at, "olga", "http", "ack", "{}")

    await durably(place.store, Changes(audit=[entry(float(at)) for at in range(6)]))
    await durably(place.store, Changes(audit=[entry(AUDIT_KEPT_SECONDS)]))
    assert len(await audit_of(place)) == 7  # an age old, and no older
    await durably(place.store, Changes(audit=[entry(AUDIT_KEPT_SECONDS + 5.5)]))
    assert min(await audit_of(place)) == 2.0
    await durably(place.store, Changes(audit=[entry(AUDIT_KEPT_SECONDS + 5.5)]))
    assert min(await audit_of(place)) == 4.0


async def test_rules_replace_all_rules_and_without_any_they_stay(place):
    await durably(place.store, Changes(rules=[("Hot", "1"), ("Cold", "2")]))
    await durably(place.store, Changes(rules=[("Hot", "3")]))
    await durably(place.store, Changes())
    assert (await place.store.load()).rules == {"Hot": "3"}
    await durably(place.store, Changes(rules=[]))
    assert (await place.store.load()).rules == {}


async def test_receipts_come_one_a_commit_and_go_up_to_a_number(place):
    for number in range(1, 5):
        await durably(place.store, Changes(positions={BROKER: Position(entry=(number, bytes([number])))}))
    await durably(place.store, Changes(positions={BROKER: Position(entry=(5, b"5"), forget=3)}))
    assert (await (await place.again()).load()).receipts == [(4, b"\x04"), (5, b"5")]


# what no copy can take must not come into a log, and only a fault of the hub makes such a commit
@pytest.mark.parametrize("place", ["sqlite", "memory"], indirect=True)
async def test_a_commit_that_cannot_be_made_at_all_changes_nothing_and_ends_the_store_loudly(place):
    await durably(place.store, Changes(meta=[("k", "1")], queued=queued(1)))
    twice = [(1, "other-1-firing", "chat", "lane", "{}", 1.0)]
    with pytest.raises(StoreError):
        await durably(place.store, Changes(meta=[("k", "2")], alerts=[("f", "{}")], queued=[*queued(2), *twice]))
    assert place.store.ended.done()
    with pytest.raises(StoreError):
        await place.store.load()
    store = await place.again()
    found = await store.load()
    assert (found.meta, found.alerts, found.last_row) == ({"k": "1"}, [], 1)


def be_quick(monkeypatch):
    monkeypatch.setattr("hub.store.sqlite.writer.STORE_RETRY_SECONDS", 0.02)
    monkeypatch.setattr("hub.cluster.log.state_log.LOG_AGAIN_SECONDS", 0.02)
    monkeypatch.setattr("hub.cluster.log.state_log.LOG_CLOSE_SECONDS", 0.2)


async def fill(place):
    """Let commits fail until `empty`."""
    if place.kind == "memory":
        place.store.refuse("the disk is full")
        return
    if place.kind == "replicated":
        await place.room(0)
        return

    def limit(file):
        pages = file.connection.execute("PRAGMA page_count").fetchone()[0]
        file.connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    await place.store._ask(limit)


async def empty(place):
    if place.kind == "memory":
        place.store.refuse("")
    elif place.kind == "replicated":
        await place.room(1 << 29)
    else:
        await place.store._ask(lambda file: file.connection.execute("PRAGMA max_page_count = 100000").fetchone())


async def test_a_commit_that_cannot_be_made_now_waits_and_queries_are_answered_meanwhile(place, monkeypatch):
    be_quick(monkeypatch)
    await durably(place.store, Changes(meta=[("k", "1")]))
    await fill(place)
    waits = asyncio.ensure_future(durably(place.store, Changes(alerts=[("f", BIG)], meta=[("k", "2")])))
    await asyncio.wait_for(place.store.failing.wait(), 10)
    await asyncio.sleep(0)
    assert "full" in place.store.why_failing()
    assert not waits.done()
    assert (await place.store.load()).meta == {"k": "1"}
    with pytest.raises(StoreBusy, match="nothing was done"):
        await unless_failing(place.store, durably(place.store, Changes(meta=[("k", "never")])))
    await empty(place)
    await asyncio.wait_for(waits, 10)
    await durably(place.store, Changes())
    assert not place.store.failing.is_set()
    assert place.store.why_failing() == ""
    assert (await place.store.load()).meta == {"k": "2"}


async def test_closing_gives_up_what_cannot_be_committed_and_says_so(place, monkeypatch):
    be_quick(monkeypatch)
    await fill(place)
    told = asyncio.get_running_loop().create_future()
    place.store.commit(Changes(alerts=[("f", BIG)]), told.set_result)
    await asyncio.wait_for(place.store.failing.wait(), 10)
    await place.store.close()
    assert "not written" in str(await asyncio.wait_for(told, 10))
    await asyncio.wait_for(asyncio.shield(place.store.ended), 10)


async def test_a_closed_store_answers_nothing_and_takes_nothing(place):
    await place.store.close()
    await place.store.close()
    for ask in (place.store.read, place.store.look):
        with pytest.raises(StoreError, match="closed"):
            await ask(lambda reader: reader.rules())
    for ask in (place.store.load, place.store.look_after):
        with pytest.raises(StoreError, match="closed"):
            await ask()
    with pytest.raises(StoreError, match="closed"):
        await durably(place.store, Changes(meta=[("k", "1")]))


async def test_a_query_sees_what_was_committed_before_and_its_own_errors_are_its_own(place):
    place.store.commit(Changes(rules=[("Hot", "1")]), lambda _: None)
    assert await place.store.read(lambda reader: reader.rules()) == ["Hot"]
    assert await place.store.look(lambda reader: reader.rules()) == ["Hot"]
    for ask in (place.store.read, place.store.look):
        with pytest.raises(KeyError, match="mine"):
            await ask(lambda _: {}["mine"])
    await durably(place.store, Changes(rules=[]))
    assert await place.store.look_after() == ""


# the outbox


async def test_a_receivers_queue_is_read_page_by_page(place):
    await durably(
        place.store, Changes(queued=[*queued(1, 3, 5), *queued(2, receiver="mail"), *queued(4, receiver=OWN)])
    )
    pages = [await place.store.read(lambda reader, after=after: reader.queued("chat", after, 2)) for after in (0, 3, 5)]
    assert [[each.row for each in page] for page in pages] == [[1, 3], [5], []]
    assert tuple(pages[0][0]) == (1, "f1-1-firing", "chat", "lane1", '{"state": "firing"}', 1001.0, 0, 0.0)
    assert await place.store.read(lambda reader: reader.receivers()) == [OWN, "chat", "mail"]
    assert await place.store.read(lambda reader: reader.last_row()) == 5
    assert [each.row for each in await outbox(place.store)] == [1, 2, 3, 5]
    assert [each.row for each in await outbox(place.store, receiver=OWN)] == [4]
    assert [each.row for each in await outbox(place.store, limit=2, after=1)] == [2, 3]
    assert [each.row for each in await outbox(place.store, ids=["f5-1-firing", "f2-1-firing", "no"])] == [2, 5]


async def test_the_same_message_for_the_same_receiver_is_queued_once(place):
    await durably(place.store, Changes(queued=queued(1)))
    again = [(2, "f1-1-firing", "chat", "other", "{}", 9.0), (3, "f1-1-firing", "mail", "other", "{}", 9.0)]
    await durably(place.store, Changes(queued=again))
    assert [(each.row, each.lane) for each in await outbox(place.store)] == [(1, "lane1"), (3, "other")]


async def test_results_settle_what_is_queued_and_the_last_of_a_row_counts(place):
    await durably(place.store, Changes(queued=queued(1, 2, 3, 4)))
    settled = [(1, "delivered", 1, 0.0, ""), (2, "retry", 1, 5.0, "503"), (2, "retry", 2, 7.0, "504")]
    settled += [(3, "dead", 4, 0.0, "550"), (4, "superseded", 0, 0.0, ""), (9, "dead", 1, 0.0, "who?")]
    await durably(place.store, Changes(settled=settled))
    await durably(place.store, Changes(settled=[(3, "delivered", 5, 0.0, "late"), (3, "retry", 5, 0.0, "late")]))
    found = await outbox(place.store)
    assert [(each.row, each.state, each.attempts, each.next_at, each.reason) for each in found] == [
        (2, "queued", 2, 7.0, "504"),
        (3, "dead", 4, 0.0, "550"),
    ]
    assert [each.row for each in await outbox(place.store, state="dead")] == [3]
    depths = await place.store.look(lambda reader: reader.depths())
    assert sorted(map(tuple, depths)) == [("chat", "dead", 1, 1003.0), ("chat", "queued", 1, 1002.0)]


async def test_rows_are_dropped_whatever_their_state_before_new_ones_come(place):
    await durably(place.store, Changes(queued=queued(1, 2), settled=[(2, "dead", 1, 0.0, "")]))
    again = [(3, "f2-1-firing", "chat", "lane2", "{}", 5.0)]
    await durably(place.store, Changes(dropped=[1, 2, 77], queued=again))
    assert [(each.row, each.id, each.state) for each in await outbox(place.store)] == [(3, "f2-1-firing", "queued")]


async def test_what_went_to_a_fallback_is_known_until_the_end_of_its_episode_went_there(place):
    await durably(place.store, Changes(queued=queued(1, 12, 3)))
    dead = [(row, "dead", 1, 0.0, "") for row in (1, 12, 3)]
    handed = [(1, "mail"), (12, "mail"), (3, "sms"), (99, "mail")]
    await durably(place.store, Changes(settled=dead, handed=handed))
    read = place.store.read
    assert sorted(await read(lambda reader: reader.handed())) == [
        ("chat", "f1-1-firing", "mail"),
        ("chat", "f12-1-firing", "mail"),
        ("chat", "f3-1-firing", "sms"),
    ]
    await durably(
        place.store, Changes(settled=[(5, "delivered", 1, 0.0, "")], closed=[("chat", "f1-1"), ("mail", "f3-1")])
    )
    store = await place.again()
    assert sorted(await store.read(lambda reader: reader.handed())) == [
        ("chat", "f12-1-firing", "mail"),
        ("chat", "f3-1-firing", "sms"),
    ]


async def test_only_the_newest_dead_letters_stay_and_those_whose_end_is_awaited(place, monkeypatch):
    for module in (database, memory):
        monkeypatch.setattr(module, "DEAD_LETTERS", 20)
        monkeypatch.setattr(module, "DEAD_LETTERS_SLACK", 5)
    await durably(place.store, Changes(queued=queued(1, 2), settled=[(1, "dead", 1, 0.0, "")], handed=[(1, "mail")]))
    for row in range(3, 103):
        await durably(place.store, Changes(queued=queued(row), settled=[(row, "dead", 1, 0.0, "")]))
        dead = [each.row for each in await outbox(place.store, state="dead")]
        assert len(dead) <= 26
        assert dead[0] == 1
        assert dead[-20:] == ([1, *range(3, row + 1)])[-20:]
    assert [each.row for each in await outbox(place.store, state="queued")] == [2]


async def test_only_the_newest_that_were_handed_over_are_remembered(place, monkeypatch):
    for module in (database, memory):
        monkeypatch.setattr(module, "HANDED", 20)
        monkeypatch.setattr(module, "DEAD_LETTERS_SLACK", 5)
    for row in range(1, 101):
        changes = Changes(queued=queued(row), settled=[(row, "dead", 1, 0.0, "")], handed=[(row, "mail")])
        await durably(place.store, changes)
        handed = [identity for _, identity, _ in await place.store.read(lambda reader: reader.handed())]
        assert len(handed) <= 25
        assert handed[-20:] == [f"f{each}-1-firing" for each in range(1, row + 1)][-20:]


# trace, audit, what could not be read


async def test_the_trace_keeps_its_newest_entries_and_says_since_when(place, monkeypatch):
    for module in (database, memory):
        monkeypatch.setattr(module, "TRACE_ROWS", 10)
    await durably(place.store, Changes(trace=traced(*range(1, 11))))
    assert await place.store.look(lambda reader: reader.kept_since()) is None
    await durably(place.store, Changes(trace=traced(11, 12)))
    store = await place.again()
    assert await store.look(lambda reader: reader.kept_since()) == 3.0
    assert [row[0] for row in await store.look(lambda reader: reader.trace("f0", 100))] == [*map(float, range(3, 13))]
    assert [row[0] for row in await store.look(lambda reader: reader.trace("f0", 3))] == [10.0, 11.0, 12.0]
    assert await store.look(lambda reader: reader.trace("f0", 0)) == []
    assert [row[:2] for row in await store.look(lambda reader: reader.history(11, "", "", 2))] == [(10, 10.0), (9, 9.0)]


async def test_the_trace_tells_of_alerts_groups_and_attempts(place):
    entries = [
        *traced(1, alert="a1"),
        *traced(2, alert="a2"),
        *traced(3, kind="notified", alert="a2", notification="f0-1-group-1"),
        *traced(4, kind="notified", alert="a1", notification="f0-1-group-1"),
        *traced(
            5, kind="delivery", alert="f0", notification="f0-1-group-1", receiver="chat", outcome="failed", reason="503"
        ),
        *traced(6, kind="delivery", alert="f0", notification="f0-1-group-1", receiver="chat", outcome="delivered"),
        *traced(7, kind="delivery", alert="f0", notification="f0-1-group-2", receiver="mail", outcome="refused"),
        *traced(8, kind="delivery", alert="f0", notification="f0-1-group-2", receiver="mail", outcome="dropped"),
        *traced(9, alert="b", rule="Cold"),
    ]
    await durably(place.store, Changes(trace=entries, rules=[("Old", "")], alerts=[("a1", '{"x": 1}')]))

    def all_of(reader):
        return {
            "traced": (reader.traced("Hot", 9), reader.traced("Hot", 1), reader.traced("No", 9)),
            "is_alert": [reader.is_alert(each) for each in ("a1", "f0", "no")],
            "with": [row[0] for row in reader.trace_with("a1", 9, ["f0-1-group-1"])],
            "with_few": [row[0] for row in reader.trace_with("a1", 2, ["f0-1-group-1"])],
            "members": (reader.members("f0-1-group-1", 9), reader.members("f0-1-group-1", 1)),
            "alert": (reader.alert("a1"), reader.alert("no")),
            "history": [row[0] for row in reader.history(99, "Hot", "", 9)],
            "history_of": [row[0] for row in reader.history(99, "", "a1", 9)],
            "attempts": sorted(map(tuple, reader.last_attempts())),
            "rules": reader.rules(),
        }

    assert await place.store.look(all_of) == {
        "traced": (["f0", "a1", "a2"], ["f0"], []),
        "is_alert": [True, False, False],
        "with": [1.0, 4.0, 5.0, 6.0],
        "with_few": [5.0, 6.0],
        "members": (["a2", "a1"], ["a2"]),
        "alert": ({"x": 1}, None),
        "history": [4, 3, 2, 1],
        "history_of": [4, 1],
        "attempts": [("chat", "delivered", 6.0, ""), ("chat", "failed", 5.0, "503"), ("mail", "refused", 7.0, "")],
        "rules": ["Cold", "Hot", "Old"],
    }


async def test_the_audit_log_keeps_its_newest_entries_and_is_read_backwards(place, monkeypatch):
    for module in (database, memory):
        monkeypatch.setattr(module, "AUDIT_ROWS", 3)
    await durably(place.store, Changes(audit=[(float(n), "olga", "http", "ack", "{}") for n in range(1, 6)]))
    store = await place.again()
    assert await store.look(lambda reader: reader.audit(1 << 62, 9)) == [
        (n, float(n), "olga", "http", "ack", "{}") for n in (5, 4, 3)
    ]
    assert [row[0] for row in await store.look(lambda reader: reader.audit(5, 1))] == [4]


async def test_dead_letters_are_bounded_and_no_part_of_what_a_start_loads(place, monkeypatch):
    for module in (database, memory):
        monkeypatch.setattr(module, "DEAD_LETTERS", 2)
    before = await place.store.load()
    await durably(place.store, Changes(dead_letters=[(float(n), "t", b"\xff", "no JSON") for n in range(5)]))
    assert await place.store.load() == before


# beside a model

SMALL = st.sampled_from("ab")
TEXT = st.none() | st.sampled_from(["1", "2"])


def _key(row):
    return row[:-1]


def rows(*parts):
    return st.lists(st.tuples(*parts), max_size=3, unique_by=_key)


COMMITS = st.builds(
    dict,
    instances=rows(SMALL, SMALL, TEXT),
    alerts=rows(SMALL, TEXT),
    desk=rows(st.sampled_from(["silence", "heard"]), SMALL, TEXT),
    meta=rows(SMALL, TEXT),
    keys=rows(SMALL, st.none() | st.sampled_from([1.0, 2.0])),
    subscribers=rows(SMALL, TEXT),
    samples=rows(SMALL, SMALL, SMALL, st.integers(1, 2), TEXT),
    gone=st.lists(st.tuples(SMALL, SMALL), max_size=1),
    rules=st.none() | st.dictionaries(SMALL, SMALL).map(lambda found: sorted(found.items())),
    messages=st.lists(st.tuples(st.sampled_from(["chat", "mail"]), st.integers(1, 4)), max_size=3),
    settled=st.lists(
        st.tuples(st.integers(1, 9), st.sampled_from(["delivered", "retry", "dead", "superseded"])), max_size=3
    ),
    handed=st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["sms", "boss"])), max_size=2, unique_by=_key),
    closed=st.lists(
        st.tuples(st.sampled_from(["chat", "mail"]), st.integers(1, 4).map(lambda n: f"f{n}-1")), max_size=1
    ),
    dropped=st.lists(st.integers(1, 9), max_size=2),
)


class Model:
    """What a store is to hold, said a second time: plain dicts, one statement a kind of row."""

    def __init__(self):
        self.tables = {name: {} for name in ("instances", "alerts", "desk", "meta", "keys", "subscribers", "samples")}
        self.rules, self.outbox, self.row = {}, {}, 0

    def commit(self, made):
        """Take a commit as drawn; return it as Changes."""
        gone = set(made["gone"])
        self.tables["samples"] = {key: text for key, text in self.tables["samples"].items() if key[:2] not in gone}
        for name, table in self.tables.items():
            for *key, value in made[name]:
                table[tuple(key)] = value
            self.tables[name] = {key: value for key, value in table.items() if value is not None}
        self.rules = self.rules if made["rules"] is None else dict(made["rules"])
        for row in made["dropped"]:
            self.outbox.pop(row, None)
        queued = []
        for receiver, number in made["messages"]:
            self.row += 1
            queued.append((self.row, f"f{number}-1-firing", receiver, "lane", "{}", 1.0))
            if not any((each["id"], each["receiver"]) == queued[-1][1:3] for each in self.outbox.values()):
                self.outbox[self.row] = {
                    "id": queued[-1][1],
                    "receiver": receiver,
                    "state": "queued",
                    "reason": "",
                    "to": "",
                }
        settled = [(row, state, 1, 0.0, f"{state} {place}") for place, (row, state) in enumerate(made["settled"])]
        for row, state, *_, reason in {row[0]: row for row in settled}.values():
            entry = self.outbox.get(row)
            if entry and entry["state"] == "queued":
                entry |= {"reason": reason, "state": {"retry": "queued"}.get(state, state)}
        self.outbox = {row: each for row, each in self.outbox.items() if each["state"] in ("queued", "dead")}
        if settled:  # what was handed over and closed is part of results
            for row, to in made["handed"]:
                if row in self.outbox:
                    self.outbox[row]["to"] = to
            for each in self.outbox.values():
                if (each["receiver"], each["id"].removesuffix("-firing")) in made["closed"]:
                    each["to"] = ""
        cleared = [(*key, None, 0, None) for key in gone]
        parts = ("instances", "alerts", "desk", "meta", "keys", "subscribers", "rules", "handed", "closed", "dropped")
        samples = [*cleared, *made["samples"]]
        return Changes(samples=samples, queued=queued, settled=settled, **{name: made[name] for name in parts})

    def state(self):
        """Return it as `state_of` does."""
        found = {name: sorted((*key, value) for key, value in table.items()) for name, table in self.tables.items()}
        found["rules"], found["meta"] = self.rules, dict(found["meta"])
        found["outbox"] = [
            (row, each["id"], each["receiver"], each["state"], each["reason"])
            for row, each in sorted(self.outbox.items())
        ]
        found["handed"] = sorted(
            (each["receiver"], each["id"], each["to"]) for each in self.outbox.values() if each["to"]
        )
        return found


async def state_of(store):
    snapshot = await store.load()
    found = {
        name: getattr(snapshot, name)
        for name in ("instances", "alerts", "desk", "meta", "keys", "subscribers", "samples", "rules")
    }
    entries = await outbox(store)
    found["outbox"] = [(each.row, each.id, each.receiver, each.state, each.reason) for each in entries]
    found["handed"] = sorted(await store.read(lambda reader: reader.handed()))
    return found


async def play(place, commits, group, restart):
    """Give the commits to a store and to the model, and compare both after each."""
    model, store = Model(), await place.open()
    for number, made in enumerate(commits):
        waiting = durably(store, model.commit(made))
        if group and number + 1 < len(commits) and number != restart:
            store.commit(Changes(), lambda _: None)
        await waiting
        if number == restart:
            store = await place.again()
        assert await state_of(store) == model.state()
    await place.close()


DRAWN = {
    "commits": st.lists(COMMITS, min_size=1, max_size=6),
    "group": st.booleans(),
    "restart": st.integers(0, 5),
}


@settings(max_examples=60, deadline=None)
@given(**DRAWN)
def test_after_any_commits_either_store_holds_what_a_plain_model_holds(commits, group, restart):
    for kind in ("sqlite", "memory"):
        with TemporaryDirectory() as folder:
            asyncio.run(play(Place(kind, Path(folder)), commits, group, restart))


@settings(max_examples=15, deadline=None)
@given(**DRAWN)
def test_after_any_commits_a_node_that_has_only_the_log_holds_what_a_plain_model_holds(
    log_servers, commits, group, restart
):
    with TemporaryDirectory() as folder:
        asyncio.run(play(LogPlace(log_servers, Path(folder)), commits, group, restart))
