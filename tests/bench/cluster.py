"""A cluster of two hubs on three NATS servers (R3, `sync_interval: always`), beside a single hub.

    python -m tests.bench.cluster                    # all parts
    python -m tests.bench.cluster saturation --events 60000 --rounds 3
    python -m tests.bench.cluster latency            # publish to alert at 500 events/s, by turns
    python -m tests.bench.cluster takeover           # kill -9 of an owner that has 50,000 instances
    python -m tests.bench.cluster move               # `hub cluster move`, as whoever is told sees it

Each hub is a process as its users run it. Under `saturation` the single hub and the cluster hear the same events from
the same broker at the same time: seven processes on two cores make each other slower, so that CPU times of two runs
one after the other cannot be compared. Figures of a shared machine vary: quote the ratios of one run.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import signal
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from hub.cluster.log.state_log import LogNames
from hub.cluster.servers.jetstream import JetStream
from hub.cluster.servers.link import Link
from hub.documents.secret import Secret
from hub.operate.bench.load import HOT, Ears, publish, rules_text
from hub.operate.bench.scenario import cpu_seconds
from hub.operate.mosquitto import Mosquitto
from hub.operate.nats_servers import NatsServers
from hub.settings.cluster_settings import ClusterSettings

ROOT = Path(__file__).parents[2]
TOPICS = [f"site/{n}/device/telemetry" for n in range(1000)]
RULE = rules_text(1, topics_each=False)
WATCHED = "  - {alert: Watched, topic: 'watched/{device}', when: temperature > 90, absent: 2h, notify: [out]}\n"
CHECKPOINT_SECONDS = 1.5
STEADY = 500
WARM_EVENTS = 2000


class OneHub:
    """One `hub run`: its folder, its process, what it logs. `more` is what its hub.yaml has beside the broker."""

    def __init__(self, folder, broker, rules, client_id, more=""):
        self.folder, self.process = folder, None
        (folder / "rules").mkdir(parents=True)
        (folder / "rules" / "bench.yaml").write_text(rules, "utf-8")
        password = broker.settings("hub").password.reveal()
        (folder / "hub.yaml").write_text(
            f"broker: {{url: 'mqtt://127.0.0.1:{broker.port}', username: hub, client_id: {client_id},"
            f" password: '{password}'}}\nhttp: false\n{more}\n",
            "utf-8",
        )

    async def start(self):
        with (self.folder / "log").open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hub", "run", "-c", "hub.yaml"),
                cwd=self.folder,
                stdout=out,
                stderr=out,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )

    async def says(self, word, after=0):
        async with asyncio.timeout(60):
            while word not in self.log[after:]:
                assert self.process.returncode is None, self.log
                await asyncio.sleep(0.01)

    @property
    def log(self):
        path = self.folder / "log"
        return path.read_text("utf-8") if path.exists() else ""

    @property
    def pid(self):
        return self.process.pid

    @property
    def owns(self):
        """Whether it owns the unit, by what it has said last."""
        said = [line.split()[1] for line in self.log.splitlines() if len(line.split()) > 1]
        last = [word for word in said if word in ("owner", "standby", "start", "stopping")]
        return self.process.returncode is None and last[-1:] == ["owner"]

    async def end(self, how=signal.SIGTERM):
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()


class Several:
    """Broker, servers, and the nodes `a`, which owns at first, and `b`."""

    def __init__(self, broker, servers, nodes):
        self.broker, self.servers, self.nodes = broker, servers, nodes

    async def log_bytes(self):
        """Return how many bytes the log has, on one server."""
        settings = ClusterSettings(
            tuple(map(Secret, self.servers.urls)), "bench", "x", user="hub", password=self.servers.password
        )
        link = Link(settings, "bench", lambda _: None)
        task = asyncio.create_task(link.run())
        try:
            await link.ready()
            return (await JetStream(link).info(LogNames("bench").stream))["state"]["bytes"]
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def command(self, *words):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub", "cluster", *words, "-c", "hub.yaml"),
            cwd=self.nodes[0].folder,
            stdout=asyncio.subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert await process.wait() == 0


@contextlib.asynccontextmanager
async def place():
    """Yield a folder and a broker in it."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        Path(folder).chmod(0o755)
        async with Mosquitto(Path(folder) / "broker") as broker:
            yield Path(folder), broker


