"""A second hub by mistake: on the same state file, or with the same client id."""

import asyncio
import os
import subprocess
import sys

import pytest

from hub.config import Settings
from hub.operate.client.ask import NoAnswer, ask
from tests.support.ends import watching
from tests.support.hub import ROOT, Hub
from tests.support.mqtt import bounded, client
from tests.support.takeover import Naming

RULES = """\
receivers: {bus: {mqtt: {topic: "alerts/{alertname}/{device}"}}}
rules: [{event: Rang, topic: "bell/{device}", notify: [bus]}]
"""


async def spent(log, cwd, *arguments):
    """Run Python to its end; return its exit code and its seconds of processor time: others' are not its doing."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd,
            env=os.environ | {"PASSWORD": "unused", "PYTHONPATH": str(ROOT)},
            stdout=out,
            stderr=out,
        )
        _, status, used = await bounded(asyncio.to_thread(os.wait4, process.pid, 0))
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


async def test_a_second_hub_on_the_same_state_file_ends_as_soon_as_it_is_loaded_and_names_the_first(tmp_path, broker):
    async with Hub(tmp_path, broker, RULES) as first:
        log = tmp_path / "second.log"
        _, loading = await spent(log, tmp_path, "-c", "import hub.operate.cli.run")
        code, seconds = await spent(log, tmp_path, "-m", "hub", "run", "-c", "hub.yaml")
        said = log.read_text().splitlines()
        assert code == 1
        assert seconds < loading + 1.0
        assert f"another hub (process {first.process.pid}) has this state file open" in said[-1]
        assert "--state" in said[-1]
        assert not any(" connected " in line for line in said)
        assert await first.stop() == 0
        assert not any(" disconnected " in line for line in first.lines)


@pytest.mark.parametrize("names", [False, True], ids=["closes without a word", "names the takeover"])
async def test_of_two_hubs_with_one_client_id_one_ends_with_a_named_error_and_the_other_works_on(
    tmp_path, broker, names
):
    async with (
        Naming(broker.port) as proxy,
        Hub(tmp_path / "a", broker, RULES, port=proxy.port if names else None) as first,
        Hub(tmp_path / "b", broker, RULES, port=proxy.port if names else None, state="other.db") as second,
    ):
        hubs = (first, second)
        ends = [asyncio.create_task(hub.process.wait()) for hub in hubs]
        done, _ = await asyncio.wait(ends, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        assert len(done) == 1
        loser, winner = hubs if ends[0] in done else hubs[::-1]
        seen = len(winner.lines)
        assert await loser.ended() == 3
        (said,) = loser.errors
        assert said.startswith("hub: ")
        assert "another client connects as 'hub'" in said
        assert "broker.client_id" in said
        # the winner is in, or comes in now, and stays
        async with watching(broker, "alerts/Rang/#") as told:
            async with client(broker.settings("device"), "bell") as device:
                await device.publish("bell/7", "1")
            await told.first(lambda each: each.topic == "alerts/Rang/7", what=f"{winner.lines[seen:]}")
        settings = Settings(broker=broker.settings("hub", client_id="asks"))
        async with asyncio.timeout(30):
            while True:  # its desk is back, at the latest after DESK_RETRY_SECONDS
                try:
                    assert (await ask(settings, "alerts", {}))["ok"]
                    break
                except NoAnswer:
                    continue
        if names:
            assert winner is second
            taken = sorted(proxy.taken_over)  # the first may have ended before the second one's desk has come
            assert taken in (["hub"], ["hub", "hub-desk"]), "each is taken over once, and nobody takes one back"
        assert await winner.stop() == 0
