"""Who asks for a change does not wait for a disk that cannot be written."""

import asyncio
from pathlib import Path

import pytest

from hub.errors import StoreBusy, StoreError
from hub.store.waiting import unless_failing


class Disk:
    """A store as far as it is asked here."""

    def __init__(self):
        self.failing, self.failure = asyncio.Event(), ""

    def fail(self):
        self.failure = "disk full"
        self.failing.set()

    def why_failing(self):
        return f"{Path('hub.db')}: cannot be written: {self.failure}"


async def test_what_is_on_disk_is_answered():
    async def change():
        return 7

    assert await unless_failing(Disk(), change()) == 7


async def test_what_a_change_raises_is_raised():
    async def change():
        raise StoreError("closed")

    with pytest.raises(StoreError, match="closed"):
        await unless_failing(Disk(), change())


async def test_nothing_is_begun_while_nothing_can_be_written():
    begun = []

    async def change():
        begun.append(1)

    disk = Disk()
    disk.fail()
    with pytest.raises(StoreBusy, match="disk full; nothing was done"):
        await unless_failing(disk, change())
    assert begun == []


async def test_what_was_begun_before_goes_on_and_who_asked_is_told_at_once():
    disk, on_disk, done = Disk(), asyncio.Event(), asyncio.Event()

    async def change():
        await on_disk.wait()
        done.set()
        raise StoreError("nobody hears this")

    asking = asyncio.ensure_future(unless_failing(disk, change()))
    await asyncio.sleep(0)
    disk.fail()
    with pytest.raises(StoreBusy, match="is done, but not safe"):
        await asking
    on_disk.set()
    await done.wait()
