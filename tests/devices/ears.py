"""A client of the broker that hears everything: the hub's own session."""

import asyncio
import contextlib

from hub.ingest.mqtt.session5 import Session5


class Ears:
    def __init__(self, broker, filters=("site/#", "fleet/#")):
        self.heard, self.more = [], asyncio.Event()
        self.session = Session5(broker.settings("hub"), None, self.notice)
        self.filters, self.ready = filters, asyncio.Event()

    def notice(self, notice):
        if notice.kind == "connected":
            self.ready.set()

    async def listen(self):
        while batch := await self.session.receive():
            self.heard += batch
            self.session.acknowledge(self.session.handed)
            self.more.set()

    async def until(self, condition):
        async with asyncio.timeout(30):
            while not condition(self.heard):
                self.more.clear()
                await self.more.wait()

    def on(self, topic):
        return [delivery.payload for delivery in self.heard if delivery.topic == topic]


@contextlib.asynccontextmanager
async def ears(broker):
    those = Ears(broker)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(those.session.run(those.filters))
        tasks.create_task(those.listen())
        async with asyncio.timeout(30):
            await those.ready.wait()
        try:
            yield those
        finally:
            await those.session.close()
