"""members: who is silent, who is gone, and when a node may not say so because it hears nobody."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest

from hub.cluster.log.lease import Lease
from hub.cluster.log.state_log import LogNames
from hub.cluster.members import Members
from hub.cluster.servers.link import Link
from hub.limits import BEATS_KEPT_SECONDS, NODE_GONE_SECONDS, OWN_ECHO_SECONDS
from tests.support.nats_cluster import settings_of
from tests.support.shared_servers import new_name


@asynccontextmanager
async def node(servers, name, cluster, **about):
    """Run the members of a node on a connection of its own; `quiet` ends what they say."""
    link = Link(settings_of(servers), name, lambda _: None)
    members = Members(link, LogNames(cluster), name, f"{name}.1", lambda: about)
    tasks = [asyncio.create_task(link.run()), asyncio.create_task(members.run())]
    members.quiet = tasks[1].cancel
    members.link = link
    try:
        yield members
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def met(members, *others):
    async with asyncio.timeout(10):
        while not {f"{other}.1" for other in others} <= members.found.keys():
            await asyncio.sleep(0.01)


async def test_nodes_hear_of_each_other_and_of_themselves(log_servers):
    name = new_name()
    async with node(log_servers, "a", name, applied=3) as a, node(log_servers, "b", name, owns=True, trouble="x") as b:
        await asyncio.gather(met(a, "a", "b"), met(b, "a", "b"))
        assert [(each.node, each.applied, each.owns, each.trouble) for each in a.alive()] == [
            ("a", 3, False, ""),
            ("b", 0, True, "x"),
        ]
        assert a.hears
        assert b.hears
        assert a.silent("b.1") < 2
        assert 0 < a.silent("c.1") < 10, "of who was never heard it is as long as this node listens"


async def test_a_process_that_is_gone_is_told_from_one_that_only_says_nothing(log_servers):
    name = new_name()
    async with node(log_servers, "a", name) as a:
        async with node(log_servers, "b", name) as b:
            await met(a, "b")
            b.quiet()
            assert not await a.is_gone("b.1"), "its connection is there"
        async with asyncio.timeout(10):
            while not await a.is_gone("b.1"):  # the servers tell each other
                pass
        assert not await a.is_gone("a.1")


async def test_a_node_that_cannot_ask_says_of_nobody_that_he_is_gone(log_servers):
    link = Link(settings_of(log_servers), "a", lambda _: None)
    assert not await Members(link, LogNames("m3"), "a", "a.1", dict).is_gone("b.1")


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(Lease, "now", staticmethod(lambda: Clock.now))
    Clock.now = 1000.0
    return Clock


class Message:
    def __init__(self, data):
        self.data = data


def beat(node, sent, **about):
    return Message(orjson.dumps({"node": node, "incarnation": f"{node}.1", "sent": sent, **about}))


async def test_a_node_that_does_not_hear_its_own_beats_knows_that_the_silence_is_its_own(clock):
    members = Members(None, LogNames("m"), "a", "a.1", dict)
    assert not members.hears
    await members._heard(beat("a", clock.now))
    assert members.hears
    clock.now += OWN_ECHO_SECONDS
    await members._heard(beat("b", clock.now))
    assert not members.hears
    await members._heard(beat("a", clock.now - OWN_ECHO_SECONDS))
    assert not members.hears, "an echo that was long on its way proves nothing of now"
    assert members.silent("b.1") == 0


async def test_who_was_silent_for_long_is_counted_no_more_and_nonsense_is_no_beat(clock):
    members = Members(None, LogNames("m"), "a", "a.1", dict)
    for nonsense in (b"", b"[]", b"{}", b'{"node": "x"}', b"\xff"):
        await members._heard(Message(nonsense))
    assert members.found == {}
    await members._heard(beat("c", 0, applied=5))
    clock.now += BEATS_KEPT_SECONDS - 1
    await members._heard(beat("b", 0, left=True))
    assert [each.node for each in members.alive()] == ["b", "c"]
    assert members.found["b.1"].left
    clock.now += 1
    assert [each.node for each in members.alive()] == ["b"]


async def test_another_process_of_the_same_name_is_known_while_it_is_heard(clock):
    members = Members(None, LogNames("m"), "a", "a.2", dict)
    await members._heard(Message(orjson.dumps({"node": "a", "incarnation": "a.2", "sent": 0})))
    await members._heard(beat("b", 0, address="there"))
    assert members.twin() is None
    await members._heard(beat("a", 0, address="https://two"))
    assert members.twin() == "https://two"
    clock.now += NODE_GONE_SECONDS
    assert members.twin() is None, "it was this node, before it was started anew"