@contextlib.asynccontextmanager
async def alone(folder, broker):
    hub = OneHub(folder / "alone", broker, RULE, "alone")
    try:
        await hub.start()
        await hub.says(" drained ")
        yield hub
    finally:
        await hub.end()


@contextlib.asynccontextmanager
async def cluster(folder, broker, rules=RULE):
    async with NatsServers(folder / "nats") as servers:
        nodes = [
            OneHub(folder / name, broker, rules, "unit", f"cluster: {{{servers.yaml}, name: bench, node: {name}}}")
            for name in "ab"
        ]
        several = Several(broker, servers, nodes)
        try:
            await several.command("create")
            await nodes[0].start()
            await nodes[0].says(" drained ")
            await nodes[1].start()
            await nodes[1].says(" nats connected")
            await asyncio.sleep(CHECKPOINT_SECONDS)
            yield several
        finally:
            for node in reversed(nodes):
                await node.end()


def load(broker, events, rate=0):
    """Publish and wait for the alerts; return the seconds from publish to alert."""
    ears = Ears(broker.settings("viewer"))
    out = publish(broker.settings("device"), TOPICS, events=events, rate=rate)
    due = ears.wait(out.events)
    assert len(ears.seconds) == due, f"{due - len(ears.seconds)} alerts are missing"
    time.sleep(CHECKPOINT_SECONDS)
    return sorted(ears.seconds)


async def costs(broker, groups, events, rate=0):
    """Return µs of CPU an event for each group of processes, and what `load` returns."""
    await asyncio.to_thread(load, broker, WARM_EVENTS)
    before = [sum(map(cpu_seconds, each)) for each in groups]
    took = await asyncio.to_thread(load, broker, events, rate)
    used = [sum(map(cpu_seconds, each)) for each in groups]
    return [(now - then) / events * 1e6 for now, then in zip(used, before, strict=True)], took


def groups_of(several):
    return [*([node.pid] for node in several.nodes), several.servers.pids]


async def saturation(events, rounds):
    ratios = []
    for _ in range(rounds):
        async with place() as (folder, broker), alone(folder, broker) as hub, cluster(folder, broker) as several:
            before = await several.log_bytes()
            groups = [[hub.pid], *groups_of(several), [broker.pid]]
            (single, owner, standby, servers, mosquitto), _ = await costs(broker, groups, events)
            size = (await several.log_bytes() - before) / (events + WARM_EVENTS)
        ratios.append(owner / single)
        print(
            f"as fast as it goes: single {single:.1f}, owner {owner:.1f}, standby {standby:.1f}, three servers"
            f" {servers:.1f}, broker {mosquitto:.1f} µs CPU an event; {size:.0f} bytes of log an event",
            flush=True,
        )
    print(f"owner / single {statistics.median(ratios):.2f} ({', '.join(f'{each:.2f}' for each in sorted(ratios))})")


async def latency(events, rounds):
    apart = []
    for _ in range(rounds):
        async with place() as (folder, broker), alone(folder, broker) as hub:
            (single,), one = await costs(broker, [[hub.pid]], events, STEADY)
        async with place() as (folder, broker), cluster(folder, broker) as several:
            before = await several.log_bytes()
            (owner, standby, servers), two = await costs(broker, groups_of(several), events, STEADY)
            size = (await several.log_bytes() - before) / (events + WARM_EVENTS)
        apart.append(at(two, 0.5) - at(one, 0.5))
        print(
            f"{STEADY} events/s: publish to alert p50 / p99, single {at(one, 0.5):.1f} / {at(one, 0.99):.1f} ms,"
            f" cluster {at(two, 0.5):.1f} / {at(two, 0.99):.1f} ms; single {single:.0f}, owner {owner:.0f}, standby"
            f" {standby:.0f}, three servers {servers:.0f} µs CPU an event; {size:.0f} bytes of log an event",
            flush=True,
        )
    print(f"p50 of the cluster - p50 of the single hub: {statistics.median(apart):+.1f} ms")


