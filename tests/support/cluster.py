"""Several `hub run` processes as the nodes of one cluster, on three NATS servers and a broker.

The servers are those of the whole run, unless a test asks for its own, because it harms them.
"""

import asyncio
import contextlib
import os

import orjson

from hub.cluster.log.state_log import LogNames
from tests.support import prefork
from tests.support.hub import ROOT, Hub
from tests.support.nats_cluster import NatsCluster, forget, linked, settings_of
from tests.support.shared_servers import new_name, shared_servers


class Cluster:
    """Use it as an async context: servers are up, streams are made, and the nodes that are named run.

    `nodes` are Hubs by name. `more` are lines under `cluster:`, as they stand in YAML; `each` are options of single
    nodes by name, `reach` the ports at which a node by name reaches the servers, where it does so by proxies. `own`
    gives it servers that a test may kill; `servers` are others that it does not start.
    """

    def __init__(
        self, folder, broker, rules, names="ab", *, own=False, more="", each=None, reach=None, servers=None, **options
    ):
        self.folder, self.broker, self.own = folder, broker, own
        self.servers = NatsCluster(folder / "nats") if own else servers or shared_servers()
        self.names = LogNames(new_name("c"))
        settings, each, reach = options.pop("settings", ""), each or {}, reach or {}
        about = f"name: {self.names.cluster}{more}"
        self.nodes = {
            name: Hub(
                folder / name,
                broker,
                rules,
                settings=f"cluster: {{{self.servers.yaml_of(reach.get(name))}, node: {name}, {about}}}\n{settings}",
                **(options | each.get(name, {})),
            )
            for name in names
        }

    async def __aenter__(self):
        async with contextlib.AsyncExitStack() as stack:
            if self.own:
                await asyncio.to_thread(stack.enter_context, self.servers)
            else:
                stack.push_async_callback(self._forget)
            assert await self.command("cluster", "create") == 0
            for node in self.nodes.values():
                await stack.enter_async_context(_closing(node))
                await node.start(connected=False)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *error):
        closed = await self._stack.__aexit__(*error)
        if error[0] is not None:
            for name, node in self.nodes.items():
                print("\n".join([f"what {name} said:", *node.past, *node.lines[-100:], *node.errors]))
        return closed

    async def _forget(self):
        async with linked(settings_of(self.servers)) as link:
            await forget(link, self.names.cluster)

    async def run(self, *arguments, node=None):
        """Run a command of the shell on a node; return its exit code and what it printed."""
        folder = self.nodes[node or next(iter(self.nodes))].folder
        env = os.environ | {"PASSWORD": self.broker.settings("hub").password.reveal(), "PYTHONPATH": str(ROOT)}
        process = await prefork.start(*arguments, "-c", "hub.yaml", cwd=folder, env=env)
        out, err = await process.communicate()
        return process.returncode, out.decode() + err.decode()

    async def command(self, *arguments, node=None):
        code, said = await self.run(*arguments, node=node)
        print(said)
        return code

    async def status(self):
        code, said = await self.run("cluster", "status", "--json")
        return code, orjson.loads(said)

    async def owner(self):
        """Wait until a node owns and hears its devices; return its name."""
        waits = {asyncio.create_task(self._owns(name)): name for name in self.nodes}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED, timeout=OWNED_SECONDS)
            said = "".join(
                f"\n{name}: {' | '.join([*each.lines[-9:], *each.errors])}" for name, each in self.nodes.items()
            )
            assert done, f"nobody owns{said}"
            return waits[done.pop()]
        finally:
            for each in waits:
                each.cancel()

    async def _owns(self, name):
        """Return when this node owns now, by what it has said."""
        node = self.nodes[name]

        def look(lines):
            said = [line.split()[1] for line in lines if line.split()[1:2] and line.split()[1] in SAYS]
            return said and said[-1] == "drained"

        while True:
            if node.process is not None and node.process.returncode is None:
                with contextlib.suppress(TimeoutError, AssertionError):
                    return await node.lines.until(look, 1, "owner")
            await asyncio.sleep(0.1)


OWNED_SECONDS = 40  # an election of the servers, and a take-over on a busy machine
SAYS = ("owner", "standby", "drained", "stopping", "start")


@contextlib.asynccontextmanager
async def _closing(node):
    try:
        yield node
    finally:
        if node.process is not None:
            await node.kill()
