"""The hub cannot write, or stands still, while devices go on: no timer speaks for what came and waits unheard."""

import asyncio
import contextlib
import json
import signal
import sqlite3

import pytest

from tests.support.ends import Web
from tests.support.hub import Hub
from tests.support.mqtt import client

RULES = """\
receivers: {{hook: {{webhook: {{url: "{url}"}}}}}}
defaults: {{notify: [hook]}}
rules:
  - {{alert: Silent, topic: "d/{{device}}", absent: 2s}}
  - {{alert: Held, topic: "h/{{device}}", when: v > 1, for: 2s}}
  - {{event: Mark, topic: mark}}
"""
STALL = 5.0


@contextlib.contextmanager
def locked(path):
    """Hold the write lock of a state file, as a disk does that hangs."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextlib.asynccontextmanager
async def publishing(broker):
    """Let three devices speak four times a second, and three others be hot for an instant, each second."""

    async def play():
        async with client(broker.settings("device"), "fleet") as device:
            step = 0
            while True:
                for name in "abc":
                    await device.publish(f"d/{name}", "{}")
                    if step % 4 == 0:
                        await device.publish(f"h/{name}", json.dumps({"v": 2}))
                        await device.publish(f"h/{name}", json.dumps({"v": 0}))
                step += 1
                await asyncio.sleep(0.25)

    task = asyncio.create_task(play())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("how", ["the disk hangs", "the disk hangs, the broker holds back", "the process stands still"])
async def test_no_device_is_silent_and_nothing_is_held_while_what_they_said_waits_unheard(tmp_path, broker, how):
    limits = {"RECEIVE_MAXIMUM": 5} if "holds back" in how else None
    async with Web() as hook, Hub(tmp_path, broker, RULES.format(url=hook.url), limits=limits) as hub:
        async with publishing(broker), client(broker.settings("device"), "marker") as device:
            await asyncio.sleep(1.0)  # the devices are known
            if "disk" in how:
                with locked(hub.state):
                    await asyncio.sleep(STALL)
            else:
                hub.signal(signal.SIGSTOP)
                await asyncio.sleep(STALL)
                hub.signal(signal.SIGCONT)
            await device.publish("mark", "{}")
            await hook.requests.until(lambda told: any(each["json"]["alertname"] == "Mark" for each in told), 30)
        assert [each["json"]["alertname"] for each in hook.requests] == ["Mark"]
        assert await hub.stop() == 0
