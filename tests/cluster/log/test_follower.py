"""follower: it applies what stands behind its copy, and says of everything else what it is."""

import pytest

from hub.cluster.log.follower import Astray, Follower, LogForked, SnapshotNeeded
from hub.cluster.log.log_record import RECORD_FORMAT, RecordKind, Tip, encode_changes
from hub.cluster.log.state_log import StateLog
from hub.cluster.servers.jetstream import JetStream
from hub.errors import StoreUnusable
from hub.store.changes import Changes
from tests.cluster.test_log import replica_of


async def all_records(link):
    found = []
    async for record in JetStream(link).follow(link.names.stream, link.names.subject, 1):
        if record is None:
            break
        found.append(record)
    return found


@pytest.fixture
async def copy(link, tmp_path):
    made = await replica_of(link, tmp_path)
    yield made
    await made.store.close()


async def test_who_owns_is_told_by_the_last_record_also_before_it_is_applied(link, copy):
    a = StateLog(link, link.names, "a.1", Tip())
    follower = Follower(link, link.names, copy)
    await follower.begin()
    assert (follower.owner.incarnation, follower.is_current, follower.last) == ("", True, None)
    await a.append(RecordKind.CLAIM, headers={"Hub-Rules": "r1"})
    await a.append(RecordKind.DELTA, encode_changes(Changes(meta=[("k", "1")])))
    await follower.begin()
    assert (follower.owner.incarnation, follower.owner.node, follower.is_current) == ("a.1", "a", False)
    assert follower.last.seq == follower.seen.seq == 2
    await a.append(RecordKind.RELEASE, headers={"Hub-To": "b"})
    for record in await all_records(link):
        await follower.take(record)
    assert (follower.owner.incarnation, follower.owner.to) == ("", "b")
    await copy.settled()
    assert copy.tip == a.tip
    assert (await copy.store.load()).meta["k"] == "1"


async def test_a_record_that_does_not_stand_behind_the_last_one_is_not_applied(link, copy):
    log = StateLog(link, link.names, "a.1", Tip())
    for number in range(3):
        await log.append(RecordKind.DELTA, encode_changes(Changes(meta=[("k", str(number))])))
    follower = Follower(link, link.names, copy)
    first, second, third = await all_records(link)
    await follower.take(first)
    with pytest.raises(Astray, match="record 3 does not stand behind record 1"):
        await follower.take(third)
    await follower.take(second)
    await follower.take(third)
    with pytest.raises(Astray):
        await follower.take(third)
    assert copy.tip == log.tip


async def test_a_record_of_a_newer_layout_or_of_newer_rows_is_not_applied_and_a_claim_behind_it_impossible(link, copy):
    log = StateLog(link, link.names, "a.1", Tip())
    newer = {"Hub-Format": str(RECORD_FORMAT + 1)}
    await log.append(RecordKind.DELTA, encode_changes(Changes(meta=[("k", "1")])), newer)
    follower = Follower(link, link.names, copy)
    [record] = await all_records(link)
    with pytest.raises(StoreUnusable, match="newer hub"):
        await follower.take(record)
    assert (copy.tip, follower.end) == (Tip(), Tip())
    await log.append(RecordKind.CLAIM, headers={"Hub-Formats": "alerts=1,samples=9"})
    follower.end = Tip(1, log_chain(await all_records(link)))
    with pytest.raises(StoreUnusable, match="format 9 of 'samples', it knows 1"):
        await follower.take((await all_records(link))[1])
    assert copy.tip == Tip()


def log_chain(records):
    return records[1].headers["Hub-Prior"]


async def test_behind_an_imported_state_only_its_snapshot_leads(link, copy):
    log = StateLog(link, link.names, "a.1", Tip())
    await log.append(RecordKind.DELTA, encode_changes(Changes(meta=[("k", "1")])))
    await log.append(RecordKind.IMPORT)
    follower = Follower(link, link.names, copy)
    first, imported = await all_records(link)
    await follower.take(first)
    with pytest.raises(SnapshotNeeded, match="another state was imported with record 2"):
        await follower.take(imported)
    assert copy.tip.seq == 1


async def test_a_copy_that_has_what_the_log_has_not_is_forked_whichever_of_them_lost_it(link, copy):
    log = StateLog(link, link.names, "a.1", Tip())
    for _ in range(4):
        await log.append(RecordKind.DELTA)
    records = await all_records(link)
    for tip, why in (
        (Tip(9, "x"), "has record 9, the log ends with 4"),
        (Tip(4, "x"), "record 4 is another one"),
        (Tip(2, "x"), "record 2 is another one"),
    ):
        copy.tip = tip
        with pytest.raises(LogForked, match=why):
            await Follower(link, link.names, copy).begin()
    copy.tip = Tip(2, records[2].headers["Hub-Prior"])
    await Follower(link, link.names, copy).begin()
    await JetStream(link).purge(link.names.stream, link.names.subject, 3)
    await Follower(link, link.names, copy).begin()  # the next record stands behind what the copy has
    await JetStream(link).purge(link.names.stream, link.names.subject, 4)
    with pytest.raises(SnapshotNeeded, match="the log begins with record 4, this node's copy ends with 2"):
        await Follower(link, link.names, copy).begin()
