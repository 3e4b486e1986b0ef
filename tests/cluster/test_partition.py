"""An owner that cannot reach the log, or stood still, and still reaches the broker and the receivers: it tells nothing.

Each node reaches the servers by proxies of its own, which a test cuts without any right of root.
"""

import asyncio
import json
import signal
import time
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from hub.limits import RECEIVER_CONCURRENCY, SETTLE_WINDOW
from tests.cluster.test_take_over import Beats, beyond, other, settled
from tests.support.cluster import Cluster
from tests.support.ends import Web, watching
from tests.support.mqtt import client
from tests.support.proxy import Proxy
from tests.support.shared_servers import shared_servers

LEASE = 3.0
SLOW = 0.5  # seconds that the webhook takes for each
RULES = """\
receivers:
  bus: {mqtt: {topic: "alerts/{alertname}/{device}"}}
  slow: {webhook: {url: "URL"}}
defaults: {notify: [bus]}
rules:
  - {event: Hot, topic: "load/{device}", when: v > 900, summary: "{n}"}
  - {event: Many, topic: "many/{device}", notify: [slow]}
  - {alert: Silent, topic: "beat/{device}", absent: 6s}
"""
MANY = 120


class Net:
    """What one node has of the network towards the servers."""

    def __init__(self, proxies):
        self.proxies = proxies

    @property
    def ports(self):
        return [each.port for each in self.proxies]

    def hold(self):
        for each in self.proxies:
            each.hold()

    def cut(self):
        """Reset what there is, and let nothing through afterwards."""
        self.hold()
        for each in self.proxies:
            each.cut()

    def resume(self):
        for each in self.proxies:
            each.resume()


@asynccontextmanager
async def cuttable(tmp_path, broker, names="ab"):
    """Run a cluster whose nodes can be cut off, with a slow webhook and devices that always speak."""

    async def slowly(_):
        await asyncio.sleep(SLOW)
        return 204

    async with AsyncExitStack() as stack:
        nets = {
            name: Net([await stack.enter_async_context(Proxy(port)) for port in shared_servers().ports])
            for name in names
        }
        hook = await stack.enter_async_context(Web(slowly))
        reach = {name: net.ports for name, net in nets.items()}
        rules = RULES.replace("URL", hook.url)
        cluster = await stack.enter_async_context(
            Cluster(tmp_path, broker, rules, names, reach=reach, more=f", lease: {LEASE:.0f}s")
        )
        told = await stack.enter_async_context(watching(broker, "alerts/#"))
        device = await stack.enter_async_context(client(broker.settings("device"), "beats"))
        cluster.beats, cluster.hook, cluster.nets, cluster.device = Beats(device), hook, nets, device
        first = await cluster.owner()
        sending = cluster.sending = asyncio.create_task(cluster.beats.run())
        try:
            yield cluster, first, told
        finally:
            sending.cancel()


async def fill_the_lane(cluster):
    """Let so much be due to the slow webhook that it has work for long; return when it has begun."""
    packets = [(f"many/d{number}", json.dumps({"n": number})) for number in range(MANY)]
    assert set(await cluster.device.publish_all(packets)) == {0}
    # as many as go at once: of an owner that is frozen while it begins them, the others come after it was thawed
    await cluster.hook.requests.until(lambda found: len(found) >= RECEIVER_CONCURRENCY, 60)


async def all_of_the_lane(cluster):
    """Wait until all was told; return the ids in the order in which they came, after a look at them."""
    wanted = set(range(MANY))
    await cluster.hook.requests.until(lambda found: {_number(each) for each in found} == wanted, 60)
    ids = {}
    for each in cluster.hook.requests:
        ids.setdefault(_number(each), set()).add(each["key"])
    assert [found for found in ids.values() if len(found) > 1] == [], "one event under two ids"
    return [each["key"] for each in cluster.hook.requests]


@pytest.mark.time_limit(120, "a lease passes, and a slow receiver takes all that is due")
@pytest.mark.parametrize("way", ["frozen", "held", "cut"])
async def test_an_owner_that_lost_the_log_tells_nothing_that_the_next_one_tells(tmp_path, broker, way):
    async with cuttable(tmp_path, broker) as (cluster, first, told):
        await beyond(told, 4)
        node, net = cluster.nodes[first], cluster.nets[first]
        heir = cluster.nodes[other(cluster, first)]
        await fill_the_lane(cluster)
        begun = time.time()
        if way == "frozen":
            node.signal(signal.SIGSTOP)
        else:
            getattr(net, "hold" if way == "held" else "cut")()
        await heir.says(" owner ")
        taken = time.time()
        await heir.says(" drained ")
        at = len(node.lines)
        if way == "frozen":
            node.signal(signal.SIGCONT)
        else:
            await asyncio.sleep(1.0)
            net.resume()
        await node.says(" standby ", after=at if way == "frozen" else 0)
        ids = await all_of_the_lane(cluster)
        again = len(ids) - len(set(ids))
        # what is under way, and what waits to be settled; where it sees no end of its connection, what its lease allows
        may = RECEIVER_CONCURRENCY + (RECEIVER_CONCURRENCY / SLOW * LEASE if way == "held" else SETTLE_WINDOW)
        print(f"{way}: taken over after {taken - begun:.1f} s, {again} told again")
        assert again <= may, f"{again} were told twice"
        times = cluster.hook.requests.times
        after = [each["key"] for each, at in zip(cluster.hook.requests, times, strict=True) if at > taken]
        # what had begun before it was over may come late; who went on would tell so many every half second
        assert len(after) - len(set(after)) <= RECEIVER_CONCURRENCY, "both told at the same time"
        numbers, silent = await settled(cluster, told)
        assert silent == []
        assert await node.stop() == 0
        assert not node.errors
        assert not heir.errors, "who owned before took the session back, again and again"
        found = [json.loads(each.payload)["id"] for each in told if each.topic.startswith("alerts/Hot")]
        assert len(set(found)) == len(set(numbers)), "one event under two ids"


def _number(request):
    return request["json"]["event"]["payload"]["n"]
