"""The log of a unit on three real servers: one writer at a time, nothing twice, and a copy that has all of it."""

import asyncio
import random

import pytest

from hub.cluster.log.follower import Follower, LogForked, SnapshotNeeded
from hub.cluster.log.log_record import RecordKind, Tip, chained, decode_changes, encode_changes
from hub.cluster.log.replica import open_replica
from hub.cluster.log.snapshots import Snapshots
from hub.cluster.log.state_log import LogNames, StateLog
from hub.cluster.servers.jetstream import JetStream
from hub.cluster.servers.link import LinkError
from hub.cluster.servers.streams import create
from hub.errors import StoreFenced
from hub.model import BROKER, Position
from hub.store.changes import Changes
from hub.store.reader import COPY_ROW
from tests.support.nats_cluster import NatsCluster, Reached, linked, settings_of
from tests.support.proxy import Proxy

FULL = Changes(
    instances=[("Hot", "2", "1"), ("Hot", "3", None)],
    alerts=[("f1", "{}"), ("f2", None)],
    queued=[(1, "f1-1-firing", "chat", "f1", '{"state": "firing"}', 5.0)],
    settled=[(1, "retry", 1, 7.0, "away")],
    dropped=[7],
    handed=[(1, "mail")],
    closed=[("chat", "f0-1")],
    dead_letters=[(1.0, "a/b", b"\xff\x00", "no JSON")],
    positions={BROKER: Position("x", (3, b"\x00\xff"), 2), "q": Position("9")},
    meta=[("alive", "9.0"), ("gone", None)],
    rules=[("Hot", "signed")],
    samples=[("Hot", "2", None, 0, None), ("Hot", "2", "x", 1, "[1]")],
    desk=[("silence", "s", "1")],
    trace=[(1.0, "transition", "f1", "Hot", "", "{}")],
    keys=[("digest", 5.0), ("old", None)],
    audit=[(1.0, "me", "http", "ack", "{}")],
    subscribers=[("https://a", "[]")],
)


def test_changes_are_the_same_after_they_were_a_record():
    again = decode_changes(encode_changes(FULL))
    for name in Changes.__slots__:
        before, after = getattr(FULL, name), getattr(again, name)
        if name == "positions":
            assert {key: tuple(each) for key, each in before.items()} == {
                key: tuple(each) for key, each in after.items()
            }
        else:
            assert [tuple(each) if isinstance(each, list) else each for each in after or ()] == list(before or ()), name
    assert decode_changes(encode_changes(Changes(rules=[]))).rules == []


async def replica_of(link, folder, name="hub.db"):
    folder.mkdir(exist_ok=True)
    info = await JetStream(link).info(link.names.stream)
    return await open_replica(folder / name, print, print, info["config"]["metadata"]["hub-cluster"])


async def write_part(log, part):
    """Write one part of a commit; its writer dies before the next."""
    await log._stream.append(
        log.names.subject, b"half", log._headers(RecordKind.DELTA, nonce := part, {"Hub-Part": part}), log.tip.seq
    )
    log.tip = Tip(log.tip.seq + 1, chained(log.tip.chain, nonce))


async def follow_to(link, replica, seq):
    follower = Follower(link, link.names, replica)
    await follower.begin()
    task = asyncio.create_task(follower.run())
    async with asyncio.timeout(20):
        while replica.tip.seq < seq and not task.done():
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await replica.settled()
    return follower


async def test_who_has_not_seen_the_last_record_cannot_write(link):
    a = StateLog(link, link.names, "a.1", Tip())
    await a.append(RecordKind.CLAIM)
    stale = StateLog(link, link.names, "b.1", Tip())
    with pytest.raises(StoreFenced, match=r"a\.1 owns main now"):
        await stale.append(RecordKind.DELTA)
    b = StateLog(link, link.names, "b.1", a.tip)
    await b.append(RecordKind.CLAIM)
    with pytest.raises(StoreFenced, match=r"b\.1 owns main now"):
        await a.append(RecordKind.DELTA)


async def test_of_many_that_claim_at_once_one_wins(link):
    logs = [StateLog(link, link.names, f"{n}.1", Tip()) for n in range(8)]
    results = await asyncio.gather(*(log.append(RecordKind.CLAIM) for log in logs), return_exceptions=True)
    assert sum(isinstance(each, Tip) for each in results) == 1
    assert sum(isinstance(each, StoreFenced) for each in results) == 7


