"""cluster_node: stands by, owns and stands by again, as the log, an operator and its own end want it."""

import asyncio
import gc
import weakref

import pytest

from hub.cluster.cluster_node import _tidying
from hub.cluster.orders import order
from hub.cluster.servers.streams import ClusterError
from tests.support.ends import watching
from tests.support.mqtt import client
from tests.support.nodes_here import nodes_here

RULES = """\
receivers:
  bus: {mqtt: {topic: "alerts/{alertname}/{labels.device}"}}
defaults: {notify: [bus]}
rules:
  - {alert: Hot, topic: "load/{device}", when: v > 900}
"""


@pytest.fixture
async def nodes(tmp_path, broker, log_servers, monkeypatch):
    async with nodes_here(tmp_path, broker, log_servers, RULES, monkeypatch, http="false") as made:
        yield made["a"], made["b"]


def tell(node, what, to=""):
    """Give a node an order, over its own link."""
    inside = node.node
    return order(inside.link, inside.names, inside.members.node, what, to)


async def test_the_unit_goes_to_the_node_that_is_named_and_back_and_nothing_is_lost_on_the_way(nodes, broker):
    first, second = nodes
    async with client(broker.settings("device"), "device") as device, watching(broker, "alerts/#") as told:
        for number, (owner, next_one) in enumerate([(first, second), (second, first)]):
            at = len(next_one.lines)
            await device.publish(f"load/{number}", b'{"v": 999}')
            await tell(owner, "move", next_one.node.members.node)
            await device.publish(f"load/{number}-moved", b'{"v": 999}')
            await next_one.says("drained", after=at)
            assert (owner.node.ownership, next_one.node.owner()) == (None, next_one.node.members.node)
        await told.until(lambda told: len(told) >= 4)
        assert sorted(each.topic.rpartition("/")[2] for each in told) == ["0", "0-moved", "1", "1-moved"]


async def test_a_move_to_who_is_not_there_or_from_who_does_not_own_is_refused_and_moves_nothing(nodes):
    first, second = nodes
    with pytest.raises(ClusterError, match="there is no node 'z' that could own it"):
        await tell(first, "move", "z")
    with pytest.raises(ClusterError, match="b: does not own the unit"):
        await tell(second, "move", "a")
    with pytest.raises(ClusterError, match="b: 'dance' is no order"):
        await tell(second, "dance")
    assert first.node.ownership is not None


async def test_a_node_that_was_told_to_leave_hands_over_and_owns_nothing_any_more(nodes):
    first, second = nodes
    at = len(second.lines)
    await tell(first, "leave")
    await second.says("drained", after=at)
    with pytest.raises(ClusterError, match="there is no node 'a' that could own it"):
        await tell(second, "move", "a")
    at = len(first.lines)
    second.node.stop()
    await asyncio.wait_for(second.task, 20)
    await first.says("standby", "which nobody owns", after=at)
    assert first.node.owner() == ""
    assert first.node.ownership is None


async def test_rules_that_changed_are_loaded_by_whoever_owns_and_ready_at_who_stands_by(nodes, broker):
    for node in nodes:
        rules = node.folder / "rules" / "rules.yaml"
        rules.write_text(RULES.replace("900", "100"), "utf-8")
    for node in nodes:
        node.node.reload()
    async with client(broker.settings("device"), "device") as device, watching(broker, "alerts/#") as told:
        async with asyncio.timeout(30):
            while not told:  # the file is looked at now and then, and the order to reload is carried out beside
                await device.publish("load/x", b'{"v": 500}')
                await asyncio.sleep(0.1)
    first, second = nodes
    async with asyncio.timeout(30):
        while first.node._rules.hash != second.node._rules.hash:
            await asyncio.sleep(0.05)


async def test_what_a_node_says_of_itself_is_what_it_does(nodes):
    first, second = nodes
    async with asyncio.timeout(20):
        while second.node.why_stale():
            assert second.node.why_stale() == "this node has not read all of the log yet"
            await asyncio.sleep(0.01)
    assert [first.node.why_stale(), second.node.why_stale()] == ["", ""]
    assert [first.node.owner(), second.node.owner()] == ["a", "a"]
    owns, follows = first.node._about(), second.node._about()
    assert (owns["owns"], follows["owns"], owns["trouble"], follows["trouble"]) == (True, False, "", "")
    async with asyncio.timeout(20):
        while second.node._about()["applied"] < owns["applied"]:
            await asyncio.sleep(0.02)


class _Held:
    """Something that an owner has held, in a circle as a whole App is."""

    def __init__(self):
        self.itself = self


async def test_what_an_owner_held_goes_in_a_while_and_at_the_latest_before_it_owns_again(monkeypatch):
    monkeypatch.setattr("hub.cluster.cluster_node.TIDY_SECONDS", 0.2)
    for early in (True, False):
        held = weakref.ref(_Held())
        gc.freeze()  # as the App does
        claimed = asyncio.get_running_loop().create_future()
        standing_by = asyncio.create_task(_tidying(asyncio.wait_for(claimed, 30)))
        async with asyncio.timeout(20):
            if not early:
                while held() is not None:
                    await asyncio.sleep(0.01)
            claimed.set_result("claim")
            assert await standing_by == "claim"
        assert held() is None
