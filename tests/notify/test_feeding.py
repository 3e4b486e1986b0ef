"""An Alertmanager itself is fed by a hub: what fires stays, what is over goes, what it refuses keeps its words."""

import asyncio

import aiohttp
import pytest

from tests.support import prefork
from tests.support.hub import Hub
from tests.support.mqtt import client
from tests.support.record import PATIENCE
from tests.support.servers import AlertmanagerServer

RULES = """
defaults: {{notify: [company]}}
receivers: {{company: {{webhook: {{url: "{url}", body: alertmanager-alerts}}}}}}
rules:
  - {{alert: Hot, topic: "t/{{device}}", when: value > 30, summary: '"{{device}}" \\ <b> °C'}}
  - {{event: Rang, topic: "bell/{{device}}", summary: "{{device}} rang"}}
"""


@pytest.fixture
def alertmanager(tmp_path):
    with AlertmanagerServer(tmp_path / "alertmanager") as running:
        yield running


async def shown(alertmanager, until):
    """Return the alerts by name as soon as they are as wanted."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE):
        while True:
            async with session.get(alertmanager.url) as answer:
                found = {each["labels"]["alertname"]: each for each in await answer.json()}
            if until(found):
                return found
            await asyncio.sleep(0.05)


async def test_what_fires_stays_in_an_alertmanager_until_it_is_over(tmp_path, broker, alertmanager):
    rules = RULES.format(url=alertmanager.url)
    async with Hub(tmp_path, broker, rules), client(broker.settings("device"), "device") as device:
        assert await device.publish('t/a "b"', b"35") < 0x80
        hot = (await shown(alertmanager, lambda found: "Hot" in found))["Hot"]
        assert hot["labels"] == {"alertname": "Hot", "device": 'a "b"', "severity": "warning"}
        assert hot["annotations"] == {"summary": '"a "b"" \\ <b> °C'}
        # what has no end of its own comes later and is over before: a moment
        assert await device.publish("bell/1", b"1") < 0x80
        await shown(alertmanager, lambda found: "Rang" in found)
        left = await shown(alertmanager, lambda found: "Rang" not in found)
        assert list(left) == ["Hot"]
        assert await device.publish('t/a "b"', b"5") < 0x80
        assert await shown(alertmanager, lambda found: not found) == {}


async def outbox(session, url):
    async with session.get(f"{url}/api/hub/outbox", params={"state": "dead"}) as answer:
        return (await answer.json())["outbox"]


async def test_what_it_refuses_is_a_dead_letter_with_its_own_words(tmp_path, broker, alertmanager):
    """Alertmanager before 0.28 takes no such name of a label; what it says of that is to be read everywhere."""
    rules = RULES.format(url=alertmanager.url)
    async with Hub(tmp_path, broker, rules, http="{listen: '127.0.0.1:0'}") as hub, aiohttp.ClientSession() as session:
        url = await hub.url()
        posted = [{"labels": {"alertname": "Posted", "my label": "x"}}]
        async with session.post(f"{url}/api/v2/alerts", json=posted) as answer:
            assert answer.status == 200
        said = await hub.says("invalid label set", "company")
        assert "400 Bad Request" in said
        async with asyncio.timeout(PATIENCE):
            while not (dead := await outbox(session, url)):
                await asyncio.sleep(0.05)
        (entry,) = dead
        assert "400 Bad Request" in entry["reason"]
        assert 'invalid label set: invalid name \\"my label\\"' in entry["reason"]
        env = {"PASSWORD": broker.settings("hub").password.reveal(), "NO_COLOR": "1"}
        listed = await prefork.start("outbox", cwd=tmp_path, env=env)
        assert b"invalid label set" in (await listed.communicate())[0]
