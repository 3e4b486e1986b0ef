"""standby: when it claims, what a claim says of two nodes' clocks, and when it says that the log is forked."""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from hub.clock import SystemClock
from hub.cluster.log.follower import Follower
from hub.cluster.log.log_record import RecordKind, Tip
from hub.cluster.log.snapshots import Snapshots
from hub.cluster.log.state_log import StateLog
from hub.cluster.members import Members
from hub.cluster.servers.jetstream import JetStream
from hub.cluster.standby import Standby, _step
from hub.cluster.voice import Voice
from hub.limits import LOG_AGAIN_SECONDS, LOG_SHORTER_SECONDS
from hub.observer import Observer
from hub.store.changes import Changes
from hub.store.formats import FORMATS
from tests.cluster.test_log import replica_of, write_part
from tests.cluster.test_members import met, node
from tests.support.nats_cluster import settings_of
from tests.support.record import Record


@pytest.mark.parametrize(
    ("before", "least", "most", "step"),
    [
        (None, 5000.0, 5000.1, 0.0),  # there is no state
        (0.0, 0.0, 0.1, 0.0),
        (0.0, -8.0, 0.1, 0.0),  # a claim that was 8 s on its way says nothing of the clock
        (0.0, -2.9, -2.5, 0.0),  # the record before may have been as long on its way
        (0.0, 3599.0, 3600.0, 3599.0),
        (3600.0, -1.0, 0.5, -3599.5),
        (-3600.0, -3601.0, -3599.9, 0.0),
    ],
)
def test_two_clocks_differ_only_by_what_no_records_way_explains(before, least, most, step):
    assert _step(before, least, most) == step


@asynccontextmanager
async def standing_by(link, log_servers, replica, *, may_claim=False):
    """Run a node "b", with a lease of 1 s; it has `voice`, `members` and `claiming`."""
    voice, members = Voice(Observer(), "b", "main"), Members(link, link.names, "b", "b.1", dict)
    standby = Standby(
        link=link,
        names=link.names,
        cluster=replace(settings_of(log_servers, node="b"), lease=1.0),
        replica=replica,
        members=members,
        clock=SystemClock(),
        rules=str,
        may_claim=lambda: may_claim,
        voice=voice,
    )
    standby.voice, standby.members = voice, members
    standby.claiming = asyncio.create_task(standby.until_claimed())
    tasks = [standby.claiming, asyncio.create_task(members.run())]
    try:
        yield standby
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_fork_is_told_when_it_stands_by_the_word_of_who_leads_the_log(link, log_servers, tmp_path, monkeypatch):
    log, replica = StateLog(link, link.names, "a.1", Tip()), await replica_of(link, tmp_path)
    await log.append(RecordKind.CLAIM)
    replica.tip = Tip(3, "x")
    led = []

    async def is_led(*_):
        led.append(len(led) > 1)
        return led[-1]

    monkeypatch.setattr(JetStream, "is_led", is_led)
    try:
        async with standing_by(link, log_servers, replica) as standby, asyncio.timeout(LOG_SHORTER_SECONDS + 10):
            while len(led) < 2:
                assert not standby.voice.trouble, "a server answers that was the leader"
                await asyncio.sleep(0.01)
            while not standby.voice.forked:
                await asyncio.sleep(0.01)
            assert "has record 3, the log ends with 1" in standby.voice.trouble
            replica.tip = Tip()
            while standby.voice.trouble:
                await asyncio.sleep(0.01)
            assert not standby.voice.forked
    finally:
        await replica.store.close()