async def test_a_record_whose_answer_is_lost_is_found_and_not_written_again(link, monkeypatch):
    log = StateLog(link, link.names, "a.1", Tip())
    real, lose = link.request, {3, 4, 7}
    asked = 0

    async def request(subject, *more, **options):
        nonlocal asked
        answer = await real(subject, *more, **options)
        if subject == link.names.subject:
            asked += 1
            if asked in lose:
                raise type(link).lost("no answer")
        return answer

    type(link).lost = LinkError
    monkeypatch.setattr(link, "request", request)
    for _ in range(6):
        await log.append(RecordKind.DELTA, encode_changes(FULL))
    info = await JetStream(link).info(link.names.stream)
    assert (log.tip.seq, info["state"]["messages"], log.lost_answers) == (6, 6, 2)


async def test_a_copy_has_all_of_the_log_also_what_is_longer_than_a_message(link, tmp_path):
    log = StateLog(link, link.names, "a.1", Tip())
    await log.append(RecordKind.CLAIM)
    await log.append(RecordKind.DELTA, encode_changes(Changes(meta=[("one", "1")])))
    noise = random.Random(1).randbytes(9 << 20).hex()
    await log.append(RecordKind.DELTA, encode_changes(Changes(meta=[("long", noise)])))
    await log.append(RecordKind.DELTA, encode_changes(Changes(meta=[("two", "2")])))
    replica = await replica_of(link, tmp_path)
    follower = await follow_to(link, replica, log.tip.seq)
    assert follower.owner.incarnation == "a.1"
    meta = (await replica.store.load()).meta
    assert (meta["one"], meta["two"], meta["long"] == noise) == ("1", "2", True)
    assert replica.tip == log.tip
    assert log.tip.seq > 4
    await replica.store.close()


async def test_a_commit_that_one_server_takes_whole_goes_on_in_parts_at_the_next_which_takes_less(tmp_path):
    servers = NatsCluster(tmp_path / "nats", 2)
    servers.servers[1].payload = 256 << 10
    with servers:
        async with Proxy(servers.ports[0]) as proxy:
            settings = settings_of(Reached([proxy.port, servers.ports[1]]))
            async with linked(settings) as link:
                link.names = LogNames("t")
                await create(JetStream(link), link.names, 1)
                assert link.max_payload == 8 << 20
                log, replica = StateLog(link, link.names, "a.1", Tip()), await replica_of(link, tmp_path)
                await log.append(RecordKind.CLAIM)
                noise = random.Random(1).randbytes(1 << 20).hex()
                proxy.swallow = True
                writing = asyncio.create_task(
                    log.append(RecordKind.DELTA, encode_changes(Changes(meta=[("long", noise)])))
                )
                async with asyncio.timeout(20):
                    while len(proxy.sent[-1]) < 1 << 20:
                        await asyncio.sleep(0.01)
                    proxy.cut()
                    await writing
                assert link.max_payload == 256 << 10
                assert log.tip.seq > 5
                await follow_to(link, replica, log.tip.seq)
                assert (await replica.store.load()).meta["long"] == noise
                made = await Snapshots(link, link.names).put(replica, "a")
                await Snapshots(link, link.names).get(made, tmp_path / "fetched")
                await replica.store.close()


async def test_a_log_that_has_lost_a_part_of_a_commit_is_forked_also_where_each_copy_ends_before_it(link, tmp_path):
    log, replica = StateLog(link, link.names, "a.1", Tip()), await replica_of(link, tmp_path)
    await log.append(RecordKind.CLAIM)
    await follow_to(link, replica, 1)
    for part in ("1/3", "2/3", "3/3"):
        await write_part(log, part)
    await JetStream(link).api(f"STREAM.MSG.DELETE.{link.names.stream}", {"seq": 3})
    with pytest.raises(LogForked, match="record 4 does not stand behind record 2"):
        await Follower(link, link.names, replica).begin()
    await replica.store.close()


async def test_parts_of_a_commit_whose_writer_died_are_dropped_by_the_next_claim(link, tmp_path):
    a = StateLog(link, link.names, "a.1", Tip())
    await a.append(RecordKind.CLAIM)
    before = a.tip
    await write_part(a, "1/2")
    replica = await replica_of(link, tmp_path)
    follower = await follow_to(link, replica, before.seq)
    async with asyncio.timeout(10):
        task = asyncio.create_task(follower.run())
        while follower.end.seq < a.tip.seq:
            await asyncio.sleep(0.01)
        task.cancel()
    assert (replica.tip.seq, follower.end.seq) == (1, 2)
    b = StateLog(link, link.names, "b.1", follower.end)
    await b.append(RecordKind.CLAIM)
    await b.append(RecordKind.DELTA, encode_changes(Changes(meta=[("after", "1")])))
    await follow_to(link, replica, b.tip.seq)
    assert (await replica.store.load()).meta["after"] == "1"
    await replica.store.close()


