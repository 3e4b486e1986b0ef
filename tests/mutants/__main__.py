"""`make mutants`: do the tests see a fault? Each promise's module is changed in small ways; each change must turn red.

    python -m tests.mutants --seed 7 --sample 10              # ten mutants of each module in table.py
    python -m tests.mutants --sample 0 hub/alerts/suppression/silences.py  # all of one module
    python -m tests.mutants --tests tests/alerts/test_desk_model.py hub/alerts/register.py  # by this test alone

Prints each survivor as a diff, a table, and the score: killed (or ended by the time limit) of what is not equivalent.
The exit code is 0 if that is 95 % or more. mutmut 3 and cosmic-ray were looked at: the first draws no sample and has no
list of equivalents, the second starts a process for each mutant, which takes hours here.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.mutants.fresh import ROOT
from tests.mutants.table import TABLE

FLOOR = 0.95
COLUMNS = ("killed", "timeout", "survived", "equivalent")


def main():
    parser = argparse.ArgumentParser(prog="tests.mutants", description="How many small faults do the tests see?")
    parser.add_argument("modules", nargs="*", help="of those in tests/mutants/table.py; all if none is given")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--sample", type=int, default=10, help="mutants of each module; 0: all")
    parser.add_argument("--tests", nargs="+", help="these instead of those that the table names")
    parser.add_argument("--only", default="", help="mutants whose 'function: new line' contains this text")
    parser.add_argument(
        "--quick", nargs="?", type=float, const=3.0, default=0.0, metavar="SECONDS",
        help="at first sight: without tests that take longer (3), and what survives is not asked again",
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", help="print the killed ones too, and by which test")
    asked = parser.parse_args()
    if unknown := [module for module in asked.modules if module not in TABLE]:
        parser.error(f"not in tests/mutants/table.py: {', '.join(unknown)}")
    groups = defaultdict(list)
    for module in asked.modules or TABLE:
        groups[tuple(asked.tests or TABLE[module])].append(module)
    counts = {module: Counter() for module in asked.modules or TABLE}
    for tests, modules in groups.items():
        for each in _told(tests, modules, asked):
            counts[each["module"]][each["how"]] += 1
            _print(each, asked.all)
    return _report(counts)


def _told(tests, modules, asked):
    """Let one pytest run judge the mutants of the modules that the same tests concern; yields what it says of each."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        results = Path(folder) / "results"
        results.touch()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutants.plugin", "-p", "no:cacheprovider"]
        command += ["--capture=sys", "--basetemp", f"{folder}/tmp", "--mutate", ",".join(modules)]
        command += [
            "--seed",
            asked.seed,
            "--sample",
            str(asked.sample),
            "--results",
            str(results),
            "--only",
            asked.only,
        ]
        command += ["--quick", str(asked.quick)]
        out = Path(folder) / "out"
        with out.open("wb") as said, results.open(encoding="utf-8") as lines:
            run = subprocess.Popen([*command, *tests], cwd=ROOT, stdout=said, stderr=said)
            running = True
            while running:
                running = run.poll() is None  # asked before reading: what it wrote at the end is read, too
                yield from (told for line in lines if "how" in (told := _said(line)))
                time.sleep(0.2 * running)
        if not results.stat().st_size:
            sys.exit(f"pytest did not begin:\n{out.read_text('utf-8', 'replace')}")


def _said(line):
    told = json.loads(line)
    for red in told.get("red", ()):
        print(f"left out, since it fails without a mutant: {red}")
    return told


def _print(each, killed):
    if each["how"] == "survived" or killed:
        why = f" ({each['by']})" if each["by"] else ""
        print(f"{each['how']}: {each['module']}:{each['line']} {each['function']}, {each['seconds']} s{why}")
        print(f"    - {each['before']}\n    + {each['after']}", flush=True)


def _report(rows):
    width = max(len(module) for module in rows)
    print(f"\n{'module':{width}}  mutants" + "".join(f"{name:>12}" for name in COLUMNS) + "   score")
    for module, counts in [*rows.items(), ("all", sum(rows.values(), Counter()))]:
        figures = "".join(f"{counts[name]:>12}" for name in COLUMNS)
        print(f"{module:{width}}  {counts.total():>7}{figures}  {_score(counts):>6.1%}", flush=True)
    return int(_score(sum(rows.values(), Counter())) < FLOOR)


def _score(counts):
    judged = counts.total() - counts["equivalent"]
    return (counts["killed"] + counts["timeout"]) / judged if judged else 1.0


if __name__ == "__main__":
    sys.exit(main())
