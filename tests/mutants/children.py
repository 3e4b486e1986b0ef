"""Runs collected tests in forked children: once to see what each test reaches, then once for each mutant.

A child has a process group of its own, which ends with it: also the brokers and hubs that a failed test has left.
"""

import os
import pickle
import signal
import time
from contextlib import suppress
from importlib import import_module

from tests.mutants import fresh
from tests.mutants.fresh import ROOT
from tests.mutants.swap import NotSwappable, swap, watched

LEAST_SECONDS, TIMES = 20.0, 8  # a test may take so many times what it takes without the mutant, and this at least
NOT_SWAPPABLE = 3  # an exit code
REACHED = "__reached__"


class Children:
    """The tests of one pytest session against the mutants of some modules.

    With `quick` (seconds) a test that takes longer is left out, and what survives is not asked again.
    """

    def __init__(self, session, modules, folder, quick):
        self._session, self._modules, self._folder, self._quick = session, modules, folder, quick
        self._reached, self._seconds = {}, {}

    def reach(self):
        """Note what each test reaches and takes; return those that fail without any mutant and are left out."""
        out = self._folder / "reached"
        self._fork(lambda: self._watch(out), lambda: False)
        told = pickle.loads(out.read_bytes())
        self._reached = {name: lines for name, (lines, _, failed) in told.items() if not failed}
        self._seconds = {name: seconds for name, (_, seconds, _) in told.items()}
        return [name for name, (_, _, failed) in told.items() if failed]

    def judge(self, mutant):
        """Return how a mutant ended, and by which test."""
        place = mutant.module, mutant.statement
        items = [each for each in self._session.items if place in self._reached.get(each.nodeid, ())]
        if not items:
            return "survived", "no test reaches the line"
        items.sort(key=self._takes)
        if self._quick:
            items = [each for each in items if self._takes(each) < self._quick]
        last = self._folder / "last"
        last.write_text(items[0].nodeid if items else "", "utf-8")
        code = self._fork(lambda: self._hunt(mutant, items, last), lambda: self._hangs(last))
        if code not in (0, NOT_SWAPPABLE):
            return ("timeout" if code is None else "killed"), last.read_text("utf-8")
        if self._quick:
            return "survived", "at first sight"
        limit = 2 * LEAST_SECONDS + TIMES * sum(map(self._takes, items))
        return fresh.ask(mutant, [each.nodeid for each in items], self._folder, limit)

    def _hangs(self, last):
        """Tell whether the test that a child runs takes much longer than it does without a mutant."""
        usual = self._seconds.get(last.read_text("utf-8"), 0.0)
        return time.time() - last.stat().st_mtime > max(LEAST_SECONDS, TIMES * usual)

    def _takes(self, item):
        return self._seconds[item.nodeid]

    def _hunt(self, mutant, items, last):
        """In a child: run the tests up to the first that fails."""
        try:
            swap(ROOT / mutant.module, mutant.text)
        except NotSwappable:
            return NOT_SWAPPABLE
        for item, following in zip(items, [*items[1:], None], strict=True):
            last.write_text(item.nodeid, "utf-8")
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._session.testsfailed:
                return 1
        return 0

    def _watch(self, out):
        """In a child: run all tests, and write down for each what it reached, how long it took, whether it failed."""
        reached = {module: set() for module in self._modules}
        for module, lines in reached.items():
            vars(import_module(module.removesuffix(".py").replace("/", ".")))[REACHED] = lines
            swap(ROOT / module, watched(ROOT / module, REACHED))
        told, items = {}, self._session.items
        for item, following in zip(items, [*items[1:], None], strict=True):
            for lines in reached.values():
                lines.clear()
            began, failed = time.monotonic(), self._session.testsfailed
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            places = {(module, line) for module, lines in reached.items() for line in lines}
            told[item.nodeid] = (places, time.monotonic() - began, self._session.testsfailed > failed)
        out.write_bytes(pickle.dumps(told))
        return 0

    def _fork(self, work, hangs):
        """The exit code of `work` in a child, or None where it was ended because it hangs."""
        child = os.fork()
        if not child:
            code = 1
            try:
                os.setsid()
                log = os.open(self._folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.dup2(log, 1)
                os.dup2(log, 2)
                code = work()
            finally:
                os._exit(code)
        status = _wait(child, hangs)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        if status is None:
            os.waitpid(child, 0)
            return None
        return os.waitstatus_to_exitcode(status)


def _wait(child, hangs):
    """The child's status, or None where it hangs."""
    pause = 0.002
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        if hangs():
            return None
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
