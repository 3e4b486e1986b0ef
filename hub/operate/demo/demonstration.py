"""Runs what `hub demo` shows: a broker, devices, the shipped rules, and a listener that stands for the outside world.

    simulator ── MQTT ──▶ Mosquitto ──▶ App ──▶ MQTT topics, and the Listener as webhook, mail and SMS gateway
                                       └──▶ the web page, on a free port

Everything except the simulator and Mosquitto runs in this process. The shipped files are used as they are, except
`receivers.yaml`, the one file that every user must edit.
"""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from hub.app import App
from hub.clock import SystemClock
from hub.config import load_settings
from hub.documents.shipped_files import shared
from hub.errors import HubError
from hub.observer import Observer, Observers
from hub.operate.api.front.server import HttpServer
from hub.operate.demo.demo_devices import password_of, simulated
from hub.operate.demo.listener import DemoListener, Note
from hub.operate.figures.figures import Figures
from hub.operate.figures.summary import Summary
from hub.operate.mosquitto import Mosquitto
from hub.operate.process.runner import Stopper

__all__ = ["RECEIVERS", "Demo", "View", "missing", "write_rules"]

View = Callable[[str], Awaitable[None]]
"""Shows the hub at a URL until a person leaves it."""

_CONNECT_SECONDS = 20.0  # for the hub to reach its broker, on a slow machine
RECEIVERS = """\
# The demo's own: everything that would leave this machine goes to a listener inside the demo.
defaults: {{notify: [board]}}
receivers:
  chat: {{webhook: {{url: "{chat}", secret: demo}}}}
  email: "{email}"
  sms: "{sms}"
  shop: {{webhook: {{url: "{shop}"}}}}
  cart_owner: {{mqtt: {{topic: "notify/customer/{{customer}}"}}}}
  board: {{mqtt: {{topic: "notify/{{severity}}/{{alertname}}"}}}}
"""


