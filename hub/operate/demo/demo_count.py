"""What a demo of a cluster counts itself: what a device of its own has sent, and what a webhook of its own was told."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

import aiomqtt

from hub.operate.demo.demo_devices import password_of
from hub.operate.mosquitto import Mosquitto

__all__ = ["COUNT_RULE", "DemoCount"]

_TOPIC = "demo/count"
_EVERY_SECONDS = 0.2
COUNT_RULE = """\
# The demo's own: each number that its device sends is to be told once.
receivers: {{counted: {{webhook: {{url: "{url}"}}}}}}
rules:
  - {{event: Counted, topic: demo/count, notify: [counted], summary: "{{n}}"}}
"""


class DemoCount:
    """Sends the numbers from 1 on, and notes under which ids each was told, and when the last one was."""

    def __init__(self) -> None:
        """Nothing is sent yet."""
        self.sent = 0
        """The last number that the broker has."""
        self.told: dict[int, set[str]] = {}
        self.again = 0
        """How many came with an id that was there before: a receiver knows them by that."""
        self.last = time.monotonic()
        """When the last number was told."""
        self.news = asyncio.Event()
        self._ended = asyncio.Event()

    async def run(self, broker: Mosquitto) -> None:
        """Send until `end`: it closes its connection itself, as aiomqtt complains where it is cancelled."""
        user, number = password_of(broker, "device"), 1
        while not self._ended.is_set():
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client("127.0.0.1", broker.port, username="device", password=user) as client:
                    while not self._ended.is_set():
                        await client.publish(_TOPIC, b'{"n": %d}' % number, qos=1)
                        self.sent, number = number, number + 1
                        await self._pause()
            await self._pause()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_SECONDS):
                await self._ended.wait()

    def end(self) -> None:
        """Send nothing more."""
        self._ended.set()

    def take(self, body: Mapping[str, Any]) -> None:
        """Note what the webhook was told."""
        try:
            number, told = int(body["summary"]), str(body["id"])
        except (KeyError, ValueError):
            return  # another rule tells this receiver: somebody has edited the demo's rules
        known = self.told.setdefault(number, set())
        self.again += told in known
        known.add(told)
        self.last = time.monotonic()
        self.news.set()

    @property
    def lost(self) -> list[int]:
        """The numbers that the broker has and nobody was told of."""
        return [number for number in range(1, self.sent + 1) if number not in self.told]

    @property
    def twice(self) -> list[int]:
        """The numbers that were told as two different things."""
        return [number for number, ids in self.told.items() if len(ids) > 1]

    async def until_told(self, number: int) -> None:
        """Return when all numbers up to this one were told."""
        while any(each not in self.told for each in range(1, number + 1)):
            self.news.clear()
            await self.news.wait()

    async def until_news(self) -> float:
        """Return when the next number is told: for how many seconds nobody was."""
        before = self.last
        self.news.clear()
        await self.news.wait()
        return self.last - before

    def __str__(self) -> str:
        """Return what it came to."""
        again = f"; {self.again} came again with the id that it had before" if self.again else ""
        return f"{self.sent} sent, {len(self.told)} told, {len(self.lost)} lost, {len(self.twice)} told twice{again}"
