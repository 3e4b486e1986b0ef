"""tests/support/measured.py: what ran is added up over the workers; too little fails, and says what is missing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = "def half(which):\n    if which:\n        return 1\n    return 2\n"
TESTS = (
    "from it.page import half\ndef test_a():\n    assert half(True) == 1\ndef test_b():\n    assert half(False) == 2\n"
)


@pytest.fixture
def run(tmp_path):
    """Run these tests over a package of one page, as the hub's are; return what pytest said."""
    text = (ROOT / "tests" / "support" / "measured.py").read_text("utf-8")
    (tmp_path / "measured.py").write_text(text.replace('ROOT / "hub"', 'Path(__file__).parent / "it"'), "utf-8")
    (tmp_path / "conftest.py").write_text('import measured\npytest_plugins = ["measured"]\n')
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "page.py").write_text(PAGE)
    (tmp_path / "test_it.py").write_text(TESTS)

    def run(floor, *arguments):
        (tmp_path / "pytest.ini").write_text(f"[pytest]\ncoverage_floor = {floor}\npythonpath = .\n")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:schemathesis", *arguments]
        command.append("test_it.py")
        env = {name: value for name, value in os.environ.items() if name not in ("HUB_COVERAGE", "PYTEST_ADDOPTS")}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_ran_anywhere_is_added_up(run, workers):
    done = run(100, "--coverage", "-n", workers)
    assert "100.00 % of the lines" in done.stdout, done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize("workers", ["0", "1"])
def test_below_the_floor_the_run_fails_and_names_the_file(run, workers):
    done = run(90, "--coverage", "-n", workers, "-k", "test_a")
    assert re.search(r"1 of +4 lines did not run in \S*it/page\.py", done.stdout), done.stdout
    assert "75.00 % of the lines of hub/ ran in the tests' own processes; the floor is 90 %: TOO LITTLE" in done.stdout
    assert done.returncode == 1


def test_nothing_is_measured_unless_it_is_asked_for(run):
    done = run(100, "-k", "test_a")
    assert "% of the lines" not in done.stdout
    assert done.returncode == 0
