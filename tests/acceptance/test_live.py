"""The live view in a real terminal (tmux), against a real hub and broker: what a person sees and does there."""

import asyncio
import json
import os
import secrets
import shlex
import sys
from contextlib import asynccontextmanager

import pytest

from tests.acceptance.scene import scene
from tests.support.hub import ROOT
from tests.support.servers import program

PATIENCE = 30
RULES = """
  - alert: Hot
    topic: t/{site}/{device}
    when: celsius > 30
    summary: "{device} has {celsius} [bold]degrees[/]"
"""
TOKENS = "{listen: '127.0.0.1:0', tokens: [{name: wall, role: viewer, token: see-and-no-more-0}]}"


async def run(*words, **environment):
    """Run a program to its end; return exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        *words,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


class Terminal:
    """A tmux of its own with one window."""

    def __init__(self):
        self._tmux = (program("tmux"), "-L", f"hub-{secrets.token_hex(4)}", "-f", "/dev/null")

    async def start(self, words, width=80, height=24, **environment):
        given = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
        line = f"env {given} {shlex.join(words)}; echo ended with $?; read -r _"
        done = await run(*self._tmux, "new-session", "-d", "-x", str(width), "-y", str(height), line)
        assert done[0] == 0, done

    async def keys(self, *keys):
        await run(*self._tmux, "send-keys", *keys)

    async def text(self):
        return (await run(*self._tmux, "capture-pane", "-p"))[1]

    async def shows(self, *words):
        """Wait until all of these are on it; return all that is."""
        found = ""
        try:
            async with asyncio.timeout(PATIENCE):
                while not all(word in found for word in words):
                    await asyncio.sleep(0.05)
                    found = await self.text()
        except TimeoutError:
            raise AssertionError(f"never showed {words}:\n{found}") from None
        return found

    async def kill(self):
        await run(*self._tmux, "kill-server")


@pytest.fixture
async def terminal():
    made = Terminal()
    yield made
    await made.kill()


@asynccontextmanager
async def hub_with_http(tmp_path, broker, http):
    async with scene(tmp_path, broker, RULES, http=http) as made:
        yield made, await made.hub.url()


def watch(*arguments):
    return [sys.executable, "-m", "hub", "watch", *arguments]


async def alerts(made):
    password = made.hub.broker.settings("hub").password.reveal()
    config = str(made.hub.folder / "hub.yaml")
    code, out, err = await run(sys.executable, "-m", "hub", "alerts", "-c", config, "--json", PASSWORD=password)
    assert code == 0, err
    return json.loads(out)


async def test_an_alert_appears_a_acknowledges_it_and_hub_alerts_shows_who_it_was(tmp_path, broker, terminal):
    async with hub_with_http(tmp_path, broker, "{listen: '127.0.0.1:0'}") as (made, url):
        await terminal.start(watch("--url", url), PYTHONPATH=str(ROOT), USER="ada", LOGNAME="ada")
        await terminal.shows("● live", "no alerts: nothing is the matter")
        await made.send("t/a/stove", {"celsius": 31})
        shown = await terminal.shows("firing", "Hot", "site=a device=stove", "[bold]degrees[/]")
        assert "critical" not in shown
        await terminal.keys("a")
        await terminal.shows("acknowledged: Hot", "acknowledged by ada")
        (alert,) = await alerts(made)
        assert alert["acknowledged"]["by"] == "ada"
        await terminal.keys("2")
        await terminal.shows("t/a/stove", '{"celsius":31}')
        await terminal.keys("q")
        await terminal.shows("ended with 0")


async def test_a_hub_that_is_started_anew_is_found_again_by_the_view(tmp_path, broker, terminal):
    async with hub_with_http(tmp_path, broker, "{listen: '127.0.0.1:0'}") as (made, url):
        await terminal.start(watch("--url", url), PYTHONPATH=str(ROOT))
        await made.send("t/a/stove", {"celsius": 31})
        await terminal.shows("firing", "Hot")
        await made.hub.kill()
        await terminal.shows("AWAY", "firing", "Hot")
        await made.hub.start("--http", url.removeprefix("http://"))
        await made.send("t/b/oven", {"celsius": 32})
        await terminal.shows("● live", "site=a device=stove", "site=b device=oven")


async def test_without_colour_no_colour_is_written(tmp_path, broker, terminal):
    async with hub_with_http(tmp_path, broker, "{listen: '127.0.0.1:0'}") as (made, url):
        await terminal.start(watch("--url", url), PYTHONPATH=str(ROOT), NO_COLOR="1")
        await made.send("t/a/stove", {"celsius": 31})
        await terminal.shows("firing", "Hot")
        raw = (await run(*terminal._tmux, "capture-pane", "-p", "-e"))[1]
        codes = {code for part in raw.split("\x1b[")[1:] for code in part.partition("m")[0].split(";")}
        assert codes <= {"", "0", "1", "2", "4", "7", "39", "49"}


async def test_without_the_right_token_the_view_says_that_one_is_needed(tmp_path, broker, terminal):
    async with hub_with_http(tmp_path, broker, TOKENS) as (made, url):
        await terminal.start(watch("--url", url, "--token", "wrong"), 100, PYTHONPATH=str(ROOT))
        await terminal.shows("wants a token", "this token is not known", "HUB_TOKEN", "ended with 3")
        other = Terminal()
        try:
            words = watch("--url", url, "--token", "!env SEEING")
            await other.start(words, 100, PYTHONPATH=str(ROOT), SEEING="see-and-no-more-0")
            await made.send("t/a/stove", {"celsius": 31})
            await other.shows("firing", "Hot")
            await other.keys("a")
            await other.shows("this needs the role operator")
        finally:
            await other.kill()


async def test_where_no_hub_is_the_view_says_what_to_do(terminal):
    await terminal.start(watch("--url", "http://127.0.0.1:1"), 100, PYTHONPATH=str(ROOT))
    await terminal.shows("no hub at http://127.0.0.1:1", "hub run", "--url", "ended with 3")


async def test_the_demo_on_a_terminal_is_the_live_view_and_q_ends_all_of_it(terminal):
    await terminal.start([sys.executable, "-m", "hub", "demo"], 100, 30, PYTHONPATH=str(ROOT))
    await terminal.shows("● live", "firing")
    await terminal.keys("?")
    await terminal.shows("mosquitto_sub")
    await terminal.keys("Escape")
    await terminal.shows("● live")
    await terminal.keys("q")
    await terminal.shows("What this run came to", "ended with 0")
