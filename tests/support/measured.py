"""Coverage of hub/ by the tests, with SlipCover: coverage.py's tracer doubles the CPU time of the suite on Python 3.11.

`pytest --coverage` measures; conftest imports this file before it imports the hub, in each worker of xdist too, because
what is imported earlier is not seen. It counts lines that ran in the pytest processes. Hubs that run as processes of
their own (tests/support/prefork.py) are not counted: they are killed, and could not say what they ran. Each worker
hands its count to the controller, which adds them up, prints the whole and the files with most lines missing, and
fails the run below `coverage_floor` in pyproject.toml. (PYTEST_DONT_REWRITE: it is there before pytest can rewrite it.)
"""

import json
import os
import sys
from pathlib import Path

import pytest

WANTED = "HUB_COVERAGE"  # in the environment, so that a worker knows it before it has read any option
ROOT = Path(__file__).parents[2]
SHOWN = 15

if "--coverage" in sys.argv:
    os.environ[WANTED] = "1"


class Measure:
    """What ran in this process; in the controller also what the workers have handed over."""

    def __init__(self, source):
        import slipcover  # noqa: PLC0415 - only for who wants to know

        self._slipcover = slipcover
        self._count = slipcover.Slipcover(source=[str(source)])
        self._imports = slipcover.ImportManager(self._count, slipcover.FileMatcher(sources=[str(source)]))
        self._imports.__enter__()
        self.handed = []

    def counted(self):
        """Return what ran here, as SlipCover's document."""
        return self._count.get_coverage()

    def whole(self):
        """Return what ran anywhere."""
        merged = self.counted()
        for each in self.handed:
            self._slipcover.merge_coverage(merged, json.loads(each))
        return merged


MEASURE = Measure(ROOT / "hub") if os.environ.get(WANTED) else None


def pytest_addoption(parser):
    parser.addoption("--coverage", action="store_true", help="count the lines of hub/ that ran; fail below the floor")
    parser.addini("coverage_floor", "how many per cent of the lines of hub/ must run in a whole run with --coverage")


class Report:
    """The plugin of a run that measures: hands over in a worker, adds up and judges in the controller."""

    def __init__(self, config, measure):
        self._config, self._measure, self._lines = config, measure, []
        self.floor = float(config.getini("coverage_floor"))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        """Take what a worker has counted."""
        if hasattr(node, "workeroutput"):  # a worker that crashed has none, and fails the run by that
            self._measure.handed.append(node.workeroutput["coverage"])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["coverage"] = json.dumps(self._measure.counted())
            return
        whole = self._measure.whole()
        percent = whole["summary"]["percent_covered"]
        self._lines = list(described(whole, self.floor))
        if percent < self.floor and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        if self._lines:
            terminalreporter.section("coverage")
            terminalreporter.write_line("\n".join(self._lines))


def described(whole, floor):
    """Yield the lines that say how much of hub/ ran, and where most is missing."""
    files = sorted(whole["files"].items(), key=lambda item: -len(item[1]["missing_lines"]))
    for name, file in files[:SHOWN]:
        missing, ran = len(file["missing_lines"]), len(file["executed_lines"])
        if missing:
            yield f"{missing:5} of {missing + ran:4} lines did not run in {os.path.relpath(name, ROOT)}"
    percent = whole["summary"]["percent_covered"]
    verdict = "" if percent >= floor else ": TOO LITTLE; test what is new, or say in pyproject.toml why the floor falls"
    yield f"{percent:.2f} % of the lines of hub/ ran in the tests' own processes; the floor is {floor:g} %{verdict}"


def pytest_configure(config):
    if MEASURE is not None:
        config.pluginmanager.register(Report(config, MEASURE), "hub-coverage")
