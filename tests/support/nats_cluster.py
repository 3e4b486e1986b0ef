"""Three NATS servers with JetStream on free loopback ports, as a cluster keeps its log on.

A test that kills one has them to itself: NatsCluster, which waits for its turn (tests/support/whole_run.py). All
others share three: tests/support/shared_servers.py.
"""

import asyncio
import contextlib
import os
import signal

from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.jetstream import JetStream, LogRefused
from hub.cluster.servers.link import Link, LinkError
from hub.documents.secret import Secret
from hub.operate.mosquitto import free_port
from hub.settings.cluster_settings import ClusterSettings
from tests.support import whole_run
from tests.support.servers import PLAIN_PASSWORD, Server, program

# many clusters at once claim room for their streams, which they do not use: more than the disk has
CONF = """
server_name: {name}
listen: 127.0.0.1:{port}
max_payload: {payload}
jetstream: {{store_dir: "{folder}/data", sync_interval: {sync}, max_file_store: 1000GB}}
authorization: {{user: hub, password: "{password}"}}
"""
ROUTES = 'cluster: {{name: tests, listen: "127.0.0.1:{route}", routes: [{routes}]}}\n'


LINKED_SECONDS = 20.0


def settings_of(servers, name="t", node="a"):
    """Return the settings of a node that reaches these servers."""
    return ClusterSettings(tuple(map(Secret, servers.urls)), name, node, user="hub", password=Secret(PLAIN_PASSWORD))


@contextlib.asynccontextmanager
async def linked(settings):
    """Give a link that is connected."""
    link = Link(settings, "test", lambda _: None)
    running = asyncio.create_task(link.run())
    try:
        await asyncio.wait_for(link.ready(), LINKED_SECONDS)
        yield link
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def forget(link, name):
    """Delete the streams of a cluster: each holds room on the servers' disks."""
    names = LogNames(name)
    for stream in (names.stream, names.snapshots):
        with contextlib.suppress(LinkError, LogRefused):  # it was never made; servers that have just come back
            await JetStream(link).api(f"STREAM.DELETE.{stream}", {}, 5.0)


class Node(Server):
    ready = "Server is ready"
    payload = 8 << 20
    """The most bytes that it takes in one message."""

    def __init__(self, folder, name, routes, route, sync="always"):
        super().__init__(folder)
        self.name, self.route, self.routes, self.sync = name, route, routes, sync

    def command(self):
        routes = ", ".join(f'"nats://127.0.0.1:{each}"' for each in self.routes)
        about = {"name": self.name, "port": self.port, "folder": self.folder, "sync": self.sync}
        conf = CONF.format(**about, payload=self.payload, password=PLAIN_PASSWORD)
        conf += ROUTES.format(route=self.route, routes=routes) if routes else ""
        (self.folder / "nats.conf").write_text(conf + self.more(), "utf-8")
        return program("nats-server"), "-c", self.folder / "nats.conf"

    def more(self):
        """Return further lines of its configuration."""
        return ""

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)


class Reached:
    """Servers that run, by the ports at which they are reached."""

    def __init__(self, ports):
        self.ports = ports

    @property
    def urls(self):
        return [f"nats://127.0.0.1:{port}" for port in self.ports]

    def yaml_of(self, ports=None):
        """Return what stands in hub.yaml, of a node that reaches the servers at these ports; None: at their own."""
        urls = ", ".join(f"'nats://127.0.0.1:{port}'" for port in ports or self.ports)
        return f"nats: [{urls}], user: hub, password: '{PLAIN_PASSWORD}', replicas: {len(self.ports)}"


class NatsCluster(Reached):
    """Use it as a context: so many servers that know each other; `servers` are they, by number.

    They write each record to the disk before they answer, unless told otherwise. `shared` are those of the whole run:
    they wait for no turn.
    """

    def __init__(self, folder, size=3, *, sync="always", shared=False):
        routes = [free_port() for _ in range(size)]
        self.servers = [
            Node(folder / f"n{number}", f"n{number}", [each for each in routes if each != route], route, sync)
            for number, route in enumerate(routes)
        ]
        super().__init__([each.port for each in self.servers])
        self._shared = shared

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            if not self._shared:
                stack.callback(os.close, whole_run.take_turn())
            for server in self.servers:
                stack.enter_context(server)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()
