"""The pytest plugin that runs the collected tests against each mutant: collect once, then fork for each.

First one child runs all tests without a mutant and notes which lines of the module each test reaches and how long it
takes. Then, for each mutant, a child gets the mutant's code and runs the tests that reach its line, the quickest first,
up to the first failure. A child that takes too long is killed. What survives is asked again in a fresh process that
imports the mutant from the beginning, so that nothing remembered at import (a cache, a table) speaks for it.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.mutants import kinds
from tests.mutants.equivalents import EQUIVALENT
from tests.mutants.swap import NotSwappable, swap, watched

ROOT = Path(__file__).parent.parent.parent
LEAST_SECONDS, TIMES = 20.0, 8  # a mutant may take so many times what its tests take without it, and this at least
EXAMPLES = 30  # of a property, at first
NOT_SWAPPABLE = 3  # an exit code
SLOW_SECONDS = 3.0  # a test that takes longer is left out where first sight is enough
REACHED = "__reached__"
FRESH = "HUB_MUTANT"  # module and file of the mutant that a fresh process imports


class _Loader(SourceFileLoader):
    def get_code(self, fullname):
        return compile(Path(os.environ[FRESH].partition("=")[2]).read_bytes(), self.path, "exec")


class _Finder(MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        module = os.environ[FRESH].partition("=")[0]
        if fullname.replace(".", "/") + ".py" == module:
            where = str(ROOT / module)
            return spec_from_file_location(fullname, where, loader=_Loader(fullname, where))
        return None


if FRESH in os.environ:
    sys.meta_path.insert(0, _Finder())


def pytest_addoption(parser):
    for name, default in (("--mutate", ""), ("--seed", "1"), ("--sample", "10"), ("--results", ""), ("--only", "")):
        parser.addoption(name, default=default)
    parser.addoption("--quick", action="store_true")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    # the first counter-example is enough: it needs not be the smallest
    plain = settings.register_profile
    plain("mutants", settings.get_profile("same"), phases=(Phase.explicit, Phase.generate), database=None)
    settings.load_profile("mutants")


def pytest_collection_modifyitems(session, items):
    """A property is tried less often, but where it decides: what survives is asked again with all its examples."""
    if session.config.getoption("--mutate"):
        for item in items:
            owner, name = item.cls, "settings"
            if not isinstance(getattr(owner, name, None), settings):
                owner, name = item.obj, "_hypothesis_internal_use_settings"
            found = getattr(owner, name, None)
            if isinstance(found, settings) and found.max_examples > EXAMPLES:
                setattr(owner, name, settings(found, max_examples=EXAMPLES))


def pytest_runtestloop(session):
    option = session.config.getoption
    modules = option("--mutate").split(",")
    if modules == [""]:
        return None
    runs = _Runs(session, modules)
    with open(option("--results"), "a", encoding="utf-8") as results:
        results.write(json.dumps({"red": runs.reach()}) + "\n")
        every = [
            mutant
            for module in modules
            for mutant in kinds.sample(module, ROOT, option("--seed"), int(option("--sample")))
        ]
        for mutant in every:
            if option("--only") not in f"{mutant.function}: {mutant.after}":
                continue
            began = time.monotonic()
            how, by = ("equivalent", EQUIVALENT[mutant.key]) if mutant.key in EQUIVALENT else runs.judge(mutant)
            told = {name: getattr(mutant, name) for name in ("module", "function", "line", "kind", "before", "after")}
            results.write(
                json.dumps(told | {"how": how, "by": by, "seconds": round(time.monotonic() - began, 1)}) + "\n"
            )
            results.flush()
    return True


class _Runs:
    def __init__(self, session, modules):
        self.session, self.modules = session, modules
        self.folder = Path(session.config.getoption("--results")).parent
        self.lines, self.seconds = {}, {}

    def reach(self):
        """Note what each test reaches and takes; returns those that fail without any mutant and are left out."""
        out = self.folder / "reached"
        self._fork(lambda: self._watch(out), None, 3600.0)
        told = pickle.loads(out.read_bytes())
        self.lines = {name: lines for name, (lines, _, failed) in told.items() if not failed}
        self.seconds = {name: seconds for name, (_, seconds, _) in told.items()}
        return [name for name, (_, _, failed) in told.items() if failed]

    def judge(self, mutant):
        """How the mutant ended, and by which test."""
        items = [i for i in self.session.items if (mutant.module, mutant.statement) in self.lines.get(i.nodeid, ())]
        if not items:
            return "survived", "no test reaches the line"
        items.sort(key=lambda item: self.seconds[item.nodeid])
        quick = self.session.config.getoption("--quick")
        if quick:
            items = [each for each in items if self.seconds[each.nodeid] < SLOW_SECONDS]
        limit = max(LEAST_SECONDS, TIMES * sum(self.seconds[item.nodeid] for item in items))
        last = self.folder / "last"
        code = self._fork(lambda: self._hunt(mutant, items, last), last, limit)
        if code in (0, NOT_SWAPPABLE):
            return ("survived", "at first sight") if quick else self._fresh(mutant, items, limit)
        by = last.read_text("utf-8") if last.exists() else ""
        return ("timeout" if code is None else "killed"), by

    def _hunt(self, mutant, items, last):
        try:
            swap(ROOT / mutant.module, mutant.text)
        except NotSwappable:
            return NOT_SWAPPABLE
        for item, following in zip(items, [*items[1:], None], strict=True):
            last.write_text(item.nodeid, "utf-8")
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.session.testsfailed:
                return 1
        return 0

    def _watch(self, out):
        reached = {module: set() for module in self.modules}
        for module, lines in reached.items():
            vars(sys.modules[module.removesuffix(".py").replace("/", ".")])[REACHED] = lines
            swap(ROOT / module, watched(ROOT / module, REACHED))
        told, items = {}, self.session.items
        for item, following in zip(items, [*items[1:], None], strict=True):
            for lines in reached.values():
                lines.clear()
            began, failed = time.monotonic(), self.session.testsfailed
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            lines = {(module, line) for module, found in reached.items() for line in found}
            told[item.nodeid] = (lines, time.monotonic() - began, self.session.testsfailed > failed)
        out.write_bytes(pickle.dumps(told))
        return 0

    def _fork(self, work, last, limit):
        """The exit code of `work` in a child with a process group of its own, or None if the limit ended it."""
        if last:
            last.unlink(missing_ok=True)
        child = os.fork()
        if not child:
            code = 1
            try:
                os.setsid()
                log = os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.dup2(log, 1)
                os.dup2(log, 2)
                code = work()
            finally:
                os._exit(code)
        status = _wait(child, limit)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # brokers and hubs that a failed test left, and the child that hangs
        if status is None:
            os.waitpid(child, 0)
            return None
        return os.waitstatus_to_exitcode(status)

    def _fresh(self, mutant, items, limit):
        text = self.folder / "mutant.py"
        text.write_bytes(mutant.text)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutants.plugin", "-p", "no:cacheprovider"]
        command += ["--basetemp", str(self.folder / "fresh"), *(item.nodeid for item in items)]
        surroundings = os.environ | {FRESH: f"{mutant.module}={text}"}
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=surroundings,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as run:
            try:
                out, _ = run.communicate(timeout=limit + LEAST_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                return "timeout", "in a fresh process"
        failed = [line for line in out.decode(errors="replace").splitlines() if line.startswith(("FAILED", "ERROR"))]
        return ("killed", f"in a fresh process: {failed[:1]}") if run.returncode else ("survived", "")


def _wait(child, limit):
    """The child's status, or None after so many seconds."""
    until, pause = time.monotonic() + limit, 0.002
    while time.monotonic() < until:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return None
