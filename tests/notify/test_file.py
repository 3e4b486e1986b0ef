import asyncio
import os
import resource
from pathlib import Path

import orjson
import pytest

from hub.model import Delivered, Retry
from hub.notify.receivers.file import File, FileOptions
from tests.notify.fakes import notification, toolbox


@pytest.fixture
async def receiver(tmp_path):
    made = File(FileOptions(str(tmp_path / "alerts.ndjson")), toolbox())
    yield made
    await made.close()


def lines(receiver):
    return [orjson.loads(line) for line in Path(receiver.path).read_bytes().splitlines()]


async def test_each_notification_is_one_json_line_as_users_see_it(receiver):
    assert await receiver.send(notification(1, summary="two\nlines")) == Delivered()
    assert lines(receiver) == [dict(notification(1, summary="two\nlines").body)]


async def test_lines_sent_at_once_never_interleave_and_none_is_missing(receiver):
    outcomes = await asyncio.gather(*(receiver.send(notification(n, details="x" * 5000)) for n in range(200)))
    assert set(outcomes) == {Delivered()}
    assert sorted(line["id"] for line in lines(receiver)) == sorted(f"a-{n}" for n in range(200))


async def test_a_rotated_file_is_left_alone_and_a_new_one_begun(receiver):
    await receiver.send(notification(1))
    Path(receiver.path).rename(receiver.path + ".1")
    await receiver.send(notification(2))
    await receiver.send(notification(3))
    assert [line["id"] for line in lines(receiver)] == ["a-2", "a-3"]


async def test_a_line_cut_off_by_a_crash_does_not_spoil_the_next(receiver):
    Path(receiver.path).write_text('{"id": "half')
    await receiver.send(notification(2))
    assert orjson.loads(Path(receiver.path).read_bytes().splitlines()[-1])["id"] == "a-2"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_full_disk_is_retry():
    receiver = File(FileOptions("/dev/full"), toolbox())
    assert await receiver.send(notification()) == Retry("cannot be written: No space left on device")
    await receiver.close()


async def test_a_line_that_fits_only_in_part_is_taken_back_and_retried(receiver):
    start = 32 << 20  # far above whatever else this process writes meanwhile
    with Path(receiver.path).open("wb") as file:
        file.truncate(start - 1)
        file.seek(0, os.SEEK_END)
        file.write(b"\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (start + 50, hard))
    try:
        outcome = await receiver.send(notification(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert isinstance(outcome, Retry)
    assert Path(receiver.path).stat().st_size == start
    assert await receiver.send(notification(1)) == Delivered()


async def test_a_missing_folder_is_retry_and_works_once_it_is_there(tmp_path):
    receiver = File(FileOptions(str(tmp_path / "later" / "alerts.ndjson")), toolbox())
    assert await receiver.send(notification()) == Retry("cannot be written: No such file or directory")
    (tmp_path / "later").mkdir()
    assert await receiver.send(notification()) == Delivered()
    await receiver.close()


async def test_a_write_that_hangs_takes_its_waiters_time_limit_and_nobody_waits_in_memory(receiver, monkeypatch):
    loop, gate = asyncio.get_running_loop(), asyncio.Event()
    append = receiver._append

    def slow(batch):
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(10)
        return append(batch)

    monkeypatch.setattr(receiver, "_append", slow)
    for number in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receiver.send(notification(number)), 0.02)
    assert receiver._waiting == []
    gate.set()
    async with asyncio.timeout(10):
        assert await receiver.send(notification(9)) == Delivered()
