"""The disk is full: the hub stops acknowledging, says so, and goes on when there is space again, without a restart."""

import asyncio
import json
import os
import resource
import subprocess

import aiohttp
import pytest

from hub.config import load_settings
from hub.errors import Code, RequestError
from hub.operate.client.ask import ask
from hub.operate.client.reach import Reach
from tests.support import prefork
from tests.support.ends import Web
from tests.support.hub import Hub
from tests.support.mqtt import client, packets
from tests.support.proxy import Proxy

RULES = """\
receivers: {{hook: {{webhook: {{url: "{url}"}}}}}}
rules:
  - {{event: Rang, topic: "bell/{{device}}", notify: [hook]}}
"""


class Limit:
    """No file of the process may grow beyond what the largest has now: writes fail with EFBIG, for any user."""

    def __init__(self, folder):
        self.folder = folder
        self.hub = None

    def fill(self):
        size = max(path.stat().st_size for path in self.folder.glob("hub.db*"))
        resource.prlimit(self.hub.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def empty(self):
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(self.hub.process.pid, resource.RLIMIT_FSIZE, unlimited)


class SmallDisk:
    """A file system of 16 MB, filled by a file of somebody else: writes fail with ENOSPC."""

    def __init__(self, folder):
        self.folder = folder

    def fill(self):
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            for size in (1 << 16, 1 << 12):
                while True:
                    try:
                        filler.write(b"x" * size)
                    except OSError:
                        break

    def empty(self):
        (self.folder / "filler").unlink()


@pytest.fixture(params=["limit", "disk"])
def disk(request, tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    if request.param == "limit":
        if not hasattr(resource, "prlimit"):
            pytest.skip("this system cannot limit another process")
        yield Limit(folder)
        return
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("only root can mount a small disk")
    yield SmallDisk(folder)
    subprocess.run(["umount", "--lazy", folder], check=True)


async def ring(broker, numbers):
    async with client(broker.settings("device"), "bells") as device:
        codes = await device.publish_all([(f"bell/{n}", json.dumps({"n": n, "pad": "x" * 200})) for n in numbers])
        assert set(codes) == {0}


def told(items):
    return sorted(each["json"]["event"]["payload"]["n"] for each in items)


def acknowledged(proxy):
    return sum(first == 0x40 for recording in proxy.sent for first, _ in packets(recording))


async def test_it_stops_acknowledging_says_so_and_goes_on_when_there_is_space(tmp_path, broker, disk):
    async with (
        Web() as hook,
        Proxy(broker.port) as proxy,
        Hub(tmp_path, broker, RULES.format(url=hook.url), port=proxy.port, state="state/hub.db") as hub,
    ):
        disk.hub = hub
        await ring(broker, range(10))
        await hook.requests.until(lambda items: len(items) == 10)
        async with asyncio.timeout(20):
            while acknowledged(proxy) < 10:
                await asyncio.sleep(0.02)
        disk.fill()
        await ring(broker, range(10, 1510))
        line = await hub.says(" trouble ", "cannot be written")
        assert "hub.db" in line
        # what it could still write may be acknowledged, the rest is not, however long it takes
        held = acknowledged(proxy)
        assert held < 1510
        await ring(broker, range(1510, 1520))
        await asyncio.sleep(1.2)  # more than one attempt to commit
        assert acknowledged(proxy) == held
        assert len(hook.requests) <= held
        assert hub.process.returncode is None
        disk.empty()
        await hub.says(" trouble ", "written again, nothing was lost")
        await hook.requests.until(lambda items: len(items) >= 1520)
        assert told(hook.requests) == list(range(1520))
        async with asyncio.timeout(20):
            while acknowledged(proxy) < 1520:
                await asyncio.sleep(0.02)
        assert sum("cannot be written" in line for line in hub.lines) == 1
        assert await hub.stop() == 0
        assert hub.rows("SELECT * FROM outbox") == []


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_hub_that_ends_while_the_disk_is_full_loses_nothing(tmp_path, broker, disk, how):
    async with (
        Web() as hook,
        Hub(tmp_path, broker, RULES.format(url=hook.url), state="state/hub.db") as hub,
    ):
        disk.hub = hub
        await ring(broker, range(10))
        await hook.requests.until(lambda items: len(items) == 10)
        disk.fill()
        await ring(broker, range(10, 1510))
        await hub.says(" trouble ", "cannot be written")
        if how == "stop":
            assert await hub.stop(10) == 0
        else:
            await hub.kill()
        if isinstance(disk, SmallDisk):
            disk.empty()
        await hub.start()
        await hook.requests.until(lambda _: len(set(hook.ids())) >= 1510)
        ids = {each["key"]: each["json"]["event"]["payload"]["n"] for each in hook.requests}
        assert sorted(ids.values()) == list(range(1510))
        assert await hub.stop() == 0


DESK = """\
receivers: {{hook: {{webhook: {{url: "{url}"}}}}}}
rules:
  - {{event: Rang, topic: "bell/{{device}}", notify: [hook]}}
  - {{alert: Hot, topic: "t/{{device}}", when: value > 30, notify: [hook]}}
"""
MATCHERS = {"matchers": "alertname=Hot"}
ITEM = {"matchers": [{"name": "alertname", "value": "Hot", "isRegex": False}], "createdBy": "o", "comment": "c"}
POSTED = {**ITEM, "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z"}
CHANGES = [
    ("/api/hub/ack", MATCHERS),
    ("/api/hub/silence", MATCHERS),
    ("/api/hub/outbox-drop", {"all": True}),
    ("/api/hub/outbox-retry", {"all": True}),
    ("/api/hub/drill", {"receivers": ["hook"]}),
    ("/events/t/2", 35),
    ("/api/v2/alerts", [{"labels": {"alertname": "A"}}]),
    ("/api/v2/silences", POSTED),
]


async def test_who_asks_for_a_change_is_told_503_by_every_way_and_what_reads_goes_on(
    tmp_path, broker, disk, monkeypatch
):
    async with (
        Web() as hook,
        aiohttp.ClientSession() as http,
        Hub(tmp_path, broker, DESK.format(url=hook.url), state="state/hub.db", http="{listen: '127.0.0.1:0'}") as hub,
    ):
        disk.hub, url = hub, await hub.url()
        async with client(broker.settings("device"), "thermometer") as device:
            assert await device.publish("t/1", b"35") < 0x80
        await hook.requests.until(lambda items: items)
        disk.fill()
        await ring(broker, range(1500))
        await hub.says(" trouble ", "cannot be written")
        for path, body in CHANGES:
            async with http.post(f"{url}{path}", json=body) as answer:
                found = await answer.json()
                assert (answer.status, "Retry-After" in answer.headers) == (503, True), (path, found)
                said = found if path.startswith("/api/v2") else found["error"]
                assert "cannot be written" in said, path
                assert "nothing was done" in said, path
                assert path.startswith("/api/v2") or found["code"] == "unavailable"
        async with http.post(f"{url}/api/hub/token", json={"alertname": "Hot"}) as answer:
            link = f"{url}/ack/{(await answer.json())['token']}"
        async with http.post(link, allow_redirects=False) as answer:
            assert (answer.status, "Retry-After" in answer.headers) == (503, True)
            assert "cannot be written" in await answer.text()
        for path in ("/api/hub/silences", "/api/hub/alerts", "/api/v2/alerts", "/api/hub/outbox", "/metrics"):
            async with http.get(f"{url}{path}") as answer:
                assert answer.status == 200, path
        async with http.get(f"{url}/readyz") as answer:
            assert (answer.status, "cannot be written" in (await answer.json())["error"]) == (503, True)
        env = {"PASSWORD": broker.settings("hub").password.reveal(), "NO_COLOR": "1"}
        monkeypatch.setenv("PASSWORD", env["PASSWORD"])
        asked = await ask(load_settings(hub.folder / "hub.yaml"), "silence", MATCHERS)
        assert (asked["ok"], asked["code"]) == (False, "unavailable")
        with pytest.raises(RequestError, match="cannot be written") as said_no:
            await ask(Reach(None, url), "silence", MATCHERS)
        assert (said_no.value.code, said_no.value.exit_code) == (Code.UNAVAILABLE, 3)
        process = await prefork.start("silence", "alertname=Hot", cwd=hub.folder, env=env)
        _, said = await process.communicate()
        assert (process.returncode, b"cannot be written" in said) == (3, True), said
        disk.empty()
        await hub.says(" trouble ", "written again, nothing was lost")
        async with http.get(f"{url}/api/hub/silences") as answer:
            assert (await answer.json())["silences"] == []
        async with http.post(f"{url}/api/hub/silence", json=MATCHERS) as answer:
            assert answer.status == 200
        async with http.get(f"{url}/readyz") as answer:
            assert answer.status == 200
