"""jetstream: a log is followed without a gap, whatever happens to the consumer, the log and the servers."""

import asyncio
import contextlib
from contextlib import asynccontextmanager

import pytest

from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.jetstream import JetStream, LogFull, LogRefused, WrongTip
from hub.cluster.servers.link import LinkError
from hub.cluster.servers.streams import create
from tests.cluster.servers.test_link import reach, running
from tests.support.nats_cluster import NatsCluster, linked, settings_of
from tests.support.record import Record

ALL = ("all",)


@asynccontextmanager
async def following(link, begin=1):
    """Follow the log into a Record of (sequence, data), and of ALL where nothing more is there."""
    came = Record()

    async def follow():
        async for record in JetStream(link).follow(link.names.stream, link.names.subject, begin):
            came.add(ALL if record is None else (record.seq, record.data))

    task = asyncio.create_task(follow())
    try:
        yield came
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def write(link, *bodies):
    for each in bodies:
        await JetStream(link).append(link.names.subject, each, {}, None)


def records(came):
    return [each for each in came if each != ALL]


async def test_a_follower_gets_what_is_there_and_what_comes_and_hears_when_that_was_all(link):
    await write(link, b"a", b"b")
    async with following(link) as came:
        await came.first(lambda each: each == ALL)
        assert came[:3] == [(1, b"a"), (2, b"b"), ALL]
        await write(link, b"c")
        await came.first(lambda each: each == (3, b"c"))
    async with following(link, 3) as came:
        await came.first(lambda each: each == ALL)
        assert records(came) == [(3, b"c")]


async def test_a_follower_begins_a_new_consumer_where_the_server_has_lost_the_old_one(link):
    async with following(link) as came:
        await write(link, b"a")
        await came.first(lambda each: each == (1, b"a"))
        for body in (b"b", b"c"):
            names = (await JetStream(link).api(f"CONSUMER.NAMES.{link.names.stream}", {}))["consumers"]
            for name in names:
                await JetStream(link).api(f"CONSUMER.DELETE.{link.names.stream}.{name}", {})
            await write(link, body)
            await came.first(lambda each, body=body: each[1:] == (body,), 20)
        assert records(came) == [(1, b"a"), (2, b"b"), (3, b"c")]


async def test_a_follower_that_missed_a_record_asks_for_it_again(link, monkeypatch):
    await write(link, b"a", b"b", b"c")
    inbox, lost = link.inbox, []

    async def lossy():
        made = await inbox()
        real = made.next

        async def next_message(seconds):
            message = await real(seconds)
            if message is not None and message.data == b"b" and not lost:
                lost.append(message)
                return await real(seconds)
            return message

        made.next = next_message
        return made

    monkeypatch.setattr(link, "inbox", lossy)
    async with following(link) as came:
        await came.first(lambda each: each == (3, b"c"))
        assert lost
        assert records(came) == [(1, b"a"), (2, b"b"), (3, b"c")]


async def test_a_follower_behind_a_purge_gets_what_is_left(link):
    await write(link, b"a", b"b", b"c")
    stream = JetStream(link)
    async with following(link) as came:
        await came.first(lambda each: each == (3, b"c"))
        assert await stream.purge(link.names.stream, link.names.subject, 3) == 2
        await write(link, b"d")
        await came.first(lambda each: each == (4, b"d"))
        assert records(came) == [(1, b"a"), (2, b"b"), (3, b"c"), (4, b"d")]
    async with following(link, 2) as came:
        await came.first(lambda each: each == (4, b"d"))
        assert records(came) == [(3, b"c"), (4, b"d")]
    first = await stream.first(link.names.stream, link.names.subject)
    assert (first.seq, first.data) == (3, b"c")


async def test_a_record_is_appended_only_behind_the_one_that_is_expected(link):
    stream, names = JetStream(link), link.names
    assert await stream.last(names.stream, names.subject) is None
    assert await stream.append(names.subject, b"a", {"Hub-Kind": "x"}, 0) == 1
    with pytest.raises(WrongTip):
        await stream.append(names.subject, b"b", {}, 0)
    assert await stream.append(names.subject, b"b", {}, 1) == 2
    for nothing_below in (-1, 0, 1):
        assert await stream.purge(names.stream, names.subject, nothing_below) == 0
    assert await stream.purge(names.stream, names.subject, 2) == 1
    with pytest.raises(WrongTip):
        await stream.append(names.subject, b"c", {}, 1)
    assert await stream.append(names.subject, b"c", {}, 2) == 3, "a purge keeps what is expected"
    last = await stream.last(names.stream, names.subject)
    assert (last.seq, last.data, last.subject) == (3, b"c", names.subject)
    assert await stream.info("NO_SUCH") is None
    with pytest.raises(LogRefused):
        await stream.last("NO_SUCH", names.subject)


async def test_a_stream_without_room_says_that_it_is_full_and_forgets_nothing(link):
    stream, names = JetStream(link), link.names
    await write(link, b"a")
    info = await stream.info(names.stream)
    full = info["config"] | {"max_bytes": info["state"]["bytes"]}
    await stream.api(f"STREAM.UPDATE.{names.stream}", full)
    with pytest.raises(LogFull, match="the log is full"):
        await stream.append(names.subject, b"b" * 1000, {}, 1)
    assert (await stream.first(names.stream, names.subject)).data == b"a"


async def test_a_follower_that_is_stopped_while_a_record_comes_is_stopped(link):
    """What is lost here keeps a node from owning what it has claimed: the claim itself is the record that comes."""
    inbox = await link.inbox()
    for _ in range(50):
        waiting = asyncio.create_task(inbox.next(30))
        await asyncio.sleep(0)
        await inbox._came.put("a record")  # both in one turn of the loop
        waiting.cancel()
        await asyncio.wait({waiting}, timeout=5)
        assert waiting.cancelled()
        while not inbox._came.empty():
            inbox._came.get_nowait()
    await inbox.close()


async def test_a_server_that_hears_no_other_does_not_count_as_the_leader(tmp_path):
    names = LogNames("t")
    with NatsCluster(tmp_path) as servers:
        async with linked(settings_of(servers)) as link:
            await create(JetStream(link), names, 3)
            await _led_by_a_majority_only(JetStream(link), names.stream, servers)


async def _led_by_a_majority_only(stream, name, servers):
    leader = (await stream.info(name))["cluster"]["leader"]
    assert await stream.is_led(name)
    [ours] = [each for each in servers.servers if each.name == leader]
    others = [each for each in servers.servers if each is not ours]
    async with running(reach(ours.port)) as alone:
        await alone.ready()
        for each in others:
            each.freeze()
        try:
            async with asyncio.timeout(8):
                while await JetStream(alone).is_led(name):
                    await asyncio.sleep(0.1)
            assert await JetStream(alone).info(name), "it answers all the same"
        finally:
            for each in others:
                each.thaw()
    async with asyncio.timeout(30):
        led = False
        while not led:
            with contextlib.suppress(LogRefused, LinkError):
                led = await stream.is_led(name)
