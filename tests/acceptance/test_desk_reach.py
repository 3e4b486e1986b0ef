"""The desk where MQTT 5 is missing, and with ten thousand alerts: real hub, broker, shipped configuration."""

import json
import time

import pytest

from hub.operate.mosquitto import free_port
from tests.acceptance.scene import scene
from tests.acceptance.test_commands import command
from tests.support import prefork
from tests.support.mqtt import client

RULES = """
  - alert: Hot
    topic: t/{site}/{device}
    when: value > 30
    notify: []
    summary: "{device} at {site} has {value} °C: look at it before the afternoon, the spare part lies in the workshop"
"""
MANY = 10_000
TOKENS = """{{listen: '127.0.0.1:{port}', tokens: [
  {{name: wall, role: viewer, token: see-and-no-more-0}}, {{name: olga, role: operator, token: do-and-see-only-0}},
  {{name: root, role: admin, token: all-that-there-is}}]}}"""
SEE, DO, ALL = "see-and-no-more-0", "do-and-see-only-0", "all-that-there-is"


async def cli(hub, *arguments, token=None):
    env = {"PASSWORD": hub.broker.settings("hub").password.reveal(), "NO_COLOR": "1"}
    env |= {"HUB_TOKEN": token} if token else {}
    process = await prefork.start(*arguments, cwd=hub.folder, env=env)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_ten_thousand_alerts_are_listed_over_mqtt_and_over_http(tmp_path, broker):
    async with scene(tmp_path, broker, RULES, http="{listen: '127.0.0.1:0'}") as made:
        async with client(broker.settings("device"), "many") as devices:
            for first in range(0, MANY, 1000):
                await devices.publish_all([(f"t/a/{number}", "35") for number in range(first, first + 1000)])
        await made.settled()
        url = await made.hub.url()
        wanted = {str(number) for number in range(MANY)}
        for way in ([], ["--url", url]):
            begun = time.monotonic()
            code, out, err = await cli(made.hub, "alerts", "--json", *way)
            found = [each["labels"]["device"] for each in json.loads(out)]
            assert (code, err, len(found), set(found)) == (0, "", MANY, wanted)
            assert time.monotonic() - begun < 60
        begun = time.monotonic()
        code, out, err = await cli(made.hub, "alerts")
        assert (code, err, out.count(" at a has 35")) == (0, "", MANY)
        assert time.monotonic() - begun < 60
        code, out, _ = await cli(made.hub, "alerts", "device=77")
        assert (code, out.count("77 at a has 35")) == (0, 1)
        old = await command(broker, "alerts", {})
        assert (old["ok"], old["truncated"], old["total"]) == (True, True, MANY)
        assert 100 < len(old["alerts"]) < MANY
        code, out, err = await cli(made.hub, "ack", "Hot", "--by", "ann")
        assert (code, err) == (0, f"{MANY} in all: the hub's answer has no room for each of them\n")


@pytest.fixture
async def hub(tmp_path, broker):
    """A hub that speaks MQTT 3.1.1, and HTTP to who has a token."""
    http = TOKENS.format(port=free_port())
    async with scene(tmp_path, broker, RULES, protocol="3.1.1", http=http) as made:
        await made.send("t/a/1", "35")
        await made.shown("Hot/a/1", "firing")
        yield made.hub


async def test_over_mqtt_3_1_1_the_desk_goes_over_http_by_itself(hub):
    code, out, _ = await cli(hub, "alerts", token=SEE)
    assert code == 0
    assert "1 at a has 35 °C" in out
    code, out, _ = await cli(hub, "ack", "Hot", "-m", "seen", token=DO)
    assert (code, out) == (0, "acknowledged: Hot site=a device=1\n")
    code, out, _ = await cli(hub, "silence", "site=a", "--json", token=DO)
    made = json.loads(out)["id"]
    code, out, _ = await cli(hub, "alerts", "--silences", token=SEE)
    assert (code, made in out) == (0, True)
    assert (await cli(hub, "unsilence", made, token=DO))[0] == 0
    code, out, _ = await cli(hub, "why-not", "Hot", "site=a", token=SEE)
    assert (code, "Hot site=a device=1" in out) == (0, True)


async def test_with_a_url_no_hub_yaml_and_no_broker_is_needed(hub, tmp_path):
    url = (await hub.says(" http listens on ")).rpartition(" ")[2]
    (hub.folder / "hub.yaml").rename(hub.folder / "elsewhere.yaml")
    for arguments in (["alerts"], ["why", "Hot", "site=a"], ["why-not", "Hot"], ["outbox"]):
        code, out, err = await cli(hub, *arguments, "--url", url, "--token", SEE)
        assert (code, err) == (0, ""), arguments
        assert "Hot" in out or "outbox is empty" in out


async def test_roles_hold_and_what_is_missing_is_told_with_what_to_do(hub):
    code, out, err = await cli(hub, "ack", "Hot", token=SEE)
    assert (code, out) == (1, "")
    assert "operator" in err
    code, _, err = await cli(hub, "alerts")
    assert code == 3
    assert "HUB_TOKEN" in err
    code, _, err = await cli(hub, "ack", "Cold", token=DO)
    assert (code, "no firing alert matches" in err) == (1, True)
    assert (await cli(hub, "alerts", "--url", "ftp://x"))[0] == 2
    code, _, err = await cli(hub, "alerts", "--url", "http://x", "--broker", "mqtt://x")
    assert (code, "two ways" in err) == (2, True)
    await hub.stop()
    code, _, err = await cli(hub, "alerts", token=SEE)
    assert (code, "no hub at http://127.0.0.1:" in err) == (3, True)


async def test_without_http_it_is_said_which_way_there_would_be(tmp_path, broker):
    async with scene(tmp_path, broker, RULES, protocol="3.1.1") as made:
        code, _, err = await cli(made.hub, "alerts")
        assert code == 3
        assert "--url" in err
        assert "http.listen" in err


async def test_a_mistake_in_another_part_of_the_settings_keeps_nobody_from_acknowledging(tmp_path, broker):
    async with scene(tmp_path, broker, RULES) as made:
        async with client(broker.settings("device"), "one") as device:
            await device.publish("t/a/1", "35")
        await made.settled()
        made.hub.configure("sources: 7\nheartbeat: {url: !env NOT_SET_ANYWHERE}\nnobody_knows_this: 1\n")
        code, out, err = await cli(made.hub, "check")
        assert (code, "nobody_knows_this" in out + err) == (1, True)
        code, out, err = await cli(made.hub, "ack", "Hot", "--by", "ann")
        assert (code, err, "acknowledged: Hot" in out) == (0, "", True), (out, err)
