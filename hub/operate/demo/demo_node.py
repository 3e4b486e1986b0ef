"""One node of a demo's cluster: `hub run` as a process of its own, and what its log says of who owns."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import orjson

from hub.errors import HubError

__all__ = ["DemoNode"]

_STOP_SECONDS = 15.0
_OWNER, _STANDBY, _HEARS, _HTTP = "owner", "standby", "drained", "http"


class DemoNode:
    """A node in `folder`, which has its hub.yaml."""

    def __init__(self, folder: Path, name: str, url: str) -> None:
        """Start nothing yet; `url` is where it will speak HTTP."""
        self.folder, self.name, self.url = folder, name, url
        self.owns = asyncio.Event()
        """Set while it owns and hears the devices."""
        self.follows = asyncio.Event()
        """Set once it has all of the log, or owns."""
        self.serves = asyncio.Event()
        """Set once it speaks HTTP."""
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[str] | None = None

    @property
    def pid(self) -> int:
        """Process id, 0 while it does not run."""
        return self._process.pid if self._process and self._process.returncode is None else 0

    async def start(self) -> None:
        """Start it."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub", "run", "-c", "hub.yaml", "--json"),
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl-C is for us; the nodes end when we say so
        )
        self._reading = asyncio.create_task(self._read(self._process), name=f"node {self.name}")

    async def _read(self, process: asyncio.subprocess.Process) -> str:
        """Read what it says until it ends; return its last words."""
        last = ""
        if process.stdout is None:
            return last
        async for line in process.stdout:
            try:
                said = orjson.loads(line)
            except ValueError:
                last = line.decode("utf-8", "replace").strip()
                continue
            self._hear(str(said.get("kind", "")))
        await process.wait()
        for state in (self.owns, self.follows, self.serves):
            state.clear()
        return last or f"exit code {process.returncode}"

    def _hear(self, kind: str) -> None:
        if kind == _HEARS:
            self.owns.set()
        elif kind in (_STANDBY, "stopping"):
            self.owns.clear()
        elif kind == _HTTP:
            self.serves.set()
        if kind in (_OWNER, _STANDBY):
            self.follows.set()

    async def ended(self) -> None:
        """Wait for its end.

        Raises:
            HubError: it has ended by itself; with its last words.

        """
        if self._reading is None or self._process is None:
            return
        words = await asyncio.shield(self._reading)
        if self._process.returncode not in (0, -signal.SIGKILL):
            raise HubError(f"node {self.name} ended: {words}")

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it as systemd would; it hands over what it owns."""
        await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None or self._reading is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await asyncio.shield(self._reading)
        except TimeoutError:
            process.kill()
            await self._reading
