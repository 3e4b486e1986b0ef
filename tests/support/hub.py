"""`python -m hub run` as a process of its own, against a real broker: started, killed, stopped, listened to."""

import asyncio
import os
import sqlite3
from pathlib import Path

from tests.support import prefork
from tests.support.record import PATIENCE, Record

ROOT = Path(__file__).parents[2]

QUICK = {"SELF_WATCH_SECONDS": 0.2, "SELF_WATCH_SOON_SECONDS": 0.05}
"""Limits of a hub that looks at itself so often that a test need not wait for it."""

QUICK_RELOAD = QUICK | {"RELOAD_LOOK_SECONDS": 0.1}
"""The same of one that looks at its files as often."""

STEPS = """
import signal, time
from hub.clock import SystemClock
ahead = []
SystemClock.now = lambda self: time.time() + sum(ahead)
signal.signal(signal.SIGUSR1, lambda *_: ahead.append(3600.0))
signal.signal(signal.SIGUSR2, lambda *_: ahead.append(-3600.0))
"""
"""A hub's wall clock that SIGUSR1 sets an hour forward and SIGUSR2 an hour back; the other clock goes on."""


class Hub:
    """A folder with hub.yaml and rules, and the process that runs there.

    `limits` are values of hub/limits.py to run with, for what would take too long to wait for; `before` is a program
    to run first; `settings` further lines of hub.yaml, `http` what stands there under that key. `lines` are what the
    present (or last) process has said on stdout; `past` what those before it said.
    """

    def __init__(
        self,
        folder,
        broker,
        rules,
        *,
        client_id="hub",
        state="hub.db",
        port=None,
        limits=None,
        settings="",
        http="false",
        before="",
        protocol="5",
    ):
        self.folder, self.broker = folder, broker
        self.rules = folder / "rules" / "rules.yaml"
        self.rules.parent.mkdir(parents=True, exist_ok=True)
        self.rules.write_text(rules, "utf-8")
        self.state = folder / state
        who = f"username: hub, password: !env PASSWORD, client_id: {client_id}, protocol: '{protocol}'"
        self._limits, self._before = limits or {}, before
        url = f"mqtt://127.0.0.1:{port or broker.port}"
        self._settings = f"broker: {{url: '{url}', {who}}}\nstate: {state}\nrules: [rules]\nhttp: {http}\n"
        self.configure(settings)
        self.process = None
        self.lines, self.errors, self.past = Record(), Record(), []

    def configure(self, settings):
        """Write hub.yaml, with these further lines."""
        (self.folder / "hub.yaml").write_text(self._settings + settings, "utf-8")

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, kind, error, trace):
        await self.kill()
        if error is not None:
            print("\n".join(["what the hub said:", *self.past, *self.lines[-100:], *self.errors]))

    async def start(self, *arguments, connected=True):
        """Start it and, unless told otherwise, wait until all that the broker held for it is in."""
        self.past += self.lines
        self.lines, self.errors = Record(), Record()
        env = os.environ | {"PASSWORD": self.broker.settings("hub").password.reveal(), "PYTHONPATH": str(ROOT)}
        arguments = ("run", "-c", "hub.yaml", *arguments)
        self.process = await prefork.start(
            *arguments, cwd=self.folder, env=env, limits=self._limits, before=self._before
        )
        self._readers = [
            asyncio.create_task(_read(self.process.stdout, self.lines)),
            asyncio.create_task(_read(self.process.stderr, self.errors)),
        ]
        for reader in self._readers:
            reader.add_done_callback(lambda _, lines=self.lines: lines.look())
        if connected:
            await self.says(" drained ")

    async def url(self):
        """Return where its HTTP interface listens."""
        return (await self.says(" http listens on ")).rpartition(" ")[2]

    async def says(self, *words, after=0, seconds=PATIENCE):
        """Wait for a line, behind the first `after`, with all these words; return it."""

        def look(lines):
            found = next((line for line in lines[after:] if all(word in line for word in words)), None)
            if found is None and all(reader.done() for reader in self._readers):
                last = "\n".join([*lines[-15:], *self.errors[-40:]])
                raise AssertionError(f"ended without {words}:\n{last}")
            return found

        return await self.lines.until(look, seconds, f"{words}")

    def signal(self, which):
        self.process.send_signal(which)

    async def kill(self):
        """End it with SIGKILL; nothing where it has ended."""
        if self.process.returncode is None:
            self.process.kill()
        await self.ended()

    async def stop(self, seconds=PATIENCE):
        """End it with SIGTERM and return its exit code."""
        self.process.terminate()
        return await self.ended(seconds)

    async def ended(self, seconds=PATIENCE):
        """Wait until it has ended by itself; return its exit code."""
        async with asyncio.timeout(seconds):
            await asyncio.wait(self._readers)  # which a wait in vain must not cancel: the next one needs them
            return await self.process.wait()

    def rows(self, sql):
        """Query the state file beside the hub."""
        with sqlite3.connect(f"file:{self.state}?mode=ro", uri=True) as connection:
            found = connection.execute(sql).fetchall()
        connection.close()
        return found


async def _read(stream, record):
    while line := await stream.readline():
        record.add(line.decode().rstrip("\n"))
