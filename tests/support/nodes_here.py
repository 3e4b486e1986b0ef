"""Nodes of one cluster in the test's own process, on the servers of the whole run: quick to start, and measured.

Who kills a node needs one in a process of its own: tests/support/cluster.py.
"""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

from hub.clock import SystemClock
from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.jetstream import JetStream
from hub.cluster.servers.streams import create
from hub.config import load_settings
from hub.observer import Observer, Observers
from hub.operate.cli.run_node import node_of
from hub.operate.figures.figures import Figures
from tests.support.nats_cluster import forget, linked, settings_of
from tests.support.record import Record
from tests.support.shared_servers import new_name


class NodeHere(Observer):
    """A folder with hub.yaml and rules, and the node that runs by them. `lines` are what it said, "kind text" each."""

    def __init__(self, folder, text, rules):
        self.folder, self.lines = folder, Record()
        (folder / "rules").mkdir(parents=True)
        (folder / "rules" / "rules.yaml").write_text(rules, "utf-8")
        (folder / "hub.yaml").write_text(text, "utf-8")
        self.url = ""

    def session(self, kind, detail):
        self.lines.add(f"{kind} {detail}")

    def cluster(self, kind, text):
        self.lines.add(f"{kind} {text}")

    def trouble(self, what, message):
        self.lines.add(f"trouble {what}: {message}")

    def listens(self, url):
        self.url = url
        self.lines.add(f"http {url}")

    @asynccontextmanager
    async def running(self):
        settings = load_settings(self.folder / "hub.yaml")
        observers, clock, figures = Observers(self), SystemClock(), Figures()
        observers.all.append(figures)
        self.node = node_of(settings, settings.cluster, observers, clock, figures, self.listens, [], None)
        self.task = asyncio.create_task(self.node.run())
        try:
            yield self
        finally:
            self.node.stop()
            ended, _ = await asyncio.wait({self.task}, timeout=20)
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            assert ended, "a node that is told to stop does"

    async def says(self, *parts, after=0):
        """Wait for a line with all of these."""
        return await self.lines.first(lambda line: all(each in line for each in parts), after=after)


@asynccontextmanager
async def nodes_here(folder, broker, log_servers, rules, monkeypatch, http, names="ab"):
    """Run nodes by name; the first one owns. They have the streams of one server, as what is proved needs no three."""
    monkeypatch.setenv("PASSWORD", broker.settings("hub").password.reveal())
    name = new_name()
    async with linked(settings_of(log_servers)) as link, AsyncExitStack() as stack:
        await create(JetStream(link), LogNames(name), 1)
        stack.push_async_callback(forget, link, name)
        servers, found = log_servers.yaml_of().partition(", replicas")[0], {}
        for node in names:
            text = f"""\
broker: {{url: 'mqtt://127.0.0.1:{broker.port}', username: hub, password: !env PASSWORD}}
state: {folder / node / "hub.db"}
rules: [{folder / node / "rules"}]
http: {http}
cluster: {{{servers}, replicas: 1, name: {name}, node: {node}}}
"""
            found[node] = await stack.enter_async_context(NodeHere(folder / node, text, rules).running())
            await found[node].says("drained" if len(found) == 1 else "standby")
        async with asyncio.timeout(20):
            for each in found.values():
                while {other.node for other in each.node.members.alive()} != set(names):
                    await asyncio.sleep(0.01)
        yield found