async def test_a_log_that_has_lost_a_part_of_a_commit_is_told_and_stays_told(link, log_servers, tmp_path):
    log, replica = StateLog(link, link.names, "a.1", Tip()), await replica_of(link, tmp_path)
    await log.append(RecordKind.CLAIM)
    for part in ("1/3", "2/3", "3/3"):
        await write_part(log, part)
    await JetStream(link).api(f"STREAM.MSG.DELETE.{link.names.stream}", {"seq": 3})
    try:
        async with standing_by(link, log_servers, replica) as standby, asyncio.timeout(LOG_SHORTER_SECONDS + 10):
            while not standby.voice.forked:
                await asyncio.sleep(0.01)
            assert "record 4 does not stand behind record 2" in standby.voice.trouble
            begun = time.monotonic()
            while time.monotonic() - begun < 2 * LOG_AGAIN_SECONDS:  # it has looked again, and found the same
                assert standby.voice.forked
                await asyncio.sleep(0.01)
            assert replica.tip.seq == 1
    finally:
        await replica.store.close()


async def test_a_snapshot_of_another_version_leaves_the_copy_as_it_is_and_a_torn_one_no_half_of_itself(
    link, log_servers, tmp_path, monkeypatch
):
    log, ahead = StateLog(link, link.names, "a.1", Tip()), await replica_of(link, tmp_path / "a")
    for _ in range(3):
        ahead.apply(Changes(), await log.append(RecordKind.DELTA), 1.0)
    snapshots, stream = Snapshots(link, link.names), JetStream(link)
    made = await snapshots.put(ahead, "a")
    await ahead.store.close()
    await stream.purge(link.names.stream, link.names.subject, 3)
    replica = await replica_of(link, tmp_path / "b")

    async def told(what):
        async with standing_by(link, log_servers, replica) as standby, asyncio.timeout(20):
            while what not in standby.voice.trouble:
                await asyncio.sleep(0.01)
        assert replica.tip == Tip()
        assert not (tmp_path / "b" / "hub.db.fetched").exists()

    monkeypatch.setattr("hub.cluster.standby.unread", lambda _: "format 7 of 'alerts', it knows 1")
    await told("this one does not read its rows (format 7 of 'alerts', it knows 1); install that version here")
    monkeypatch.undo()
    piece = f"{link.names.snapshot}.{made.place}.{made.pieces - 1}"
    whole = (await stream.last(link.names.snapshots, piece)).data
    await stream.append(piece, whole[:-9], {}, None)
    await told("is not the one that was stored")
    await stream.append(piece, whole, {}, None)
    async with standing_by(link, log_servers, replica), asyncio.timeout(20):
        while replica.tip != log.tip:
            await asyncio.sleep(0.01)
    await replica.store.close()


async def test_a_node_that_does_not_read_the_next_record_says_so_once_and_claims_nothing_until_it_does(
    link, log_servers, tmp_path, monkeypatch
):
    monkeypatch.setattr("hub.cluster.standby.HAND_OVER_SECONDS", 0.02)
    log, replica = StateLog(link, link.names, "z.1", Tip()), await replica_of(link, tmp_path)
    await log.append(RecordKind.CLAIM, headers={"Hub-Formats": f"alerts={FORMATS['alerts'] + 1}"})
    await log.append(RecordKind.RELEASE)
    said, looks, begin = Record(), Record(), Follower.begin

    async def counted(follower):
        looks.add(follower)
        await begin(follower)

    monkeypatch.setattr(Follower, "begin", counted)
    async with standing_by(link, log_servers, replica, may_claim=True) as standby, asyncio.timeout(20):
        standby.voice._observer.trouble = lambda _, why: said.add(why)
        standby.voice.tell = lambda _, why: said.add(why)
        await looks.until(lambda looks: len(looks) > 4, 20)
        follows, stuck = said
        assert follows.startswith("node b follows main")
        assert f"does not read its rows (format {FORMATS['alerts'] + 1} of 'alerts'" in stuck
        assert (replica.tip, standby.claiming.done()) == (Tip(), False)
        monkeypatch.setitem(FORMATS, "alerts", FORMATS["alerts"] + 1)  # the version that it was told to install
        assert (await standby.claiming).log.tip.seq == 3
        assert "this node follows the log again" in said
    await replica.store.close()


