"""`hub demo --cluster`: three NATS servers, three hubs on one broker, and the end of the one that owns.

    simulator, a device that counts ── MQTT ──▶ Mosquitto ──▶ a (owns) ──▶ the Listener, which counts what it is told
                                                       b, c (stand by, follow the log on the NATS servers)

Each hub is a process as `hub run` makes it. After a few seconds the owner is killed, and the demo tells how long nobody
was told, what was due meanwhile, and what became of it.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.documents.shipped_files import shared
from hub.errors import HubError
from hub.operate.demo.demo_count import COUNT_RULE, DemoCount
from hub.operate.demo.demo_devices import password_of, simulated
from hub.operate.demo.demo_node import DemoNode
from hub.operate.demo.demonstration import View, write_rules
from hub.operate.demo.listener import DemoListener, Note
from hub.operate.mosquitto import Mosquitto, free_port
from hub.operate.nats_servers import NatsServers
from hub.operate.process.runner import Stopper

__all__ = ["ClusterDemo"]

_NODES = "abc"
_START_SECONDS = 60.0
_CALM_SECONDS = 4.0  # before the owner is killed
_BETWEEN_SECONDS = 25.0  # before the next one is
_LAST_SECONDS = 30.0  # for what is still due at the end
_CLEAN_SECONDS = 40.0  # for three hubs, three servers and a broker to end


@dataclass(slots=True)
class ClusterDemo:
    """One demonstration in `directory`, which it fills and leaves to its caller to remove."""

    directory: Path
    note: Note
    view: View | None = None
    """What to show a hub with; the demonstration ends with it."""
    once: bool = False
    """Whether it ends by itself after one owner was killed."""
    count: DemoCount = field(default_factory=DemoCount)
    killed: int = 0
    """How many owners were killed and followed."""
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _children: list[int] = field(default_factory=list)
    _nodes: list[DemoNode] = field(default_factory=list)

    async def run(self, seconds: float | None) -> list[str]:
        """Run for so long, or until a signal, and return what went wrong: nothing where all is well.

        Raises:
            HubError: Mosquitto or nats-server is not there, or a part ended by itself.

        """
        stopper = Stopper(self._stopped.set, self._kill_all, _CLEAN_SECONDS)
        stopper.install()
        async with (
            Mosquitto(self.directory / "broker") as broker,
            NatsServers(self.directory / "nats") as servers,
            DemoListener(self.note, {"counted": self.count.take}) as listener,
        ):
            self._children += [broker.pid, *servers.pids]
            self._write(broker, servers, listener)
            self._introduce(broker, servers)
            async with self._running():
                if await self._unless_stopped(self._begin()):
                    async with simulated(broker, self._children.append) as simulator:
                        await self._show(broker, seconds, simulator)
        stopper.done.set()
        return self._wrong()

    def _write(self, broker: Mosquitto, servers: NatsServers, listener: DemoListener) -> None:
        """Write the rules, which all nodes share, and the hub.yaml of each."""
        rules = self.directory / "rules"
        write_rules(rules, listener)
        (rules / "count.yaml").write_text(COUNT_RULE.format(url=listener.url("counted")), "utf-8")
        for name in _NODES:
            folder, listen = self.directory / name, f"127.0.0.1:{free_port()}"
            folder.mkdir()
            config = folder / "hub.yaml"
            config.touch(0o600)
            config.write_text(
                f"broker: {{url: mqtt://127.0.0.1:{broker.port}, username: hub,"
                f" password: {password_of(broker, 'hub')}}}\n"
                f"rules: [../rules]\ndevices: ['{shared('devices')}']\nhttp: {{listen: '{listen}'}}\n"
                f"cluster: {{{servers.yaml}, name: demo, node: {name}}}\nstate: hub.db\n",
                "utf-8",
            )
            self._nodes.append(DemoNode(folder, name, f"http://{listen}"))

    def _introduce(self, broker: Mosquitto, servers: NatsServers) -> None:
        viewer = f"-h 127.0.0.1 -p {broker.port} -u viewer -P {password_of(broker, 'viewer')}"
        self.note("demo", f"Mosquitto on 127.0.0.1:{broker.port}, NATS servers on {', '.join(servers.urls)}")
        self.note("demo", f"three hubs in {self.directory}; look on from another terminal:")
        self.note("", f"hub cluster status -c {self._nodes[0].folder}/hub.yaml")
        self.note("", f"hub watch --url {self._nodes[1].url}")
        self.note("", f"mosquitto_sub {viewer} -v -t 'hub/alerts/#' -t 'notify/#'")

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        """Make the streams; at the end stop the nodes, the owner last, so that nobody takes over for a moment."""
        await self._create()
        try:
            yield
        finally:
            await asyncio.gather(*(each.stop() for each in self._nodes if not each.owns.is_set()))
            await asyncio.gather(*(each.stop() for each in self._nodes))

    async def _create(self) -> None:
        """Make the streams, as an operator does."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub", "cluster", "create", "-c", "hub.yaml"),
            cwd=self._nodes[0].folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us
        )
        _, said = await process.communicate()
        if process.returncode:
            raise HubError(f"`hub cluster create` failed: {said.decode('utf-8', 'replace').strip()}")

    async def _begin(self) -> None:
        """Start the first node, which owns therefore, then the others."""
        async with asyncio.timeout(_START_SECONDS):
            for node in self._nodes:
                await node.start()
                self._children.append(node.pid)
                await (node.owns if node is self._nodes[0] else node.follows).wait()
        others = " and ".join(each.name for each in self._nodes[1:])
        self.note("cluster", f"{self._nodes[0].name} owns; {others} stand by: they have all of the log")

    async def _show(self, broker: Mosquitto, seconds: float | None, simulator: asyncio.Task[str]) -> None:
        """Count, kill owners, and show the view, until something of it is at its end."""
        counting = asyncio.create_task(self.count.run(broker), name="count")
        parts = [asyncio.create_task(self._story(), name="story"), asyncio.create_task(self._stopped.wait())]
        viewed = [asyncio.create_task(self._look_on(), name="view")] if self.view else []
        broken = [asyncio.create_task(each.ended(), name="end") for each in self._nodes]
        try:
            await self._first_of(parts, viewed, broken, simulator, seconds)
            await self._last()
        finally:
            self.count.end()
            for task in (*parts, *viewed, *broken):
                task.cancel()
            await asyncio.gather(*parts, *viewed, *broken, counting, return_exceptions=True)

    async def _first_of(
        self,
        parts: list[asyncio.Task[Any]],
        viewed: list[asyncio.Task[None]],
        broken: list[asyncio.Task[None]],
        simulator: asyncio.Task[str],
        seconds: float | None,
    ) -> None:
        """Wait for the end of the time, a signal, the end of the story or of the view, or the death of a part."""
        waits: set[asyncio.Task[Any]] = {*parts, *viewed, *broken, simulator}
        until = None if seconds is None else asyncio.get_running_loop().time() + seconds
        while True:
            left = None if until is None else until - asyncio.get_running_loop().time()
            done, waits = await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if simulator in done:
                raise HubError(f"the simulator ended: {simulator.result()}")
            for task in done:
                task.result()  # of a node that has ended by itself: that it has
            if not done or not done <= set(broken):
                return  # else it was a node that the story has killed, and starts again

    async def _story(self) -> None:
        await asyncio.sleep(_CALM_SECONDS)
        while True:
            await self._kill_owner()
            if self.once:
                return
            await asyncio.sleep(_BETWEEN_SECONDS)

    async def _kill_owner(self) -> None:
        """Kill the node that owns, tell what follows, and start it again."""
        owner = next(each for each in self._nodes if each.owns.is_set())
        others = [each for each in self._nodes if each is not owner]
        self.note("cluster", f"kill -9 of {owner.name} (process {owner.pid}), which owns")
        sent = self.count.sent
        await owner.kill()
        silent = await self.count.until_news()
        due = self.count.sent
        await self.count.until_told(due)
        heir = await _first_owner(others)
        self.note(
            "cluster",
            f"{heir.name} owns now; nobody was told for {silent:.1f} s; {due - sent} were due meanwhile, all of"
            " them are told",
        )
        self.note("cluster", str(self.count))
        self.killed += 1
        await owner.start()
        self._children.append(owner.pid)
        await owner.follows.wait()
        self.note("cluster", f"{owner.name} was started again, and stands by")

    async def _look_on(self) -> None:
        """Show the view of a node that is not killed first."""
        node = self._nodes[1]
        await node.serves.wait()
        if self.view is not None:
            await self.view(node.url)

    async def _last(self) -> None:
        """Wait for what is still due, and tell what all came to."""
        self.count.end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await self.count.until_told(self.count.sent)
        self.note("cluster", f"counted by the demo itself: {self.count}")

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do some work; tell whether it was done before a signal came."""
        doing, stopped = asyncio.create_task(work), asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({doing, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                doing.result()
            return doing.done()
        except TimeoutError:
            raise HubError(f"the hubs did not connect within {_START_SECONDS:.0f} s") from None
        finally:
            doing.cancel()
            stopped.cancel()
            await asyncio.gather(doing, stopped, return_exceptions=True)

    def _wrong(self) -> list[str]:
        """Say what must not be."""
        found = []
        if self.count.lost:
            found.append(f"{len(self.count.lost)} were lost, {self.count.lost[0]} the first of them")
        if self.count.twice:
            found.append(f"{len(self.count.twice)} were told twice, {self.count.twice[0]} the first of them")
        if not self.killed:
            found.append("it was too short to kill an owner")
        return found

    def _kill_all(self) -> None:
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


async def _first_owner(nodes: list[DemoNode]) -> DemoNode:
    """Return the node of these that owns first."""
    waits = {asyncio.create_task(each.owns.wait()): each for each in nodes}
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return waits[next(iter(done))]
    finally:
        for task in waits:
            task.cancel()
