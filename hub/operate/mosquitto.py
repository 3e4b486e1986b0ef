"""A Mosquitto of our own with the shipped configuration, on a free loopback port: for `hub demo` and the tests.

The very mosquitto.conf and mosquitto.acl that are shipped are run; only port, paths and the system user are others.
"""

import asyncio
import contextlib
import os
import random
import secrets
import shutil
import signal
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hub.documents.secret import Secret
from hub.documents.shipped_files import shared
from hub.errors import HubError
from hub.ingest.mqtt.session import BrokerSettings

__all__ = ["USERS", "Mosquitto", "free_port"]

USERS = ("hub", "device", "operator", "viewer", "homeassistant")
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/usr/local/opt/mosquitto/sbin")
_START_SECONDS = 30.0
_STOP_SECONDS = 30.0
_PORT_ATTEMPTS = 20
_PORTS = range(20_000, 32_768)  # Linux gives those above to connections that go out, others still higher ones


class Mosquitto:
    """A broker in `directory` (which keeps configuration, passwords, data and log), started by `async with` or `start`.

    `extra` are further lines of configuration; `replace` maps a keyword of the shipped file to another value, or to
    None to leave its line out. Users have random passwords; `settings(user)` knows them.
    """

    def __init__(
        self, directory: Path, *, extra: Iterable[str] = (), replace: Mapping[str, str | None] | None = None
    ) -> None:
        """Take a directory that exists or can be made; nothing is started yet."""
        self.directory = directory
        self.port = 0
        self._extra = tuple(extra)
        self._replace = dict(replace or {})
        self._passwords = {user: Secret(secrets.token_urlsafe(12)) for user in USERS}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Process id of the running broker, 0 when it is not running."""
        return self._process.pid if self._process and self._process.returncode is None else 0

    @property
    def log(self) -> str:
        """Everything the broker has said since it was first started."""
        path = self.directory / "mosquitto.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def settings(self, user: str = "hub", **changes: Any) -> BrokerSettings:
        """Return how `user` reaches this broker; `changes` are further fields of BrokerSettings.

        The client id is the user's name unless it is among the changes.
        """
        known: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "client_id": user}
        return BrokerSettings(**known | {"username": user, "password": self._passwords[user]} | changes)

    async def start(self) -> None:
        """Start it, again on the same port and data if it ran before, and return when it takes connections.

        Raises:
            HubError: Mosquitto is not installed, or it does not start; its own words are in the message.

        """
        program = _program("mosquitto")
        if not (self.directory / "passwd").exists():
            await self._prepare()
        for _ in range(_PORT_ATTEMPTS):
            port = self.port or free_port()
            (self.directory / "mosquitto.conf").write_text(self._configuration(port), "utf-8")
            if await self._launch(program):
                self.port = port
                return
            if not self._port_was_taken():
                break
            await asyncio.sleep(0.1 if self.port else 0)
        raise HubError(f"Mosquitto did not start in {self.directory}: {self._last_words()}")

    async def stop(self) -> None:
        """End it as an operator would (SIGTERM): it saves its data first. Returns when it is gone."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it as a power cut would (SIGKILL). Returns when it is gone."""
        await self._end(signal.SIGKILL)

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        await self.stop()

    async def _prepare(self) -> None:
        """Make the directory, the ACL and the password file, all for the user Mosquitto will run as."""
        program = _program("mosquitto_passwd")
        self.directory.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared("mosquitto.acl"), self.directory / "mosquitto.acl")
        (self.directory / "mosquitto.acl").chmod(0o600)
        passwords = self.directory / "passwd.new"
        lines = [f"{user}:{password.reveal()}\n" for user, password in self._passwords.items()]
        passwords.touch(0o600)
        passwords.write_text("".join(lines), "utf-8")
        # -U hashes a whole file: no password ever stands in a process list
        process = await asyncio.create_subprocess_exec(
            program, "-U", str(passwords), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
        if process.returncode:
            raise HubError(f"mosquitto_passwd failed: {said.decode('utf-8', 'replace').strip()}")
        passwords.rename(self.directory / "passwd")

    def _configuration(self, port: int) -> str:
        """Return the shipped configuration with port, paths and user of this one."""
        ours: dict[str, str | None] = {
            "listener": f"{port} 127.0.0.1",
            "password_file": str(self.directory / "passwd"),
            "acl_file": str(self.directory / "mosquitto.acl"),
            "persistence_location": f"{self.directory}/",
            # as root it would become `mosquitto`, who may not enter our directory
            "user": "root" if os.geteuid() == 0 else None,
        }
        ours |= self._replace
        lines = []
        for line in shared("mosquitto.conf").read_text("utf-8").splitlines():
            keyword = line.split(" ", 1)[0]
            value = ours.pop(keyword, line)
            if value is not None:
                lines.append(line if value is line else f"{keyword} {value}")
        lines += [f"{keyword} {value}" for keyword, value in ours.items() if value is not None]
        return "\n".join([*lines, *self._extra, ""])

    async def _launch(self, program: str) -> bool:
        """Start the process and wait for its word that it runs; False when it ended instead."""
        path = self.directory / "mosquitto.log"
        seen = path.stat().st_size if path.exists() else 0
        with path.open("ab") as log:
            configuration = str(self.directory / "mosquitto.conf")
            self._process = await asyncio.create_subprocess_exec(
                *(program, "-c", configuration),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is for the hub, which ends its broker last
            )
        ended = asyncio.create_task(self._process.wait(), name="mosquitto")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                while not ended.done():
                    if b" running\n" in path.read_bytes()[seen:]:
                        ended.cancel()
                        return True
                    await asyncio.wait([ended], timeout=0.01)
                return False
        await self.kill()
        return False

    def _last_words(self) -> str:
        lines = [line.split(": ", 1)[-1] for line in self.log.splitlines()]
        return "; ".join([line for line in lines if line.startswith("Error")][-2:] or lines[-1:]) or "it said nothing"

    def _port_was_taken(self) -> bool:
        return "Address already in use" in "".join(self.log.splitlines()[-3:])

    async def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _program(name: str) -> str:
    """Return the path of a program that may stand where a normal user's PATH does not look."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *_PLACES]))
    if path is None:
        raise HubError(
            f"{name} is not installed: `sudo apt-get install mosquitto` (Debian, Ubuntu), `brew install mosquitto`"
        )
    return path


def free_port() -> int:
    """Return a loopback port that nobody listens on now; `start` tries another when it is taken in between.

    It is one that systems do not give to connections that go out: else any of those could take it in between.
    """
    for port in random.sample(_PORTS, _PORT_ATTEMPTS):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
