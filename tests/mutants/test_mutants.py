"""mutants: what is made of a module, where its tests are, which equivalents are known; a fault is told from none."""

import subprocess
import sys
from itertools import chain

import pytest

from tests.mutants import kinds
from tests.mutants.equivalents import EQUIVALENT
from tests.mutants.fresh import ROOT
from tests.mutants.kinds import mutants, sample
from tests.mutants.table import TABLE

TEXT = '''"""A module."""


def limited(low, high, *, most=9):
    """Return a number."""
    if low < 1 and high:
        log(low, high)
    return min(low, most)
'''


@pytest.fixture
def module(tmp_path):
    (tmp_path / "m.py").write_text(TEXT, "utf-8")
    return tmp_path


def test_every_path_of_the_table_and_each_equivalent_is_there():
    assert not [path for path in (*TABLE, *chain.from_iterable(TABLE.values())) if not (ROOT / path).exists()]
    assert {module for module, _, _ in EQUIVALENT} <= set(TABLE)


def test_each_equivalent_is_a_mutant_that_is_still_made(monkeypatch):
    monkeypatch.setattr(kinds, "_compiles", lambda _: True)  # which takes a second for each module
    made = {each.key for module in {module for module, _, _ in EQUIVALENT} for each in mutants(module, ROOT)}
    assert not EQUIVALENT.keys() - made, "the line has changed: think about it anew, or take the entry out"


def test_the_body_of_a_function_is_changed_in_all_ways_and_nothing_else_is(module):
    made = mutants("m.py", module)
    assert {(each.line, each.after) for each in made} == {
        (6, "if (low >= 1) and high:"),
        (6, "if (low <= 1) and high:"),
        (6, "if low < 2 and high:"),
        (6, "if (low < 1 or high):"),
        (6, "if (low < 1):"),
        (6, "if (high):"),
        (6, "if not (low < 1 and high):"),
        (7, "pass"),
        (7, "return"),
        (7, "log(high, low)"),
        (8, "return max(low, most)"),
    }
    assert {each.function for each in made} == {"limited"}


def test_a_sample_is_the_same_for_the_same_seed(module):
    some = [each.after for each in sample("m.py", module, "1", 5)]
    assert some == [each.after for each in sample("m.py", module, "1", 5)]
    assert len(some) == 5
    assert len({tuple(each.after for each in sample("m.py", module, str(seed), 5)) for seed in range(9)}) > 1
    assert len(sample("m.py", module, "1", 0)) == 11


def run(*arguments):
    command = [sys.executable, "-m", "tests.mutants", "--sample", "0", "--all", "--only", "Hearing.take_gap"]
    return subprocess.run(
        [*command, *arguments, "hub/spine/hearing.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_what_the_tests_see_is_killed_and_what_they_never_reach_survives():
    seen = run()
    assert (seen.returncode, seen.stderr) == (0, "")
    assert "killed: hub/spine/hearing.py" in seen.stdout
    assert "survived" not in seen.stdout.partition("module")[0]
    unseen = run("--quick", "--tests", "tests/notify/wording/test_level.py", "--")
    assert unseen.returncode == 1
    assert "no test reaches the line" in unseen.stdout
