"""chores: who makes a snapshot, when, and how far the log is cut."""

import asyncio

import pytest

from hub.cluster.chores import Chores
from hub.cluster.log.log_record import RecordKind, Tip
from hub.cluster.log.snapshots import Snapshots
from hub.cluster.log.state_log import StateLog
from hub.cluster.members import Member
from hub.cluster.servers.jetstream import JetStream, LogFull
from hub.store.changes import Changes
from tests.cluster.test_log import replica_of


class Standby:
    def __init__(self, link, replica):
        self.names, self.replica, self.snapshots = link.names, replica, Snapshots(link, link.names)


class Members:
    """Nodes as a test says they are: (name, applied, owns, trouble)."""

    def __init__(self, node, *nodes):
        self.node, self.incarnation = node, f"{node}.1"
        self.nodes = [
            Member(name, f"{name}.1", 0.0, {"applied": applied, "owns": owns, "trouble": trouble})
            for name, applied, owns, trouble in nodes
        ]

    def alive(self):
        return self.nodes


class Owning:
    """The store of an owner, which notes what is written between its commits."""

    def __init__(self, log):
        self.log, self.store = log, self

    async def note(self, kind, body):
        await self.log.append(kind, body)


class Voice:
    def __init__(self):
        self.said = []

    def tell(self, kind, what):
        assert kind == "log"
        self.said.append(what)


@pytest.fixture
async def log(link, tmp_path, monkeypatch):
    """A log of 20 records, and a copy that has them all."""
    monkeypatch.setattr("hub.cluster.chores.SNAPSHOT_LOG_BYTES", 500)
    made = StateLog(link, link.names, "o.1", Tip())
    made.replica = await replica_of(link, tmp_path)
    for _ in range(20):
        made.replica.apply(Changes(), await made.append(RecordKind.DELTA), 1.0)
    yield made
    await made.replica.store.close()


async def chores_of(link, log, members, *, owns):
    voice = Voice()
    made = Chores(link, Standby(link, log.replica), members, lambda: Owning(log) if owns else None, voice)
    made.voice = voice
    await made.look()
    return made


async def first_and_latest(link):
    first = await JetStream(link).first(link.names.stream, link.names.subject)
    latest = await Snapshots(link, link.names).latest()
    return first.seq, None if latest is None else latest.seq


ALL = ("o", 20, True, ""), ("p", 20, False, ""), ("q", 20, False, "")


async def test_the_first_standby_makes_the_snapshot_and_only_the_owner_cuts(link, log):
    await chores_of(link, log, Members("q", *ALL), owns=False)
    await chores_of(link, log, Members("o", *ALL), owns=True)
    assert await first_and_latest(link) == (1, None)
    await chores_of(link, log, Members("p", *ALL), owns=False)
    assert await first_and_latest(link) == (1, 20)
    made = await chores_of(link, log, Members("o", *ALL), owns=True)
    assert await first_and_latest(link) == (20, 20)
    assert "the log was cut below record 20: 19 records" in made.voice.said[0]
    last = await JetStream(link).last(link.names.stream, link.names.subject)
    assert (last.headers["Hub-Kind"], last.seq) == (RecordKind.SNAPSHOT, 21)


async def test_an_owner_without_a_standby_or_with_one_in_trouble_makes_it_itself(link, log):
    await chores_of(link, log, Members("o", ("o", 20, True, ""), ("p", 3, False, "forked")), owns=True)
    assert await first_and_latest(link) == (20, 20)


async def test_the_log_is_never_cut_beyond_a_node_that_lives(link, log):
    behind = Members("o", ("o", 20, True, ""), ("p", 20, False, ""), ("q", 7, False, ""))
    await chores_of(link, log, Members("p", *ALL), owns=False)
    made = await chores_of(link, log, behind, owns=True)
    assert await first_and_latest(link) == (7, 20)
    behind.nodes[2] = Member("q", "q.1", 0.0, {})  # it has just begun, and has nothing
    await made.look()
    assert await first_and_latest(link) == (7, 20)
    behind.nodes[2] = Member("q", "q.1", 0.0, {"applied": 24})
    await made.look()
    assert await first_and_latest(link) == (20, 20)


async def test_a_short_log_with_a_young_snapshot_is_left_as_it_is(link, log, monkeypatch):
    await chores_of(link, log, Members("p", *ALL), owns=False)
    monkeypatch.setattr("hub.cluster.chores.SNAPSHOT_LOG_BYTES", 1 << 20)
    log.replica.apply(Changes(), await log.append(RecordKind.DELTA), 1.0)
    await chores_of(link, log, Members("p", *ALL), owns=False)
    assert await first_and_latest(link) == (1, 20)
    monkeypatch.setattr("hub.cluster.chores.SNAPSHOT_SECONDS", 0.0)
    await chores_of(link, log, Members("p", *ALL), owns=False)
    assert await first_and_latest(link) == (1, 21)


async def bound(link, bytes_):
    stream = JetStream(link)
    info = await stream.info(link.names.stream)
    await stream.api(f"STREAM.UPDATE.{link.names.stream}", info["config"] | {"max_bytes": bytes_})
    return info["state"]["bytes"]


async def test_a_full_log_is_cut_though_it_takes_no_record_that_says_so(link, log):
    await chores_of(link, log, Members("p", *ALL), owns=False)
    used = await bound(link, 1 << 20)
    await bound(link, used)
    async with asyncio.timeout(15):
        await chores_of(link, log, Members("o", *ALL), owns=True)
    assert await first_and_latest(link) == (20, 20)


async def test_a_snapshot_is_due_before_the_log_is_full_however_large_snapshots_are(link, log, monkeypatch):
    monkeypatch.setattr("hub.cluster.chores.SNAPSHOT_LOG_BYTES", 1 << 20)
    await chores_of(link, log, Members("p", *ALL), owns=False)
    await bound(link, 2 * await bound(link, 1 << 20) - 100)
    log.replica.apply(Changes(), await log.append(RecordKind.DELTA), 1.0)
    await chores_of(link, log, Members("p", *ALL), owns=False)
    assert await first_and_latest(link) == (1, 21)


async def test_a_snapshot_of_another_log_which_is_longer_does_not_cut_all_of_this_one(link, log):
    log.replica.apply(Changes(), Tip(5000, "x"), 1.0)
    await Snapshots(link, link.names).put(log.replica, "p")
    log.replica.apply(Changes(), log.tip, 1.0)
    await log.replica.settled()
    await chores_of(link, log, Members("o"), owns=True)  # it hears nobody, not even itself
    assert await first_and_latest(link) == (20, 5000)


async def test_a_full_log_that_nobody_owns_is_cut_by_who_stands_by_for_else_nobody_could_claim(link, log):
    nobody = Members("p", ("p", 20, False, ""), ("q", 20, False, ""))
    used = await bound(link, 1 << 20)
    await bound(link, used)
    claim = StateLog(link, link.names, "p.1", log.tip)
    with pytest.raises(LogFull):
        await claim.try_once(RecordKind.CLAIM)
    await chores_of(link, log, nobody, owns=False)
    assert await first_and_latest(link) == (20, 20)
    assert (await claim.try_once(RecordKind.CLAIM)).seq == 21
