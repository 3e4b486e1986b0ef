"""A time limit for every test: what hangs fails, and says which test it was and where it hangs.

The limit holds for the set-up, for the test itself and for its end, each by itself. It stands as `time_limit` in
pyproject.toml; a test that needs longer carries `@pytest.mark.time_limit(SECONDS, "the reason")`. A signal interrupts
the test, and the traceback shows the place; a loop is stopped, and each of its tasks is shown with its own place.
What no signal interrupts (a loop in C) ends its worker at twice the limit, with the stack of each thread on stderr.
(PYTEST_DONT_REWRITE: others import it before pytest can rewrite it.)
"""

import asyncio
import contextlib
import faulthandler
import os
import signal
import traceback

import pytest

AGAIN_SECONDS = 5.0  # where the first signal did not end it: a loop that cannot stop, a failure that was caught
LONG = 20  # `--long` kills ten times as often and draws ten times as many examples

_stderr = []
_phases = []
"""How long the phase that runs may take; empty between two."""


def pytest_addoption(parser):
    parser.addini("time_limit", "how many seconds a test may take, unless it is marked with time_limit")


def pytest_configure(config):
    config.addinivalue_line("markers", "time_limit(seconds, reason): the time that this test may take, and why")
    _stderr.append(os.dup(2))  # now: while a test runs, its output is captured


def seconds_for(item):
    """Return how long each phase of this test may take."""
    marker = item.get_closest_marker("time_limit")
    if marker is None:
        limit = float(item.config.getini("time_limit"))
    else:
        limit, reason = marker.args
        assert reason.strip(), "the marker time_limit wants a reason"
    return limit * (LONG if item.config.getoption("--long", default=False) else 1)


def _phase(item):
    limit, said = seconds_for(item), []

    def ring(number, frame):
        said.append(f"{item.nodeid} hangs: it was not done after {limit:g} s{_tasks()}")
        loop = _running_loop()
        if loop is None or len(said) > 1:  # a loop that does not stop is kept from it by a task that never waits
            pytest.fail(said[0])
        loop.call_soon_threadsafe(loop.stop)

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit, AGAIN_SECONDS)
    _phases.append(limit)
    _guard(limit)
    try:
        result = yield
    except BaseException as error:
        if said and not isinstance(error, pytest.fail.Exception):  # that of the loop which was stopped
            raise pytest.fail.Exception(said[0], pytrace=False) from error
        raise
    else:
        if said:
            pytest.fail(said[0], pytrace=False)
        return result
    finally:
        _phases.pop()
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _guard(limit):
    """End the worker where the signal does not end the phase."""
    faulthandler.dump_traceback_later(2 * limit + 4 * AGAIN_SECONDS, exit=True, file=_stderr[0])


@contextlib.contextmanager
def paused():
    """Let no time pass for the phase that runs: it waits for its turn among the tests, not for what it tests."""
    if not _phases:
        yield
        return
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    faulthandler.cancel_dump_traceback_later()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left or AGAIN_SECONDS, AGAIN_SECONDS)
        _guard(_phases[-1])


def _running_loop():
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _tasks():
    """Describe where each task of the running loop waits, from its outermost coroutine to the innermost."""
    if (loop := _running_loop()) is None:  # the traceback says it all
        return ""
    return "".join(
        f"\n\ntask {each.get_name()} waits here:\n{''.join(traceback.format_list(_stack(each.get_coro())))}"
        for each in sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    )


def _stack(waiting):
    found = traceback.StackSummary()
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is not None:
            found += traceback.StackSummary.extract([(frame, frame.f_lineno)])
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    return found


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    return (yield from _phase(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    return (yield from _phase(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item):
    return (yield from _phase(item))
