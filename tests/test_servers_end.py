"""tests/support: no server outlives the test run that has started it, however that run ends."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import program

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there a child ends with its parent")

# what a worker does: a server of its own, started by a thread that ends before the worker does, and a hub
WORKER = """
import asyncio, os, sys, threading
from pathlib import Path
from tests.support import prefork, whole_run
from tests.support.servers import NatsServer
from tests.support.shared_servers import shared_servers

async def main(run, folder):
    whole_run.join(run)
    shared_servers()
    server = NatsServer(folder)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    hub = await prefork.start("run", "--broker", "mqtt://127.0.0.1:1", cwd=folder, env=os.environ)
    await hub.stdout.readline()
    print(server.process.pid, hub.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main(*map(Path, sys.argv[1:])))
"""
RUN = """
import sys
from tests.support import whole_run
print(whole_run.begin(), flush=True)
sys.stdin.read()
whole_run.end()
"""


def started(text, *arguments):
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", text, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def words(process):
    return process.stdout.readline().split()


def killed(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()


def ended(pid):
    """Wait until a process has ended, which is nobody's child here."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(process) as file:
        return bool(select.select([file], [], [], 20)[0])


def serving(run):
    """Return the numbers of the processes that serve a run: the program, and its servers."""
    found = subprocess.run(["pgrep", "-f", str(run)], capture_output=True, text=True, check=False).stdout
    return {int(pid) for pid in found.split()}


@pytest.mark.parametrize("way", ["killed", "ended"])
def test_a_killed_worker_takes_its_servers_with_it_and_the_run_those_of_all(tmp_path, way):
    program("nats-server")
    run = started(RUN)
    [folder] = words(run)
    worker, other = started(WORKER, folder, tmp_path / "a"), started(WORKER, folder, tmp_path / "b")
    own, others = [int(pid) for pid in words(worker)], [int(pid) for pid in words(other)]
    shared = serving(folder) - {worker.pid, other.pid}
    assert len(shared) == 4, "one program and three servers, however many workers ask"
    killed(worker)
    assert all(map(ended, own))
    assert shared == serving(folder) - {other.pid}, "others need them"
    killed(other)
    assert all(map(ended, others))
    if way == "killed":
        killed(run)
    else:
        run.communicate("")
        assert not Path(folder).exists()
    assert all(map(ended, shared))
    assert not Path(folder).exists()
