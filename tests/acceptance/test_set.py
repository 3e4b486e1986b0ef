"""`hub set` from outside: a limit that is changed is judged at once, is in the audit log, and survives kill -9."""

import json

import pytest

from tests.acceptance.scene import scene
from tests.acceptance.test_commands import cli

RULES = '  - {alert: Hot, topic: "t/{site}/{number}/telemetry", when: value > device.limit}'
TABLE = "topic,site,number,limit,limit.min,limit.max\nt/{site}/{number}/telemetry,a,7,5,0,9\n"


@pytest.fixture
async def hub(tmp_path, broker):
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "fridges.csv").write_text(TABLE, "utf-8")
    async with scene(tmp_path, broker, RULES) as made:
        yield made


async def test_a_limit_that_is_set_fires_and_clears_at_once_is_audited_and_survives_kill_9(hub):
    await hub.send("t/a/7/telemetry", 4)
    await hub.settled()
    assert await cli(hub, "set", "a/7", "limit=3", "--by", "ann") == (0, "t/a/7: limit 5 → 3\n", "")
    told = await hub.notified("Hot", "firing", number=1)
    assert told["labels"]["site"] == "a"
    await hub.hub.kill()
    await hub.hub.start()
    code, out, _ = await cli(hub, "set", "--list", "--json")
    assert code == 0
    (device,) = json.loads(out)
    limit = device["settable"]["limit"]
    assert (limit["value"], limit["author"], limit["set"]["by"]) == (3, 5, "ann")
    assert (await cli(hub, "set", "a/7", "limit=")) == (0, "t/a/7: limit 3 → 5\n", "")
    assert (await hub.notified("Hot", "resolved"))["reason"] == "an attribute of the device was set"
    [(by, text)] = hub.hub.rows("SELECT actor, detail FROM audit WHERE action = 'set' ORDER BY at LIMIT 1")
    assert by == "ann"
    assert json.loads(text)["changed"] == ["t/a/7: limit 5 → 3"]


async def test_what_the_author_does_not_allow_is_refused_with_the_bounds(hub):
    code, _, err = await cli(hub, "set", "a/7", "limit=10")
    assert code != 0
    assert "limit of t/a/7 cannot be 10: its author allows a number from 0 to 9" in err
    code, out, _ = await cli(hub, "set", "--list")
    assert code == 0
    assert "0 to 9" in out
