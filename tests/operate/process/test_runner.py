import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PATIENCE = 60


class Process:
    def __init__(self, *arguments):
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.operate.fake_hub", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def read(self, word):
        line = self.popen.stdout.readline()
        assert line.split()[:1] == [word], line + self.popen.stderr.read()
        return line

    def signal(self, which):
        self.popen.send_signal(which)

    def end(self):
        # not communicate(): it would not see what readline() has read ahead
        watchdog = threading.Timer(PATIENCE, self.popen.kill)
        watchdog.start()
        out, err = self.popen.stdout.read(), self.popen.stderr.read()
        code = self.popen.wait()
        watchdog.cancel()
        return code, out, err


@pytest.fixture
def start():
    started = []

    def make(*arguments):
        started.append(Process(*arguments))
        return started[-1]

    yield make
    for process in started:
        process.popen.kill()
        process.popen.wait()
        process.popen.stdout.close()
        process.popen.stderr.close()


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_0(start, which):
    process = start("good")
    process.read("ready")
    process.signal(which)
    process.read("stopping")
    assert process.end() == (0, "drained\n", "")


def test_sighup_reloads_and_the_hub_goes_on(start):
    process = start("good")
    process.read("ready")
    process.signal(signal.SIGHUP)
    process.read("reloading")
    process.signal(signal.SIGHUP)
    process.read("reloading")
    process.signal(signal.SIGTERM)
    process.read("stopping")
    assert process.end()[0] == 0


def test_a_second_sigterm_does_not_cut_the_drain_short(start):
    process = start("good")
    process.read("ready")
    process.signal(signal.SIGTERM)
    process.signal(signal.SIGTERM)
    process.read("stopping")
    assert process.end() == (0, "drained\n", "")


def test_a_second_sigint_ends_at_once(start):
    process = start("hangs")
    process.read("ready")
    process.signal(signal.SIGINT)
    process.read("stopping")
    process.signal(signal.SIGINT)
    assert process.end() == (130, "", "hub: ended at once: what was not acknowledged to the broker comes again\n")


@pytest.mark.parametrize("behaviour", ["hangs", "blocks"])
def test_a_drain_that_hangs_ends_by_the_clock_and_is_no_success(start, behaviour):
    process = start(behaviour)
    process.read("ready")
    process.signal(signal.SIGTERM)
    process.read("stopping")
    assert process.end() == (
        1,
        "",
        "hub: the drain did not end in time: what was not acknowledged to the broker comes again\n",
    )


@pytest.mark.parametrize("behaviour", ["thread", "executor"])
def test_a_thread_that_hangs_in_somebodys_network_does_not_keep_a_drained_hub(start, behaviour):
    process = start(behaviour)
    process.read("ready")
    process.signal(signal.SIGTERM)
    process.read("stopping")
    assert process.end() == (0, "drained\n", "")


def test_uvloop_is_used_where_it_exists(start):
    pytest.importorskip("uvloop")
    process = start("good")
    assert "uvloop" in process.read("ready")


def test_a_hub_error_is_one_line_and_its_exit_code(start):
    process = start("unreachable")
    process.read("ready")
    assert process.end() == (3, "", "hub: no broker at mqtt://x:1\\x1b[2J\n")


def test_problems_stand_one_per_line_as_editors_read_them(start):
    process = start("problems")
    process.read("ready")
    assert process.end() == (1, "", "a.yaml:1:1: worse (do this)\nb.yaml:2:3: bad\n")


def test_of_several_errors_the_one_a_user_can_act_on_is_told(start):
    process = start("group")
    process.read("ready")
    assert process.end() == (1, "", "hub: disk gone\n")


def test_a_bug_says_that_it_is_ours_and_leaves_the_traceback_in_the_log(start):
    process = start("bug")
    process.read("ready")
    code, _, err = process.end()
    assert code == 1
    assert err.startswith("hub: this is a bug in the hub, please report it: ZeroDivisionError: division by zero\n")
    assert "Traceback" in err


def test_debug_shows_the_traceback_of_an_error_too(start):
    process = start("unreachable", "--debug")
    process.read("ready")
    assert "Traceback" in process.end()[2]