async def test_an_owner_that_reads_the_state_in_is_not_followed_for_its_silence_but_where_it_is_gone(
    link, log_servers, tmp_path
):
    await StateLog(link, link.names, "a.1", Tip()).append(RecordKind.CLAIM)
    replica = await replica_of(link, tmp_path)
    async with standing_by(link, log_servers, replica, may_claim=True) as standby:
        async with node(log_servers, "a", link.names.cluster, owns=True, opening=True) as a:
            await met(standby.members, "a", "b")
            a.quiet()
            await asyncio.wait({standby.claiming}, timeout=3)
            assert not standby.claiming.done(), "its loop stands still, and will go on"
        claim = await asyncio.wait_for(standby.claiming, 10)
        assert claim.before.incarnation == "a.1"
    await replica.store.close()


async def test_an_owner_that_is_silent_for_a_lease_is_followed_unless_it_is_back_before_it_is_somebodys_turn(
    link, log_servers, tmp_path, monkeypatch
):
    monkeypatch.setattr("hub.cluster.standby.RANK_SECONDS", 1.0)
    await StateLog(link, link.names, "a.1", Tip()).append(RecordKind.CLAIM)
    replica = await replica_of(link, tmp_path)
    async with (
        standing_by(link, log_servers, replica, may_claim=True) as standby,
        node(log_servers, "a", link.names.cluster, owns=True) as a,
    ):
        turns, rank = [], standby._rank

        def first_in_line(follower):
            turns.append(time.monotonic())
            return 1 if len(turns) == 1 else rank(follower)

        monkeypatch.setattr(standby, "_rank", first_in_line)
        await met(standby.members, "a", "b")
        a.quiet()
        async with asyncio.timeout(10):
            while not turns:
                await asyncio.sleep(0.01)
        await a.speak()
        await asyncio.wait({standby.claiming}, timeout=1.2)
        assert not standby.claiming.done(), "the owner was back"
        assert (await asyncio.wait_for(standby.claiming, 10)).before.incarnation == "a.1"
    await replica.store.close()


async def test_why_the_log_takes_no_claim_is_said_once(link, log_servers, tmp_path):
    log, replica, stream = StateLog(link, link.names, "a.1", Tip()), await replica_of(link, tmp_path), JetStream(link)
    await log.append(RecordKind.RELEASE)
    info = await stream.info(link.names.stream)
    config = f"STREAM.UPDATE.{link.names.stream}"
    await stream.api(config, info["config"] | {"max_bytes": info["state"]["bytes"]})
    async with standing_by(link, log_servers, replica, may_claim=True) as standby:
        said = Record()
        standby.voice.waits = said.add
        await met(standby.members, "b")
        await said.first(lambda why: "the log is full" in why)
        await asyncio.wait({standby.claiming}, timeout=1)
        assert len(said) == 1
        await stream.api(config, info["config"])
        await asyncio.wait_for(standby.claiming, 10)
    await replica.store.close()


async def test_a_unit_that_is_released_is_claimed_without_waiting_for_the_next_look(
    link, log_servers, tmp_path, monkeypatch
):
    monkeypatch.setattr("hub.cluster.standby.CLAIM_LOOK_SECONDS", 3600.0)
    owner, replica = StateLog(link, link.names, "a.1", Tip()), await replica_of(link, tmp_path)
    await owner.append(RecordKind.CLAIM)
    async with standing_by(link, log_servers, replica, may_claim=True) as standby, asyncio.timeout(20):
        while not (standby.members.hears and standby.follower is not None and standby.follower.is_current):
            await asyncio.sleep(0.01)
        await owner.append(RecordKind.RELEASE, headers={"Hub-To": "b"})
        claim = await standby.claiming
    assert claim.log.tip.seq == owner.tip.seq + 1
    await replica.store.close()
