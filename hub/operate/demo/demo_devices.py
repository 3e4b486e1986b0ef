"""The devices of a demo: `hub simulate` as a process of its own, with the shipped fleets."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable

from hub.documents.shipped_files import shared
from hub.operate.mosquitto import Mosquitto
from hub.printable import shown

__all__ = ["password_of", "simulated"]

_SEED = 7  # the same faults at the same times for everybody
_CHILD_SECONDS = 5.0  # from SIGTERM until the simulator is killed


@contextlib.asynccontextmanager
async def simulated(broker: Mosquitto, started: Callable[[int], None]) -> AsyncIterator[asyncio.Task[str]]:
    """Run the devices; the task ends with their last words if they end. `started` hears the process id."""
    url = f"mqtt://127.0.0.1:{broker.port}"
    who = {"HUB_SIMULATE_USERNAME": "device", "HUB_SIMULATE_PASSWORD": password_of(broker, "device")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub", "simulate", str(shared("devices"))),
        *("--demo", "--broker", url, "--seed", str(_SEED)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | who,
        start_new_session=True,  # Ctrl-C is for us; the devices end when we say so
    )
    started(process.pid)
    watching = asyncio.create_task(_last_words(process), name="simulator")
    try:
        yield watching
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(_CHILD_SECONDS):
                await asyncio.shield(watching)
        except TimeoutError:
            process.kill()
        await watching


def password_of(broker: Mosquitto, user: str) -> str:
    """Return the password that a user of this broker has."""
    password = broker.settings(user).password
    return password.reveal() if password else ""


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """Read what the process says on stderr until it ends, and return the end of it."""
    said = b""
    if process.stderr:
        while chunk := await process.stderr.read(4096):
            said = (said + chunk)[-2000:]
    await process.wait()
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return shown(lines[-1]) if lines else f"exit code {process.returncode}"