@dataclass(slots=True)
class Demo:
    """One demonstration. It writes its files into `directory`, which the caller removes afterwards."""

    directory: Path
    observer: Observer
    note: Note
    figures: Figures = field(default_factory=Figures)
    view: View | None = None
    """Shows the hub; when it ends, the demonstration ends."""
    _url: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _children: list[int] = field(default_factory=list)

    async def run(self, seconds: float | None) -> Summary:
        """Run for `seconds` (None: without end) or until a signal, and return the figures.

        Raises:
            HubError: there is no Mosquitto, or the simulator or the hub ended by itself.

        """
        stopper = Stopper(self._stopped.set, self._kill_children)
        stopper.install()
        async with Mosquitto(self.directory / "broker") as broker, DemoListener(self.note) as listener:
            self._children.append(broker.pid)
            app, connected = self._app(broker, listener)
            self._introduce(broker, listener)
            running = asyncio.create_task(app.run(), name="app")
            try:
                await self._connected(connected, running)
                async with (
                    simulated(broker, self._children.append) as simulator,
                    self._viewed() as viewed,
                ):
                    await self._until(seconds, running, simulator, viewed)
            finally:
                app.stop()
                await running
        stopper.done.set()
        return self.figures.summary()

    def _app(self, broker: Mosquitto, listener: DemoListener) -> tuple[App, asyncio.Event]:
        """Write the demo's hub.yaml and rules, and make the hub of them as `hub run` does."""
        write_rules(self.directory / "rules", listener)
        config = self.directory / "hub.yaml"
        config.touch(0o600)
        config.write_text(
            f"broker: {{url: mqtt://127.0.0.1:{broker.port}, username: hub, password: {password_of(broker, 'hub')}}}\n"
            f"rules: [rules]\ndevices: ['{shared('devices')}']\nstate: hub.db\nhttp: {{listen: '127.0.0.1:0'}}\n",
            "utf-8",
        )
        settings = load_settings(config, broker=None, rules=(), devices=(), state=None, http=None)
        connected, clock = _Connected(), SystemClock()
        server = HttpServer(settings.http, clock, self.figures, self._listens)
        observers = Observers(self.observer, self.figures, connected, server.observer)
        return App(settings, observers, clock, [server]), connected.event

    def _listens(self, url: str) -> None:
        """Tell the hub's HTTP address, as soon as the port is open."""
        self.note("demo", f"the notification centre, for a browser: {url}/")
        self.note("demo", "the live view, for another terminal:")
        self.note("", f"hub watch --url {url}")
        self._url.set_result(url)

    @contextlib.asynccontextmanager
    async def _viewed(self) -> AsyncIterator[asyncio.Future[None] | None]:
        """Show the live view, if there is one; the task ends when a person leaves it."""
        if self.view is None:
            yield None
            return
        watching = asyncio.ensure_future(self.view(await self._url))
        try:
            yield watching
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    def _introduce(self, broker: Mosquitto, listener: DemoListener) -> None:
        """Say what runs where, and how to watch it or send events from another terminal."""
        viewer = f"-h 127.0.0.1 -p {broker.port} -u viewer -P {password_of(broker, 'viewer')}"
        device = f"-h 127.0.0.1 -p {broker.port} -u device -P {password_of(broker, 'device')}"
        self.note("demo", f"Mosquitto on 127.0.0.1:{broker.port} with the shipped configuration, users and ACL")
        self.note("demo", f"rules and settings in {self.directory}; they are read again when you edit them")
        self.note("demo", f"webhook, mail and SMS gateway: a listener at {listener.url('')}")
        self.note("demo", "look on from another terminal:")
        self.note("", f"mosquitto_sub {viewer} -v -t 'hub/alerts/#' -t 'notify/#'")
        self.note("demo", "or be a device:")
        self.note("", f"mosquitto_pub {device} -t site/berlin/smoke/hall-1/alarm -m '{{\"smoke\": true}}'")

    async def _connected(self, connected: asyncio.Event, running: asyncio.Task[None]) -> None:
        """Wait until the hub has subscribed: what devices send before nobody would see."""
        waiting = asyncio.create_task(connected.wait(), name="connected")
        stopped = asyncio.create_task(self._stopped.wait(), name="stopped")
        await asyncio.wait({waiting, running, stopped}, timeout=_CONNECT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        stopped.cancel()
        if running.done():
            await running
        if not (connected.is_set() or self._stopped.is_set()):
            raise HubError(f"the hub did not connect to its broker within {_CONNECT_SECONDS:.0f} s")

    async def _until(
        self,
        seconds: float | None,
        running: asyncio.Task[None],
        simulator: asyncio.Task[str],
        viewed: "asyncio.Future[None] | None",
    ) -> None:
        """Wait until the time is over, a signal comes, the view is left, or a part ends by itself."""
        stopped = asyncio.create_task(self._stopped.wait(), name="stopped")
        parts = {stopped, running, simulator} | ({viewed} if viewed else set())
        await asyncio.wait(parts, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if viewed and viewed.done():
            await viewed
        if running.done():
            await running
            if not self._stopped.is_set():
                raise HubError("the hub ended by itself")
        if simulator.done():
            raise HubError(f"the simulator ended: {simulator.result()}")

    def _kill_children(self) -> None:
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def missing(summary: Summary) -> list[str]:
    """Return what a demonstration should have shown and did not; empty when all is well."""
    wanted = {
        "no event came in": summary.egr.total,
        "no alert fired": summary.fired,
        "no alert resolved": summary.resolved,
        "no notification of a firing alert was delivered": summary.sent_firing,
        "no notification of a resolved alert was delivered": summary.sent_resolved,
    }
    return [words for words, count in wanted.items() if not count]


def write_rules(folder: Path, listener: DemoListener) -> None:
    """Write the shipped rules, with receivers that all lead to the listener."""
    shutil.copytree(shared("rules"), folder)
    receivers = RECEIVERS.format(
        chat=listener.url("chat"),
        email=listener.apprise_url("email"),
        sms=listener.apprise_url("sms"),
        shop=listener.url("shop"),
    )
    (folder / "receivers.yaml").write_text(receivers, "utf-8")


class _Connected(Observer):
    """Sets `event` when the hub has connected and subscribed."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def session(self, kind: str, detail: str) -> None:
        if kind == "connected":
            self.event.set()