def at(in_order, share):
    return in_order[int((len(in_order) - 1) * share)] * 1000


class Told:
    """A device that is hot ten times a second, and when the alerts of that came, all on one clock."""

    def __init__(self, broker):
        self.came, self.running = [], True
        self._broker, self._ears = broker, Ears(broker.settings("viewer"))
        self._ears.seconds = self
        threading.Thread(target=self._send, daemon=True).start()

    def append(self, _):
        self.came.append(time.monotonic())

    def _send(self):
        publish(self._broker.settings("device"), TOPICS[:1], events=10**6, rate=10 * HOT, sent=self._sent)

    def _sent(self, _):
        if not self.running:
            raise SystemExit  # ends the thread that sends

    async def next_after(self, moment):
        async with asyncio.timeout(120):
            while not (self.came and self.came[-1] > moment):
                await asyncio.sleep(0.005)
        return next(each for each in self.came if each > moment)

    def longest_gap(self, since):
        came = [each for each in self.came if each >= since - 0.5]
        return max((b - a for a, b in itertools.pairwise(came)), default=0.0)


async def takeover(instances, rounds):
    async with place() as (folder, broker), cluster(folder, broker, RULE + WATCHED) as several:
        await fill(several, instances)
        for _ in range(rounds):
            told = Told(broker)
            await told.next_after(time.monotonic() + 2)
            owner, other = sorted(several.nodes, key=lambda each: not each.owns)
            memory, begun = rss(other.pid), time.monotonic()
            await owner.end(signal.SIGKILL)
            await told.next_after(begun + 0.5)
            print(
                f"kill -9 with {instances:,} instances: {told.longest_gap(begun):.2f} s without a word; memory of the"
                f" standby {memory:.0f} MB, as an owner {rss(other.pid):.0f} MB",
                flush=True,
            )
            told.running = False
            at = len(owner.log)
            await owner.start()
            await owner.says(" nats connected", after=at)
            await asyncio.sleep(3)


async def move(instances, rounds):
    async with place() as (folder, broker), cluster(folder, broker, RULE + WATCHED) as several:
        await fill(several, instances)
        told = Told(broker)
        for _ in range(rounds):
            await told.next_after(time.monotonic() + 2)
            to = next(each for each in several.nodes if not each.owns)
            begun = time.monotonic()
            await several.command("move", "main", to.folder.name)
            ended = time.monotonic()
            await told.next_after(ended)
            print(
                f"move with {instances:,} instances: {told.longest_gap(begun):.2f} s without a word; the command took"
                f" {ended - begun:.1f} s",
                flush=True,
            )
        told.running = False


async def fill(several, instances):
    """Let each device speak once, and wait until the hub has written the last message of each, as it has by day."""
    names = [f"watched/{n}" for n in range(instances)]
    await asyncio.to_thread(publish, several.broker.settings("device"), names, events=instances)
    async with asyncio.timeout(180):
        while written(several.nodes[0].folder / "hub.db") < instances:
            await asyncio.sleep(0.5)
    await asyncio.sleep(CHECKPOINT_SECONDS)


def written(file):
    """Return of how many topics the file has the last message."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT count(*) FROM desk WHERE kind = 'heard' AND key LIKE 'watched/%'")
        return found.fetchone()[0]


def rss(pid):
    """Return the resident memory of a process in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


PARTS = {
    "saturation": lambda options: saturation(options.events, options.rounds),
    "latency": lambda options: latency(min(options.events, 10_000), options.rounds),
    "takeover": lambda options: takeover(options.instances, options.rounds),
    "move": lambda options: move(options.instances, options.rounds),
}


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=[*PARTS])
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--instances", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for name, part in PARTS.items():
        if options.part in (None, name):
            await part(options)


if __name__ == "__main__":
    asyncio.run(main())
