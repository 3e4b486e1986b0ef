"""The disk is full: the hub stops acknowledging, says so, and goes on when there is space again, without a restart."""

import asyncio
import json
import os
import resource
import subprocess

import pytest

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
