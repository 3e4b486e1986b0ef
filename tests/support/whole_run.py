"""What all workers of one test run share: a folder, turns that only a few may have at once, and an end.

The process that was called (the controller of xdist, or the only one) makes the folder and holds the lock on `alive` in
it for as long as it lives: the kernel lets go of it however that process ends. Who serves all workers, as
tests/support/shared_servers.py does, waits for this lock, and ends when it has it.
(PYTEST_DONT_REWRITE: others import it before pytest can rewrite it.)
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.support import time_limit

ROOT = Path(__file__).parents[2]
AGAIN_SECONDS = 0.05
OWN_SETS = 2
"""How many tests at a time may have NATS servers of their own: three such are a load on two cores."""

_run = {}
"""`folder` of the run; in the process that is the run also the file `alive`, which it has locked."""


def folder():
    """Return the folder of the run."""
    return _run["folder"]


def begin():
    """Be the run: return its folder."""
    join(tempfile.mkdtemp(prefix="hub-tests-"))
    _run["alive"] = locked(folder() / "alive")
    return folder()


def end():
    """Let go, and wait until those are gone that served the run."""
    if "alive" in _run:
        os.close(_run.pop("alive"))
        with contextlib.suppress(FileNotFoundError):  # who served it has removed it
            os.close(locked(folder() / "serves"))
        shutil.rmtree(folder(), ignore_errors=True)


def join(made):
    """Be a worker of the run in this folder."""
    _run["folder"] = Path(made)


def locked(path):
    """Wait for the lock on a file, which is made; closing what is returned, or the end of this process, frees it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _lock_at_once(path):
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def take_turn(name="own-servers", count=OWN_SETS):
    """Wait until fewer than `count` have a turn of this name in the whole run; closing what is returned ends it.

    The wait does not count in the time that the test may take.
    """
    with time_limit.paused():
        while True:
            for number in range(count):
                if (file := _lock_at_once(folder() / f"{name}.{number}")) is not None:
                    return file
            time.sleep(AGAIN_SECONDS)


def served(program, answer):
    """Return the file `answer` of the folder, which the first worker that asks lets a program of its own write."""
    asking = locked(folder() / f"{program}.starts")
    try:
        path = folder() / answer
        if not path.exists():
            with (folder() / f"{program}.log").open("wb") as log:
                command = (sys.executable, "-m", program, str(folder()))
                where = {"cwd": ROOT, "env": os.environ | {"PYTHONPATH": str(ROOT)}}
                # it outlives the worker that starts it: others go on
                process = subprocess.Popen(
                    command, **where, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            while not path.exists():
                said = (folder() / f"{program}.log").read_text("utf-8", "replace")
                assert process.poll() is None, f"{program} has ended:\n{said}"
                time.sleep(AGAIN_SECONDS)
            process.returncode = 0  # nobody waits for it here: else Python says so when this object goes
        return path
    finally:
        os.close(asking)


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        join(config.workerinput["hub_run"])
    else:
        begin()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell each worker of xdist where the folder is."""
    node.workerinput["hub_run"] = str(folder())


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        end()
