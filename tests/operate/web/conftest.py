"""One broker, one hub with rules and one Chromium for all tests of a module; each test has devices of its own."""

import asyncio
import contextlib

import aiohttp
import orjson
import pytest
import pytest_asyncio

from hub.operate.mosquitto import Mosquitto
from tests.support import mqtt
from tests.support.chromium import chromium
from tests.support.hub import Hub

RULES = """
receivers:
  journal: {file: {path: journal.ndjson}}
  browsers: {webpush: {allow_private: true}}
rules:
  - alert: TooWarm
    topic: room/{room}/climate
    when: temperature > 30
    clear: temperature < 25
    severity: critical
    notify: [journal]
    summary: "{room} has {temperature:.1f} °C"
  - alert: Named
    topic: named/{device}
    when: bad
    severity: warning
    notify: [journal]
    summary: "{text}"
  - alert: Pushed
    topic: pushed/{device}
    when: bad
    severity: critical
    notify: [browsers]
    summary: "{device} is bad"
"""


async def until(look, seconds=20):
    """Ask until the answer is something, and return it."""
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.02)
        return found


class Desk:
    """A hub, what devices say to it, and how it is asked."""

    def __init__(self, hub, url, device):
        self.hub, self.url, self._device = hub, url, device

    async def say(self, topic, **payload):
        assert await self._device.publish(topic, orjson.dumps(payload)) == 0, topic

    async def warm(self, room, temperature=35):
        await self.say(f"room/{room}/climate", temperature=temperature)

    async def told(self, test, journal="journal.ndjson"):
        """Wait for a line of the journal that passes, and return it."""
        path = self.hub.folder / journal

        async def look():
            lines = path.read_bytes().splitlines() if path.exists() else []
            return next(filter(test, map(orjson.loads, lines)), None)

        return await until(look)

    async def ask(self, path, **post):
        async with aiohttp.ClientSession() as http:
            call = http.post(self.url + path, json=post) if post else http.get(self.url + path)
            async with call as response:
                return await response.json()

    async def alert(self, name, **labels):
        found = (await self.ask("/api/hub/alerts"))["alerts"]
        return next(each for each in found if each["alertname"] == name and labels.items() <= each["labels"].items())


@contextlib.asynccontextmanager
async def running(folder, http="{listen: '127.0.0.1:0', url: 'https://hub.localhost'}"):
    async with (
        Mosquitto(folder / "broker") as broker,
        Hub(folder / "hub", broker, RULES, http=http) as hub,
        mqtt.client(broker.settings("device"), "a-device") as device,
    ):
        yield Desk(hub, await hub.url(), device)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory):
    async with running(tmp_path_factory.mktemp("web")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with chromium() as made:
        yield made


@pytest.fixture(autouse=True)
def no_complaints(request):
    """Fail where a page complained: a script's error, something that the policy forbids, a file that is not there."""
    yield
    if "browser" in request.fixturenames:
        complaints = request.getfixturevalue("browser").complaints
        said, complaints[:] = list(complaints), []
        assert said == []
