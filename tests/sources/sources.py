"""A source at work without the rest of the hub: what it takes is kept, what a test commits is acknowledged."""

import asyncio
import contextlib

from hub.documents.document import Problems, parse_document
from hub.sources.queue_reader import QueueReader
from hub.sources.source_settings import build_kind, read_sources

BOUND = 30.0


def read(yaml):
    problems = Problems()
    found = read_sources(parse_document(yaml, "hub.yaml", problems), problems)
    return found, [str(problem) for problem in problems]


class Reader:
    """Takes from a source; `marks` are what a commit of all that was taken would store."""

    def __init__(self, yaml, marks):
        (settings,), problems = read(yaml)
        assert problems == []
        self.trouble, self.batches = [], []
        self._woken = asyncio.Event()
        self.source = QueueReader(settings.name, build_kind(settings, "hub"), marks, self._wake, self._told)

    def _wake(self):
        self._woken.set()

    def _told(self, message):
        self.trouble.append(message)
        self._woken.set()

    async def until(self, found):
        async with asyncio.timeout(BOUND):
            while not (result := found()):
                self._woken.clear()
                await self._woken.wait()
        return result

    async def take(self, count):
        """Return the next messages as (topic, payload)."""
        got = []
        async with asyncio.timeout(BOUND):
            while len(got) < count:
                if batch := self.source.take():
                    self.batches.append(batch)
                    got += batch.messages
                else:
                    self._woken.clear()
                    await self._woken.wait()
        return [(message.topic, message.payload) for message in got]

    def commit(self):
        """Do as the hub behind a commit: acknowledge all that was taken; return the marks it stored."""
        for batch in self.batches:
            self.source.marks |= dict(each.mark for each in batch.messages if each.mark)
            self.source.acknowledge(batch.queue, batch.messages)
        self.batches = []
        return dict(self.source.marks)


@contextlib.asynccontextmanager
async def reading(yaml, marks=None):
    """Run a source until it is connected; at the end as a crash would, with nothing more acknowledged."""
    reader = Reader(yaml, marks or {})
    task = asyncio.create_task(reader.source.run())
    try:
        yield reader
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=10)


async def settled(holds):
    """Wait for what an acknowledgement does at the other end."""
    async with asyncio.timeout(BOUND):
        while not await holds():
            await asyncio.sleep(0.02)
