"""Mutants that no test can kill, since they do the same: read from equivalents.txt, where each has its reason.

A mutant is found by its module, its function and both of its lines, so it stays known when lines move; a line that
changes is to be thought about anew.

    hub/alerts/telling/decision.py next_step: the reason
    - the line as it is
    + the line of the mutant
"""

from pathlib import Path

EQUIVALENT = {}

for _block in Path(__file__).with_suffix(".txt").read_text("utf-8").strip().split("\n\n"):
    _head, _before, _after = _block.splitlines()
    _place, _, _why = _head.partition(": ")
    EQUIVALENT[*_place.split(" "), f"{_before[2:]} -> {_after[2:]}"] = _why
