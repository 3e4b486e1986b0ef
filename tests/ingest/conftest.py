"""A session under test: running, with its notices at hand."""

import asyncio
import contextlib

import pytest

from hub.ingest.mqtt.open_session import open_session
from tests.support.mqtt import bounded, client


class Subject:
    """A session that runs as a task; what it notices is kept and can be awaited."""

    def __init__(self, settings, filters, will=None, earlier=(), may_connect=None):
        self.notices = []
        self._changed = asyncio.Event()
        self.session = open_session(settings, will, self._hear, may_connect)
        self.running = asyncio.create_task(self.session.run(filters, earlier))

    def _hear(self, notice):
        self.notices.append(notice)
        self._changed.set()

    async def notice(self, kind, count=1):
        """Wait until `count` notices of this kind have come; return the last of them."""
        while len(found := [each for each in self.notices if each.kind == kind]) < count:
            self._changed.clear()
            changed = asyncio.create_task(self._changed.wait())
            done, _ = await asyncio.wait([changed, self.running], timeout=20, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            if self.running in done:
                self.running.result()
            assert done, f"no {kind} within 20 s, but {self.notices}"
        return found[count - 1]

    async def take(self, count):
        """Receive until there are `count` deliveries."""
        taken = []
        async with asyncio.timeout(20):
            while len(taken) < count:
                taken += await self.session.receive()
        return taken

    async def confirmed(self, position):
        """Wait until the broker has proven to have our acknowledgements up to `position`."""
        async with asyncio.timeout(20):
            while self.session.confirmed < position:
                await asyncio.sleep(0.01)

    async def close(self):
        await bounded(self.session.close())
        with contextlib.suppress(asyncio.CancelledError):
            await bounded(asyncio.gather(self.running, return_exceptions=True))

    async def die(self):
        """End as a process does that is killed: no DISCONNECT."""
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


@pytest.fixture
async def start():
    """Start sessions; all are closed at the end."""
    subjects = []

    async def begin(settings, filters=("site/#",), *, will=None, earlier=(), connected=True, may_connect=None):
        subject = Subject(settings, filters, will, earlier, may_connect)
        subjects.append(subject)
        if connected:
            await subject.notice("connected")
        return subject

    yield begin
    for subject in subjects:
        await subject.close()


@pytest.fixture
async def device(broker):
    """Return a device's client of our own making."""
    async with client(broker.settings("device"), "sensor") as connected:
        yield connected