async def test_a_log_that_has_lost_what_a_copy_has_is_forked(link, tmp_path):
    log = StateLog(link, link.names, "a.1", Tip())
    for _ in range(3):
        await log.append(RecordKind.DELTA, encode_changes(Changes()))
    replica = await replica_of(link, tmp_path)
    await follow_to(link, replica, 3)
    kept = replica.tip
    replica.tip = Tip(9, "x")
    with pytest.raises(LogForked, match="has record 9, the log ends with 3"):
        await Follower(link, link.names, replica).begin()
    replica.tip = Tip(3, "x")
    with pytest.raises(LogForked, match="record 3 is another one"):
        await Follower(link, link.names, replica).begin()
    replica.tip = kept
    await Follower(link, link.names, replica).begin()
    assert chained("", "n") != chained("x", "n")
    await replica.store.close()


async def test_a_new_copy_begins_with_the_snapshot_where_the_log_was_cut(link, tmp_path):
    log = StateLog(link, link.names, "a.1", Tip())
    for number in range(20):
        await log.append(RecordKind.DELTA, encode_changes(Changes(meta=[(f"m{number}", "1")])))
    old = await replica_of(link, tmp_path / "old")
    await follow_to(link, old, 20)
    snapshots = Snapshots(link, link.names)
    manifest = await snapshots.put(old, "a")
    again = await snapshots.put(old, "a")
    assert manifest.tip == log.tip == again.tip
    assert await JetStream(link).purge(link.names.stream, link.names.subject, manifest.seq) == 19
    await log.append(RecordKind.DELTA, encode_changes(Changes(meta=[("late", "1")])))
    new = await replica_of(link, tmp_path / "new")
    with pytest.raises(SnapshotNeeded):
        await Follower(link, link.names, new).begin()
    await snapshots.get(await snapshots.latest(), tmp_path / "fetched")
    await new.take(tmp_path / "fetched")
    await follow_to(link, new, 21)
    meta = (await new.store.load()).meta
    assert {f"m{number}" for number in range(20)} <= meta.keys()
    assert (meta["late"], new.tip) == ("1", log.tip)
    assert meta[COPY_ROW]
    await old.store.close()
    await new.store.close()


async def test_to_cut_a_log_below_its_beginning_leaves_all_of_it(link):
    log, stream = StateLog(link, link.names, "a.1", Tip()), JetStream(link)
    for _ in range(3):
        await log.append(RecordKind.DELTA, encode_changes(Changes()))
    for below in (0, 1):  # 0 is what a node that has just begun says that it has
        assert await stream.purge(link.names.stream, link.names.subject, below) == 0
    assert await stream.purge(link.names.stream, link.names.subject, 2) == 1
    await log.append(RecordKind.DELTA, encode_changes(Changes()))
    assert (await stream.info(link.names.stream))["state"]["messages"] == 3


async def test_a_writer_goes_on_after_two_of_three_servers_were_killed(tmp_path):
    with NatsCluster(tmp_path) as servers:
        async with linked(settings_of(servers)) as link:
            link.names = LogNames("t")
            await create(JetStream(link), link.names, 3)
            await _outlives_two(link, servers)


async def _outlives_two(link, servers):
    log = StateLog(link, link.names, "a.1", Tip())
    said = []
    log.failing = said.append
    await log.append(RecordKind.CLAIM)
    await asyncio.to_thread(servers.servers[0].kill)
    await asyncio.to_thread(servers.servers[1].kill)
    writing = asyncio.create_task(log.append(RecordKind.DELTA, encode_changes(FULL)))
    await asyncio.sleep(3)
    assert not writing.done()
    assert len(said) == 1
    await asyncio.to_thread(servers.servers[0].start)
    await asyncio.to_thread(servers.servers[1].start)
    async with asyncio.timeout(60):
        await writing
    assert said[-1] == ""
    info = await JetStream(link).info(link.names.stream)
    assert info["state"]["messages"] == 2
