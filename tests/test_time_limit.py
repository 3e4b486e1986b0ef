"""tests/support/time_limit.py: what hangs fails, with its name and its place; the others do not notice."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(tmp_path):
    """Run a test file of this text under a limit of half a second; return what pytest said."""

    def run(text, *arguments):
        (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\ntime_limit = 0.5\n")
        (tmp_path / "test_it.py").write_text(text)
        plugins = ["tests.support.time_limit", "no:cacheprovider", "no:schemathesis"]
        command = [sys.executable, "-m", "pytest", *(word for each in plugins for word in ("-p", each))]
        return subprocess.run(
            [*command, *arguments, "test_it.py"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_test_that_hangs_fails_with_its_name_and_the_line(run):
    done = run("import threading\ndef test_deaf():\n    threading.Event().wait()\ndef test_next():\n    pass\n")
    assert "test_it.py::test_deaf hangs: it was not done after 0.5 s" in done.stdout
    assert re.search(r"test_it\.py:3: *$", done.stdout, re.MULTILINE)
    assert "1 failed, 1 passed" in done.stdout


def test_where_a_loop_waits_the_innermost_line_of_each_task_is_shown(run):
    done = run(
        "import asyncio\n"
        "async def inner():\n    await asyncio.Event().wait()  # here\n"
        "async def middle():\n    await inner()\n"
        "async def test_deaf():\n"
        "    async with asyncio.TaskGroup() as group:\n        group.create_task(middle(), name='reader')\n"
    )
    assert "task reader waits here" in done.stdout
    assert "await asyncio.Event().wait()  # here" in done.stdout.partition("task reader waits here")[2]
    assert "1 failed" in done.stdout


def test_a_failure_that_hits_another_task_than_the_tests_own_is_raised_again(run):
    busy = "import asyncio, time\nasync def busy():\n    while True:\n        time.sleep(0.01)\n"
    done = run(
        busy + "async def test_deaf():\n    task = asyncio.create_task(busy())\n    await asyncio.Event().wait()\n"
    )
    assert "test_it.py::test_deaf hangs" in done.stdout
    assert "1 failed" in done.stdout


def test_a_fixture_that_hangs_fails_likewise(run):
    done = run(
        "import pytest, threading\n@pytest.fixture\ndef deaf():\n    threading.Event().wait()\n"
        "def test_it(deaf):\n    pass\n"
    )
    assert "test_it.py::test_it hangs" in done.stdout
    assert "1 error" in done.stdout


def test_a_marked_test_has_longer_with_xdist_too(run):
    slow = "import pytest, time\n@pytest.mark.time_limit(30, 'sleeps')\ndef test_slow():\n    time.sleep(1)\n"
    done = run(slow + "def test_deaf():\n    time.sleep(30)\n", "-n", "1")
    assert "test_it.py::test_deaf hangs: it was not done after 0.5 s" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_a_mark_without_a_reason_is_an_error(run):
    done = run("import pytest\n@pytest.mark.time_limit(30, '')\ndef test_slow():\n    pass\n")
    assert "wants a reason" in done.stdout


def test_what_no_signal_interrupts_ends_its_worker_with_the_place(run):
    masked = "import signal, time\ndef test_deaf():\n    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n"
    text = "import tests.support.time_limit as it\nit.AGAIN_SECONDS = 0.1\n" + masked + "    time.sleep(60)\n"
    done = run(text)
    assert done.returncode != 0
    assert "Timeout (0:00:01.400000)!" in done.stderr
    assert 'test_it.py", line 6 in test_deaf' in done.stderr
