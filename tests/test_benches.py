"""docs/benches.md: every bench has its section, and what they print is in it."""

import re
from pathlib import Path

from hub.operate.bench.scenario import SCENARIOS
from hub.operate.cli import bench

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "benches.md").read_text("utf-8")
PARTS = dict(re.findall(r"^## `([^`]+)`\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))


def test_every_bench_has_its_section_and_no_other_has():
    modules = {path.stem for path in (ROOT / "tests" / "bench").glob("*.py")} - {"__main__", "hub"}
    assert set(PARTS) == {"hub bench", "python -m tests.bench"} | {f"python -m tests.bench.{name}" for name in modules}


def test_every_column_of_hub_bench_is_explained_and_every_load_named():
    heads = re.search(r"heads = \((.*?)\)", Path(bench.__file__).read_text("utf-8"))[1]
    rows = " ".join(re.findall(r"^\| (.+?) \|", PARTS["hub bench"], re.MULTILINE))
    assert {f"`{each}`" for each in re.findall(r'"(.+?)"', heads)} <= set(re.findall(r"`[^`]+`", rows))
    assert len(SCENARIOS) == 4


def test_the_words_that_a_bench_prints_are_in_its_section():
    """Each quoted name of a section stands in the file that it is about."""
    for name, part in PARTS.items():
        path = ROOT / "tests" / "bench" / f"{name.rpartition('.')[2]}.py"
        if not name.startswith("python -m tests.bench."):
            continue
        source = path.read_text("utf-8") + (ROOT / "Makefile").read_text("utf-8")
        for word in re.findall(r"`([a-z_]\w*|[a-z]+ [a-z]+)`", part):
            assert word in source, f"{name}: {word}"
