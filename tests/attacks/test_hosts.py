"""Devices that name hosts which are none, are not there or hang, through a real broker and hub: the others are told."""

import asyncio
import contextlib

from hub.limits import BREAKER_FAILURES
from tests.acceptance.scene import scene
from tests.notify.listener import Listener
from tests.support.record import PATIENCE

RULES = """
  - {event: Seen, topic: "t/{device}", by: [device], notify: [bus, ops], labels: {host: "{payload.host}"}}
"""
RECEIVERS = """\
ops: {{webhook: {{url: "http://{{host}}:{port}/{{device}}", allow_private: true}}, timeout: 2s}}
"""
UNUSABLE = [
    "xn--",
    "a" * 64,
    "x..y",
    "device.invalid",
    "0x7f000001",
    "2130706433",
    "a@b",
    "127.0.0.1/x?",
    "\r\nHost: x",
]


@contextlib.asynccontextmanager
async def silent(host, port):
    """Take connections and never answer."""
    opened = []

    async def keep(reader, writer):
        opened.append(writer)
        await reader.read()

    server = await asyncio.start_server(keep, host, port)
    try:
        yield
    finally:
        server.close()
        for writer in opened:
            writer.close()


async def test_one_device_holds_up_nobody_whatever_host_it_names(tmp_path, broker):
    async with (
        Listener().listening() as listener,
        silent("127.0.0.9", listener.port),
        scene(tmp_path, broker, RULES, RECEIVERS.format(port=listener.port)) as at,
    ):
        for number, host in enumerate(UNUSABLE * 2):
            await at.send(f"t/bad{number}", {"host": host})
        for number in range(3 * BREAKER_FAILURES):
            await at.send(f"t/down{number}", {"host": "127.0.0.8"})  # nobody listens there
            await at.send(f"t/hangs{number}", {"host": "127.0.0.9"})
        for number in range(3):
            await at.send(f"t/good{number}", {"host": "127.0.0.1"})
        async with asyncio.timeout(PATIENCE):
            while len(listener.requests) < 3:
                await asyncio.sleep(0.02)
            while len(dead := at.hub.rows("SELECT reason FROM outbox WHERE state = 'dead'")) < 2 * len(UNUSABLE):
                await asyncio.sleep(0.02)
        assert sorted(path for _, path, _, _ in listener.requests) == ["/good0", "/good1", "/good2"]
        assert len(dead) == 2 * len(UNUSABLE)
        assert all(reason.startswith("the host that the event names is refused: ") for (reason,) in dead)
        tried = "SELECT sum(attempts) FROM outbox WHERE state = 'queued'"
        assert at.hub.rows(tried)[0][0] < 60, "hosts that fail are left alone"
        assert await at.hub.stop() == 0


async def test_ever_new_hosts_that_hang_keep_no_attempt_from_hosts_that_have_answered(tmp_path, broker):
    new = [f"127.0.1.{number}" for number in range(1, 41)]
    slow = RECEIVERS.replace("timeout: 2s", "timeout: 60s")
    async with (
        Listener().listening() as listener,
        silent(new, listener.port),
        scene(tmp_path, broker, RULES, slow.format(port=listener.port)) as at,
    ):
        await at.send("t/good0", {"host": "127.0.0.1"})
        await wait_for(lambda: len(listener.requests) == 1)
        for number, host in enumerate(new):
            await at.send(f"t/new{number}", {"host": host})
        for number in range(1, 20):
            await at.send(f"t/good{number}", {"host": "127.0.0.1"})
        await wait_for(lambda: len(listener.requests) == 20)
        waiting = "SELECT count(*) FROM outbox WHERE state = 'queued' AND receiver = 'ops'"
        await wait_for(lambda: at.hub.rows(waiting) == [(len(new),)])


async def wait_for(holds):
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.02)
