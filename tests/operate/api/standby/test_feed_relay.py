"""What the owner's feed says reaches the feeds of the other nodes, and none before their copy has it."""

import asyncio
from types import SimpleNamespace

import orjson
import pytest

from hub.clock import ManualClock
from hub.cluster.log.log_record import Tip
from hub.cluster.log.replica import CopyStore, Replica
from hub.operate.api.feed.feed import Feed
from hub.operate.api.feed.stream import messages
from hub.operate.api.standby.feed_relay import hear, relay
from hub.store.changes import Changes


class Between:
    """A link that hands what is published to whoever hears."""

    def __init__(self):
        self.heard = None

    async def publish(self, _subject, data):
        await self.heard(SimpleNamespace(data=data))


@pytest.fixture
async def copy(tmp_path):
    """A node's copy that is at record 4."""
    store = CopyStore(tmp_path / "hub.db", lambda _: None)
    await store.load()
    yield Replica(store, Tip(4, "chain"))
    await store.close()


class Nodes:
    """An owner that is at record 5, and a node that hears its feed into one of its own."""

    def __init__(self, copy):
        self.link, self.owner, self.node = Between(), Feed(ManualClock(1000.0)), Feed(ManualClock(1000.0))
        self.log = SimpleNamespace(tip=Tip(5, "chain"))
        self.link.heard = hear(self.node, lambda: False, lambda: copy)

    def relaying(self, at):
        return asyncio.create_task(relay(self.link, "feed", self.owner, at, lambda: self.log))

    def said(self):
        return [orjson.loads(each.text)["data"].get("n") for each in self.node.since(0, 100)]


async def test_a_message_is_repeated_when_the_copy_has_what_it_tells_and_not_before(copy):
    nodes = Nodes(copy)
    task = nodes.relaying(nodes.owner.latest)
    nodes.owner.say("alert", {"n": 1})
    await asyncio.sleep(0.3)  # longer than the feed gathers
    assert nodes.said() == []
    copy.apply(Changes(meta=[("a", "b")]), Tip(5, "next"), 1000.0)
    async with asyncio.timeout(5):
        while not nodes.said():
            await nodes.node.wait()
    assert nodes.said() == [1]
    assert copy.written.seq == 5
    task.cancel()


async def test_what_was_said_before_the_relay_began_is_told_too(copy):
    copy.apply(Changes(meta=[("a", "b")]), Tip(5, "next"), 1000.0)
    nodes = Nodes(copy)
    nodes.owner.say("alert", {"n": 0})
    before = nodes.owner.latest
    nodes.owner.say("alert", {"n": 1})
    nodes.owner.gap()
    task = nodes.relaying(before)
    async with asyncio.timeout(5):
        while len(nodes.said()) < 2:
            await nodes.node.wait()
    assert [each.type for each in nodes.node.since(0, 9)] == ["alert", "gap"]
    task.cancel()


async def test_a_node_that_is_far_behind_repeats_in_the_end_all_the_same(copy, monkeypatch):
    monkeypatch.setattr("hub.operate.api.standby.feed_relay.FEED_COPY_SECONDS", 0.1)
    nodes = Nodes(copy)
    task = nodes.relaying(nodes.owner.latest)
    nodes.owner.say("alert", {"n": 1})
    async with asyncio.timeout(5):
        while not nodes.said():
            await nodes.node.wait()
    task.cancel()


async def test_who_asks_only_for_alerts_hears_of_a_gap(copy):
    feed = Feed(ManualClock(1000.0))
    stream = messages(feed, {}, {"types": "alert"}, "viewer")
    assert [each.type for each in await anext(stream)] == ["hello"]
    feed.say("event", {})
    feed.gap()
    feed.say("alert", {})
    assert [each.type for each in await anext(stream)] == ["gap", "alert"]
