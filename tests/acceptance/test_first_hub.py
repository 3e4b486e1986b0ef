"""From nothing to a notification: `hub init`, then the commands of its README against a real broker."""

import asyncio
import json
import os
import sys

from tests.support.ends import watching
from tests.support.hub import ROOT, Hub
from tests.support.record import PATIENCE, Record


class FirstHub(Hub):
    """The hub of a folder that is there already."""

    def __init__(self, folder, broker):
        self.folder, self.broker, self.state = folder, broker, folder / "hub.db"
        self.process, self._limits, self._before = None, {}, ""
        self.lines, self.errors, self.past = Record(), Record(), []


async def hub(*arguments, cwd):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub", *arguments),
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


def url(broker, user):
    settings = broker.settings(user)
    return f"mqtt://{user}:{settings.password.reveal()}@{settings.host}:{settings.port}"


async def test_a_folder_that_init_made_runs_and_tells_of_the_freezer_that_its_simulation_warms(tmp_path, broker):
    folder = tmp_path / "first"
    await hub("init", "first", cwd=tmp_path)
    rule = folder / "rules" / "freezers.yaml"
    rule.write_text(rule.read_text("utf-8").replace("for: 10s", "for: 1s"), "utf-8")
    made = FirstHub(folder, broker)
    async with watching(broker, "hub/alerts/#", name="states") as states:
        await made.start("--broker", url(broker, "hub"))
        simulation = hub(
            "simulate", "devices", "--speed", "10", "--seconds", "6", "--broker", url(broker, "device"), cwd=folder
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(simulation)
            for state in ("firing", "resolved"):
                await made.says(f" {state} ", "FreezerTooWarm", "kitchen")
        await states.first(lambda message: message.topic == "hub/alerts/FreezerTooWarm/home/kitchen", PATIENCE, "state")
        assert await made.stop() == 0
    lines = (folder / "notifications.ndjson").read_text("utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    assert [each["state"] for each in told if each["labels"]["freezer"] == "kitchen"][:2] == ["firing", "resolved"]
    assert told[0]["summary"].startswith("Freezer kitchen at home: -")
