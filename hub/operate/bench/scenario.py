"""Runs one load against a fresh broker and a fresh hub, each a process as users run it, and measures both."""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from hub.errors import HubError
from hub.operate.bench.load import Ears, publish, rules_text
from hub.operate.mosquitto import Mosquitto

__all__ = ["SCENARIOS", "Bench", "Came", "Log", "Scenario", "cpu_seconds", "run_scenario", "running"]

_START_SECONDS = 60.0
_TOPICS = 1000
_LAST_CHECKPOINT_SECONDS = 1.2  # batches without an alert are committed a second later: their CPU time counts, too


@dataclass(frozen=True, slots=True)
class Scenario:
    """How many rules, whether each has a topic of its own, and events per second (0: as fast as they are taken)."""

    name: str
    rules: int = 1
    topics_each: bool = False
    rate: int = 0


SCENARIOS = (
    Scenario("as fast as it goes, 1 rule"),
    Scenario("the same, 1,000 rules on 1,000 topics", 1000, topics_each=True),
    Scenario("the same, 100 rules on one filter", 100),
    Scenario("1,000 events/s, 1 rule", rate=1000),
)


@dataclass(frozen=True, slots=True)
class Came:
    """The result of a scenario: CPU time in microseconds per event, latency from event to alert in milliseconds."""

    scenario: str
    rules: int
    rate: int
    events: int
    events_per_second: int
    hub_us_per_event: float
    broker_us_per_event: float
    hub_to_broker: float
    alerts: int
    due: int
    p50_ms: float
    p99_ms: float


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, all its threads together.

    Raises:
        HubError: /proc cannot be read, because the system is no Linux.

    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    except OSError:
        raise HubError("the CPU time of a process cannot be read: that needs Linux, with /proc") from None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Log:
    """The file into which a hub writes its log."""

    path: Path

    @property
    def text(self) -> str:
        """What the hub has logged so far."""
        return self.path.read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Bench:
    """A broker, the process id of a hub behind it, and the hub's log."""

    broker: Mosquitto
    hub: int
    log: Log


@contextlib.asynccontextmanager
async def running(rules: str, settings: str = "http: false\n") -> AsyncIterator[Bench]:
    """Yield a broker and a hub with these rules and these lines of hub.yaml, when the hub has subscribed.

    Raises:
        HubError: Mosquitto is missing, or the hub does not start.

    """
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        place = Path(folder)
        async with Mosquitto(place / "broker") as broker:
            _write(place, broker, rules, settings)
            command = (sys.executable, "-m", "hub", "run", "-c", str(place / "hub.yaml"))
            with Log(place / "log").path.open("wb") as out:
                hub = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=out, cwd=place)
            try:
                await _drained(hub, Log(place / "log"))
                yield Bench(broker, hub.pid, Log(place / "log"))
            finally:
                with contextlib.suppress(ProcessLookupError):
                    hub.terminate()
                await hub.wait()


def _write(place: Path, broker: Mosquitto, rules: str, settings: str) -> None:
    """Write hub.yaml, and the files that it names."""
    place.chmod(0o755)
    (place / "rules").mkdir()
    (place / "rules" / "bench.yaml").write_text(rules, "utf-8")
    password = broker.settings("hub").password
    (place / "password").write_text(password.reveal() if password else "", "utf-8")
    url = f"mqtt://127.0.0.1:{broker.port}"
    lines = f"broker: {{url: '{url}', username: hub, password: !file password}}\n{settings}"
    (place / "hub.yaml").write_text(lines, "utf-8")


async def _drained(hub: asyncio.subprocess.Process, log: Log) -> None:
    """Wait until the hub logs that it has subscribed and taken what waited for it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_START_SECONDS):
            while " drained " not in log.text:
                if hub.returncode is not None:
                    raise HubError(f"the hub did not start:\n{log.text}")
                await asyncio.sleep(0.05)
            return
    raise HubError(f"the hub did not connect within {_START_SECONDS:.0f} s:\n{log.text}")


async def run_scenario(
    scenario: Scenario, *, events: int = 0, seconds: float = 0.0, sent: Callable[[int], None] = lambda _: None
) -> Came:
    """Run a scenario with so many events or for so many seconds, and return its result; `sent` hears how far it is."""
    async with running(rules_text(scenario.rules, topics_each=scenario.topics_each)) as bench:
        return await asyncio.to_thread(_load, scenario, bench, events, seconds, sent)


def _load(scenario: Scenario, bench: Bench, events: int, seconds: float, sent: Callable[[int], None]) -> Came:
    ears = Ears(bench.broker.settings("viewer"))
    topics = [f"site/{n}/device/telemetry" for n in range(_TOPICS)]
    pids = bench.hub, bench.broker.pid
    before = [cpu_seconds(pid) for pid in pids]
    out = publish(
        bench.broker.settings("device"), topics, events=events, seconds=seconds, rate=scenario.rate, sent=sent
    )
    due = ears.wait(out.events)
    time.sleep(_LAST_CHECKPOINT_SECONDS)
    hub, broker = ((cpu_seconds(pid) - was) / out.events * 1e6 for pid, was in zip(pids, before, strict=True))
    took = sorted(ears.seconds) or [0.0]
    return Came(
        scenario=scenario.name,
        rules=scenario.rules,
        rate=scenario.rate,
        events=out.events,
        events_per_second=round(out.events / out.seconds),
        hub_us_per_event=round(hub, 2),
        broker_us_per_event=round(broker, 2),
        hub_to_broker=round(hub / max(broker, 0.01), 2),
        alerts=len(ears.seconds),
        due=due,
        p50_ms=round(took[len(took) // 2] * 1000, 2),
        p99_ms=round(took[int(len(took) * 0.99)] * 1000, 2),
    )
